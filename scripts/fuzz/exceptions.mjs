// What `npm run fuzz` accepts beside what it expects of every operation, each with its reason: a schema can't say all that a rule says.
// An entry that no operation needs any more has to go.

/** Of every operation: a key that stands for another request is 422, and any POST may have one. */
export const EVERYWHERE = { positive_data_acceptance: ["2xx", "3xx", "401", "403", "404", "409", "422", "429", "5xx"] };

const REFUSES = { positive_data_acceptance: [...EVERYWHERE.positive_data_acceptance, "400"] };

/** Rules that no schema says, and the operations that have them. */
const RULES = [
  ["a cursor has to be one of this list's own", REFUSES, ["listApiKeys", "listInvoices", "listOrganizations", "listParkedWork", "listGrants"]],
  ["how much is asked for has to be more than nothing", REFUSES, ["getQuota", "createReservation", "settleReservation", "createGrant"]],
  ["usage has an amount other than 0, a metric that exists and a time within the last 35 days", REFUSES, ["recordUsage", "consumeUsage", "recordEvents"]],
  ["a time has to lie ahead", REFUSES, ["createApiKey", "advanceTestClock"]],
  ["a time has to lie between 1970 and 9999, and `from` before `to`", REFUSES, ["createTestClock", "exportUsageEvents", "exportUsageProof", "getUsageHistory"]],
  ["an address is https, a plan, a time zone and a currency are known ones", REFUSES, ["createOrganization", "updateOrganization", "updateOwnOrganization"]],
  ["only a unique metric has a property whose values it counts", REFUSES, ["createMetric"]],
  ["a feed is asked for by headers of its own", { positive_data_acceptance: [...EVERYWHERE.positive_data_acceptance, "406"] }, ["followUsage"]],
  ["the good entries of a batch are recorded even when others are bad", { ...REFUSES, negative_data_rejection: ["200", "400", "401", "403", "404", "406", "413", "415", "422", "429", "5xx"] }, ["recordUsageBatch"]],
];

/** By operation: the statuses that each check accepts. */
export const EXCEPTIONS = RULES.flatMap(([reason, checks, operations]) => operations.map((operation) => ({ operation, checks, reason })));

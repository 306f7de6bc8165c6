// What `npm run fuzz` accepts beside what it expects of every operation, each with its reason: a schema can't say all that a rule says.
// An entry that no operation needs any more has to go.

/** Of every operation: a key that stands for another request is 422, and any POST may have one. */
export const EVERYWHERE = { positive_data_acceptance: ["2xx", "3xx", "401", "403", "404", "409", "422", "429", "5xx"] };

const REFUSES = { positive_data_acceptance: [...EVERYWHERE.positive_data_acceptance, "400"] };

/** Parameters that say what to do with the request, and are not read where there is nothing to do: a key of a write without a body. */
const IGNORES = { negative_data_rejection: ["2xx", "400", "401", "403", "404", "406", "409", "413", "415", "422", "429", "5xx"] };

/** Rules that no schema says, and the operations that have them. */
const RULES = [
  [
    "a cursor has to be one of this list's own, and an id in the query one that can be",
    REFUSES,
    [
      ...["listApiKeys", "listErasures", "listExports", "listGrants", "listInvitations", "listInvoices", "listMembers", "listMetrics", "listMoves"],
      ...["auditBilling", "getCredits", "listCreditNotes", "listLedgerEntries", "listPayments", "listPlans", "listPlanVersions", "listRefunds"],
      ...["listOAuthClients", "listOrganizations", "listDeadLetters", "listPlatformKeys", "listRoles", "listSessions", "listTeamMembers", "listTeams"],
    ],
  ],
  ["times lie between 1970 and 9999, and `from` before `to`", REFUSES, ["createTestClock", "exportUsageEvents", "exportUsageProof", "getUsageHistory"]],
  ["times lie between 1970 and 9999, and `from` before `to`", REFUSES, ["listAuditLog", "exportAuditLog", "listPlatformAuditLog", "exportPlatformAuditLog"]],
  ["times lie between 1970 and 9999, and `from` before `to`", REFUSES, ["pauseSubscription", "simulate"]],
  ["a price has the members of its model and no others, and its tiers go up", REFUSES, ["createPlan", "createPlanVersion", "estimatePrice"]],
  ["a plan's version and its add-ons exist, and a quantity is a whole number, written as one", REFUSES, ["createSubscription", "changeSubscription", "previewSubscriptionChange", "previewMigration", "migrateSubscribers"]],
  ["the vendor names the organization, and an amount or the lines", REFUSES, ["createCreditNote", "createPayment", "payRefund", "voidInvoice", "writeOffInvoice"]],
  ["a logo is an image in a data URI", REFUSES, ["putSeller"]],
  ["without a body nothing is changed", IGNORES, ["updateSubscription"]],
  ["without a body nothing is changed, and a time zone is a known one", { ...REFUSES, ...IGNORES }, ["updateOrganization", "updateOwnOrganization"]],
  ["how much is asked for has to be more than nothing", REFUSES, ["getQuota", "createReservation", "settleReservation", "createGrant"]],
  ["usage has an amount other than 0, a metric that exists and a time within the last 35 days", REFUSES, ["recordUsage", "consumeUsage"]],
  ["a time has to lie ahead, and scopes and permissions are known ones", REFUSES, ["createApiKey", "advanceTestClock", "createPlatformKey", "createOAuthClient"]],
  ["scopes, permissions, roles, teams and members are known ones", REFUSES, ["checkPermission", "createRole", "updateRole", "createTeam", "updateTeam", "putTeamMember"]],
  ["scopes, permissions, roles, teams and members are known ones", REFUSES, ["createInvitation", "updateMember", "transferOwnership"]],
  ["an overlap is a whole number, written as one", REFUSES, ["rotateApiKey", "rotateOAuthClient", "rotatePlatformKey"]],
  ["an address is https, an email one that may exist, a plan, a time zone and a currency are known ones", REFUSES, ["createOrganization", "signUp"]],
  ["what is presented is of the right shape, and of one kind", REFUSES, ["createAccessToken", "createLogin", "createSession", "refreshSession", "acceptInvitation", "confirmSecondFactor", "removeSecondFactor"]],
  ["there is another database to move to", REFUSES, ["moveOrganization"]],
  ["only a unique metric has a property whose values it counts", REFUSES, ["createMetric"]],
  ["a feed is asked for by headers of its own", { positive_data_acceptance: [...EVERYWHERE.positive_data_acceptance, "406"] }, ["followUsage"]],
  ["the good entries of a batch are recorded even when others are bad", { ...REFUSES, ...IGNORES }, ["recordUsageBatch", "recordEvents"]],
  ["made again, it is the same: no key is read", IGNORES, ["createSigningKey", "rotateSealingKeys"]],
];

/** By operation: the statuses that each check accepts. */
export const EXCEPTIONS = RULES.flatMap(([reason, checks, operations]) => operations.map((operation) => ({ operation, checks, reason })));

// Plays the steps against a running Worker, as a vendor's backends would: they sign up, send batches, and read their invoices.

import { createClock, vendorOf } from "../client.mjs";
import { Failure } from "../lib.mjs";
import { BATCH_MAX } from "./steps.mjs";

export const METRIC = "apiCalls";
const SCOPES = ["usage.write"];

const iso = (ms) => new Date(ms).toISOString();

/**
 * Streams all steps, then moves the clock on until every period that was begun is invoiced. `progress` is told after each step.
 * Answers what the organizations were told and sold, where the clock stands in the end, and where the time went.
 */
export async function stream(server, steps, progress = () => {}) {
  const vendor = vendorOf(server);
  const clock = await createClock(vendor, iso(steps[0].clockMs));
  const tenants = new Map();
  const spent = { signUpMs: 0, advanceMs: 0, sendMs: 0, batches: 0, advances: 0, longestAdvanceMs: 0 };
  for (const [index, step] of steps.entries()) {
    await advance(clock, step.clockMs, spent);
    await timed(spent, "signUpMs", () => Promise.all(step.signUps.map(async (name) => tenants.set(name, await signUp(vendor, clock, name)))));
    await timed(spent, "sendMs", () => send(tenants, step.events, spent));
    progress({ done: index + 1, of: steps.length, clockMs: step.clockMs });
  }
  const untilMs = await endOfOpenPeriods(tenants);
  await advance(clock, untilMs, spent);
  for (const tenant of tenants.values()) tenant.invoices = await tenant.api.all("/v1/invoices");
  return { tenants, untilMs, spent };
}

async function timed(spent, what, work) {
  const started = performance.now();
  const result = await work();
  spent[what] += performance.now() - started;
  return result;
}

/** The product bills on the way. */
async function advance(clock, toMs, spent) {
  const before = spent.advanceMs;
  await timed(spent, "advanceMs", () => clock.advance(iso(toMs)));
  spent.advances += 1;
  spent.longestAdvanceMs = Math.max(spent.longestAdvanceMs, spent.advanceMs - before);
}

/** Counted in UTC, because the independent count is. */
async function signUp(vendor, clock, name) {
  const email = `billing@${name.toLowerCase().replace(/[^a-z0-9.-]+/g, "-").replace(/^[.-]+|[.-]+$/g, "") || "nobody"}.example`;
  const { $id } = await vendor.post("/v1/organizations", { name, email, testClock: clock.id, settings: { timezone: "UTC" } });
  const api = vendor.tenant($id);
  const { secret } = await api.post("/v1/api-keys", { name: "replay", scopes: SCOPES });
  return { name, api, backend: vendor.backend(secret), answered: { accepted: 0, replayed: 0, refused: {} } };
}

/** Each organization sends its own events, all at the same time. */
async function send(tenants, events, spent) {
  const own = groupedByOrganization(events);
  spent.batches += own.size;
  await Promise.all([...own].map(([organization, batch]) => sendBatch(tenants.get(organization), batch)));
}

/** Node 20 has no Map.groupBy. */
function groupedByOrganization(events) {
  const groups = new Map();
  for (const event of events) {
    if (!groups.has(event.organization)) groups.set(event.organization, []);
    groups.get(event.organization).push(event);
  }
  return groups;
}

async function sendBatch({ name, backend, answered }, batch) {
  if (batch.length > BATCH_MAX) throw new Error(`${batch.length} events in one batch`);
  const answer = await backend.post("/v1/usage/batch", {
    events: batch.map(({ id, time }) => ({ metric: METRIC, amount: 1, idempotencyKey: id, timestamp: time })),
  });
  const { accepted, replayed, rejected } = answer;
  if (accepted + replayed + rejected.length !== batch.length) {
    throw new Failure(`${name} sent ${batch.length} events, and the answer speaks of ${accepted} + ${replayed} + ${rejected.length}.`);
  }
  answered.accepted += accepted;
  answered.replayed += replayed;
  for (const { code } of rejected) answered.refused[code] = (answered.refused[code] ?? 0) + 1;
}

/** What arrived in the period that is open now, on time or late, is invoiced when it ends. */
async function endOfOpenPeriods(tenants) {
  const subscriptions = await Promise.all([...tenants.values()].map(({ api }) => api.get("/v1/subscription")));
  return Math.max(...subscriptions.map(({ currentPeriod }) => Date.parse(currentPeriod.end)));
}

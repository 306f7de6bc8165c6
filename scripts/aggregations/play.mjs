// Plays the days against a running Worker: each organization of the file twice, once for each way in, on one test clock.

import { createClock, vendorOf } from "../client.mjs";
import { defineMetrics } from "./metrics.mjs";
import { WAYS } from "./send.mjs";

const iso = (ms) => new Date(ms).toISOString();

/** Answers the tenants with what they were told, and where the time went. `progress` is told after each day. */
export async function play(server, days, progress = () => {}) {
  const vendor = vendorOf(server);
  await defineMetrics(vendor);
  const clock = await createClock(vendor, iso(days[0].startMs));
  const spent = { signUpMs: 0, clockMs: 0, sendMs: 0, advances: 0 };
  const tenants = [];
  for (const [index, { startMs, clockMs, signUps, events }] of days.entries()) {
    if (signUps.length > 0) {
      await advance(clock, startMs, spent);
      await timed(spent, "signUpMs", async () => tenants.push(...(await signUpAll(server, vendor, clock, signUps))));
    }
    if (events.length > 0) {
      await advance(clock, clockMs, spent);
      await timed(spent, "sendMs", () => send(tenants, events));
    }
    progress({ done: index + 1, of: days.length, clockMs });
  }
  // What arrived in the month that is open now, on time or late, is invoiced when it ends.
  const subscriptions = await Promise.all(tenants.map(({ api }) => api.get("/v1/subscription")));
  await advance(clock, Math.max(...subscriptions.map(({ currentPeriod }) => Date.parse(currentPeriod.end))), spent);
  return { tenants, spent };
}

async function timed(spent, what, work) {
  const started = performance.now();
  await work();
  spent[what] += performance.now() - started;
}

async function advance(clock, toMs, spent) {
  spent.advances += 1;
  await timed(spent, "clockMs", () => clock.advance(iso(toMs)));
}

function signUpAll(server, vendor, clock, names) {
  return Promise.all(names.flatMap((name) => Object.keys(WAYS).map((way) => signUp(server, vendor, clock, name, way))));
}

/** Periods are counted in UTC, because the independent count is. */
async function signUp({ url }, vendor, clock, name, way) {
  const email = `billing@${name.toLowerCase().replace(/[^a-z0-9]+/g, "-").replace(/^-+|-+$/g, "") || "nobody"}.example`;
  const { $id } = await vendor.post("/v1/organizations", { name: `${name} (${way})`, email, testClock: clock.id, settings: { timezone: "UTC" } });
  const api = vendor.tenant($id);
  const { secret } = await api.post("/v1/api-keys", { name: "aggregations", scopes: ["usage.write"] });
  const sent = { days: 0, batches: 0, structured: 0, binary: 0 };
  return { id: $id, name, way, url, secret, api, backend: vendor.backend(secret), sent, answered: { accepted: 0, replayed: 0, refused: {} } };
}

/** Each organization sends its own events in their order, all organizations at the same time. */
async function send(tenants, events) {
  const own = new Map();
  for (const event of events) {
    if (!own.has(event.organization)) own.set(event.organization, []);
    own.get(event.organization).push(event);
  }
  await Promise.all(tenants.filter(({ name }) => own.has(name)).map((tenant) => WAYS[tenant.way](tenant, own.get(tenant.name))));
}

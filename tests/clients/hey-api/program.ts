// 20 operations through @hey-api/openapi-ts. `generated/` is made by the test from openapi.json.

import assert from "node:assert/strict";
import { createClient } from "./generated/client/index.js";
import * as tenantry from "./generated/index.js";

const PLAN = "sold-by-hey-api";

function given(name: string): string {
  return process.env[name] ?? assert.fail(`${name} is missing`);
}

const caller = (auth: string) => createClient({ baseUrl: given("TENANTRY_URL"), auth });

/** The data of an answer that has to be there. */
function ok<T>({ data, error }: { data?: T; error?: unknown }): NonNullable<T> {
  return data ?? assert.fail(JSON.stringify(error));
}

const vendor = caller(given("TENANTRY_PLATFORM_KEY"));

async function publishPlan(): Promise<void> {
  const body: tenantry.NewPlan = {
    key: PLAN,
    name: "Sold",
    prices: [{ currency: "USD", interval: "month", price: { model: "flat", amount: "49" } }],
    metrics: [{ metric: "apiCalls", limit: 10, prices: { USD: { model: "per_unit", unitAmount: "0.01" } } }],
  };
  assert.equal(ok(await tenantry.createPlan({ client: vendor, body })).key, PLAN);
  const { data } = ok(await tenantry.listPlans({ client: vendor, query: { limit: 100 } }));
  const [sold] = data.find(({ key }) => key === PLAN)?.prices ?? [];
  assert.equal(sold?.price.model === "flat" && sold.price.amount, "49");
}

async function meter(organization: string): Promise<void> {
  const headers = { "Tenantry-Organization": organization };
  const body = { name: "backend", scopes: ["usage.read", "usage.write"] } satisfies tenantry.NewApiKey;
  const key = ok(await tenantry.createApiKey({ client: vendor, headers, body }));
  const client = caller(key.secret ?? assert.fail("a new key shows its secret"));

  const consume = (amount: number, idempotencyKey: string) => {
    const metadata = { route: "/greetings", tags: ["a", "b"] };
    return tenantry.consumeUsage({ client, body: { metric: "apiCalls", amount, idempotencyKey, metadata } });
  };
  assert.equal(ok(await consume(3, "first")).replayed, false);
  assert.equal(ok(await consume(3, "first")).replayed, true);
  const refused = await consume(8, "over");
  assert.deepEqual([refused.response?.status, refused.error?.code], [429, "quota_exceeded"]);
  const { error } = refused;
  assert.deepEqual(error?.code === "quota_exceeded" && [error.limit, error.current, error.required], [10, 3, 8]);

  const quota = ok(await tenantry.getQuota({ client, path: { metric: "apiCalls" }, query: { explain: true } }));
  assert.deepEqual([quota.allowed, Number(quota.current), Number(quota.remaining)], [true, 3, 7]);
  const events = [{ metric: "apiCalls", amount: 1, idempotencyKey: "a" }, { metric: "apiCalls", amount: 1, idempotencyKey: "b" }];
  assert.equal(ok(await tenantry.recordUsageBatch({ client, body: { events } })).accepted, 2);

  const { $id: id } = ok(await tenantry.createReservation({ client, body: { metric: "apiCalls", amount: 4, ttlSeconds: 60 } }));
  assert.equal(Number(ok(await tenantry.getReservation({ client, path: { id } })).amount), 4);
  const settlement = ok(await tenantry.settleReservation({ client, path: { id }, body: { amount: 2 } }));
  assert.equal(settlement.reservation, id);

  const event = { specversion: "1.0", id: "e-1", source: "/gateway", type: "apiCalls", data: { amount: 1, userId: "u-1" } };
  assert.ok("sequence" in ok(await tenantry.recordEvents({ client, body: event })));
  const history = ok(await tenantry.getUsageHistory({ client, query: { metric: "apiCalls", granularity: "day" } }));
  assert.equal(history.data.reduce((sum, entry) => sum + Number(entry.sum), 0), 8);
}

async function bill(organization: string, clock: string): Promise<void> {
  const headers = { "Tenantry-Organization": organization };
  const body = { plan: "enterprise", effective: "now" } satisfies tenantry.NewChange;
  const preview = ok(await tenantry.previewSubscriptionChange({ client: vendor, headers, body }));
  const change = ok(await tenantry.changeSubscription({ client: vendor, headers, body }));
  assert.deepEqual([change.to.plan, change.total], ["enterprise", preview.total]);
  const now = "2026-03-15T00:00:00Z";
  assert.equal(ok(await tenantry.advanceTestClock({ client: vendor, path: { id: clock }, body: { now } })).now, now);

  const [newest] = ok(await tenantry.listInvoices({ client: vendor, headers })).data;
  const id = newest?.$id ?? assert.fail("there is an invoice");
  const invoice = ok(await tenantry.getInvoice({ client: vendor, headers, path: { id } }));
  assert.deepEqual(invoice.total, newest?.total);
}

async function audit(organization: string): Promise<void> {
  const headers = { "Tenantry-Organization": organization };
  const first = ok(await tenantry.listAuditLog({ client: vendor, headers, query: { limit: 1 } }));
  const cursor = first.nextCursor ?? assert.fail("there is another page");
  const second = ok(await tenantry.listAuditLog({ client: vendor, headers, query: { limit: 1, cursor } }));
  assert.ok(first.hasMore && first.data[0]?.$id !== second.data[0]?.$id);
}

async function permission(): Promise<void> {
  const client = caller(given("TENANTRY_ACCESS_TOKEN"));
  const check = ok(await tenantry.checkPermission({ client, query: { permission: "apiKeys.write" } }));
  assert.equal(check.allowed && check.reason?.role, "owner");
}

await publishPlan();
const clock = ok(await tenantry.createTestClock({ client: vendor, body: { now: "2026-01-15T00:00:00Z" } }));
const body = { name: "Acme", email: "hey-api@acme.example", plan: PLAN, testClock: clock.$id };
const organization = ok(await tenantry.createOrganization({ client: vendor, body }));
await meter(organization.$id);
await bill(organization.$id, clock.$id);
await audit(organization.$id);
await permission();

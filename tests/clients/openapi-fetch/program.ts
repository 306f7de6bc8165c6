// 20 operations through openapi-typescript and openapi-fetch. `generated/` is made by the test from openapi.json.

import assert from "node:assert/strict";
import createClient from "openapi-fetch";
import type { paths } from "./generated/schema.js";

const PLAN = "sold-by-openapi-fetch";

function given(name: string): string {
  return process.env[name] ?? assert.fail(`${name} is missing`);
}

const caller = (credential: string) =>
  createClient<paths>({ baseUrl: given("TENANTRY_URL"), headers: { Authorization: `Bearer ${credential}` } });

/** The data of an answer that has to be there. */
function ok<T>({ data, error }: { data?: T; error?: unknown }): T {
  return data ?? assert.fail(JSON.stringify(error));
}

const vendor = caller(given("TENANTRY_PLATFORM_KEY"));

async function publishPlan(): Promise<void> {
  const price = { model: "flat", amount: "49" } as const;
  const metrics = [{ metric: "apiCalls", limit: 10, prices: { USD: { model: "per_unit", unitAmount: "0.01" } as const } }];
  const body = { key: PLAN, name: "Sold", prices: [{ currency: "USD", interval: "month", price } as const], metrics };
  const plan = ok(await vendor.POST("/v1/plans", { body }));
  assert.equal(plan.key, PLAN);

  const { data } = ok(await vendor.GET("/v1/plans", { params: { query: { limit: 100 } } }));
  const [sold] = data.find(({ key }) => key === PLAN)?.prices ?? [];
  assert.equal(sold?.price.model === "flat" && sold.price.amount, "49");
}

async function meter(organization: string): Promise<void> {
  const header = { "Tenantry-Organization": organization };
  const created = await vendor.POST("/v1/api-keys", {
    params: { header },
    body: { name: "backend", scopes: ["usage.read", "usage.write"] },
  });
  const key = ok(created);
  const backend = caller(key.secret ?? assert.fail("a new key shows its secret"));

  const consume = (amount: number, idempotencyKey: string) => {
    const metadata = { route: "/greetings", tags: ["a", "b"] };
    return backend.POST("/v1/usage/consumption", { body: { metric: "apiCalls", amount, idempotencyKey, metadata } });
  };
  assert.equal(ok(await consume(3, "first")).replayed, false);
  assert.equal(ok(await consume(3, "first")).replayed, true);
  const refused = await consume(8, "over");
  assert.deepEqual([refused.response.status, refused.error?.code], [429, "quota_exceeded"]);
  const { error } = refused;
  assert.deepEqual(error?.code === "quota_exceeded" && [error.limit, error.current, error.required], [10, 3, 8]);

  const quota = ok(await backend.GET("/v1/quotas/{metric}", { params: { path: { metric: "apiCalls" }, query: { explain: true } } }));
  assert.deepEqual([quota.allowed, Number(quota.current), Number(quota.remaining)], [true, 3, 7]);
  const events = [{ metric: "apiCalls", amount: 1, idempotencyKey: "a" }, { metric: "apiCalls", amount: 1, idempotencyKey: "b" }];
  assert.equal(ok(await backend.POST("/v1/usage/batch", { body: { events } })).accepted, 2);

  const { $id: id } = ok(await backend.POST("/v1/reservations", { body: { metric: "apiCalls", amount: 4, ttlSeconds: 60 } }));
  const params = { path: { id } };
  assert.equal(Number(ok(await backend.GET("/v1/reservations/{id}", { params })).amount), 4);
  const settlement = ok(await backend.POST("/v1/reservations/{id}/settlement", { params, body: { amount: 2 } }));
  assert.equal(settlement.reservation, id);

  const event = { specversion: "1.0", id: "e-1", source: "/gateway", type: "apiCalls", data: { amount: 1, userId: "u-1" } };
  const receipt = await backend.POST("/v1/events", { body: [event], headers: { "Content-Type": "application/cloudevents-batch+json" } });
  assert.ok("accepted" in ok(receipt));
  const history = ok(await backend.GET("/v1/usage/history", { params: { query: { metric: "apiCalls", granularity: "day" } } }));
  assert.equal(history.data.reduce((sum, entry) => sum + Number(entry.sum), 0), 8);
}

async function bill(organization: string, clock: string): Promise<void> {
  const params = { header: { "Tenantry-Organization": organization } };
  const body = { plan: "enterprise", effective: "now" } as const;
  const preview = ok(await vendor.POST("/v1/subscription/change-previews", { params, body }));
  const change = ok(await vendor.POST("/v1/subscription/changes", { params, body }));
  assert.deepEqual([change.to.plan, change.total], ["enterprise", preview.total]);
  const now = "2026-03-15T00:00:00Z";
  const advanced = ok(await vendor.PUT("/v1/test-clocks/{id}", { params: { path: { id: clock } }, body: { now } }));
  assert.equal(advanced.now, now);

  const [newest] = ok(await vendor.GET("/v1/invoices", { params })).data;
  const id = newest?.$id ?? assert.fail("there is an invoice");
  const invoice = ok(await vendor.GET("/v1/invoices/{id}", { params: { ...params, path: { id } } }));
  assert.ok(typeof invoice !== "string", "no other type was asked for than JSON");
  assert.deepEqual(invoice.total, newest?.total);
}

async function audit(organization: string): Promise<void> {
  const header = { "Tenantry-Organization": organization };
  const first = ok(await vendor.GET("/v1/audit-log", { params: { header, query: { limit: 1 } } }));
  const cursor = first.nextCursor ?? assert.fail("there is another page");
  const second = ok(await vendor.GET("/v1/audit-log", { params: { header, query: { limit: 1, cursor } } }));
  assert.ok(first.hasMore && first.data[0]?.$id !== second.data[0]?.$id);
}

async function permission(): Promise<void> {
  const params = { query: { permission: "apiKeys.write" } } as const;
  const check = ok(await caller(given("TENANTRY_ACCESS_TOKEN")).GET("/v1/permissions/check", { params }));
  assert.equal(check.allowed && check.reason?.role, "owner");
}

await publishPlan();
const clock = ok(await vendor.POST("/v1/test-clocks", { body: { now: "2026-01-15T00:00:00Z" } }));
const body = { name: "Acme", email: "openapi-fetch@acme.example", plan: PLAN, testClock: clock.$id };
const organization = ok(await vendor.POST("/v1/organizations", { body }));
await meter(organization.$id);
await bill(organization.$id, clock.$id);
await audit(organization.$id);
await permission();

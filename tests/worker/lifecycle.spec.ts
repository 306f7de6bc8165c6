// What the stories of the other files leave out of a subscription's life: trials that end either way, time that a pause keeps, a contract
// of one organization's own in its own currency, and a subscription that can't be billed.

import assert from "node:assert/strict";
import { test } from "node:test";
import { beginStory, eventually, expect, invoices, signUp, vendor } from "./support/client.ts";
import type { Company } from "./support/client.ts";
import { tamper } from "./support/disk.ts";
import { freshServer } from "./support/server.ts";

const server = freshServer();
const flat = (amount: string) => ({ model: "flat", amount });
const desk = () => vendor(server.current);
const status = async (of: Company) => expect(await of.desk.get("/v1/subscription"), 200).status;

test("trials with and without a payment method", async () => {
  expect(await desk().post("/v1/plans", { key: "picky", name: "Picky", prices: [{ currency: "USD", interval: "month", price: flat("10") }], trial: { days: 7, ending: "expire_without_payment_method" } }), 201);
  for (const [name, method, wanted] of [["Payer", "card", "active"], ["Looker", null, "expired"]] as const) {
    const { of, to } = await beginStory(server.current, name, "2026-01-01T00:00:00Z", { plan: "picky" });
    expect(await of.desk.patch("/v1/subscription", { paymentMethod: method }), 200);
    assert.equal(await status(of), "trialing");
    await to("2026-01-08T00:00:00Z");
    assert.deepEqual([await status(of), (await invoices(of)).length], [wanted, method ? 1 : 0]);
  }
});

test("keep_time, a second subscription, cancellation at the end with reason and withdrawn", async () => {
  const { of, to } = await beginStory(server.current, "Keeper", "2026-01-01T00:00:00Z");
  await to("2026-01-25T00:00:00Z");
  expect(await of.desk.post("/v1/subscription/pause", { policy: "keep_time" }), 201);
  await to("2026-02-20T00:00:00Z");
  assert.equal((await of.desk.delete("/v1/subscription/pause")).status, 204);
  await to("2026-03-12T23:59:59Z");
  assert.equal((await invoices(of)).length, 1);
  await to("2026-03-13T00:00:00Z");
  assert.equal((await invoices(of)).length, 2);
  const c = expect(await of.desk.post("/v1/subscription/cancellation", { effective: "period_end", reason: "too dear" }), 201);
  assert.equal(c.cancellation.effectiveAt, "2026-04-13T00:00:00Z");
  assert.equal((await of.desk.delete("/v1/subscription/cancellation")).status, 204);
  expect(await of.desk.post("/v1/subscription/cancellation", { effective: "now" }), 201);
  expect(await of.desk.post("/v1/subscription", { plan: "starter" }), 201);
  assert.equal(await status(of), "active");
});

test("a custom contract in euros, and an entitlement of one's own", async () => {
  const { of, to } = await beginStory(server.current, "Contract", "2026-01-01T00:00:00Z", { settings: { currency: "EUR" } });
  const other = await signUp(server.current, "Stranger");
  expect(await desk().post("/v1/plans", { key: "contract", name: "Contract", organization: of.id, prices: [{ currency: "EUR", interval: "month", price: flat("1234.50") }, { currency: "USD", interval: "month", price: flat("1500") }] }), 201);
  assert.equal((await other.desk.post("/v1/subscription/changes", { plan: "contract", effective: "now" })).body.errors[0].code, "unknown_plan");
  expect(await of.desk.post("/v1/subscription/cancellation", { effective: "now" }), 201);
  const unsold = await of.desk.post("/v1/subscription", { plan: "starter" });
  assert.deepEqual([unsold.status, unsold.body.code], [400, "plan_not_sold_in_currency"], "the organization's currency is EUR");
  expect(await of.desk.post("/v1/subscription", { plan: "contract" }), 201);
  await to("2026-01-01T00:00:01Z");
  const last = (await invoices(of)).at(-1);
  assert.deepEqual([last.total.price, last.total.priceCurrency], ["1234.50", "EUR"]);
  expect(await desk().put(`/v1/organizations/${of.id}/entitlements/vip`, { value: true }), 200);
  const { data } = expect(await of.desk.get("/v1/entitlements"), 200);
  assert.deepEqual(data.map(({ key, value }: any) => [key, value]), [["vip", true]]);
});

test("one subscription that can't be billed becomes a dead letter with its reason; the others are billed", async () => {
  const [bad, good] = [await signUp(server.current, "Bad"), await signUp(server.current, "Good")];
  const now = Date.now();
  await server.current.kill9();
  // A trial that ended before it began is a period that no Meter takes; the other one is just over.
  const set = (id: string, at: number) => `UPDATE subscriptions SET trial_ends_at = ${at}, period_ends_at = ${at}, next_billing_at = ${at}, version = version + 1 WHERE organization_id = '${id}';`;
  await tamper(server.current.state, set(bad.id, now - 60_000) + set(good.id, Math.ceil(now / 1000) * 1000));
  await server.current.start();
  await server.current.cron("0 * * * *");
  await eventually("good is billed", 20_000, async () => { await server.current.cron("* * * * *"); return (await invoices(good)).length === 1; });
  await server.current.kill9();
  await tamper(server.current.state, "UPDATE billing_failures SET attempts = 7, next_attempt_at = 0");
  await server.current.start();
  const letters = await eventually("a dead letter", 30_000, async () => { await server.current.cron("* * * * *"); const { data } = expect(await desk().get("/v1/dead-letters"), 200); return data.length > 0 && data; });
  assert.deepEqual(letters.map(({ kind, organization }: any) => [kind, organization]), [["billing", bad.id]]);
  assert.match(letters[0].lastError, /boundaries/);
});

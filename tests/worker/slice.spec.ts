// The main job from end to end: a company signs up, is taken by the hand, uses what it may, and pays for it.

import assert from "node:assert/strict";
import { test } from "node:test";
import { advance, anybody, backend, bearer, counted, eventually, expect, inParallel, invoices, mails, makeClock, signUp, templates, vendor } from "./support/client.ts";
import type { Client, Company } from "./support/client.ts";
import { freshServer } from "./support/server.ts";

const server = freshServer();
const ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz";
const CHECKLIST = ["verifyEmail", "addTeamMembers", "configureSettings", "createFirstProject", "setUpBilling"];

const count = async (to: string, template: string) => (await templates(server.current, to)).filter((each) => each === template).length;
const mailed = (to: string, template: string) => eventually(`the mail ${template}`, 10_000, async () => (await count(to, template)) > 0);
/** Ids end in 26 letters of 5 bits; an organization lives on the shard of its lowest bit. */
const shardOf = (id: string) => ALPHABET.indexOf(id.at(-1)!) % 2;

async function completed(company: Company): Promise<string[]> {
  const { itemListElement } = expect(await company.desk.get("/v1/onboarding"), 200);
  return itemListElement.filter((item: any) => item.status === "completed").map((item: any) => item.key);
}

test("companies spread over both shards, and each is found again", async () => {
  const companies: Company[] = [];
  while (companies.length < 8 || new Set(companies.map(({ id }) => shardOf(id))).size < 2) {
    assert.ok(companies.length < 40, "forty companies on one shard are no coincidence");
    companies.push(await signUp(server.current, `Company ${companies.length}`));
  }
  await inParallel(4, companies, async ({ id, email }, index) => {
    const found = expect(await vendor(server.current).get(`/v1/organizations/${id}`), 200);
    assert.deepEqual([found.$type, found.$id, found.name, found.email, found.status], ["Organization", id, `Company ${index}`, email, "active"]);
  });
  const listed = expect(await vendor(server.current).get("/v1/organizations?limit=100"), 200).data.map((each: any) => each.$id);
  assert.deepEqual(new Set(listed), new Set(companies.map(({ id }) => id)));
});

test("a new company has a checklist of five, a trial of 14 days and, through the queue, a welcome mail", async () => {
  const acme = await signUp(server.current, "Acme");
  const checklist = expect(await acme.desk.get("/v1/onboarding"), 200);
  assert.deepEqual(checklist.itemListElement.map((item: any) => [item.position, item.key, item.status]), CHECKLIST.map((key, index) => [index + 1, key, "pending"]));
  const subscription = expect(await acme.desk.get("/v1/subscription"), 200);
  assert.deepEqual([subscription.plan.key, subscription.isTrial, subscription.status], ["professional", true, "trialing"]);
  assert.equal(Date.parse(subscription.trialEndDate) - Date.parse(subscription.startDate), 14 * 86_400_000);
  await mailed(acme.email, "organization-welcome");
  const [welcome] = await mails(server.current, acme.email);
  assert.match(welcome.subject, /Acme/);
  assert.deepEqual(await templates(server.current, acme.email), ["organization-welcome"]);
});

test("a sign-up sent twice with one key makes one company", async () => {
  const email = "twice@example.test";
  const send = () => vendor(server.current).post("/v1/organizations", { name: "Twice", email }, { headers: { "idempotency-key": "sign-up-twice" } });
  const answers = await Promise.all([send(), send(), send()]);
  const ids = new Set(answers.map((answer) => expect(answer, 201).$id));
  assert.equal(ids.size, 1);
  assert.equal(expect(await send(), 201).$id, [...ids][0]);
  await mailed(email, "organization-welcome");
  assert.equal(await count(email, "organization-welcome"), 1);
});

test("usage is recorded, consumed, read and refused past the limit; a repeated request counts once", async () => {
  const acme = await signUp(server.current, "Meterly");
  const caller = await backend(server.current, acme);
  const recorded = expect(await caller.post("/v1/usage", { metric: "apiCalls", amount: 100, idempotencyKey: "first" }), 200);
  assert.deepEqual([recorded.$type, recorded.current, recorded.limit, recorded.remaining, recorded.percentage, recorded.replayed], ["UsageReceipt", 100, 100_000, 99_900, "0.1", false]);
  const again = await caller.post("/v1/usage", { metric: "apiCalls", amount: 100, idempotencyKey: "first" });
  assert.deepEqual(expect(again, 200), { ...recorded, replayed: true });
  assert.equal(again.headers.get("idempotent-replayed"), "true");
  expect(await caller.post("/v1/usage", { metric: "apiCalls", amount: 101, idempotencyKey: "first" }), 422);
  assert.equal(expect(await caller.post("/v1/usage/consumption", { metric: "apiCalls", amount: 99_900 }), 200).allowed, true);

  const quota = expect(await caller.get("/v1/quotas/apiCalls"), 200);
  assert.deepEqual([quota.allowed, quota.current, quota.limit, quota.remaining], [false, 100_000, 100_000, 0]);
  const refused = await caller.post("/v1/usage/consumption", { metric: "apiCalls", idempotencyKey: "over" });
  assert.deepEqual([refused.status, refused.body.code, refused.body.current, refused.body.limit, refused.body.required], [429, "quota_exceeded", 100_000, 100_000, 1]);
  const wait = Number(refused.headers.get("retry-after"));
  assert.ok(wait > 13 * 86_400 && wait <= 14 * 86_400, `Retry-After leads to the period's end, and is ${wait}`);
  assert.equal(expect(await caller.post("/v1/usage", { metric: "apiCalls", amount: 5 }), 200).current, 100_005, "recording goes on past the limit");

  const own = expect(await caller.get("/v1/usage"), 200);
  const vendors = expect(await acme.desk.get("/v1/usage"), 200);
  assert.deepEqual(own, vendors, "both ways lead to the same Meter");
  assert.equal(own.metrics.apiCalls.current, 100_005);
});

test("the limit is told in one mail, which comes by itself", async () => {
  const acme = await signUp(server.current, "Full");
  const caller = await backend(server.current, acme);
  expect(await caller.post("/v1/usage", { metric: "apiCalls", amount: 80_000 }), 200);
  expect(await caller.post("/v1/usage", { metric: "apiCalls", amount: 10_000 }), 200);
  await inParallel(8, Array.from({ length: 24 }), async () => expect(await caller.post("/v1/usage", { metric: "apiCalls", amount: 1_000 }), 200));
  await mailed(acme.email, "quota-exceeded");
  const [mail] = (await mails(server.current, acme.email)).filter(({ template }) => template === "quota-exceeded");
  assert.deepEqual([mail.data.metric, mail.data.limit, mail.data.current], ["apiCalls", 100_000, 100_000]);
  // A later fact travels the same way: when its effect is there, an earlier one's would be.
  expect(await caller.post("/v1/usage", { metric: "projects", amount: 1 }), 200);
  await eventually("the fact after it", 10_000, async () => (await completed(acme)).includes("createFirstProject"));
  assert.equal(await count(acme.email, "quota-exceeded"), 1);
});

test("a checklist ticks itself off, and when all is done it is celebrated once", async () => {
  const acme = await signUp(server.current, "Diligent");
  const caller = await backend(server.current, acme);
  expect(await acme.desk.patch("/v1/organization", { settings: { timezone: "Europe/Vienna" } }), 200);
  expect(await caller.post("/v1/usage", { metric: "projects", amount: 1 }), 200);
  expect(await caller.post("/v1/usage", { metric: "users", amount: 3 }), 200);
  await eventually("three items", 10_000, async () => (await completed(acme)).length === 3);
  assert.deepEqual(await completed(acme), ["addTeamMembers", "configureSettings", "createFirstProject"]);
  const half = expect(await acme.desk.get("/v1/organization"), 200);
  assert.deepEqual([half.status, half.onboardingProgress, half.onboardedAt], ["active", 60, null]);

  await Promise.all(["verifyEmail", "setUpBilling"].map(async (key) => expect(await acme.desk.put(`/v1/onboarding/items/${key}`, { status: "completed" }), 200)));
  const done = await eventually("the end of onboarding", 10_000, async () => {
    const organization = expect(await acme.desk.get("/v1/organization"), 200);
    return organization.status === "onboarded" && organization;
  });
  assert.equal(done.onboardingProgress, 100);
  assert.ok(Date.parse(done.onboardedAt) >= Date.parse(done.createdAt));
  await mailed(acme.email, "onboarding-complete");
  expect(await acme.desk.put("/v1/onboarding/items/verifyEmail", { status: "completed" }), 200);
  assert.deepEqual((await templates(server.current, acme.email)).sort(), ["onboarding-complete", "organization-welcome"]);
});

/** The company whose trial the next two tests tell. */
let aged: { acme: Company; caller: Client; clock: string };

test("days 3, 7 and 11 of a trial bring the check-ins and the notice of its end", async () => {
  const clock = await makeClock(server.current, "2026-01-17T09:00:00Z");
  const acme = await signUp(server.current, "Aged", { testClock: clock });
  aged = { acme, clock, caller: await backend(server.current, acme) };
  const arrived = async (now: string) => {
    await advance(server.current, clock, now);
    return templates(server.current, acme.email);
  };
  assert.deepEqual(await arrived("2026-01-20T08:59:59Z"), ["organization-welcome"]);
  assert.deepEqual(await arrived("2026-01-20T09:00:00Z"), ["organization-welcome", "onboarding-checkin-day3"]);
  assert.deepEqual((await arrived("2026-01-24T09:00:00Z")).slice(2), ["onboarding-checkin-day7"]);
  assert.deepEqual((await arrived("2026-01-28T09:00:00Z")).slice(3), ["trial-ending-soon"]);
});

test("day 14 converts the trial with one invoice, and the next month's bills what went past the limit", async () => {
  const { acme, caller, clock } = aged;
  expect(await caller.post("/v1/usage", { metric: "apiCalls", amount: 500_000 }), 200);
  await advance(server.current, clock, "2026-01-31T09:00:00Z");
  const [first, ...others] = await invoices(acme);
  assert.deepEqual(others, []);
  assert.match(first.identifier, /^INV-\d{6}$/);
  assert.deepEqual(first.totalPaymentDue, { $type: "PriceSpecification", price: "199.00", priceCurrency: "USD", amountMinor: 19_900 });
  assert.deepEqual([first.dateIssued, first.paymentDueDate, first.paymentStatus], ["2026-01-31T09:00:00Z", "2026-03-02T09:00:00Z", "due"]);
  assert.deepEqual(first.billingPeriod, { startDate: "2026-01-31T09:00:00Z", endDate: "2026-02-28T09:00:00Z" });
  assert.equal(expect(await acme.desk.get("/v1/subscription"), 200).isTrial, false);
  assert.equal(await count(acme.email, "invoice-payment-required"), 1);
  assert.equal(await counted(caller, "apiCalls"), 0, "a new period counts from nothing");

  expect(await caller.post("/v1/usage", { metric: "apiCalls", amount: 100_500 }), 200);
  await advance(server.current, clock, "2026-02-28T09:00:00Z");
  const [, second] = await invoices(acme);
  assert.equal(second.totalPaymentDue.price, "200.00", "500 calls past 100,000 at 0.002");
  const [base, overage] = second.referencesOrder;
  assert.deepEqual([base.orderItem, base.amount.price], ["professional", "199.00"]);
  assert.deepEqual([overage.kind, overage.orderItem, overage.orderQuantity, overage.price, overage.amount.price], ["overage", "apiCalls", 500, "0.002", "1.00"]);
  assert.deepEqual(expect(await acme.desk.get(`/v1/invoices/${second.$id}`), 200), second);
  assert.equal(await count(acme.email, "invoice-payment-required"), 2);
  await server.current.cron("0 * * * *");
  assert.equal((await invoices(acme)).length, 2);
});

test("a revoked key is refused on the very next request", async () => {
  const acme = await signUp(server.current, "Revoker");
  const made = expect(await acme.desk.post("/v1/api-keys", { name: "short-lived", scopes: ["usage.write", "usage.read"] }), 201);
  const caller = bearer(server.current, made.secret);
  expect(await caller.post("/v1/usage", { metric: "apiCalls" }), 200);
  assert.equal((await acme.desk.delete(`/v1/api-keys/${made.$id}`)).status, 204);
  for (const refused of [await caller.post("/v1/usage", { metric: "apiCalls" }), await caller.get("/v1/quotas/apiCalls"), await caller.get("/v1/subscription")]) {
    assert.deepEqual([refused.status, refused.body.code], [401, "unauthenticated"]);
    assert.match(refused.headers.get("www-authenticate") ?? "", /^Bearer/);
  }
  const other = await backend(server.current, acme);
  assert.equal(await counted(other, "apiCalls"), 1, "what was refused was not counted");
});

test("nobody gets in without a credential, and nobody reads another company's things", async () => {
  const [acme, rival] = [await signUp(server.current, "Mine"), await signUp(server.current, "Theirs")];
  const caller = await backend(server.current, acme, ["*"]);
  const key = expect(await rival.desk.post("/v1/api-keys", { name: "theirs", scopes: ["usage.read"] }), 201);
  assert.equal((await anybody(server.current).get("/v1/organization")).status, 401);
  assert.equal((await caller.get(`/v1/organizations/${rival.id}`)).status, 403);
  assert.equal((await caller.delete(`/v1/api-keys/${key.$id}`)).status, 404);
  const named = await caller.get("/v1/organization", { headers: { "tenantry-organization": rival.id } });
  assert.equal(expect(named, 200).$id, acme.id, "the key decides, whatever the header names");
});

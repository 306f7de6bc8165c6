// The catalogue and what is subscribed to, on the real Worker: plans as data, versions that stay, changes that bill what their preview
// said. The figures are computed by hand.

import assert from "node:assert/strict";
import { test } from "node:test";
import { auditBilling } from "../../scripts/audit_billing.mjs";
import { auditLedger } from "../../scripts/audit_ledger.mjs";
import { assertProblem, beginStory, expect, inParallel, invoices, makeClock, vendor } from "./support/client.ts";
import type { Answer, Company, Story } from "./support/client.ts";
import { freshServer } from "./support/server.ts";
import { assertInvoicesProven } from "./support/verifier.ts";

const server = freshServer();
const flat = (amount: string) => ({ model: "flat", amount });
const seat = (unitAmount: string) => ({ model: "per_unit", unitAmount });
const sold = (interval: string, price: object, currency = "USD") => ({ currency, interval, price });

/** 10 dollars a seat and month, 100 a year, of which version 2 makes 12 and 120; a backup at 5 a month or 50 a year brings 100 GB. */
const TEAM = {
  key: "team",
  name: "Team",
  prices: [sold("month", seat("10")), sold("year", seat("100"))],
  metrics: [
    { metric: "apiCalls", kind: "consumable", limit: 100_000, included: 100_000, enforcement: "soft", prices: { USD: seat("0.002") } },
    { metric: "users", limit: 25 },
    { metric: "storage", limit: 100 },
  ],
  addOns: [{ key: "backup", name: "Backup", prices: [sold("month", flat("5")), sold("year", flat("50"))], limits: { storage: 100 } }],
  features: [
    { key: "sso", name: "Single sign-on", type: "boolean" },
    { key: "support", name: "Support", type: "static", value: "mail" },
    { key: "calls", name: "Calls", type: "metered", metric: "apiCalls" },
  ],
  trial: { days: 14 },
};

/** The plan with other members. */
const team = (more: object) => ({ ...TEAM, ...more });

const stories: Company[] = [];

async function begin(name: string, at: string, more: object = {}): Promise<Story> {
  const story = await beginStory(server.current, name, at, more);
  stories.push(story.of);
  return story;
}

const subscription = async (of: Company): Promise<any> => expect(await of.desk.get("/v1/subscription"), 200);
const lines = (made: readonly any[]): [string, number][] => made.map((line) => [line.kind, line.amount.amountMinor]);
const used = async (of: Company, amount: number): Promise<void> => {
  expect(await of.desk.post("/v1/usage", { metric: "apiCalls", amount }), 200);
};

/** Changes it, and holds the change against the preview that was asked for just before. */
async function change(of: Company, body: object): Promise<any> {
  const preview = expect(await of.desk.post("/v1/subscription/change-previews", body), 200);
  const made = expect(await of.desk.post("/v1/subscription/changes", body), 201);
  assert.deepEqual({ ...made, invoice: null }, preview, "the preview is the bill");
  return made;
}

/** A refusal with its code; and where the code is of a value, the place of the value. */
function assertRefused(answer: Answer, status: number, code: string, pointer?: string): void {
  const problem = assertProblem(answer, status);
  const [found, at] = problem.errors ? [problem.errors[0].code, problem.errors[0].pointer] : [problem.code, undefined];
  assert.equal(found, code, answer.text);
  if (pointer !== undefined) assert.equal(at, pointer, answer.text);
}

test("what is no plan is refused where it is wrong, and a published version stays as it is", async () => {
  const plans = async () => expect(await vendor(server.current).get("/v1/plans"), 200);
  const before = await plans();
  const tiers = (...ends: (string | null)[]) => ({ model: "graduated", tiers: ends.map((upTo) => ({ ...(upTo ? { upTo } : {}), unitAmount: "1" })) });
  const metered = (price: object) => team({ metrics: [{ metric: "apiCalls", prices: { USD: price } }] });
  for (const [plan, code, pointer] of [
    [metered(tiers("9", "5", null)), "tiers_not_ascending", "/metrics/0/prices/USD/tiers/1/upTo"],
    [metered(tiers("9", "9", null)), "tiers_not_ascending", "/metrics/0/prices/USD/tiers/1/upTo"],
    [metered(tiers("9", "10")), "last_tier_bounded", "/metrics/0/prices/USD/tiers/1/upTo"],
    [metered(seat("-1")), "negative_price", "/metrics/0/prices/USD/unitAmount"],
    [team({ prices: [sold("month", flat("1"), "XXX")] }), "unknown_currency", "/prices/0/currency"],
    [team({ prices: [sold("month", flat("-1"))] }), "negative_price", "/prices/0/price/amount"],
    [team({ prices: [] }), "no_price", "/prices"],
    [team({ metrics: [{ metric: "tokens" }] }), "unknown_metric", "/metrics/0/metric"],
  ] as const) {
    assertRefused(await vendor(server.current).post("/v1/plans", plan), 400, code, pointer);
  }
  assert.deepEqual(await plans(), before, "a refusal changes nothing");

  expect(await vendor(server.current).post("/v1/plans", TEAM), 201);
  assertRefused(await vendor(server.current).post("/v1/plans", TEAM), 409, "plan_exists");
  const first = expect(await vendor(server.current).get("/v1/plans/team"), 200);
  const estimate = { price: seat("0.005"), quantity: 15_000, currency: "USD" };
  assert.equal(expect(await vendor(server.current).post("/v1/price-estimates", estimate), 200).total.price, "75.00");
  const next = { ...TEAM, key: undefined, prices: [sold("month", seat("12")), sold("year", seat("120"))] };
  assert.equal(expect(await vendor(server.current).post("/v1/plans/team/versions", next), 201).version, 2);
  assert.equal(expect(await vendor(server.current).get("/v1/plans/team?version=1"), 200).publishedAt, first.publishedAt);
});

test("an upgrade bills the rest of the period and the usage so far, as its preview said", async () => {
  const { of, to } = await begin("Riser", "2026-01-01T00:00:00Z", { plan: "starter" });
  await to("2026-01-25T00:00:00Z");
  await used(of, 10_500);
  // 21 of 31 days: 49 back, 999 on; 500 calls past 10,000 at 0.005.
  const made = await change(of, { plan: "enterprise", effective: "now", prorationPolicy: "second" });
  assert.deepEqual(lines(made.lines), [["overage", 250], ["unusedTime", -3_319], ["remainingTime", 67_674]]);
  assert.equal(expect(await of.desk.get("/v1/quotas/apiCalls"), 200).limit, 1_000_000, "the limit is new when the answer arrives");
  await to("2026-01-25T00:00:01Z");
  const invoice = expect(await of.desk.get(`/v1/invoices/${made.invoice}`), 200);
  assert.deepEqual([invoice.billingReason, lines(invoice.referencesOrder)], ["subscription_update", lines(made.lines)]);
});

test("a downgrade waits for the period's end, is seen, and can be revoked", async () => {
  const { of, to } = await begin("Faller", "2026-01-01T00:00:00Z", { plan: "enterprise" });
  await to("2026-01-25T00:00:00Z");
  const made = await change(of, { plan: "starter", effective: "period_end" });
  assert.deepEqual([made.effectiveAt, made.lines, (await subscription(of)).scheduledChange.to.plan], ["2026-02-15T00:00:00Z", [], "starter"]);
  assertRefused(await of.desk.post("/v1/subscription/changes", { plan: "professional", effective: "now" }), 409, "change_scheduled");
  assert.equal((await of.desk.delete("/v1/subscription/scheduled-change")).status, 204);
  assert.equal((await subscription(of)).scheduledChange, null);
  await change(of, { plan: "starter", effective: "period_end" });
  await to("2026-02-15T00:00:00Z");
  assert.deepEqual([(await subscription(of)).plan.key, (await invoices(of))[1].total.price], ["starter", "49.00"]);
});

test("of many changes at once each bills what it changed, and the rest are refused", async () => {
  const { of, to } = await begin("Racer", "2026-01-01T00:00:00Z", { plan: "team" });
  await to("2026-01-30T12:00:00Z");
  // Half of the period is left: a seat is 6.00, whoever comes first.
  const wishes = [3, 5, 8, 13, 3, 5, 8, 13];
  const answers = await inParallel(8, wishes, (quantity) => of.desk.post("/v1/subscription/changes", { quantity, effective: "now", prorationPolicy: "second" }));
  for (const answer of answers) {
    assert.ok([201, 409].includes(answer.status), answer.text);
    if (answer.status === 409) assert.ok(["no_change", "changed_meanwhile"].includes(answer.body.code), answer.text);
  }
  const made = answers.filter(({ status }) => status === 201).map(({ body }) => body);
  assert.ok(made.length >= 1);
  const seats = (await subscription(of)).quantity;
  assert.ok(wishes.includes(seats));
  const net = made.flatMap((each) => lines(each.lines)).reduce((sum, [, minor]) => sum + minor, 0);
  assert.equal(net, (seats - 1) * 600, "what was billed is what there is");
  await to("2026-02-15T00:00:00Z");
  const all = await invoices(of);
  assert.deepEqual(lines(all.at(-1).referencesOrder), [["basePrice", seats * 1_200]]);
  assert.equal(all.length, made.length + 2);
  assert.equal(expect(await of.desk.get("/v1/ledger/audit"), 200).isConsistent, true);
});

test("seats, an add-on and a year; 30 days before its end a mail, and then it has expired", async () => {
  const { of, to } = await begin("Yearly", "2026-01-17T09:00:00Z", { plan: "team" });
  await to("2026-02-14T09:00:00Z");
  // Half of January 31 to February 28 is left.
  assert.deepEqual(lines((await change(of, { quantity: 5, effective: "now" })).lines), [["unusedTime", -600], ["remainingTime", 3_000]]);
  assert.deepEqual(lines((await change(of, { addOns: { backup: 1 }, effective: "now" })).lines), [["remainingTime", 250]]);
  assert.equal(expect(await of.desk.get("/v1/quotas/storage"), 200).limit, 200, "100 of the plan, 100 of the add-on");
  const entitled = expect(await of.desk.get("/v1/entitlements"), 200).data.map(({ key }: any) => key).sort();
  assert.deepEqual(entitled, ["calls", "sso", "support"]);
  await to("2026-02-21T09:00:00Z");
  const year = await change(of, { billingPeriod: "year", effective: "now" });
  assert.deepEqual(lines(year.lines), [["unusedTime", -1_500], ["unusedTime", -125], ["basePrice", 60_000], ["addOn", 5_000]]);
  expect(await of.desk.patch("/v1/subscription", { autoRenew: false }), 200);
  await to("2027-01-22T09:00:00Z");
  const mailed = expect(await vendor(server.current).get(`/dev/emails?to=${encodeURIComponent(of.email)}`), 200);
  assert.equal(mailed[0].template, "subscription-expiring");
  await to("2027-02-21T09:00:00Z");
  assert.equal((await subscription(of)).status, "expired");
  assertRefused(await of.desk.post("/v1/subscription/changes", { plan: "starter", effective: "now" }), 409, "subscription_ended");
});

test("a pause, a suspension and an end stop what is admitted, and settle what was", async () => {
  const { of, to } = await begin("Rester", "2026-01-01T00:00:00Z");
  const consume = async () => (await of.desk.post("/v1/usage/consumption", { metric: "apiCalls" })).status;
  const status = async () => (await subscription(of)).status;
  await to("2026-01-25T00:00:00Z");
  await used(of, 100_500);
  const paused = expect(await of.desk.post("/v1/subscription/pause", { resumesAt: "2026-03-01T00:00:00Z" }), 201);
  assert.deepEqual([paused.status, paused.pause.policy], ["paused", "credit_unused"]);
  assert.notEqual(await consume(), 200);
  await to("2026-02-28T00:00:00Z");
  const settled = (await invoices(of))[1];
  assert.deepEqual(lines(settled.referencesOrder), [["overage", 100], ["unusedTime", -13_481]]);
  await to("2026-03-01T00:00:00Z");
  assert.equal(await consume(), 200);

  const suspension = `/v1/organizations/${of.id}/subscription/suspension`;
  expect(await vendor(server.current).put(suspension, { reason: "abuse" }), 200);
  assert.deepEqual([await status(), await consume() === 200], ["suspended", false]);
  assert.equal((await vendor(server.current).delete(suspension)).status, 204);
  assert.equal(await consume(), 200);

  await to("2026-03-16T12:00:00Z");
  const ended = expect(await of.desk.post("/v1/subscription/cancellation", { effective: "now", reason: "we stop" }), 201);
  assert.deepEqual([ended.status, ended.endDate, await consume() === 200], ["cancelled", "2026-03-16T12:00:00Z", false]);
  for (const [path, body] of [["changes", { plan: "starter", effective: "now" }], ["pause", {}], ["cancellation", { effective: "now" }]] as const) {
    assertRefused(await of.desk.post(`/v1/subscription/${path}`, body), 409, "subscription_ended");
  }
  await to("2026-03-16T12:00:01Z");
  const last = (await invoices(of)).at(-1);
  assert.deepEqual([last.billingReason, lines(last.referencesOrder)], ["subscription_end", [["unusedTime", -9_950]]]);
  // What comes late is billed when no more may come: 20,002 calls past 100,000, with the two from before.
  expect(await of.desk.post("/v1/usage", { metric: "apiCalls", amount: 120_000, timestamp: "2026-03-16T10:00:00Z" }), 200);
  await to("2026-06-01T00:00:00Z");
  const late = (await invoices(of)).at(-1);
  assert.deepEqual([late.billingReason, late.dateIssued, lines(late.referencesOrder)], ["late_usage", "2026-04-20T12:00:00Z", [["lateUsage", 4_000]]]);
});

test("a change that can't be is refused, and a clock does not go back", async () => {
  const { of, to } = await begin("Refused", "2026-01-01T00:00:00Z");
  await to("2026-01-25T00:00:00Z");
  const euro = { key: "euro", name: "Euro", prices: [sold("month", flat("49"), "EUR")] };
  expect(await vendor(server.current).post("/v1/plans", euro), 201);
  const before = await subscription(of);
  const now = (more: object) => ({ effective: "now", ...more });
  for (const [body, status, code, pointer] of [
    [now({}), 409, "no_change", undefined],
    [now({ plan: "gold" }), 400, "unknown_plan", "/plan"],
    [now({ plan: "starter", billingPeriod: "year" }), 400, "plan_not_sold_in_currency", "/plan"],
    [now({ plan: "euro" }), 400, "plan_not_sold_in_currency", "/plan"],
    [now({ quantity: 0 }), 400, "invalid_value", "/quantity"],
    [now({ addOns: { backup: 1 } }), 400, "unknown_add_on", "/addOns/backup"],
    [now({ plan: "starter", prorationPolicy: "by_feel" }), 400, "invalid_value", "/prorationPolicy"],
    [now({ typo: 1 }), 400, "invalid_value", "/typo"],
  ] as const) {
    for (const path of ["changes", "change-previews"]) assertRefused(await of.desk.post(`/v1/subscription/${path}`, body), status, code, pointer);
  }
  assert.deepEqual(await subscription(of), before);
  const clock = await makeClock(server.current, "2026-05-01T00:00:00Z");
  assertRefused(await vendor(server.current).put(`/v1/test-clocks/${clock}`, { now: "2026-04-30T23:59:59Z" }), 400, "clock_moves_forward_only", "/now");
});

test("subscribers keep their version until they are moved, and a preview says what moving them means", async () => {
  const { of, to } = await begin("Mover", "2026-01-01T00:00:00Z");
  await to("2026-01-20T00:00:00Z");
  const next = { name: "Professional", prices: [sold("month", flat("249"))], metrics: [{ metric: "apiCalls", limit: 50_000 }, { metric: "users", limit: 30 }] };
  expect(await vendor(server.current).post("/v1/plans/professional/versions", next), 201);
  assert.equal((await subscription(of)).plan.version, 1);
  const asked = { from: 1, to: 2 };
  const moved = (page: any) => page.data.find((each: any) => each.organization === of.id);
  const preview = moved(expect(await vendor(server.current).post("/v1/plans/professional/migration-previews", asked), 200));
  assert.deepEqual([preview.status, preview.effectiveAt, preview.priceBefore.price, preview.priceAfter.price], ["moves", "2026-02-15T00:00:00Z", "199.00", "249.00"]);
  const limit = preview.limits.find((each: any) => each.metric === "apiCalls");
  assert.deepEqual(limit, { metric: "apiCalls", before: 100_000, after: 50_000, isLower: true });
  const migration = { ...asked, effective: "period_end" };
  assert.equal(moved(expect(await vendor(server.current).post("/v1/plans/professional/migrations", migration), 200)).status, "scheduled");
  await to("2026-02-15T00:00:00Z");
  assert.deepEqual([(await subscription(of)).plan.version, (await invoices(of))[1].subtotal.price], [2, "249.00"]);
});

test("every invoice of these stories can be computed again from its proof", async () => {
  const reasons = new Set<string>();
  for (const of of stories) (await assertInvoicesProven(of)).forEach((reason) => reasons.add(reason));
  for (const reason of ["subscription_create", "subscription_cycle", "subscription_update", "subscription_end", "late_usage"]) assert.ok(reasons.has(reason), reason);
});

test("both audits go through all of them and find nothing", async () => {
  const { url, platformKey } = server.current;
  assert.deepEqual((await auditLedger(url, platformKey)).differing, []);
  const { subscriptions, findings } = await auditBilling(url, platformKey);
  assert.deepEqual([subscriptions, findings], [stories.length, []]);
});

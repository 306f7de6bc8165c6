// Invoices, the ledger and proofs on the real Worker: every cent of half a year is where it belongs, and can be checked by somebody else.
// The figures are computed by hand.

import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { auditBilling } from "../../scripts/audit_billing.mjs";
import { auditLedger } from "../../scripts/audit_ledger.mjs";
import { assertProblem, beginStory, expect, invoices, templates, vendor } from "./support/client.ts";
import type { Company, Story } from "./support/client.ts";
import { freshServer } from "./support/server.ts";
import { assertInvoicesProven, verified } from "./support/verifier.ts";

const server = freshServer();

const stories: Company[] = [];

/** `at` is the vendor's path of what is the organization's. */
async function begin(name: string, at: string, more: object = {}): Promise<Story & { readonly at: (path: string) => string }> {
  const story = await beginStory(server.current, name, at, more);
  stories.push(story.of);
  return { ...story, at: (path) => `/v1/organizations/${story.of.id}/${path}` };
}

const desk = () => vendor(server.current);
const used = async (of: Company, amount: number): Promise<void> => {
  expect(await of.desk.post("/v1/usage", { metric: "apiCalls", amount }), 200);
};

/** The balances are these, in cents, they sum to zero, and the audit computes the same. */
async function assertBooks(of: Company, expected: Record<string, number>): Promise<void> {
  const { balances, isBalanced } = expect(await of.desk.get("/v1/ledger"), 200);
  const found = balances.map(({ account, balance }: any) => [account, balance.amountMinor]).filter(([, minor]: any) => minor !== 0);
  assert.deepEqual(Object.fromEntries(found), expected);
  assert.deepEqual([isBalanced, Object.values(expected).reduce((sum, minor) => sum + minor, 0)], [true, 0]);
  assert.equal(expect(await of.desk.get("/v1/ledger/audit"), 200).isConsistent, true);
}

test("every cent of half a year is where it belongs", async () => {
  const { of, at, to } = await begin("Acme", "2026-01-01T00:00:00Z");
  const invoice = async (number: number) => (await invoices(of))[number - 1];
  const act = async (number: number, what: string, body: object) => of.desk.post(`/v1/invoices/${(await invoice(number)).$id}/${what}`, body);
  expect(await desk().put(at("taxes"), { rates: [{ name: "VAT", rate: "20" }] }), 200);
  expect(await desk().post(at("discounts"), { name: "Launch", percentage: "10", duration: "repeating", bills: 2 }), 201);
  expect(await desk().post(at("credits"), { amount: "50.00", currency: "USD", source: "promotional" }), 201);
  await assertBooks(of, { promotions: 5_000, credit: -5_000 });

  // 199.00 less 10 % is 179.10, with 20 % tax 214.92; credit pays 50.00.
  await to("2026-01-15T00:00:00Z");
  const first = await invoice(1);
  assert.deepEqual([first.total.price, first.totalPaymentDue.price], ["214.92", "164.92"]);
  await assertBooks(of, { promotions: 5_000, receivable: 16_492, deferred: -17_910, tax: -3_582 });
  expect(await act(1, "payment", { amount: "100.00", method: "bank_transfer" }), 201);
  assertProblem(await act(1, "payment", { amount: "64.93" }), 409, "more_than_due");
  assertProblem(await act(1, "void", { reason: "a mistake" }), 409, "invoice_paid");
  expect(await act(1, "payment", {}), 201);
  assert.equal((await invoice(1)).paymentStatus, "paid");
  assertProblem(await act(1, "payment", {}), 409, "invoice_paid");
  await assertBooks(of, { promotions: 5_000, cash: 16_492, deferred: -17_910, tax: -3_582 });

  // The month is earned. 199.00 and 10,000 calls for 20.00, less 10 %: 197.10, with tax 236.52.
  await used(of, 110_000);
  await to("2026-02-14T23:59:59Z");
  const upcoming = expect(await of.desk.get("/v1/invoices/upcoming"), 200);
  await to("2026-02-15T00:00:00Z");
  const second = await invoice(2);
  for (const figure of ["subtotal", "total", "creditApplied", "totalPaymentDue", "referencesOrder", "usage", "discount", "taxes", "billingPeriod"]) {
    assert.deepEqual(upcoming[figure], second[figure], `upcoming: ${figure}`);
  }
  assert.deepEqual([second.total.price, upcoming.paymentStatus, upcoming.identifier], ["236.52", "draft", null]);

  // Half of the base price is taken back before it is paid, the rest after.
  const base = second.referencesOrder.findIndex((line: any) => line.kind === "basePrice");
  const half = { invoice: second.$id, reason: "outage", lines: [{ line: base, amount: "100.00" }], resolution: "refund" };
  const note = expect(await of.desk.post("/v1/credit-notes", half), 201);
  assert.deepEqual([note.total.price, note.reducesInvoice.price], ["108.00", "108.00"]);
  expect(await act(2, "payment", {}), 201);
  const rest = expect(await of.desk.post("/v1/credit-notes", { invoice: second.$id, reason: "goodwill" }), 201);
  assert.deepEqual([rest.total.price, rest.credited.price], ["128.52", "128.52"], "108.00 + 128.52 = 236.52");
  assertProblem(await of.desk.post("/v1/credit-notes", { invoice: second.$id, reason: "more" }), 409, "nothing_to_credit");
  assert.equal((await invoice(2)).creditNotes.length, 2);
  await assertBooks(of, { promotions: 5_000, cash: 29_344, credit: -12_852, revenue: -17_910, tax: -3_582 });

  // The discount was for two bills. 199.00 with tax is 238.80; the credit pays 128.52 of it, and comes back when it is voided.
  await to("2026-03-15T00:00:00Z");
  assert.equal((await invoice(3)).totalPaymentDue.price, "110.28");
  expect(await act(3, "void", { reason: "a mistake" }), 200);
  await assertBooks(of, { promotions: 5_000, cash: 29_344, credit: -12_852, revenue: -17_910, tax: -3_582 });

  // A month later the fourth is overdue, and the subscription with it; written off, and paid after all.
  await to("2026-05-15T00:00:00Z");
  assert.deepEqual([(await invoice(4)).paymentStatus, (await invoice(5)).paymentStatus], ["overdue", "due"]);
  assert.equal(expect(await of.desk.get("/v1/subscription"), 200).status, "past_due");
  assert.ok((await templates(server.current, of.email)).includes("payment-overdue"));
  expect(await act(4, "write-off", {}), 200);
  assert.equal((await invoice(4)).paymentStatus, "uncollectible");
  assertProblem(await act(4, "void", { reason: "a mistake" }), 409, "invoice_uncollectible");
  expect(await act(4, "payment", {}), 201);
  const owed = { promotions: 5_000, cash: 40_372, receivable: 23_880, deferred: -19_900, revenue: -37_810, tax: -11_542 };
  await assertBooks(of, owed);
  const entries = expect(await of.desk.get("/v1/ledger/entries?limit=100"), 200).data;
  for (const entry of entries) {
    assert.equal(entry.postings.reduce((sum: number, posting: any) => sum + posting.amount.amountMinor, 0), 0, JSON.stringify(entry));
  }
});

test("a refund is money only as far as money came, and is paid once", async () => {
  const { of, at, to } = await begin("Refunded", "2026-01-01T00:00:00Z");
  expect(await desk().post(at("credits"), { amount: "150.00", currency: "USD", source: "promotional" }), 201);
  await to("2026-01-15T00:00:00Z");
  const [first] = await invoices(of);
  expect(await of.desk.post(`/v1/invoices/${first.$id}/payment`, { amount: "49.00" }), 201);
  const note = expect(await of.desk.post("/v1/credit-notes", { invoice: first.$id, reason: "outage", amount: "100.00", resolution: "refund" }), 201);
  assert.deepEqual([note.refunded.price, note.credited.price], ["49.00", "51.00"]);
  const [refund] = expect(await of.desk.get("/v1/refunds"), 200).data;
  expect(await of.desk.post(`/v1/refunds/${refund.$id}/payment`, { method: "bank_transfer", reference: "R1" }), 200);
  assertProblem(await of.desk.post(`/v1/refunds/${refund.$id}/payment`, {}), 409, "refund_paid");
  await assertBooks(of, { promotions: 15_000, credit: -5_100, deferred: -9_900 });
});

const METERED = {
  key: "metered",
  name: "Metered",
  prices: [{ currency: "USD", interval: "month", price: { model: "flat", amount: "199" } }],
  metrics: [{ metric: "apiCalls", limit: 100_000, included: 100_000, enforcement: "soft", prices: { USD: { model: "per_unit", unitAmount: "0.002" } } }],
  progressiveBilling: { USD: "10" },
  minimumCommitment: { USD: "205" },
  trial: { days: 14 },
};

test("usage is billed at a threshold and never twice, what comes late is named, and a minimum is topped up", async () => {
  expect(await desk().post("/v1/plans", METERED), 201);
  const { of, to } = await begin("Progressive", "2026-01-01T00:00:00Z", { plan: "metered" });
  await to("2026-01-20T00:00:00Z");
  await used(of, 104_990);
  await to("2026-01-21T00:00:00Z");
  assert.equal((await invoices(of)).length, 1, "4,990 calls come to 9.98");
  await used(of, 10);
  await to("2026-01-22T00:00:00Z");
  const threshold = (await invoices(of))[1];
  assert.deepEqual([threshold.billingReason, threshold.total.price], ["subscription_threshold", "10.00"]);
  await to("2026-02-15T00:00:00Z");
  const second = (await invoices(of))[2];
  assert.equal(second.referencesOrder.some((line: any) => line.kind === "overage"), false, "what was billed at the threshold is billed");
  // After the period is billed, 1,000 more calls of it arrive.
  expect(await of.desk.post("/v1/usage", { metric: "apiCalls", amount: 1_000, timestamp: "2026-02-10T00:00:00Z" }), 200);
  await to("2026-03-15T00:00:00Z");
  const third = (await invoices(of)).at(-1);
  const late = third.referencesOrder.find((line: any) => line.kind === "lateUsage");
  assert.deepEqual([late.amount.price, late.billingPeriod], ["2.00", { startDate: "2026-01-15T00:00:00Z", endDate: "2026-02-15T00:00:00Z" }]);
  const minimum = third.referencesOrder.find((line: any) => line.kind === "minimumCommitment");
  assert.equal(minimum.amount.price, "6.00", "199.00 of 205.00");
  assert.equal(expect(await of.desk.get("/v1/ledger/audit"), 200).isConsistent, true);
});

test("anybody recomputes an invoice from its proof, offline; a changed cent is found", async () => {
  const { of, at, to } = await begin("Proven", "2026-01-01T00:00:00Z");
  expect(await desk().put(at("taxes"), { rates: [{ name: "VAT", rate: "7.7" }] }), 200);
  expect(await desk().post(at("discounts"), { name: "Agreed", percentage: "12.5", duration: "forever" }), 201);
  await to("2026-01-20T00:00:00Z");
  await used(of, 123_457);
  await to("2026-02-15T00:00:00Z");
  const invoice = (await invoices(of))[1];
  const proof = await of.desk.get(`/v1/invoices/${invoice.$id}/proof`);
  const usage = await of.desk.get("/v1/usage/proof");
  assert.deepEqual([proof.status, usage.status], [200, 200], proof.text);
  const [document, events] = ["proof.json", "usage.ndjson"].map((name) => path.join(server.current.state, name));
  const verify = async (text: string, ...more: string[]) => {
    writeFileSync(document, text);
    return verified(document, ...more);
  };
  writeFileSync(events, usage.text);
  for (const more of [[], [events]]) assert.match(await verify(proof.text, ...more), /^VERIFIED$/m);
  const cent = proof.text.replaceAll(`"amountMinor":${invoice.total.amountMinor}`, `"amountMinor":${invoice.total.amountMinor + 1}`);
  assert.notEqual(cent, proof.text);
  const broken = await verify(cent).then(() => assert.fail("a changed cent was verified"), (failure) => failure);
  assert.match(broken.stdout, /^BROKEN/m);
});

test("the last quarter under another plan is simulated without effect", async () => {
  const { of, to } = await begin("Supposed", "2026-01-17T09:00:00Z");
  for (const [now, calls, end] of [["2026-02-10", 150_000, "2026-02-28"], ["2026-03-10", 90_000, "2026-03-31"], ["2026-04-10", 210_000, "2026-04-30"]] as const) {
    await to(`${now}T00:00:00Z`);
    await used(of, calls);
    await to(`${end}T09:00:00Z`);
  }
  const state = async () => Promise.all(["/v1/invoices", "/v1/subscription", "/v1/usage", "/v1/ledger", "/v1/audit-log"].map(async (path) => (await of.desk.get(path)).text));
  const before = await state();
  const own = expect(await of.desk.post("/v1/simulations", {}), 200);
  assert.deepEqual([own.total.price, own.charged.price, own.difference.amountMinor], ["917.00", "917.00", 0]);
  const starter = expect(await of.desk.post("/v1/simulations", { plan: "starter" }), 200);
  // 3 x 49 + (140,000 + 80,000 + 200,000) x 0.005.
  assert.deepEqual([starter.total.price, starter.difference.price], ["2247.00", "1330.00"]);
  assertProblem(await of.desk.post("/v1/simulations", { plan: "gold" }), 400, "unknown_plan");
  assert.deepEqual(await state(), before);
});

test("two hundred months in one step are two hundred invoices, in order", async () => {
  const { of, to } = await begin("Patient", "2026-01-17T09:00:00Z");
  // Two hundred proofs would say no more than those of the others.
  stories.pop();
  await to("2042-09-30T09:00:00Z");
  const all = await invoices(of);
  assert.equal(all.length, 201);
  const days = all.map(({ billingPeriod }) => billingPeriod.startDate.slice(0, 10));
  assert.deepEqual(days.slice(0, 4), ["2026-01-31", "2026-02-28", "2026-03-31", "2026-04-30"]);
  all.slice(1).forEach((invoice, index) => assert.equal(invoice.billingPeriod.startDate, all[index].billingPeriod.endDate));
  assert.deepEqual(all.map(({ identifier }) => identifier), all.map(({ identifier }) => identifier).sort());
  assert.equal(expect(await of.desk.get("/v1/ledger/audit"), 200).isConsistent, true);
});

test("every invoice of these stories can be computed again from its proof", async () => {
  const reasons = new Set<string>();
  for (const of of stories) (await assertInvoicesProven(of)).forEach((reason) => reasons.add(reason));
  for (const reason of ["subscription_create", "subscription_cycle", "subscription_threshold"]) assert.ok(reasons.has(reason), reason);
});

test("both audits go through everything and find nothing", async () => {
  const { url, platformKey } = server.current;
  const ledger = await auditLedger(url, platformKey);
  assert.ok(ledger.organizations >= 6 && ledger.entries > 400, JSON.stringify(ledger));
  assert.deepEqual(ledger.differing, []);
  const billing = await auditBilling(url, platformKey);
  assert.ok(billing.subscriptions >= 6, JSON.stringify(billing));
  assert.deepEqual(billing.findings, []);
});

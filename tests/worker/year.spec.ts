// A year of fifty companies on the real Worker: usage, changes, discounts, taxes, cancellations, drawn from a seed. Every bill is what an
// accountant computes who knows the contract and not our code.

import assert from "node:assert/strict";
import { test } from "node:test";
import { PLANS, bills, monthFrom, paidFrom } from "./support/accountant.ts";
import type { Act, Discount, PlanKey, Story } from "./support/accountant.ts";
import { Random, advance, expect, inParallel, invoices, makeClock, signUp, vendor } from "./support/client.ts";
import type { Company } from "./support/client.ts";
import { freshServer } from "./support/server.ts";

const server = freshServer();
const COMPANIES = 50;
const MONTHS = 12;
const MINUTES_MAX = 3;
const DAY = 86_400_000;
const KEYS = Object.keys(PLANS) as PlanKey[];

const instant = (millis: number) => new Date(millis).toISOString().replace(".000Z", "Z");

/** A company's year. Everything happens at whole seconds, each at another one. */
function drawn(random: Random): Story {
  const signedUpAt = Date.UTC(2026, 0, random.between(1, 31), random.between(0, 23), random.between(0, 59), random.between(0, 59));
  const anchor = paidFrom(signedUpAt);
  const second = (month: number, day: number) => monthFrom(anchor, month) + day * DAY + random.between(0, 80_000) * 1_000;
  let plan = random.of(KEYS);
  const [first, acts]: [PlanKey, Act[]] = [plan, []];
  const use = (month: number, day: number) => acts.push({ at: second(month, day), do: "use", calls: Math.round(Number(PLANS[plan].included) * random.next() * 0.8) + 1 });
  const changes = new Set([random.between(0, MONTHS - 2), random.between(0, MONTHS - 2)]);
  const end = random.next() < 0.4 ? random.between(3, MONTHS - 2) : undefined;
  for (let month = 0; month < MONTHS - 1; month++) {
    use(month, 3);
    if (changes.has(month)) {
      const to = random.of(KEYS.filter((key) => key !== plan));
      acts.push({ at: second(month, 11), do: "change", to, effective: random.of(["now", "now", "period_end"]) });
      plan = to;
    }
    use(month, 19);
    if (month === end) {
      acts.push({ at: second(month, 24), do: "cancel", effective: random.of(["now", "period_end"]) });
      break;
    }
  }
  const discounts = random.of<readonly Discount[]>([[], [{ percent: 10 }], [{ percent: 25, bills: 1 }], [{ cents: 2_000, bills: 3 }], [{ percent: 15, bills: 4 }, { cents: 1_234, bills: 2 }]]);
  return { plan: first, signedUpAt, until: monthFrom(anchor, MONTHS - 1) + DAY, taxPercent: random.of([0, 7.7, 20]), discounts, acts };
}

async function begin(story: Story, index: number): Promise<{ of: Company; clock: string }> {
  const clock = await makeClock(server.current, instant(story.signedUpAt));
  const of = await signUp(server.current, `Company ${index}`, { testClock: clock, plan: story.plan });
  const desk = vendor(server.current);
  if (story.taxPercent > 0) {
    expect(await desk.put(`/v1/organizations/${of.id}/taxes`, { rates: [{ name: "VAT", rate: String(story.taxPercent), inclusive: false }] }), 200);
  }
  for (const { percent, cents, bills } of story.discounts) {
    const off = percent === undefined ? { amount: { amountMinor: cents }, currency: "USD" } : { percentage: String(percent) };
    const duration = bills === undefined ? { duration: "forever" } : bills === 1 ? { duration: "once" } : { duration: "repeating", bills };
    expect(await desk.post(`/v1/organizations/${of.id}/discounts`, { name: "Agreed", ...off, ...duration }), 201);
  }
  return { of, clock };
}

async function act(of: Company, act: Act): Promise<void> {
  if (act.do === "use") expect(await of.desk.post("/v1/usage", { metric: "apiCalls", amount: act.calls }), 200);
  else if (act.do === "change") expect(await of.desk.post("/v1/subscription/changes", { plan: act.to, effective: act.effective, prorationPolicy: "second" }), 201);
  else expect(await of.desk.post("/v1/subscription/cancellation", { effective: act.effective, reason: "too busy" }), 201);
}

test("a year of fifty companies comes to what an accountant computes", async (context) => {
  const random = new Random();
  context.diagnostic(`SEED=${random.seed}`);
  const started = Date.now();
  const stories = Array.from({ length: COMPANIES }, () => drawn(random));
  const counts = await inParallel(6, stories, async (story, index) => {
    const { of, clock } = await begin(story, index);
    for (const each of story.acts) {
      await advance(server.current, clock, instant(each.at));
      await act(of, each);
    }
    await advance(server.current, clock, instant(story.until));
    return compared(of, story);
  });
  const seconds = (Date.now() - started) / 1_000;
  const all = counts.reduce((sum, count) => sum + count, 0);
  context.diagnostic(`${COMPANIES} companies, ${all} invoices, ${seconds.toFixed(0)} s`);
  assert.ok(all > COMPANIES * 6, `only ${all} invoices`);
  assert.ok(seconds < MINUTES_MAX * 60, `a year took ${seconds.toFixed(0)} s`);
});

/** Holds the company's invoices and its ledger against the accountant's; answers how many there are. */
async function compared(of: Company, story: Story): Promise<number> {
  const made = (await invoices(of)).map((invoice) => ({
    at: invoice.dateIssued,
    subtotal: invoice.subtotal.amountMinor,
    discount: invoice.discount.reduce((sum: number, taken: any) => sum + taken.amount.amountMinor, 0),
    tax: invoice.taxes.reduce((sum: number, tax: any) => sum + tax.amount.amountMinor, 0),
    total: invoice.total.amountMinor,
    credit: invoice.creditApplied.amountMinor,
  }));
  const computed = bills(story).map(({ at, subtotal, discount, tax, total, credit }) => ({
    at: instant(at), subtotal: Number(subtotal), discount: Number(discount), tax: Number(tax), total: Number(total), credit: Number(credit),
  }));
  assert.deepEqual(made, computed, JSON.stringify(story));
  const ledger = expect(await of.desk.get("/v1/ledger"), 200);
  assert.equal(ledger.isBalanced, true);
  const receivable = ledger.balances.find((balance: any) => balance.account === "receivable")?.balance.amountMinor ?? 0;
  assert.equal(receivable, computed.reduce((sum, bill) => sum + bill.total - bill.credit, 0), "what is owed is what was billed");
  return made.length;
}

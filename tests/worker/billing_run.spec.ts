// The billing run: the hourly cron finds what is due, the billing queue bills it, and repeating any of it changes nothing.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { TestContext } from "node:test";
import {
  Random, advance, assertInvoicesAreExact, clockNow, eventually, expect, inParallel, invoices, killDuringAdvance, makeClock, periodsBy, signUp, signUpMany, staysTrue, untilBilled, vendor,
} from "./support/client.ts";
import type { Billed, Company } from "./support/client.ts";
import { invoiceCounts, tamper } from "./support/disk.ts";
import { freshServer } from "./support/server.ts";

const server = freshServer();
const COMPANIES = Array.from({ length: 12 }, (_, index) => `Company ${index + 1}`);
const SIGN_UP = "2026-01-01T00:00:00Z";
/** Kills that may miss: an advance of a month is over sooner or has not begun to bill. */
const KILLS_MAX = 20;

let clock: string;
let companies: Company[];
let months = 1;

const billed = async (): Promise<Billed> => ({ companies, periods: periodsBy(await clockNow(server.current, clock), SIGN_UP) });
const target = () => new Date(Date.UTC(2026, months, 20)).toISOString().replace(".000Z", "Z");

/** The companies whose period is over and not billed. */
async function due(): Promise<Company[]> {
  const now = await clockNow(server.current, clock);
  const isDue = await inParallel(4, companies, async ({ desk }) => expect(await desk.get("/v1/subscription"), 200).currentPeriod.end <= now);
  return companies.filter((_, index) => isDue[index]);
}

/** Kills advances until one has left companies due that it did not bill, and some that it did. */
async function leaveSomeDue(context: TestContext): Promise<void> {
  const random = new Random();
  context.diagnostic(`SEED=${random.seed}`);
  for (let kill = 0; kill < KILLS_MAX; kill++) {
    if ((await clockNow(server.current, clock)) === target()) months++;
    await killDuringAdvance(server.current, clock, target(), random.between(100, 700));
    const left = (await due()).length;
    if (left > 0 && left < companies.length) return;
  }
  assert.fail("no kill came in the middle of a billing run");
}

test("what an advance left due when it was killed, the hourly run bills once, through the billing queue", async (context) => {
  clock = await makeClock(server.current, SIGN_UP);
  companies = await signUpMany(server.current, COMPANIES, { testClock: clock });
  // Check-ins and notices lie behind; from here on there is nothing but billing.
  await advance(server.current, clock, "2026-01-14T00:00:00Z");
  await leaveSomeDue(context);
  await Promise.all([1, 2, 3].map(() => server.current.cron("0 * * * *")));
  await untilBilled(server.current, await billed());
  assert.deepEqual(await due(), []);
  const count = await assertInvoicesAreExact(server.current, await billed());
  assert.equal(count, companies.length * (await billed()).periods.length);
});

test("running it again and again, and advancing again, changes nothing", async () => {
  const before = await inParallel(4, companies, invoices);
  for (let round = 0; round < 3; round++) {
    await server.current.cron("0 * * * *");
    await server.current.cron("* * * * *");
    await advance(server.current, clock, await clockNow(server.current, clock));
  }
  await staysTrue(1_000, async () => assert.deepEqual(await inParallel(4, companies, invoices), before));
  await assertInvoicesAreExact(server.current, await billed());
});

test("advances and hourly runs that meet bill each period once", async (context) => {
  await leaveSomeDue(context);
  const cron = () => server.current.cron("0 * * * *");
  await Promise.all([cron(), cron(), advance(server.current, clock, target()), advance(server.current, clock, target()), cron()]);
  assert.equal(await clockNow(server.current, clock), target());
  await untilBilled(server.current, await billed());
  await assertInvoicesAreExact(server.current, await billed());
});

test("a company in real time is not billed by somebody else's clock", async () => {
  const real = await signUp(server.current, "Real time");
  await server.current.cron("0 * * * *");
  months++;
  await advance(server.current, clock, target());
  assert.deepEqual(await invoices(real), []);
  assert.equal(expect(await real.desk.get("/v1/subscription"), 200).isTrial, true);
  await assertInvoicesAreExact(server.current, await billed());
});

/** Companies in real time whose trial is over at once: their rows are changed while nobody serves them. */
async function signUpDue(count: number): Promise<{ companies: Company[]; periods: string[] }> {
  const names = Array.from({ length: count }, (_, index) => `Real ${index + 1}`);
  const real = await signUpMany(server.current, names);
  // After all of them signed up: a trial does not end before it begins.
  const now = Math.ceil(Date.now() / 1000) * 1000;
  await server.current.kill9();
  const ids = real.map(({ id }) => `'${id}'`).join(", ");
  await tamper(
    server.current.state,
    `UPDATE subscriptions SET trial_ends_at = ${now}, period_ends_at = ${now}, next_billing_at = ${now}, version = version + 1 WHERE organization_id IN (${ids})`,
  );
  await server.current.start();
  return { companies: real, periods: [new Date(now).toISOString().replace(".000Z", "Z")] };
}

test("a run of 200 organizations that is killed again and again bills each once, and no number is missing", async (context) => {
  const random = new Random();
  context.diagnostic(`SEED=${random.seed}`);
  const before = await billed();
  const real = await signUpDue(200);
  const billedBefore = (await invoiceCounts(server.current)).all;
  const all = billedBefore + real.companies.length;
  const seen: number[] = [];
  for (let kill = 0; kill < 8; kill++) {
    const kills = billedBefore + Math.floor(((kill + 1) * real.companies.length) / 10) + random.between(0, 9);
    await server.current.cron("0 * * * *");
    await eventually("the run goes on", 60_000, async () => (await invoiceCounts(server.current)).all >= kills, 5);
    await server.current.kill9();
    const left = await invoiceCounts(server.current);
    seen.push(left.all - billedBefore);
    await server.current.start();
  }
  context.diagnostic(`billed when it was killed: ${seen.join(", ")}`);
  assert.ok(seen.filter((count) => count > 0 && count < real.companies.length).length >= 3, "kills came in the middle of the run");
  await untilBilled(server.current, before, real);
  assert.deepEqual(await invoiceCounts(server.current), { all, numbered: all });
  await assertInvoicesAreExact(server.current, before, real);
  const { findings, nextCursor } = expect(await vendor(server.current).get("/v1/billing/audit?graceHours=0"), 200);
  assert.deepEqual([findings, nextCursor], [[], "1"]);
  assert.deepEqual(expect(await vendor(server.current).get("/v1/billing/audit?graceHours=0&cursor=1"), 200).findings, []);
});

test("nothing was given up on the way", async () => {
  assert.deepEqual(expect(await vendor(server.current).get("/v1/dead-letters"), 200).data, []);
});

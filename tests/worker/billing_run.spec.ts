// The billing run: the hourly cron finds what is due, the billing queue bills it, and repeating any of it changes nothing.

import assert from "node:assert/strict";
import { test } from "node:test";
import { advance, assertInvoicesAreExact, eventually, expect, inParallel, invoices, makeClock, signUp, signUpMany, staysTrue, templates, vendor } from "./support/client.ts";
import type { Company } from "./support/client.ts";
import { freshServer } from "./support/server.ts";

const server = freshServer();
const COMPANIES = Array.from({ length: 12 }, (_, index) => `Company ${index + 1}`);
const [SIGN_UP, FIRST, SECOND, THIRD] = ["2026-01-01T00:00:00Z", "2026-01-15T00:00:00Z", "2026-02-15T00:00:00Z", "2026-03-15T00:00:00Z"];

let clock: string;
let companies: Company[];

const clockNow = async () => expect(await vendor(server.current).get(`/v1/test-clocks/${clock}`), 200).now;
const invoiceCount = async () => (await inParallel(4, companies, invoices)).flat().length;

/** Whether all is as it should be, for a while in which it is still becoming so. */
async function areExact(periods: string[]): Promise<boolean> {
  if ((await invoiceCount()) !== companies.length * periods.length) return false;
  const mailed = await inParallel(4, companies, async ({ email }) => (await templates(server.current, email)).filter((each) => each === "invoice-payment-required").length);
  return mailed.every((count) => count >= periods.length);
}

test("an advance that is killed half-way leaves subscriptions due, and the hourly run bills each of them once", async () => {
  clock = await makeClock(server.current, SIGN_UP);
  companies = await signUpMany(server.current, COMPANIES, { testClock: clock });
  const advancing = advance(server.current, clock, "2026-03-20T00:00:00Z").then(() => "done", () => "cut off");
  // All twelve are due at the same instant, so when the clock stands at it, most of them wait.
  await eventually("the second period", 60_000, async () => (await clockNow()) >= SECOND, 0);
  await server.current.kill9();
  assert.equal(await advancing, "cut off");
  await server.current.start();
  assert.equal(await clockNow(), SECOND);
  const before = await invoiceCount();
  assert.ok(before >= 12 && before < 24, `some are due that the advance did not bill: ${before} of 24 invoices are there`);

  await Promise.all([1, 2, 3].map(() => server.current.cron("0 * * * *")));
  await eventually("the billing queue has drained", 60_000, async () => {
    // What the kill tore from a commit's consequences is the minute's sweep's.
    await server.current.cron("* * * * *");
    return areExact([FIRST, SECOND]);
  }, 500);
  assert.equal(await assertInvoicesAreExact(server.current, companies, [FIRST, SECOND]), 24);
});

test("running it again and again, and advancing again, changes nothing", async () => {
  const before = await inParallel(4, companies, invoices);
  for (let round = 0; round < 3; round++) {
    await server.current.cron("0 * * * *");
    await server.current.cron("* * * * *");
    await advance(server.current, clock, await clockNow());
  }
  await staysTrue(1_000, async () => assert.deepEqual(await inParallel(4, companies, invoices), before));
  await assertInvoicesAreExact(server.current, companies, [FIRST, SECOND]);
});

test("two advances and three hourly runs at the same time bill each period once", async () => {
  const target = "2026-03-20T00:00:00Z";
  const runs = [advance(server.current, clock, target), advance(server.current, clock, target), ...[1, 2, 3].map(() => server.current.cron("0 * * * *"))];
  await Promise.all(runs);
  await eventually("all is billed and mailed", 60_000, async () => {
    await server.current.cron("0 * * * *");
    await server.current.cron("* * * * *");
    return areExact([FIRST, SECOND, THIRD]);
  }, 500);
  assert.equal(await assertInvoicesAreExact(server.current, companies, [FIRST, SECOND, THIRD]), 36);
});

test("a company in real time is not billed for somebody else's clock", async () => {
  const real = await signUp(server.current, "Real time");
  await server.current.cron("0 * * * *");
  await advance(server.current, clock, "2026-04-20T00:00:00Z");
  assert.deepEqual(await invoices(real), []);
  assert.equal(expect(await real.desk.get("/v1/subscription"), 200).isTrial, true);
});

test("nothing was given up on the way", async () => {
  assert.deepEqual(expect(await vendor(server.current).get("/v1/parked"), 200).data, []);
});

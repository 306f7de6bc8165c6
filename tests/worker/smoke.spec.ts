// The build that is deployed, optimised and without names, does the main things that the other files ask of the quick one.

import assert from "node:assert/strict";
import { test } from "node:test";
import { advance, anybody, backend, counted, eventually, expect, invoices, makeClock, signUp } from "./support/client.ts";
import { found, logIn } from "./support/people.ts";
import { freshServer } from "./support/server.ts";

const server = freshServer({ kind: "release" });

test("a company signs up, and its key consumes up to the quota and no further; a repeated request counts once", async () => {
  const caller = await backend(server.current, await signUp(server.current, "Smoke"));
  const consume = (amount: number, idempotencyKey: string) => caller.post("/v1/usage/consumption", { metric: "apiCalls", amount, idempotencyKey });
  const first = expect(await consume(99_999, "first"), 200);
  assert.deepEqual([first.allowed, first.replayed, first.remaining], [true, false, 1]);
  const again = await consume(99_999, "first");
  assert.deepEqual(expect(again, 200), { ...first, replayed: true });
  assert.equal(again.headers.get("idempotent-replayed"), "true");

  expect(await consume(1, "last"), 200);
  const quota = expect(await caller.get("/v1/quotas/apiCalls"), 200);
  assert.deepEqual([quota.allowed, quota.current, quota.remaining], [false, 100_000, 0]);
  const refused = await consume(1, "over");
  assert.deepEqual([refused.status, refused.body.code], [429, "quota_exceeded"]);
  assert.equal(await counted(caller, "apiCalls"), 100_000, "neither what was repeated nor what was refused was counted");
});

test("the end of a trial is an invoice, and it prints as a PDF", async () => {
  const clock = await makeClock(server.current, "2026-01-01T00:00:00Z");
  const acme = await signUp(server.current, "Printed & Söhne", { testClock: clock });
  await advance(server.current, clock, "2026-01-20T00:00:00Z");
  const [invoice, ...others] = await invoices(acme);
  assert.deepEqual([others, invoice.totalPaymentDue.price], [[], "199.00"]);

  const { url, platformKey } = server.current;
  const headers = { authorization: `Bearer ${platformKey}`, "tenantry-organization": acme.id, accept: "application/pdf" };
  const response = await fetch(`${url}/v1/invoices/${invoice.$id}`, { headers, signal: AbortSignal.timeout(60_000) });
  const bytes = Buffer.from(await response.arrayBuffer());
  assert.deepEqual([response.status, response.headers.get("content-type")], [200, "application/pdf"]);
  assert.equal(bytes.subarray(0, 5).toString(), "%PDF-");
  assert.match(bytes.subarray(-8).toString(), /%%EOF\s*$/);
});

test("who founds a company logs in with the code that is mailed", async () => {
  const { company, owner } = await found(server.current, "Founded");
  assert.equal(expect(await owner.client.get("/v1/organization"), 200).$id, company.id);
  const again = await logIn(server.current, owner.email);
  assert.deepEqual([again.id === owner.id, again.session.$id === owner.session.$id], [true, false]);
});

test("a panic is a problem document to the request that panicked, it is in the log, and the next request knows nothing of it", async () => {
  const caller = await backend(server.current, await signUp(server.current, "Calm"));
  expect(await caller.post("/v1/usage", { metric: "apiCalls", idempotencyKey: "before" }), 200);
  const panicked = await anybody(server.current).post("/dev/experiments/panic", {});
  assert.deepEqual([panicked.status, panicked.body.code], [500, "internal_error"]);
  assert.equal(expect(await caller.post("/v1/usage", { metric: "apiCalls", idempotencyKey: "before" }), 200).replayed, true);
  // The log takes its own way, by workerd and wrangler, and may arrive after the response.
  await eventually("the panic in the log", 20_000, () => /panicked at [^\n]*\.rs:\d+/.test(server.current.log()));
});

// What the core takes for granted of the runtime, asked of the runtime itself; and what a panic takes with it.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { fromRoot } from "../../scripts/lib.mjs";
import { advance, anybody, assertProblem, backend, clockNow, counted, eventually, expect, inParallel, invoices, makeClock, signUp, signUpMany, templates, vendor } from "./support/client.ts";
import type { Answer } from "./support/client.ts";
import { freshServer, startServer } from "./support/server.ts";

const server = freshServer();
const panicked = () => anybody(server.current).post("/dev/experiments/panic", {});

test("both shards behave as the SQL port says", async () => {
  const { shards } = expect(await anybody(server.current).post("/dev/experiments/sql", {}), 200);
  assert.equal(shards.length, 2);
  for (const findings of shards) {
    assert.ok(findings.length >= 5, "the list is not empty");
    assert.deepEqual(findings.filter((each: any) => each.found !== null), []);
  }
});

test("every binding answers", async () => {
  const health = expect(await anybody(server.current).get("/healthz"), 200);
  const bindings = ["directory", "tenants0", "tenants1", "meter", "invoiceNumbers", "eventsQueue", "emailQueue", "billingQueue", "assets"];
  assert.deepEqual(health, { status: "ok", bindings: Object.fromEntries(bindings.map((name) => [name, "ok"])) });
});

test("the description that is served is the committed one", async () => {
  const served = await anybody(server.current).get("/openapi.json");
  assert.equal(served.status, 200);
  assert.match(served.headers.get("content-type") ?? "", /^application\/json/);
  assert.equal(served.text, readFileSync(fromRoot("openapi.json"), "utf8"));
});

test("the page of the description comes from us and from nobody else", async () => {
  const page = await anybody(server.current).get("/docs");
  assert.equal(page.status, 200);
  assert.match(page.headers.get("content-type") ?? "", /^text\/html/);
  const wanted = [...page.text.matchAll(/(?:src|href)="([^"]*)"/g)].map(([, target]) => target).filter((target) => !target.startsWith("data:"));
  assert.ok(wanted.length >= 3, "scripts and styles are there");
  await inParallel(4, wanted, async (target) => {
    assert.match(target, /^\/[^/]/, "no other host");
    const file = await anybody(server.current).get(target);
    assert.equal(file.status, 200, target);
    // Swagger UI names other hosts in its own comments; what we wrote names ours and examples, which are nobody's (RFC 2606).
    if (!target.includes("/vendor/")) assert.doesNotMatch(file.text, /(?:https?:)?\/\/(?!tenantry\.dev\/|[a-z0-9-]+\.example\b)[a-z0-9-]+\.[a-z]/i, target);
  });
  assert.doesNotMatch(page.text, /https?:\/\//);
});

test("what is not there under /docs is a problem document too", async () => {
  assertProblem(await anybody(server.current).get("/docs/nothing"), 404);
  const refused = await anybody(server.current).post("/docs", {});
  assertProblem(refused, 405);
  assert.match(refused.headers.get("allow") ?? "", /GET/);
});

test("a panic is a problem document to the request that panicked, and nothing to the next one", async () => {
  const acme = await signUp(server.current, "Calm");
  const caller = await backend(server.current, acme);
  for (let round = 1; round <= 3; round++) {
    expect(await caller.post("/v1/usage", { metric: "apiCalls", idempotencyKey: `before-${round}` }), 200);
    assertProblem(await panicked(), 500, "internal_error");
    assert.equal(expect(await acme.desk.get("/v1/organization"), 200).$id, acme.id);
    assert.equal(expect(await caller.post("/v1/usage", { metric: "apiCalls", idempotencyKey: `before-${round}` }), 200).replayed, true);
    assert.equal(await counted(caller, "apiCalls"), round, "the Meter forgot nothing");
  }
});

/** An answer as if nothing had happened, or a problem document that says to try again: never silence, never the runtime's own text. */
function assertDoneOrProblem(answer: Answer, done: number): void {
  if (answer.status !== done) assertProblem(answer, answer.status === 503 ? 503 : 500);
}

test("whom a panic meets is done or told to try again, and trying again works", async () => {
  const clock = await makeClock(server.current, "2026-01-01T00:00:00Z");
  const slow = await signUpMany(server.current, ["Slow", "Slower"], { testClock: clock });
  const acme = await signUp(server.current, "Bystander");
  const caller = await backend(server.current, acme);
  const signingUp = () => vendor(server.current).post("/v1/organizations", { name: "New", email: "new@example.test" }, { headers: { "idempotency-key": "met-a-panic" } });
  const counting = () => caller.post("/v1/usage", { metric: "apiCalls", amount: 5, idempotencyKey: "met-a-panic" });
  const [advanced, signedUp, usage] = await Promise.all([
    vendor(server.current).put(`/v1/test-clocks/${clock}`, { now: "2026-02-20T00:00:00Z" }),
    signingUp(),
    counting(),
    panicked(),
  ]);
  assertDoneOrProblem(advanced, 200);
  assertDoneOrProblem(signedUp, 201);
  assertDoneOrProblem(usage, 200);

  await advance(server.current, clock, "2026-02-20T00:00:00Z");
  assert.equal(await clockNow(server.current, clock), "2026-02-20T00:00:00Z");
  for (const each of slow) assert.equal((await invoices(each)).length, 2);
  const id = expect(await signingUp(), 201).$id;
  expect(await counting(), 200);
  assert.equal(await counted(caller, "apiCalls"), 5);
  await eventually("the new company", 90_000, async () => {
    await server.current.cron("* * * * *");
    return (await vendor(server.current).get(`/v1/organizations/${id}`)).status === 200;
  }, 1_000);
});

test("a panic in the middle of many usage writes loses none and doubles none", async () => {
  const acme = await signUp(server.current, "Steady");
  const caller = await backend(server.current, acme);
  const keys = Array.from({ length: 300 }, (_, index) => `steady-${index}`);
  const write = (idempotencyKey: string) => caller.post("/v1/usage", { metric: "apiCalls", idempotencyKey });
  await inParallel(16, keys, async (key, index) => {
    if (index % 60 === 30) await panicked();
    const answer = await write(key);
    assertDoneOrProblem(answer, 200);
  });
  await inParallel(16, keys, async (key) => expect(await write(key), 200));
  assert.equal(await counted(caller, "apiCalls"), keys.length);
});

test("facts of a Meter that were on their way when somebody panicked arrive, once, and so do those after them", async () => {
  const companies = await signUpMany(server.current, ["Ann", "Ben", "Cleo", "Dan", "Eve", "Fay"]);
  const callers = await inParallel(4, companies, (each) => backend(server.current, each));
  const arrived = (what: string, has: (templates: string[], items: any[]) => boolean) =>
    eventually(what, 90_000, async () => {
      await server.current.cron("* * * * *");
      const each = await inParallel(4, companies, async ({ desk, email }) => {
        return has(await templates(server.current, email), expect(await desk.get("/v1/onboarding"), 200).itemListElement);
      });
      return each.every(Boolean);
    }, 500);
  await inParallel(2, callers, async (caller) => {
    await eventually("the write", 10_000, async () => (await caller.post("/v1/usage", { metric: "apiCalls", amount: 100_000, idempotencyKey: "all" })).status === 200);
    for (let round = 0; round < 2; round++) await panicked();
  });
  await arrived("every mail at the limit", (sent) => sent.includes("quota-exceeded"));
  for (const caller of callers) expect(await caller.post("/v1/usage", { metric: "projects" }), 200);
  await arrived("every fact after it", (_, items) => items.some((item) => item.key === "createFirstProject" && item.status === "completed"));
  for (const { email } of companies) assert.deepEqual((await templates(server.current, email)).sort(), ["organization-welcome", "quota-exceeded"]);
});

test("outside development there is nothing under /dev", async () => {
  const production = await startServer({ vars: { TENANTRY_ENVIRONMENT: "production" } });
  try {
    const unknown = assertProblem(await anybody(production).get("/dev/nothing-of-the-kind"), 404, "route_not_found");
    for (const path of ["/dev/emails", "/dev/inbox", "/dev/experiments/sql", "/dev/experiments/panic"]) {
      for (const method of ["GET", "POST", "DELETE"]) {
        const { code, detail } = assertProblem(await anybody(production).send(method, path, undefined), 404);
        assert.deepEqual([code, detail], [unknown.code, unknown.detail], `${method} ${path} is like any unknown address`);
      }
    }
  } finally {
    await production.stop();
  }
});

// What is refused, on both ways to the same answer: an organization's key goes through the shell to its Meter, the vendor's through Rust.

import assert from "node:assert/strict";
import { test } from "node:test";
import { anybody, assertProblem, backend, bearer, counted, eventually, expect, signUp, vendor } from "./support/client.ts";
import type { Answer, Client, Company } from "./support/client.ts";
import { freshServer } from "./support/server.ts";

const server = freshServer();
const JSON_TYPE = { "content-type": "application/json" };
const KIB = 1024;

let world: Promise<{ acme: Company; ways: [string, Client][] }> | undefined;

/** One company and the two ways to its Meter. */
function ways(): Promise<{ acme: Company; ways: [string, Client][] }> {
  world ??= (async () => {
    const acme = await signUp(server.current, "Acme");
    return { acme, ways: [["its own key", await backend(server.current, acme)], ["the vendor's key", acme.desk]] as [string, Client][] };
  })();
  return world;
}

interface Case {
  readonly what: string;
  readonly method?: string;
  readonly path?: string;
  readonly body?: string | (() => BodyInit);
  readonly headers?: Record<string, string>;
  readonly status: number;
  readonly code: string;
  readonly pointer?: string;
  readonly allow?: string[];
}

const usage = (members: object) => JSON.stringify({ metric: "apiCalls", ...members });
/** A well-formed body of exactly this many bytes. */
const ofSize = (bytes: number) => usage({ metadata: { filler: "x".repeat(bytes - usage({ metadata: { filler: "" } }).length) } });
/** Sent piece by piece, so that nobody knows its length before. */
const inChunks = (text: string) => () => new Blob([text]).stream();

const CASES: Case[] = [
  { what: "PUT on usage", method: "PUT", body: usage({}), status: 405, code: "method_not_allowed", allow: ["GET", "POST"] },
  { what: "DELETE on usage", method: "DELETE", status: 405, code: "method_not_allowed", allow: ["GET", "POST"] },
  { what: "GET on consumption", method: "GET", path: "/v1/usage/consumption", status: 405, code: "method_not_allowed", allow: ["POST"] },
  { what: "POST on a quota", path: "/v1/quotas/apiCalls", body: usage({}), status: 405, code: "method_not_allowed", allow: ["GET"] },
  { what: "a method that nobody knows", method: "QUERY", path: "/v1/quotas/apiCalls", status: 405, code: "method_not_allowed", allow: ["GET"] },
  { what: "an unknown address", path: "/v1/usages", body: usage({}), status: 404, code: "route_not_found" },
  { what: "an address below a quota", method: "GET", path: "/v1/quotas/apiCalls/more", status: 404, code: "route_not_found" },
  { what: "a quota without a metric", method: "GET", path: "/v1/quotas/", status: 404, code: "route_not_found" },
  { what: "a quota of an unknown metric", method: "GET", path: "/v1/quotas/wishes", status: 404, code: "unknown_metric" },
  { what: "an unknown parameter", method: "GET", path: "/v1/quotas/apiCalls?requierd=1", status: 400, code: "invalid_request", pointer: "requierd" },
  { what: "a quota for nothing", method: "GET", path: "/v1/quotas/apiCalls?amount=0", status: 400, code: "amount_zero" },
  { what: "plain text", headers: { "content-type": "text/plain" }, body: usage({}), status: 415, code: "unsupported_media_type" },
  { what: "a form", headers: { "content-type": "application/x-www-form-urlencoded" }, body: "metric=apiCalls", status: 415, code: "unsupported_media_type" },
  { what: "a body of 64 KiB and a byte", body: ofSize(64 * KIB + 1), status: 413, code: "body_too_large" },
  { what: "the same in chunks", body: inChunks(ofSize(64 * KIB + 1)), status: 413, code: "body_too_large" },
  { what: "a body of 1 MiB and a byte", body: ofSize(KIB * KIB + 1), status: 413, code: "body_too_large" },
  { what: "a body of 3 MiB in chunks", body: inChunks(ofSize(3 * KIB * KIB)), status: 413, code: "body_too_large" },
  { what: "a batch of 1 MiB and a byte", path: "/v1/usage/batch", body: `{"events":[${ofSize(KIB * KIB + 1 - 13)}]}`, status: 413, code: "body_too_large" },
  { what: "a batch of 3 MiB in chunks", path: "/v1/usage/batch", body: inChunks(`{"events":[${ofSize(3 * KIB * KIB)}]}`), status: 413, code: "body_too_large" },
  { what: "half a document", body: '{"metric":"apiCalls","amount":', status: 400, code: "invalid_request" },
  { what: "half a document in chunks", body: inChunks('{"metric":"apiCalls","amount":'), status: 400, code: "invalid_request" },
  { what: "two documents", body: usage({}) + usage({}), status: 400, code: "invalid_request" },
  { what: "nothing at all", body: "", status: 400, code: "invalid_request" },
  { what: "a list", body: "[]", status: 400, code: "invalid_request" },
  { what: "bytes that are no UTF-8", body: () => new Uint8Array([...Buffer.from('{"metric":"apiCalls","metadata":{"a":"'), 0xff, 0xfe, ...Buffer.from('"}}')]), status: 400, code: "invalid_request" },
  { what: "a byte order mark", body: () => new Uint8Array([0xef, 0xbb, 0xbf, ...Buffer.from(usage({}))]), status: 400, code: "invalid_request" },
  { what: "a float", body: usage({ amount: 1.5 }), status: 400, code: "invalid_request", pointer: "/amount" },
  { what: "a float that is whole", body: '{"metric":"apiCalls","amount":1.0}', status: 400, code: "invalid_request", pointer: "/amount" },
  { what: "an exponent", body: '{"metric":"apiCalls","amount":1e3}', status: 400, code: "invalid_request", pointer: "/amount" },
  { what: "ten decimals", body: usage({ amount: "0.0000000001" }), status: 400, code: "invalid_request", pointer: "/amount" },
  { what: "an amount of nothing", body: usage({ amount: 0 }), status: 400, code: "amount_zero", pointer: "/amount" },
  { what: "a negative amount", body: usage({ amount: -1 }), status: 400, code: "amount_negative", pointer: "/amount" },
  { what: "an amount past counting", body: usage({ amount: "99999999999999999999999999999" }), status: 400, code: "invalid_request", pointer: "/amount" },
  { what: "an unknown metric", body: JSON.stringify({ metric: "wishes" }), status: 400, code: "unknown_metric", pointer: "/metric" },
  { what: "an unknown member", body: usage({ ammount: 1 }), status: 400, code: "invalid_request" },
  { what: "a day ahead", body: usage({ timestamp: new Date(Date.now() + 86_400_000).toISOString() }), status: 400, code: "timestamp_in_future", pointer: "/timestamp" },
  { what: "36 days back", body: usage({ timestamp: new Date(Date.now() - 36 * 86_400_000).toISOString() }), status: 400, code: "timestamp_too_old", pointer: "/timestamp" },
  { what: "before the subscription", body: usage({ timestamp: new Date(Date.now() - 86_400_000).toISOString() }), status: 400, code: "timestamp_before_subscription", pointer: "/timestamp" },
  { what: "a time that is none", body: usage({ timestamp: "yesterday" }), status: 400, code: "invalid_request", pointer: "/timestamp" },
  { what: "two different keys", headers: { "idempotency-key": "one" }, body: usage({ idempotencyKey: "two" }), status: 400, code: "idempotency_keys_differ" },
  { what: "a key that is too long", headers: { "idempotency-key": "k".repeat(256) }, body: usage({}), status: 400, code: "invalid_idempotency_key" },
  { what: "a key that is not ASCII", headers: { "idempotency-key": "clé" }, body: usage({}), status: 400, code: "invalid_idempotency_key" },
  { what: "an empty batch", path: "/v1/usage/batch", body: '{"events":[]}', status: 400, code: "no_events" },
  { what: "a batch of 1,001", path: "/v1/usage/batch", body: JSON.stringify({ events: Array.from({ length: 1_001 }, () => ({ metric: "apiCalls" })) }), status: 400, code: "too_many_events" },
  { what: "consumption of more than is left", path: "/v1/usage/consumption", body: usage({ amount: 100_001 }), status: 429, code: "quota_exceeded" },
  { what: "a level past its limit", path: "/v1/usage/consumption", body: JSON.stringify({ metric: "users", amount: 26 }), status: 403, code: "quota_exceeded" },
  { what: "a level below nothing", body: JSON.stringify({ metric: "users", amount: -1 }), status: 400, code: "level_below_zero" },
];

const made = (body: Case["body"]) => (typeof body === "function" ? body() : body);

for (const { what, method = "POST", path = "/v1/usage", body, headers, status, code, pointer, allow } of CASES) {
  test(`${what}: refused with ${status} ${code}, on both ways`, async () => {
    const { acme, ways: both } = await ways();
    const before = expect(await acme.desk.get("/v1/usage"), 200);
    const shown: any[] = [];
    for (const [way, client] of both) {
      const answer = await client.send(method, path, made(body), { headers: { ...(body === undefined ? {} : JSON_TYPE), ...headers } });
      const problem = assertProblem(answer, status);
      assert.equal(problem.code, code, way);
      assert.equal(problem.instance, path.split("?")[0], way);
      if (pointer !== undefined) assert.deepEqual(problem.errors.map((each: any) => each.pointer), [pointer], way);
      if (allow !== undefined) assert.deepEqual(new Set((answer.headers.get("allow") ?? "").split(/,\s*/).filter((each) => each !== "HEAD")), new Set(allow), way);
      if (status === 429) assert.ok(Number(answer.headers.get("retry-after")) > 0, way);
      shown.push(problem.errors?.map((each: any) => [each.pointer, each.code]));
    }
    assert.deepEqual(shown[0], shown[1], "the same places on both ways");
    assert.deepEqual(expect(await acme.desk.get("/v1/usage"), 200), before, "nothing was counted");
  });
}

test("what is unusual but right is accepted on both ways", async () => {
  const { acme, ways: both } = await ways();
  const good: [string, () => BodyInit, Record<string, string>][] = [
    ["in chunks", inChunks(usage({})), JSON_TYPE],
    ["64 KiB", () => ofSize(64 * KIB), JSON_TYPE],
    ["a loud content type", () => usage({}), { "content-type": "Application/JSON; charset=UTF-8" }],
    ["a decimal string", () => usage({ amount: "1.000000000" }), JSON_TYPE],
    ["more than ASCII", () => usage({ metadata: { "Grüße": "日本語 🎉" } }), JSON_TYPE],
  ];
  const before = await counted(acme.desk, "apiCalls");
  for (const [, client] of both) {
    for (const [what, body, headers] of good) {
      const answer = await client.send("POST", "/v1/usage", body(), { headers });
      assert.equal(answer.status, 200, `${what}: ${answer.text}`);
      assert.match(answer.headers.get("request-id") ?? "", /^req_/);
    }
  }
  assert.equal(await counted(acme.desk, "apiCalls"), before + 2 * good.length);
});

/** A credential is refused the same way by the Meter (usage) and by Rust (everything else). */
async function assertRefused(client: Client, code = "unauthenticated", status = 401): Promise<void> {
  const answers: Answer[] = [
    await client.post("/v1/usage", { metric: "apiCalls" }),
    await client.post("/v1/usage/consumption", { metric: "apiCalls" }),
    await client.get("/v1/quotas/apiCalls"),
    await client.get("/v1/subscription"),
    await client.send("POST", "/v1/usage", inChunks(usage({}))(), { headers: JSON_TYPE }),
  ];
  for (const answer of answers) {
    assertProblem(answer, status, code);
    if (status === 401) assert.match(answer.headers.get("www-authenticate") ?? "", /^Bearer/);
  }
}

test("who has no credential, or garbage for one, is refused on both ways", async () => {
  await assertRefused(anybody(server.current));
  for (const garbage of ["", "x", "tk_org_", "tk_org_short", `tk_org_${"!".repeat(78)}`, "tk_platform_wrong", "a.b.c", "\"", "x".repeat(8_000)]) {
    await assertRefused(bearer(server.current, garbage));
  }
});

test("a forged key is refused on both ways, wherever it was changed", async () => {
  const acme = await signUp(server.current, "Forged");
  const { secret } = expect(await acme.desk.post("/v1/api-keys", { name: "real", scopes: ["*"] }), 201);
  expect(await bearer(server.current, secret).post("/v1/usage", { metric: "apiCalls" }), 200);
  for (const place of [8, 34, 58, 60, secret.length - 1]) {
    const letter = secret[place] === "2" ? "3" : "2";
    await assertRefused(bearer(server.current, secret.slice(0, place) + letter + secret.slice(place + 1)));
  }
  await assertRefused(bearer(server.current, secret.toUpperCase()));
  await assertRefused(bearer(server.current, `${secret}0`));
  assert.equal(await counted(bearer(server.current, secret), "apiCalls"), 1);
});

test("a key is refused on both ways from the moment it expires", async () => {
  const acme = await signUp(server.current, "Expiring");
  const expiresAt = new Date(Date.now() + 2_000).toISOString();
  const { secret } = expect(await acme.desk.post("/v1/api-keys", { name: "short", scopes: ["*"], expiresAt }), 201);
  const caller = bearer(server.current, secret);
  expect(await caller.get("/v1/quotas/apiCalls"), 200);
  expect(await caller.get("/v1/subscription"), 200);
  await eventually("the key's end", 10_000, async () => Date.now() > Date.parse(expiresAt));
  await assertRefused(caller);
});

test("a key without the scope is told which it lacks on both ways", async () => {
  const acme = await signUp(server.current, "Narrow");
  const caller = await backend(server.current, acme, ["organization.read"]);
  await assertRefused(caller, "forbidden", 403);
  assert.equal((await caller.get("/v1/quotas/apiCalls")).body.missingPermission, "usage.read");
  assert.equal((await caller.get("/v1/subscription")).body.missingPermission, "subscription.read");
});

test("the vendor has to name a company, and one that exists", async () => {
  const named = (organization: string) => vendor(server.current).get("/v1/usage", { headers: { "tenantry-organization": organization } });
  assertProblem(await vendor(server.current).get("/v1/usage"), 400, "organization_required");
  assertProblem(await named("org_nobody"), 404, "not_found");
  assertProblem(await named(`org_${"0".repeat(26)}`), 404, "not_found");
});

test("a sign-up that is not in order is refused with the place of its mistake", async () => {
  const cases: [object | string, string | undefined][] = [
    [{ name: "", email: "a@example.test" }, "/name"],
    [{ name: "A", email: "nowhere" }, "/email"],
    [{ name: "A", email: "a@example.test", settings: { timezone: "Mars/Olympus" } }, "/settings/timezone"],
    [{ name: "A", email: "a@example.test", plan: "gold" }, "/plan"],
    [{ name: "A", email: "a@example.test", testClock: "clock_none" }, "/testClock"],
    [{ name: "A", email: "a@example.test", numberOfEmployees: 1.5 }, "/numberOfEmployees"],
    [{ name: "A", email: "a@example.test", colour: "blue" }, undefined],
    ["{", undefined],
  ];
  for (const [body, pointer] of cases) {
    const answer = await vendor(server.current).send("POST", "/v1/organizations", typeof body === "string" ? body : JSON.stringify(body), { headers: JSON_TYPE });
    const problem = assertProblem(answer, 400);
    if (pointer !== undefined) assert.equal(problem.errors[0].pointer, pointer, answer.text);
  }
  assertProblem(await vendor(server.current).send("POST", "/v1/organizations", ofSize(64 * KIB + 1), { headers: JSON_TYPE }), 413, "body_too_large");
  assertProblem(await vendor(server.current).send("POST", "/v1/organizations", inChunks(ofSize(3 * KIB * KIB))(), { headers: JSON_TYPE }), 413, "body_too_large");
});

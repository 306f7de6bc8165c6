// Who gets which answer, on the real runtime: a sample of the matrix that tests/it/isolation/mod.rs makes of every operation.

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { test } from "node:test";
import { address, advance, anybody, assertProblem, bearer, eventually, expect, makeClock, signUp, vendor } from "./support/client.ts";
import type { Answer, Client, Company } from "./support/client.ts";
import { assertLacks, assertUnknownCredential, found, joined } from "./support/people.ts";
import type { Person } from "./support/people.ts";
import { freshServer } from "./support/server.ts";

const server = freshServer();
/** Long enough to see a key work before it ends. */
const KEY_LIFE_MS = 8_000;

/** Acme, whose things are asked for, and everybody who asks. */
interface Cast {
  readonly acme: Company;
  readonly owner: Person;
  readonly viewer: Person;
  /** A member who may hardly do anything. */
  readonly bystander: Person;
  /** Owns another organization. */
  readonly stranger: Person;
  /** By name: what opens nothing. */
  readonly bad: readonly (readonly [string, Client])[];
  /** Acme's, by kind. */
  readonly ids: Readonly<Record<string, string>>;
}

let cast: Cast;

test("the cast gathers", async () => {
  // Invoices come with time, so Acme is on a test clock and past its trial.
  const clock = await makeClock(server.current, "2026-01-17T09:00:00Z");
  const { company: acme, owner } = await found(server.current, "Acme", { testClock: clock });
  await advance(server.current, clock, "2026-01-31T09:00:00Z");
  const { owner: stranger } = await found(server.current, "Globex");
  const role = await made(owner, "/v1/roles", { key: "bystander", name: "Bystander", permissions: ["onboarding.read"] });
  const viewer = await joined(server.current, owner.client, "Viewer", "viewer");
  const bystander = await joined(server.current, owner.client, "Bystander", "bystander");
  const ended = await joined(server.current, owner.client, "Ended", "viewer");
  const ids = {
    role: role.$id,
    person: owner.id,
    session: ended.session.$id,
    team: (await made(owner, "/v1/teams", { name: "Team" })).$id,
    key: (await made(owner, "/v1/api-keys", { name: "key", scopes: ["usage.read"] })).$id,
    spareKey: (await made(owner, "/v1/api-keys", { name: "spare", scopes: ["usage.read"] })).$id,
    client: (await made(owner, "/v1/oauth-clients", { name: "client", scopes: ["usage.read"] })).$id,
    invitation: (await made(owner, "/v1/invitations", { email: address("guest"), role: "viewer" })).$id,
    reservation: (await made(owner, "/v1/reservations", { metric: "apiCalls", amount: 5, ttlSeconds: 3_600 })).$id,
    invoice: expect(await owner.client.get("/v1/invoices"), 200).data[0].$id,
    export: expect(await owner.client.post("/v1/exports", {}), 202).$id,
  };
  await eventually("the export is done", 30_000, async () => expect(await owner.client.get(`/v1/exports/${ids.export}`), 200).status === "done");
  cast = { acme, owner, viewer, bystander, stranger, ids, bad: await badCredentials(owner) };
});

const made = async ({ client }: Person, path: string, body: object): Promise<any> => expect(await client.post(path, body), 201);

/** The credentials of nobody: each of the two that were good once is seen at work before. */
async function badCredentials(owner: Person): Promise<[string, Client][]> {
  const make = (more: object) => made(owner, "/v1/api-keys", { name: "bad", scopes: ["*"], ...more });
  const revoked = await make({});
  const expiring = await make({ expiresAt: new Date(Date.now() + KEY_LIFE_MS).toISOString() });
  const [revokedKey, expiredKey] = [bearer(server.current, revoked.secret), bearer(server.current, expiring.secret)];
  for (const good of [expiredKey, revokedKey]) {
    expect(await good.post("/v1/usage", { metric: "apiCalls" }), 200);
    expect(await good.get("/v1/members"), 200);
  }
  expect(await owner.client.delete(`/v1/api-keys/${revoked.$id}`), 204);
  await eventually("the key's end", 20_000, async () => (await expiredKey.get("/v1/members")).status === 401);
  return [
    ["nobody", anybody(server.current)],
    ["garbage", bearer(server.current, "garbage")],
    ["a forged key", bearer(server.current, altered(revoked.secret))],
    ["a forged token", bearer(server.current, altered(owner.session.accessToken, -10))],
    ["a refresh token", bearer(server.current, owner.session.refreshToken)],
    ["a forged platform key", bearer(server.current, altered(server.current.platformKey))],
    ["an expired key", expiredKey],
    ["a revoked key", revokedKey],
  ];
}

/** With another letter there. */
function altered(secret: string, at = -3): string {
  const place = secret.length + at;
  return secret.slice(0, place) + (secret[place] === "0" ? "1" : "0") + secret.slice(place + 1);
}

/** An operation, what it needs, and what the right one is answered. */
interface Row {
  readonly ask: readonly ["GET" | "POST" | "PUT" | "PATCH" | "DELETE", string, object?];
  readonly needs: string;
  readonly status: number;
  /** The kind of Acme's thing that `{id}` in the path stands for. */
  readonly object?: string;
  /** Whether a viewer may do it, too. */
  readonly viewer?: true;
}

const USE = { metric: "apiCalls", amount: 1 };

const ROWS: readonly Row[] = [
  { ask: ["GET", "/v1/members"], needs: "members.read", status: 200, viewer: true },
  { ask: ["GET", "/v1/members/{id}"], object: "person", needs: "members.read", status: 200, viewer: true },
  { ask: ["PATCH", "/v1/members/{id}", { jobTitle: "Owner" }], object: "person", needs: "members.write", status: 200 },
  { ask: ["GET", "/v1/permissions/check?permission=usage.read&person={id}"], object: "person", needs: "members.read", status: 200, viewer: true },
  { ask: ["GET", "/v1/seats"], needs: "members.read", status: 200, viewer: true },
  { ask: ["GET", "/v1/teams"], needs: "teams.read", status: 200, viewer: true },
  { ask: ["GET", "/v1/teams/{id}"], object: "team", needs: "teams.read", status: 200, viewer: true },
  { ask: ["PATCH", "/v1/teams/{id}", { description: "changed" }], object: "team", needs: "teams.write", status: 200 },
  { ask: ["POST", "/v1/teams", { name: "Another" }], needs: "teams.write", status: 201 },
  { ask: ["GET", "/v1/roles/{id}"], object: "role", needs: "roles.read", status: 200, viewer: true },
  { ask: ["PATCH", "/v1/roles/{id}", { name: "Changed" }], object: "role", needs: "roles.write", status: 200 },
  { ask: ["GET", "/v1/api-keys"], needs: "apiKeys.read", status: 200 },
  { ask: ["GET", "/v1/api-keys/{id}"], object: "key", needs: "apiKeys.read", status: 200 },
  { ask: ["POST", "/v1/api-keys", { name: "new", scopes: ["usage.read"] }], needs: "apiKeys.write", status: 201 },
  { ask: ["POST", "/v1/api-keys/{id}/rotations", { overlapSeconds: 60 }], object: "key", needs: "apiKeys.write", status: 201 },
  { ask: ["DELETE", "/v1/api-keys/{id}"], object: "spareKey", needs: "apiKeys.write", status: 204 },
  { ask: ["GET", "/v1/oauth-clients/{id}"], object: "client", needs: "oauthClients.read", status: 200 },
  { ask: ["DELETE", "/v1/oauth-clients/{id}"], object: "client", needs: "oauthClients.write", status: 204 },
  { ask: ["GET", "/v1/invitations/{id}"], object: "invitation", needs: "members.read", status: 200, viewer: true },
  { ask: ["POST", "/v1/invitations", { email: "{new}@example.test", role: "viewer" }], needs: "members.write", status: 201 },
  { ask: ["DELETE", "/v1/invitations/{id}"], object: "invitation", needs: "members.write", status: 204 },
  { ask: ["GET", "/v1/sessions"], needs: "sessions.read", status: 200 },
  { ask: ["DELETE", "/v1/sessions/{id}"], object: "session", needs: "sessions.write", status: 204 },
  { ask: ["GET", "/v1/exports/{id}"], object: "export", needs: "exports.read", status: 200 },
  { ask: ["GET", "/v1/exports/{id}/content"], object: "export", needs: "exports.read", status: 200 },
  { ask: ["POST", "/v1/exports", {}], needs: "exports.write", status: 202 },
  { ask: ["GET", "/v1/audit-log"], needs: "auditLog.read", status: 200 },
  { ask: ["GET", "/v1/audit-log/export"], needs: "auditLog.read", status: 200 },
  { ask: ["GET", "/v1/invoices"], needs: "invoices.read", status: 200 },
  { ask: ["GET", "/v1/invoices/{id}"], object: "invoice", needs: "invoices.read", status: 200 },
  { ask: ["GET", "/v1/subscription"], needs: "subscription.read", status: 200, viewer: true },
  { ask: ["PATCH", "/v1/organization", { industry: "Software" }], needs: "organization.write", status: 200 },
  { ask: ["GET", "/v1/usage"], needs: "usage.read", status: 200, viewer: true },
  { ask: ["GET", "/v1/usage/events"], needs: "usage.read", status: 200, viewer: true },
  { ask: ["GET", "/v1/quotas/apiCalls"], needs: "usage.read", status: 200, viewer: true },
  { ask: ["POST", "/v1/usage", USE], needs: "usage.write", status: 200 },
  { ask: ["POST", "/v1/usage/consumption", USE], needs: "usage.write", status: 200 },
  { ask: ["POST", "/v1/usage/batch", { events: [USE] }], needs: "usage.write", status: 200 },
  { ask: ["GET", "/v1/reservations/{id}"], object: "reservation", needs: "usage.read", status: 200, viewer: true },
  { ask: ["POST", "/v1/reservations/{id}/settlement", { amount: 5 }], object: "reservation", needs: "usage.write", status: 200 },
];

function ask({ ask: [method, path, body] }: Row, caller: Client, id: string, headers: Record<string, string> = {}): Promise<Answer> {
  const text = body && JSON.stringify(body).replace("{new}", randomUUID());
  return caller.send(method, path.replace("{id}", id), text, { headers: { ...(text ? { "content-type": "application/json" } : {}), ...headers } });
}

/** What Acme has, as far as a write would be seen in it: who did what, and what is counted. */
async function state(): Promise<object> {
  const { client } = cast.owner;
  const { data } = expect(await client.get("/v1/audit-log?limit=100"), 200);
  const { metrics } = expect(await client.get("/v1/usage"), 200);
  const events = await client.get("/v1/usage/events");
  // What follows from something earlier may still come.
  const written = data.filter(({ actor }: any) => actor.kind !== "system").map(({ $id, action }: any) => [$id, action]);
  return { written, apiCalls: metrics.apiCalls, events: events.text };
}

/** An answer but for what names the request. */
function bare({ status, headers, body }: Answer): object {
  const own = new Set(["request-id", "date", "ratelimit", "content-length"]);
  return { status, headers: [...headers].filter(([name]) => !own.has(name)).sort(), body: { ...body, instance: undefined, requestId: undefined } };
}

/** An id of the same kind that nobody has. */
const unknown = (id: string): string => id.replace(/_.*/, `_01m${"0".repeat(23)}`);

for (const row of ROWS) {
  const [method, path] = row.ask;
  test(`${method} ${path}${row.object ? ` of Acme's ${row.object}` : ""} is for whoever holds ${row.needs} in that organization`, async () => {
    const id = row.object ? cast.ids[row.object] : "";
    assert.ok(!row.object || id, `there is a ${row.object}`);
    const unchanged = await state();
    for (const [name, caller] of cast.bad) {
      const answer = await ask(row, caller, id);
      assert.equal(answer.status, 401, `${name}: ${answer.text}`);
      assertUnknownCredential(answer);
    }
    for (const low of row.viewer ? [cast.bystander] : [cast.bystander, cast.viewer]) assertLacks(await ask(row, low.client, id), row.needs);
    const strangers = [await assertStranger(row, id), await assertStranger(row, id, { "tenantry-organization": cast.acme.id })];
    assert.deepEqual(await state(), unchanged, "who was refused has changed nothing, nor has the stranger");

    if (row.viewer) expect(await ask(row, cast.viewer.client, id), row.status);
    const right = await ask(row, cast.owner.client, id);
    expect(right, row.status);
    for (const { text } of strangers) assert.ok(method !== "GET" || text !== right.text, "what a stranger reads is their own");
    if (method !== "GET") assert.notDeepEqual(await state(), unchanged, "a write is seen where the refused ones were not");
    if (method === "GET" && row.object && !path.includes("content")) assert.ok(right.text.includes(id), right.text);
  });
}

/** To a stranger nothing of Acme's exists, whatever they name. */
async function assertStranger(row: Row, id: string, headers: Record<string, string> = {}): Promise<Answer> {
  const answer = await ask(row, cast.stranger.client, id, headers);
  if (row.object) {
    assertProblem(answer, 404, "not_found");
    const never = await ask(row, cast.stranger.client, unknown(id), headers);
    assert.notEqual(id, unknown(id));
    assert.deepEqual(bare(answer), bare(never), "as if it had never existed");
    assert.ok(!answer.text.includes(cast.acme.id) && !answer.text.includes(cast.owner.email), answer.text);
    return answer;
  }
  expect(answer, row.status);
  for (const secret of [cast.acme.id, cast.acme.email, ...Object.values(cast.ids), cast.viewer.id]) {
    assert.ok(!answer.text.includes(secret), `${secret} in ${answer.text}`);
  }
  return answer;
}

test("the vendor acts for whom it names, and for nobody without a name", async () => {
  const other = await signUp(server.current, "Initech");
  assertProblem(await vendor(server.current).get("/v1/members"), 400, "organization_required");
  assert.ok((await cast.acme.desk.get("/v1/members")).text.includes(cast.owner.email));
  assertProblem(await other.desk.get(`/v1/members/${cast.owner.id}`), 404, "not_found");
  assertProblem(await cast.owner.client.get("/v1/organizations"), 403, "forbidden");
});

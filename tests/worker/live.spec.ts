// The live feed: changes of usage as they happen, over a WebSocket and as server-sent events, for as long as the key is good.

import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as after } from "node:timers/promises";
import { advance, anybody, assertProblem, bearer, expect, inParallel, makeClock, signUp } from "./support/client.ts";
import type { Client, Company } from "./support/client.ts";
import { SocketListener, StreamListener } from "./support/feeds.ts";
import { freshServer } from "./support/server.ts";

const server = freshServer();

interface Backend {
  readonly acme: Company;
  readonly caller: Client;
  readonly keyId: string;
  readonly headers: Record<string, string>;
}

async function backend(name: string, more: object = {}): Promise<Backend> {
  const acme = await signUp(server.current, name);
  const key = expect(await acme.desk.post("/v1/api-keys", { name: "backend", scopes: ["usage.read", "usage.write"], ...more }), 201);
  return { acme, caller: bearer(server.current, key.secret), keyId: key.$id, headers: { authorization: `Bearer ${key.secret}` } };
}

const record = async (caller: Client, amount = 1, metric = "apiCalls") => expect(await caller.post("/v1/usage", { metric, amount }), 200);
const open = { WebSocket: SocketListener.open, "server-sent events": StreamListener.open };

for (const [kind, listen] of Object.entries(open)) {
  test(`${kind}: first all counters, then only what changed, each with its sequence`, async () => {
    const { caller, headers } = await backend("Heard");
    await record(caller, 7);
    const listener = await listen(server.current, headers);
    const first = await listener.until("the first message", () => true);
    assert.equal(first.data.$type, "UsageChange");
    assert.deepEqual(Object.keys(first.data.metrics).sort(), Object.keys(expect(await caller.get("/v1/usage"), 200).metrics).sort());
    assert.deepEqual([first.data.sequence, first.data.metrics.apiCalls.current], [1, 7]);
    const { sequence } = await record(caller, 3, "projects");
    const second = await listener.until("the change", (message) => message.data.sequence === sequence, 1);
    assert.deepEqual(Object.keys(second.data.metrics), ["projects"]);
    assert.equal(second.data.metrics.projects.current, 3);
    assert.deepEqual(second.data.metrics.projects, expect(await caller.get("/v1/usage"), 200).metrics.projects, "a metric reads as in GET /v1/usage");
    for (const { id, data } of listener.heard) assert.ok(id === undefined || id === String(data.sequence));
    await listener.close();
  });

  test(`${kind}: a burst is at most four messages a second, and ends with where the counters stand`, async () => {
    const { caller, headers } = await backend("Bursts");
    const listener = await listen(server.current, headers);
    await inParallel(8, Array.from({ length: 300 }), () => record(caller));
    const last = await listener.until("the last change", ({ data }) => data.metrics.apiCalls?.current === 300);
    assert.equal(last.data.sequence, 300);
    const sequences = listener.heard.map(({ data }) => data.sequence);
    assert.deepEqual(sequences, [...new Set(sequences)].sort((one, other) => one - other), "each once, in order");
    // What leaves 250 ms apart may arrive a little closer.
    for (let fifth = 4; fifth < listener.heard.length; fifth++) assert.ok(listener.heard[fifth].at - listener.heard[fifth - 4].at >= 900, JSON.stringify(listener.heard));
    await listener.close();
  });

  test(`${kind}: revoking the key ends its feeds at once, and no others`, async () => {
    const { acme, keyId, headers } = await backend("Revoked");
    const spared = await listen(server.current, { authorization: `Bearer ${server.current.platformKey}`, "tenantry-organization": acme.id });
    const listeners = await Promise.all([1, 2, 3].map(() => listen(server.current, headers)));
    expect(await acme.desk.delete(`/v1/api-keys/${keyId}`), 204);
    for (const listener of listeners) assert.equal(await listener.untilEnd(), kind === "WebSocket" ? 1008 : 0);
    await record(acme.desk, 5);
    await spared.until("the vendor's change", ({ data }) => data.metrics.apiCalls?.current === 5);
    assert.equal(spared.ended, undefined);
    for (const listener of listeners) assert.ok(listener.heard.every(({ data }) => data.metrics.apiCalls?.current !== 5));
    await assert.rejects(listen(server.current, headers));
    await spared.close();
  });

  test(`${kind}: a key that has come to its end hears nothing more`, async () => {
    const { acme, headers } = await backend("Ends", { expiresAt: new Date(Date.now() + 3_000).toISOString() });
    const listener = await listen(server.current, headers);
    await listener.until("the first message", () => true);
    await after(3_500);
    await record(acme.desk, 5);
    assert.equal(await listener.untilEnd(), kind === "WebSocket" ? 1008 : 0);
    assert.ok(listener.heard.every(({ data }) => data.metrics.apiCalls?.current !== 5));
  });
}

test("a stream goes on where it was cut, and starts anew when it comes from elsewhere", async () => {
  const { caller, headers } = await backend("Resumes");
  const { sequence } = await record(caller, 2);
  await record(caller, 4, "projects");
  const resumed = await StreamListener.open(server.current, { ...headers, "last-event-id": String(sequence) });
  assert.deepEqual(Object.keys((await resumed.until("what was missed", () => true)).data.metrics), ["projects"]);
  const current = await StreamListener.open(server.current, { ...headers, "last-event-id": String(sequence + 1) });
  await after(1_000);
  assert.deepEqual(current.heard, [], "there is nothing to tell");
  const lost = await StreamListener.open(server.current, { ...headers, "last-event-id": "99999" });
  assert.equal((await lost.until("all of it", () => true)).data.metrics.apiCalls.current, 2);
  const strange = await StreamListener.open(server.current, { ...headers, "last-event-id": "no number" });
  assert.equal((await strange.until("all of it", () => true)).data.metrics.apiCalls.current, 2);
  for (const listener of [resumed, current, lost, strange]) await listener.close();
});

test("a WebSocket answers ping, ignores everything else, and hears again after its Meter slept", async () => {
  const { caller, headers } = await backend("Sleeps");
  await record(caller, 1, "projects");
  const listener = await SocketListener.open(server.current, headers);
  await listener.until("the first message", () => true);
  for (const text of ["ping", "hello", "{}"]) listener.send(text);
  // An object that nobody calls is put to sleep after ten seconds; a quiet stream gets a comment after fifteen.
  const stream = await StreamListener.open(server.current, { authorization: `Bearer ${server.current.platformKey}`, "tenantry-organization": (await signUp(server.current, "Quiet")).id });
  await after(16_000);
  assert.deepEqual([listener.texts.filter((text) => text === "pong").length, listener.ended], [1, undefined]);
  assert.ok(stream.comments >= 1, "a quiet stream is kept open");
  const { sequence } = await record(caller, 6);
  const heard = await listener.until("the change", ({ data }) => data.sequence === sequence, 1);
  assert.deepEqual(Object.keys(heard.data.metrics), ["apiCalls"], "it knows what it told before it slept");
  await listener.close();
  await stream.close();
});

test("an organization hears nothing of another", async () => {
  const [acme, globex] = await Promise.all([backend("Acme"), backend("Globex")]);
  const listener = await SocketListener.open(server.current, acme.headers);
  await record(globex.caller, 9);
  await record(acme.caller, 1);
  await listener.until("its own change", ({ data }) => data.metrics.apiCalls?.current === 1);
  assert.ok(listener.heard.every(({ data }) => data.metrics.apiCalls?.current !== 9));
  await listener.close();
});

test("the thousand-and-first feed is refused, and a place that is given back is free", async () => {
  const { acme, headers } = await backend("Popular");
  const listeners = await inParallel(20, Array.from({ length: 1_000 }), () => SocketListener.open(server.current, headers));
  const refused = await acme.desk.get("/v1/usage/live", { headers: { accept: "text/event-stream" } });
  assertProblem(refused, 503, "too_many_feeds");
  await listeners[0].close();
  const next = await StreamListener.open(server.current, headers);
  await next.close();
  await inParallel(20, listeners.slice(1), (listener) => listener.close());
});

test("who may not, or says not how, gets a problem and no feed", async () => {
  const { acme, caller } = await backend("Refuses");
  const stream = { headers: { accept: "text/event-stream" } };
  assertProblem(await caller.get("/v1/usage/live"), 406, "not_acceptable");
  assertProblem(await anybody(server.current).get("/v1/usage/live", stream), 401, "unauthenticated");
  const writer = expect(await acme.desk.post("/v1/api-keys", { name: "writer", scopes: ["usage.write"] }), 201);
  assertProblem(await bearer(server.current, writer.secret).get("/v1/usage/live", stream), 403, "forbidden");
  const forged = { headers: { ...stream.headers, "tenantry-feed": `${acme.id} - -`, "tenantry-feed-key": "-" } };
  assertProblem(await anybody(server.current).get("/v1/usage/live", forged), 401, "unauthenticated");
  const head = await caller.send("HEAD", "/v1/usage/live", undefined, stream);
  assert.deepEqual([head.status, head.headers.get("tenantry-feed")], [200, null]);
});

test("a feed follows the periods of a test clock", async () => {
  const clock = await makeClock(server.current, "2026-01-17T09:00:00Z");
  const acme = await signUp(server.current, "Clocked", { testClock: clock });
  const stream = await StreamListener.open(server.current, { authorization: `Bearer ${server.current.platformKey}`, "tenantry-organization": acme.id });
  await record(acme.desk, 4);
  await stream.until("the first period", ({ data }) => data.metrics.apiCalls?.current === 4);
  await advance(server.current, clock, "2026-02-01T00:00:00Z");
  const told = stream.heard.length;
  await record(acme.desk, 1);
  const { data } = await stream.until("the next period", ({ data }) => data.metrics.apiCalls?.current === 1, told);
  assert.equal(data.period.start, "2026-01-31T09:00:00Z");
  await stream.close();
});

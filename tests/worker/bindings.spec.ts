// The hot path calls the Meter and nothing else: each call of a binding is counted, on the Worker's side and on the Meter's.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { anybody, backend, eventually, expect, signUp } from "./support/client.ts";
import type { Answer, Client, Company } from "./support/client.ts";
import { startServer } from "./support/server.ts";
import type { Server } from "./support/server.ts";

let server: Server;
let acme: Company;
let caller: Client;

before(async () => {
  server = await startServer({ entry: "tests/worker/support/counting.mjs" });
  acme = await signUp(server, "Counted");
  caller = await backend(server, acme);
  // What the first event brings about takes its way through an alarm, the database and the queue. It must not run into what is counted.
  expect(await caller.post("/v1/usage", { metric: "apiCalls" }), 200);
  await untilQuiet();
});

after(async () => {
  await server?.stop();
});

const state = async (): Promise<{ counts: Record<string, number>; alarmsRunning: number }> => expect(await anybody(server).get("/counts"), 200);
const reset = () => anybody(server).delete("/counts");

async function untilQuiet(): Promise<void> {
  let before = "";
  let calmSince = Date.now();
  await eventually("nothing happens for a second", 60_000, async () => {
    const now = JSON.stringify(await state());
    if (now !== before) [before, calmSince] = [now, Date.now()];
    return now.endsWith('"alarmsRunning":0}') && Date.now() - calmSince > 1_000;
  });
}

const isOfAlarm = ([name]: [string, number]) => name.startsWith("alarm ");

/** The calls of bindings that requests make until they are answered. Those of an alarm are none of them. */
async function callsWithin(requests: () => Promise<unknown>): Promise<Record<string, number>> {
  await reset();
  await requests();
  return Object.fromEntries(Object.entries((await state()).counts).filter((entry) => !isOfAlarm(entry)));
}

const callsOf = (request: () => Promise<Answer>, status: number) => callsWithin(async () => expect(await request(), status));

const STRUCTURED = { "content-type": "application/cloudevents+json" };
const BATCH = { "content-type": "application/cloudevents-batch+json" };
const event = (id: string) => ({ specversion: "1.0", id, source: "/counted", type: "apiCalls" });
const usage = (number: number) => ({ metric: "apiCalls", amount: number, idempotencyKey: `event ${number}` });

/** What a hot request may call: its organization's Meter, once. What is long goes alone, what is not with others that arrive with it. */
const ONE_CALL = { "worker METER.serveAll": 1 };
const ONE_CALL_ALONE = { "worker METER.serve": 1 };

test("each hot request is one call of the Meter, and no call of anything else", async () => {
  const binary = { "ce-specversion": "1.0", "ce-id": "binary", "ce-source": "/counted", "ce-type": "apiCalls" };
  const post = (path: string, body: unknown, headers = {}) => () => caller.post(path, body, { headers });
  const get = (path: string) => () => caller.get(path);
  const reserved = async () => expect(await caller.post("/v1/reservations", { metric: "apiCalls" }), 201).$id;
  const [settled, released] = [`/v1/reservations/${await reserved()}`, `/v1/reservations/${await reserved()}`];
  const hot: [string, number, () => Promise<Answer>][] = [
    ["usage", 200, post("/v1/usage", usage(1))],
    ["usage, again", 200, post("/v1/usage", usage(1))],
    ["usage of a level", 200, post("/v1/usage", { metric: "storage", amount: "0.5" })],
    ["consumption", 200, post("/v1/usage/consumption", usage(2))],
    ["consumption past the limit", 429, post("/v1/usage/consumption", { metric: "apiCalls", amount: 1_000_000 })],
    ["a batch", 200, post("/v1/usage/batch", { events: Array.from({ length: 100 }, (_, index) => usage(100 + index)) })],
    ["a keyed batch", 200, post("/v1/usage/batch", { events: [usage(3)] }, { "idempotency-key": "batch" })],
    ["a structured event", 200, post("/v1/events", event("1"), STRUCTURED)],
    ["a binary event", 200, () => caller.send("POST", "/v1/events", undefined, { headers: binary })],
    ["a batch of events", 200, post("/v1/events", [event("2"), event("3")], BATCH)],
    ["a quota", 200, get("/v1/quotas/apiCalls")],
    ["an explained quota", 200, get("/v1/quotas/apiCalls?amount=5&explain=true")],
    ["the summary", 200, get("/v1/usage")],
    ["a reservation", 201, post("/v1/reservations", { metric: "apiCalls", amount: 5 })],
    ["a settlement", 200, post(`${settled}/settlement`, { amount: 1 })],
    ["a settlement, again", 200, post(`${settled}/settlement`, { amount: 1 })],
    ["a release", 204, () => caller.delete(released)],
    ["a look at a reservation", 200, get(settled)],
    ["a malformed body", 400, post("/v1/usage", { metric: 7 })],
  ];
  for (const [name, status, request] of hot) assert.deepEqual(await callsOf(request, status), name === "a batch" ? ONE_CALL_ALONE : ONE_CALL, name);
});

test("many hot requests at once share calls of the Meter, and the database hears of none of them", async () => {
  await untilQuiet();
  const calls = await callsWithin(async () => {
    const answers = await Promise.all(Array.from({ length: 500 }, (_, index) => caller.post("/v1/usage", usage(1_000 + index))));
    for (const answer of answers) expect(answer, 200);
  });
  assert.deepEqual(Object.keys(calls), ["worker METER.serveAll"]);
  const ofMeter = calls["worker METER.serveAll"] ?? 0;
  assert.ok(ofMeter <= 250, `500 requests at once made ${ofMeter} calls`);
  // While an alarm runs, all that the Meter calls passes for the alarm's: it would be hundreds.
  const ofAlarms = Object.entries((await state()).counts).filter(isOfAlarm).reduce((calls, [, count]) => calls + count, 0);
  assert.ok(ofAlarms < 50, `alarms made ${ofAlarms} calls`);
});

test("a forged key calls nothing but the router's look-up, and never a Meter", async () => {
  const forged = `Bearer tk_org_${"0".repeat(26)}${acme.id.slice(4)}${"0".repeat(26)}`;
  const calls = await callsOf(() => anybody(server).post("/v1/usage", usage(1), { headers: { authorization: forged } }), 401);
  assert.deepEqual(Object.keys(calls).filter((name) => name.includes("METER")), []);
});

test("the counting counts: what reads or writes a database is seen to", async () => {
  const databases = (calls: Record<string, number>) => Object.keys(calls).filter((name) => /^worker (DIRECTORY|TENANTS_\d)\./.test(name));
  const read = await callsOf(() => acme.desk.get("/v1/subscription"), 200);
  assert.ok(databases(read).length >= 2, JSON.stringify(read));
  const viaVendor = await callsOf(() => acme.desk.post("/v1/usage", { metric: "apiCalls" }), 200);
  assert.ok(databases(viaVendor).length > 0 && viaVendor["worker METER.serve"] === 1, JSON.stringify(viaVendor));
  const written = await callsOf(() => acme.desk.patch("/v1/organization", { settings: { timezone: "Europe/Vienna" } }), 200);
  assert.ok(Object.keys(written).some((name) => name.startsWith("worker EVENTS_QUEUE.")), JSON.stringify(written));

  // And on the Meter's side: the first use of a metric is a fact, which an alarm brings to the database.
  await reset();
  expect(await caller.post("/v1/usage", { metric: "projects" }), 200);
  await eventually("the fact", 20_000, async () => Object.keys((await state()).counts).some((name) => /^alarm TENANTS_\d\./.test(name)));
});

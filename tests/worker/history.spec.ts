// Usage over time and raw events, on the real databases: what was recorded is there at once, by the hour, and line by line.

import assert from "node:assert/strict";
import { test } from "node:test";
import { advance, assertProblem, backend, eventually, expect, inParallel, makeClock, signUp } from "./support/client.ts";
import type { Client, Company } from "./support/client.ts";
import { buckets } from "./support/disk.ts";
import { freshServer } from "./support/server.ts";
import { lines } from "./support/usage.ts";

const server = freshServer();

/** A company on a clock of its own, two days old. */
async function twoDaysOld(name: string): Promise<{ acme: Company; caller: Client }> {
  const clock = await makeClock(server.current, "2026-01-17T09:00:00Z");
  const acme = await signUp(server.current, name, { testClock: clock });
  await advance(server.current, clock, "2026-01-19T09:30:00Z");
  return { acme, caller: await backend(server.current, acme) };
}

test("a history has what was recorded a moment ago, hour by hour and day by day", async () => {
  const { caller } = await twoDaysOld("Charted");
  const times = ["2026-01-19T09:10:00Z", "2026-01-19T08:59:59.999Z", "2026-01-19T08:00:00Z", "2026-01-18T23:59:59Z", "2026-01-17T09:00:01Z"];
  const events = times.map((timestamp, index) => ({ metric: "apiCalls", amount: index + 1, timestamp }));
  const sent = expect(await caller.post("/v1/usage/batch", { events }), 200);
  assert.equal(sent.accepted, 5, JSON.stringify(sent));

  const read = async (query: string) => expect(await caller.get(`/v1/usage/history?metric=apiCalls${query}`), 200);
  const { data: hourly, ...about } = await read("&from=2026-01-17T00:00:00Z");
  assert.deepEqual(about, { $type: "UsageHistory", metric: "apiCalls", granularity: "hour", from: "2026-01-17T00:00:00Z", to: "2026-01-19T10:00:00Z" });
  const entry = (start: string, end: string, [count, sum, max, last]: number[]) => ({ start, end, count, sum, max, last, uniques: 0 });
  assert.deepEqual(hourly, [
    entry("2026-01-17T09:00:00Z", "2026-01-17T10:00:00Z", [1, 5, 5, 5]),
    entry("2026-01-18T23:00:00Z", "2026-01-19T00:00:00Z", [1, 4, 4, 4]),
    entry("2026-01-19T08:00:00Z", "2026-01-19T09:00:00Z", [2, 5, 3, 2]),
    entry("2026-01-19T09:00:00Z", "2026-01-19T10:00:00Z", [1, 1, 1, 1]),
  ]);
  assert.deepEqual((await read("")).data, hourly.slice(1), "the last 24 hours");
  assert.deepEqual((await read("&granularity=day")).data, [
    entry("2026-01-17T00:00:00Z", "2026-01-18T00:00:00Z", [1, 5, 5, 5]),
    entry("2026-01-18T00:00:00Z", "2026-01-19T00:00:00Z", [1, 4, 4, 4]),
    entry("2026-01-19T00:00:00Z", "2026-01-20T00:00:00Z", [3, 6, 3, 1]),
  ]);

  expect(await caller.post("/v1/usage", { metric: "apiCalls", amount: 10 }), 200);
  assert.equal((await read("")).data.at(-1).sum, 11, "it reads its own writes");
  assert.deepEqual(expect(await caller.get("/v1/usage/history?metric=storage"), 200).data, []);
  assertProblem(await caller.get("/v1/usage/history?metric=wishes"), 400, "unknown_metric");
});

test("the Meter brings its buckets to the database by itself, and recording while they are read loses none", async () => {
  const acme = await signUp(server.current, "Rolled");
  const caller = await backend(server.current, acme);
  await inParallel(8, Array.from({ length: 200 }), async (_, index) => {
    expect(await caller.post("/v1/usage", { metric: "apiCalls", amount: 1 }), 200);
    if (index % 20 === 0) expect(await caller.get("/v1/usage/history?metric=apiCalls"), 200);
  });
  const sum = async () => expect(await caller.get("/v1/usage/history?metric=apiCalls"), 200).data.reduce((sum: number, entry: any) => sum + entry.sum, 0);
  assert.equal(await sum(), 200);

  const quiet = await signUp(server.current, "Never asked");
  expect(await quiet.desk.post("/v1/usage", { metric: "projects", amount: 3 }), 200);
  await eventually("the bucket", 90_000, async () => (await buckets(server.current, quiet.id)).some(({ metric, sum }) => metric === "projects" && sum === "3"), 500);
});

test("raw events come out line by line as they went in, and a range cuts them", async () => {
  const { acme, caller } = await twoDaysOld("Exported");
  const at = "2026-01-18T10:00:00Z";
  expect(await caller.post("/v1/usage", { metric: "apiCalls", amount: 2, timestamp: at, idempotencyKey: "one", metadata: { route: "/a" } }), 200);
  expect(await caller.post("/v1/usage", { metric: "projects", amount: 1 }), 200);
  expect(await caller.post("/v1/usage/consumption", { metric: "apiCalls", amount: "0.5" }), 200);
  const [first, second, third, ...others] = await lines(caller, "/v1/usage/events");
  assert.deepEqual(others, []);
  const { recordedAt, commit, ...known } = first;
  assert.deepEqual(known, { sequence: 1, metric: "apiCalls", amount: 2, timestamp: at, idempotencyKey: "one", mode: "usage", metadata: { route: "/a" } });
  assert.ok(Date.parse(recordedAt) > Date.parse(at) && Number.isInteger(commit));
  assert.deepEqual([second.sequence, second.metric, third.sequence, third.amount, third.mode], [2, "projects", 3, "0.5", "consumption"]);
  const early = await lines(caller, "/v1/usage/events?to=2026-01-18T10:00:00.001Z");
  assert.deepEqual(early.map(({ sequence }) => sequence), [1]);
  assert.deepEqual(await lines(acme.desk, "/v1/usage/events"), [first, second, third], "the vendor reads the same");
  assertProblem(await caller.get("/v1/usage/events?from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z"), 400, "invalid_range");
  assertProblem(await (await backend(server.current, acme, ["usage.write"])).get("/v1/usage/events"), 403, "forbidden");
});

test("an export of many pages has every event once, in order", async () => {
  const acme = await signUp(server.current, "Plenty");
  const caller = await backend(server.current, acme);
  const batch = (number: number) => Array.from({ length: 1_000 }, (_, index) => ({ metric: "apiCalls", amount: 1, metadata: { number, index, filler: "x".repeat(100) } }));
  for (let number = 0; number < 12; number++) assert.equal(expect(await caller.post("/v1/usage/batch", { events: batch(number) }), 200).accepted, 1_000);
  const events = await lines(caller, "/v1/usage/events");
  assert.deepEqual(events.map(({ sequence }) => sequence), Array.from({ length: 12_000 }, (_, index) => index + 1));
  assert.deepEqual([events[0].metadata.number, events[11_999].metadata.number, events[11_999].metadata.index], [0, 11, 999]);
});

test("a proof begins with its head, has each commit, and ends with the counters", async () => {
  const acme = await signUp(server.current, "Proven");
  const caller = await backend(server.current, acme);
  for (let amount = 1; amount <= 3; amount++) expect(await caller.post("/v1/usage", { metric: "apiCalls", amount }), 200);
  const proof = await lines(caller, "/v1/usage/proof");
  const [head, end, commits] = [proof[0], proof.at(-1), proof.slice(1, -1)];
  assert.deepEqual([head.$type, head.organization, head.isGenesis], ["UsageProof", acme.id, true]);
  assert.deepEqual(commits.map(({ number }) => number), [1, 2, 3]);
  assert.deepEqual([end.$type, end.number, end.hash], ["UsageProofEnd", 3, commits[2].hash]);
  assert.equal(end.counters.find((counter: any) => counter.metric === "apiCalls").used, 6);
});

// Races against a limit that only this organization has: what was admitted and what was refused is what one caller after the other
// would have been told, in the order of the receipts' sequence.

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { Random, backend, expect, inParallel, signUp, vendor } from "./support/client.ts";
import type { Answer, Client, Company } from "./support/client.ts";
import { freshServer } from "./support/server.ts";
import { again, assertProven, assertReplay, assertWarnedOnce, lines } from "./support/usage.ts";

const server = freshServer();
const CLIENTS = 64;

interface Call {
  readonly amount: number;
  readonly key: string;
}

/** A call, and what it was told when. */
interface Told extends Call {
  readonly answer: Answer;
  readonly sentAt: number;
  readonly answeredAt: number;
}

interface World {
  readonly company: Company;
  readonly caller: Client;
  readonly limit: number;
}

/** A company of the starter plan, whose own limit is much lower or higher than the plan's. */
async function limited(name: string, limit: number): Promise<World> {
  const company = await signUp(server.current, name, { plan: "starter" });
  expect(await vendor(server.current).put(`/v1/organizations/${company.id}/limits/apiCalls`, { limit }), 200);
  return { company, caller: await backend(server.current, company), limit };
}

function seeded(context: TestContext): Random {
  const random = new Random();
  context.diagnostic(`SEED=${random.seed}`);
  return random;
}

const consume = (caller: Client, { amount, key }: Call) => caller.post("/v1/usage/consumption", { metric: "apiCalls", amount, idempotencyKey: key });

async function told(caller: Client, call: Call): Promise<Told> {
  const sentAt = performance.now();
  const answer = await consume(caller, call);
  return { ...call, answer, sentAt, answeredAt: performance.now() };
}

/** The admitted calls one after the other, by their sequence, and each refusal at a point at which it was right. */
function assertSequential(all: readonly Told[], limit: number): number {
  const admitted = all.filter(({ answer }) => answer.status === 200).sort((one, other) => one.answer.body.sequence - other.answer.body.sequence);
  const counts = new Set([0]);
  let count = 0;
  for (const { amount, answer } of admitted) {
    count += amount;
    const { current, remaining, allowed } = answer.body;
    assert.deepEqual([current, answer.body.limit, remaining, allowed], [count, limit, limit - count, true], answer.text);
    counts.add(count);
  }
  assert.ok(count <= limit, `${count} were admitted of ${limit}`);
  assert.equal(new Set(admitted.map(({ answer }) => answer.body.sequence)).size, admitted.length, "no sequence twice");
  for (const { amount, answer, sentAt, answeredAt } of all.filter(({ answer }) => answer.status !== 200)) {
    const { code, current, required } = expect(answer, 429);
    assert.deepEqual([code, answer.body.limit, required], ["quota_exceeded", limit, amount]);
    assert.ok(counts.has(current), `the counter never stood at ${current}`);
    assert.ok(current + amount > limit, `${amount} would have fitted on top of ${current}`);
    // And it was refused when it was asked: after all that was acknowledged before, before all that was asked later.
    const before = admitted.filter((other) => other.answeredAt < sentAt).map((other) => other.answer.body.current);
    assert.ok(before.every((known) => known <= current), "a refusal knows what was admitted before");
    const after = admitted.filter((other) => other.sentAt > answeredAt).map((other) => other.answer.body.current);
    assert.ok(after.every((known) => known > current), "a refusal doesn't know what comes later");
  }
  return count;
}

const calls = (random: Random, count: number, most: number): Call[] => Array.from({ length: count }, () => ({ amount: random.between(1, most), key: randomUUID() }));

/** Without what differs from request to request. */
const refusal = ({ body: { requestId, ...rest } }: Answer) => rest;

for (const limit of [700, 25_000]) {
  test(`64 clients race against a limit of ${limit}, and send everything again`, async (context) => {
    const random = seeded(context);
    const world = await limited(`Limit ${limit}`, limit);
    const { caller } = world;
    const list = calls(random, 1_600, Math.ceil(limit / 500));
    const first = await inParallel(CLIENTS, list, (call) => told(caller, call));
    const count = assertSequential(first, limit);
    assert.ok(first.some(({ answer }) => answer.status === 429), "the limit was reached");

    const repeated = await inParallel(CLIENTS, first.filter(() => random.next() < 0.7), async (call) => [call, await consume(caller, call), await consume(caller, call)] as const);
    for (const [call, second, third] of repeated) {
      if (call.answer.status === 200) assertReplay(call.answer, second);
      else assert.deepEqual([second.status, second.body.current], [429, count]);
      if (call.answer.status === 200) assert.equal(third.text, second.text);
      else assert.deepEqual(refusal(third), refusal(second));
    }
    // What is left over is really left over.
    for (let left = limit - count; left > 0; left--) expect(await consume(caller, { amount: 1, key: randomUUID() }), 200);
    expect(await consume(caller, { amount: 1, key: randomUUID() }), 429);
    await assertWarnedOnce(server.current, world);
    await assertProven(server.current, caller);
  });
}

test("retries that race with their first attempts count once, and all attempts get one answer", async (context) => {
  const random = seeded(context);
  const limit = 4_000;
  const world = await limited("Retries", limit);
  const list = calls(random, 640, 20);
  const attempts = list.flatMap((call) => Array.from({ length: random.between(1, 4) }, () => call));
  for (let index = attempts.length - 1; index > 0; index--) {
    // Not so far that an attempt is always first.
    const other = Math.max(0, index - random.between(0, 40));
    [attempts[index], attempts[other]] = [attempts[other], attempts[index]];
  }
  const all = await inParallel(CLIENTS, attempts, (call) => told(world.caller, call));
  const firsts = new Map<string, Told>();
  for (const each of all.filter(({ answer }) => answer.status === 200)) {
    if (!each.answer.body.replayed) assert.ok(!firsts.has(each.key), "counted for the first time twice");
    if (!each.answer.body.replayed) firsts.set(each.key, each);
  }
  for (const { key, answer } of all.filter(({ answer }) => answer.status === 200)) {
    assert.equal(again(answer.text), again(firsts.get(key)!.answer.text));
  }
  // A refusal is no answer that is kept: it is decided anew, and stays right.
  const decided = [...firsts.values(), ...all.filter(({ answer }) => answer.status !== 200)];
  const count = assertSequential(decided, limit);
  for (const { key, amount } of list) assert.ok(firsts.has(key) || count + amount > limit, "what was never admitted doesn't fit");
  await assertProven(server.current, world.caller);
});

test("reservations and consumption race for one limit, and what is held and used never passes it", async (context) => {
  const random = seeded(context);
  const limit = 3_000;
  const { caller } = await limited("Held", limit);
  const within = ({ current, reserved }: any, what: string) => assert.ok(current + reserved <= limit, `${what}: ${current} used and ${reserved} held of ${limit}`);
  const refused = (answer: Answer) => {
    const { code, current, reserved, required } = expect(answer, 429);
    assert.equal(code, "quota_exceeded");
    within(answer.body, "a refusal");
    assert.ok(current + reserved + required > limit, answer.text);
  };
  const open: { id: string; amount: number }[] = [];
  const dice = Array.from({ length: 1_600 }, () => [random.next(), random.between(1, 12), random.next()]);
  await inParallel(CLIENTS, dice, async ([choice, amount, share]) => {
    if (choice < 0.4) {
      const answer = await consume(caller, { amount, key: randomUUID() });
      if (answer.status !== 200) refused(answer);
    } else if (choice < 0.7) {
      const answer = await caller.post("/v1/reservations", { metric: "apiCalls", amount });
      if (answer.status !== 201) return refused(answer);
      within(answer.body, "a reservation");
      open.push({ id: answer.body.$id, amount });
    } else if (choice < 0.95) {
      const mine = open.shift();
      if (!mine) return;
      const path = `/v1/reservations/${mine.id}`;
      if (share < 0.3) expect(await caller.delete(path), 204);
      else expect(await caller.post(`${path}/settlement`, { amount: Math.floor(mine.amount * share) }), 200);
    } else {
      within(expect(await caller.get("/v1/quotas/apiCalls"), 200), "the quota");
    }
  });
  const commits = (await lines(caller, "/v1/usage/proof")).slice(1, -1).map(({ body }) => JSON.parse(body));
  const events = commits.flatMap(({ standings, events }) => events.map((event: any) => ({ mode: standings[event[0]][6], current: event[2], reserved: event[5] ?? 0 })));
  // What a settlement found held holds the reservation that it ends as well.
  for (const event of events) within(event.mode === "settlement" ? { ...event, reserved: 0 } : event, JSON.stringify(event));
  const before = expect(await caller.get("/v1/quotas/apiCalls"), 200);
  assert.equal(before.reserved, open.reduce((held, { amount }) => held + amount, 0));
  await inParallel(CLIENTS, open, async ({ id }) => expect(await caller.delete(`/v1/reservations/${id}`), 204));
  const { current, reserved, remaining } = expect(await caller.get("/v1/quotas/apiCalls"), 200);
  assert.deepEqual([current, reserved, remaining], [before.current, 0, limit - current]);
  if (remaining > 0) expect(await consume(caller, { amount: remaining, key: randomUUID() }), 200);
  refused(await consume(caller, { amount: 1, key: randomUUID() }));
  await assertProven(server.current, caller);
});

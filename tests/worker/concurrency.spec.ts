// Races for the last of a quota: whatever the interleaving, a limit is a limit, and a request counts once.

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { Random, backend, counted, expect, inParallel, signUp } from "./support/client.ts";
import type { Answer, Client, Company } from "./support/client.ts";
import { freshServer } from "./support/server.ts";
import { assertWarnedOnce } from "./support/usage.ts";

const server = freshServer();
const CLIENTS = 64;
/** The starter plan's. */
const LIMIT = 10_000;

interface Call {
  readonly amount: number;
  readonly key: string;
}

async function starter(name: string): Promise<{ company: Company; caller: Client }> {
  const company = await signUp(server.current, name, { plan: "starter" });
  return { company, caller: await backend(server.current, company) };
}

const consume = (caller: Client, { amount, key }: Call, signal?: AbortSignal) =>
  caller.post("/v1/usage/consumption", { metric: "apiCalls", amount, idempotencyKey: key }, { signal });

/** Whether the call was admitted; every answer that is neither is a mistake. */
function isAdmitted(answer: Answer): boolean {
  if (answer.status === 429) assert.equal(answer.body.code, "quota_exceeded");
  else assert.equal(expect(answer, 200).allowed, true);
  return answer.status === 200;
}

const calls = (count: number, amount: () => number): Call[] => Array.from({ length: count }, () => ({ amount: amount(), key: randomUUID() }));

/** 64 clients that take the next call as soon as they have an answer. Answers what was admitted in all. */
async function race(list: Call[], work: (call: Call) => Promise<boolean>): Promise<number> {
  const admitted = await inParallel(CLIENTS, list, work);
  return list.reduce((sum, { amount }, index) => sum + (admitted[index] ? amount : 0), 0);
}

/** Takes what is left one by one, and answers how much that was. */
async function fill(caller: Client): Promise<number> {
  for (let taken = 0; ; taken++) {
    if (!isAdmitted(await consume(caller, { amount: 1, key: randomUUID() }))) return taken;
  }
}

/** Sends a call up to three times, one after the other or at once, sometimes hanging up before the answer; the answers must agree. */
async function sendSeveralTimes(caller: Client, call: Call, random: Random): Promise<boolean> {
  const times = random.between(0, 2);
  const hangUp = () => (random.next() < 0.5 ? AbortSignal.timeout(random.between(0, 20)) : undefined);
  const attempt = () => consume(caller, call, hangUp()).catch(() => undefined);
  const answers: (Answer | undefined)[] = [];
  if (random.next() < 0.5) answers.push(...(await Promise.all(Array.from({ length: times }, attempt))));
  else for (let index = 0; index < times; index++) answers.push(await attempt());
  answers.push(await consume(caller, call));
  const known = answers.filter((answer) => answer !== undefined);
  const admitted = known.map(isAdmitted);
  assert.equal(new Set(admitted).size, 1, "a call is admitted or not, however often it is sent");
  assert.ok(new Set(known.map((answer) => answer.body.sequence)).size === 1, "each admission of a call is the same one");
  assert.ok(known.filter((answer) => answer.body.replayed === false).length <= 1, "it was counted for the first time once");
  return admitted[0];
}

function seeded(context: TestContext): Random {
  const random = new Random();
  context.diagnostic(`SEED=${random.seed}`);
  return random;
}

test("64 clients that race for the last thousand calls get exactly a thousand", async () => {
  const world = await starter("Ones");
  expect(await world.caller.post("/v1/usage", { metric: "apiCalls", amount: LIMIT - 1_000 }), 200);
  assert.equal(await race(calls(1_600, () => 1), async (call) => isAdmitted(await consume(world.caller, call))), 1_000);
  assert.equal(await counted(world.caller, "apiCalls"), LIMIT);
  await assertWarnedOnce(server.current, world);
});

test("random amounts never add up to more than the limit, and what is left over is really left over", async (context) => {
  const random = seeded(context);
  const world = await starter("Random");
  const list = calls(1_280, () => random.between(1, 30));
  const admitted = await race(list, async (call) => isAdmitted(await consume(world.caller, call)));
  assert.ok(admitted <= LIMIT, `${admitted} were admitted`);
  assert.equal(await counted(world.caller, "apiCalls"), admitted);
  assert.equal(admitted + (await fill(world.caller)), LIMIT);
  await assertWarnedOnce(server.current, world);
});

test("the same holds when every call is sent again at random", async (context) => {
  const random = seeded(context);
  const world = await starter("Retries");
  const list = calls(960, () => random.between(1, 40));
  const admitted = await race(list, (call) => sendSeveralTimes(world.caller, call, random));
  assert.ok(admitted <= LIMIT, `${admitted} were admitted`);
  assert.equal(await counted(world.caller, "apiCalls"), admitted);
  assert.equal(admitted + (await fill(world.caller)), LIMIT);
  await assertWarnedOnce(server.current, world);
});

test("a level has as many places as it has, and a place that is freed is given once", async () => {
  const { caller } = await starter("Level");
  const take = async () => (await caller.post("/v1/usage/consumption", { metric: "projects", amount: 1 })).status;
  const first = await inParallel(CLIENTS, Array.from({ length: CLIENTS }), take);
  assert.deepEqual([first.filter((status) => status === 200).length, first.filter((status) => status === 403).length], [10, CLIENTS - 10]);
  expect(await caller.post("/v1/usage", { metric: "projects", amount: -3 }), 200);
  const second = await inParallel(CLIENTS, Array.from({ length: CLIENTS }), take);
  assert.equal(second.filter((status) => status === 200).length, 3);
  assert.equal(await counted(caller, "projects"), 10);
});

test("one key that 64 clients send at once counts once", async () => {
  const { caller } = await starter("One key");
  const call = { amount: 7, key: "the-same" };
  const answers = await Promise.all(Array.from({ length: CLIENTS }, () => consume(caller, call)));
  assert.equal(answers.filter((answer) => expect(answer, 200).replayed === false).length, 1);
  assert.equal(await counted(caller, "apiCalls"), 7);
});

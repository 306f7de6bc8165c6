// Requests that arrive together share one call of their Meter. Nobody may notice: each gets its own answer, also when others of the same call
// hang up, are refused or ask for something else. On plain workerd, where many arrive together.

import assert from "node:assert/strict";
import { connect } from "node:net";
import { after, before, test } from "node:test";
import type { TestContext } from "node:test";
import { setUpOrganization, startOurs, usedBy } from "../../bench/contenders.mjs";
import { Random, bearer, expect, inParallel } from "./support/client.ts";
import type { Client } from "./support/client.ts";
import type { Server } from "./support/server.ts";

const CLIENTS = 64;
/** V8 optimizes what runs often, and it was optimized code in which a request was answered on behalf of another one. */
const REQUESTS = 20_000;

let server: Awaited<ReturnType<typeof startOurs>>;

before(async () => {
  server = await startOurs();
});

after(async () => {
  await server?.stop();
});

/** An organization that answers tell from others by its limit. It has used 1. */
interface Caller {
  readonly token: string;
  readonly client: Client;
  readonly limit: number;
  used: number;
}

async function callers(count: number): Promise<Caller[]> {
  const limits = Array.from({ length: count }, (_, index) => 1_000_000_000 + index);
  return inParallel(count, limits, async (limit) => {
    const token = await setUpOrganization(server.port, limit);
    return { token, client: bearer({ url: `http://127.0.0.1:${server.port}` } as Server, token), limit, used: 1 };
  });
}

/** One request of a random kind; checks that the answer is the one to it and to nobody else's. */
async function askSomething(caller: Caller, number: number, random: Random): Promise<void> {
  const { client } = caller;
  switch (random.between(0, 5)) {
    case 0: {
      const { $type, metric, limit } = expect(await client.get("/v1/quotas/apiCalls"), 200);
      assert.deepEqual([$type, metric, limit], ["QuotaCheck", "apiCalls", caller.limit]);
      return;
    }
    case 1: {
      const summary = expect(await client.get("/v1/usage"), 200);
      assert.equal(summary.metrics.apiCalls.limit, caller.limit);
      return;
    }
    case 2: {
      const amount = 2_000_000_000 + number;
      const { code, required, limit } = expect(await client.post("/v1/usage/consumption", { metric: "apiCalls", amount }), 429);
      assert.deepEqual([code, required, limit], ["quota_exceeded", amount, caller.limit]);
      return;
    }
    case 3: {
      const events = [1, 2, 3].map((each) => ({ metric: "apiCalls", idempotencyKey: `${number}.${each}` }));
      const { accepted, replayed, rejected } = expect(await client.post("/v1/usage/batch", { events }), 200);
      assert.deepEqual([accepted, replayed, rejected], [3, 0, []]);
      caller.used += 3;
      return;
    }
    default: {
      const amount = random.between(1, 9);
      const send = async () => expect(await client.post("/v1/usage/consumption", { metric: "apiCalls", amount, idempotencyKey: `${number}` }), 200);
      const receipt = await send();
      assert.deepEqual([receipt.limit, receipt.replayed], [caller.limit, false]);
      caller.used += amount;
      if (random.between(0, 3) === 0) assert.deepEqual(await send(), { ...receipt, replayed: true });
    }
  }
}

test("each of many requests that share calls gets its own answer", async (context: TestContext) => {
  const random = new Random();
  context.diagnostic(`SEED=${random.seed}`);
  const all = await callers(3);
  const numbers = Array.from({ length: REQUESTS }, (_, number) => number);
  await inParallel(CLIENTS, numbers, (number) => askSomething(all[number % all.length]!, number, random));
  for (const { token, used } of all) assert.equal(await usedBy(server.port, token), used);
  assert.equal(server.log(), "", "workerd has nothing to complain about");
});

/** Sends a request and hangs up before its answer is read. */
function sendAndLeave(token: string, document: unknown, afterMs: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const body = JSON.stringify(document);
    const head = `POST /v1/usage HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${token}\r\nContent-Type: application/json\r\n`;
    const socket = connect(server.port, "127.0.0.1", () => {
      socket.write(`${head}Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`, () => setTimeout(() => socket.resetAndDestroy(), afterMs));
    });
    socket.once("error", reject);
    socket.once("close", () => resolve());
  });
}

test("who hangs up takes nobody along", async (context: TestContext) => {
  const random = new Random();
  context.diagnostic(`SEED=${random.seed}`);
  const [caller] = await callers(1);
  const event = (idempotencyKey: string) => ({ metric: "apiCalls", idempotencyKey });
  const [left, stayed]: [string[], string[]] = [[], []];
  for (let round = 0; round < 200; round++) {
    const started = Date.now();
    await inParallel(CLIENTS, Array.from({ length: CLIENTS }, (_, index) => `${round}.${index}`), async (key) => {
      const leaves = random.between(0, 1) === 0;
      (leaves ? left : stayed).push(key);
      if (leaves) await sendAndLeave(caller!.token, event(key), random.between(0, 3));
      else expect(await caller!.client.post("/v1/usage", event(key)), 200);
    });
    assert.ok(Date.now() - started < 10_000, "nobody waited for somebody who had gone");
  }
  const replayed = async (keys: string[]) => {
    const receipts = await inParallel(CLIENTS, keys, async (key) => expect(await caller!.client.post("/v1/usage", event(key)), 200));
    return receipts.filter((receipt) => receipt.replayed).length;
  };
  assert.equal(await replayed(stayed), stayed.length);
  assert.ok((await replayed(left)) > 0, "some of those who left had been counted");
  assert.equal(await usedBy(server.port, caller!.token), 1 + left.length + stayed.length, "each once");
});

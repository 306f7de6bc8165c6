// An organization moves to another database under traffic: reads are answered all the time, writes are refused for a moment, nothing is lost.

import assert from "node:assert/strict";
import { test } from "node:test";
import { delay } from "../../scripts/lib.mjs";
import { assertProblem, backend, eventually, expect, signUp, vendor } from "./support/client.ts";
import type { Answer, Client, Company } from "./support/client.ts";
import { freshServer } from "./support/server.ts";

const server = freshServer();
const WRITERS = 4;
const READERS = 4;
/** Longer than this, nobody waits for a retry. */
const REFUSED_MS_MAX = 3_000;

/** What one company's people did while it was moved. */
class Traffic {
  readonly acknowledged = new Set<string>();
  readonly refusedAt: number[] = [];
  reads = 0;
  counted = 0;
  #isOver = false;
  readonly #client: Client;

  constructor(client: Client) {
    this.#client = client;
  }

  async flow(): Promise<void> {
    const writers = Array.from({ length: WRITERS }, (_, writer) => this.#write(writer));
    const readers = Array.from({ length: READERS }, () => this.#read());
    await Promise.all([...writers, ...readers]);
  }

  end(): void {
    this.#isOver = true;
  }

  async #write(writer: number): Promise<void> {
    for (let number = 0; !this.#isOver; number++) {
      const name = `key ${writer}-${number}`;
      const answer = await this.#client.post("/v1/api-keys", { name, scopes: ["usage.read"] });
      if (answer.status === 201) this.acknowledged.add(name);
      else {
        assertProblem(answer, 503, "organization_moving");
        assert.equal(answer.headers.get("retry-after"), "1");
        this.refusedAt.push(Date.now());
      }
      expect(await this.#client.post("/v1/usage", { metric: "apiCalls" }), 200);
      this.counted++;
    }
  }

  async #read(): Promise<void> {
    const paths = ["/v1/organization", "/v1/api-keys", "/v1/subscription", "/v1/usage", "/v1/usage/history?metric=apiCalls"];
    for (let number = 0; !this.#isOver; number++) {
      expect(await this.#client.get(paths[number % paths.length]!), 200);
      this.reads++;
    }
  }
}

async function names(company: Company): Promise<Set<string>> {
  const found = new Set<string>();
  for (let cursor = ""; ; ) {
    const page = expect(await company.desk.get(`/v1/api-keys?limit=100${cursor}`), 200);
    for (const { name } of page.data) found.add(name);
    if (!page.hasMore) return found;
    cursor = `&cursor=${encodeURIComponent(page.nextCursor)}`;
  }
}

/** To the other one of two databases, whichever that is. */
async function moveAway(company: Company): Promise<Answer> {
  const path = `/v1/organizations/${company.id}/moves`;
  const first = await vendor(server.current).post(path, { shard: 1 });
  return first.status === 409 ? vendor(server.current).post(path, { shard: 0 }) : first;
}

const latest = async (company: Company): Promise<any> => expect(await vendor(server.current).get(`/v1/organizations/${company.id}/moves`), 200).data[0];

test("a move under traffic loses nothing and refuses writes for less than three seconds", async (context) => {
  const acme = await signUp(server.current, "Mover");
  const client = await backend(server.current, acme, ["*"]);
  for (let number = 0; number < 300; number++) expect(await client.post("/v1/api-keys", { name: `before ${number}`, scopes: ["usage.read"] }), 201);
  const traffic = new Traffic(client);
  const flowing = traffic.flow();
  await delay(500);
  const asked = expect(await moveAway(acme), 202);
  await eventually("it is moved", 60_000, async () => ["flipped", "done"].includes((await latest(acme)).step));
  await delay(500);
  const moved = await latest(acme);
  assert.equal(moved.$id, asked.$id);
  const refused = Date.parse(moved.flippedAt) - Date.parse(moved.frozenAt);
  context.diagnostic(`from ${moved.from} to ${moved.to}: writes refused for ${refused} ms, ${traffic.refusedAt.length} refusals, ${traffic.reads} reads`);
  assert.ok(refused < REFUSED_MS_MAX, `${refused} ms`);
  traffic.end();
  await flowing;
  const span = traffic.refusedAt.length === 0 ? 0 : Math.max(...traffic.refusedAt) - Math.min(...traffic.refusedAt);
  assert.ok(span < REFUSED_MS_MAX, `refusals over ${span} ms`);
  const found = await names(acme);
  for (const name of traffic.acknowledged) assert.ok(found.has(name), `${name} is lost`);
  // 300 from before, the backend's own, and what was acknowledged: nothing that was refused.
  assert.equal(found.size, 301 + traffic.acknowledged.size);
  const usage = expect(await client.get("/v1/usage"), 200);
  assert.equal(usage.metrics.apiCalls.current, traffic.counted);
});

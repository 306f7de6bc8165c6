// Random histories over HTTP against a model: months of a test clock, retries, changes of limits, and servers that die in between.

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { test } from "node:test";
import { Random, advance, backend, expect, makeClock, signUp, vendor } from "./support/client.ts";
import type { Answer, Client, Company } from "./support/client.ts";
import { eventCounts } from "./support/disk.ts";
import { Model, shown } from "./support/model.ts";
import type { Event, Metric, Receipt } from "./support/model.ts";
import { freshServer } from "./support/server.ts";
import { assertProven, assertReplay, historySum, lines, nanos, quantity, sum, units } from "./support/usage.ts";

const server = freshServer();
const STEPS = 300;
const DAY = 86_400_000;
const START = "2026-01-01T00:00:00Z";
/** How long an idempotency key is known, and how old usage may be. */
const REMEMBERED = 35 * DAY;

const METRICS: Record<string, Metric> = {
  apiCalls: { aggregation: "sum", kind: "consumable" },
  storage: { aggregation: "sum", kind: "level" },
  clicks: { aggregation: "count", kind: "consumable" },
  people: { aggregation: "unique", kind: "consumable" },
  highest: { aggregation: "max", kind: "consumable" },
  gauge: { aggregation: "latest", kind: "level" },
  load: { aggregation: "weighted_sum", kind: "level" },
};
/** Those that amounts are added up of, and that have limits here. */
const LIMITED = ["apiCalls", "storage", "clicks", "people"];

const iso = (at: number) => new Date(at).toISOString().replace(".000Z", "Z");

/** A keyed event that was counted, with its first answer. */
interface Known {
  readonly path: string;
  readonly body: any;
  readonly answer: Answer;
  readonly at: number;
}

class Run {
  readonly #random: Random;
  readonly #model = new Model(METRICS, Date.parse(START));
  readonly #company: Company;
  readonly #caller: Client;
  readonly #clock: string;
  readonly #known: Known[] = [];
  readonly done: Record<string, number> = {};

  private constructor(random: Random, company: Company, caller: Client, clock: string) {
    [this.#random, this.#company, this.#caller, this.#clock] = [random, company, caller, clock];
  }

  static async begin(seed: number): Promise<Run> {
    const clock = await makeClock(server.current, START);
    const company = await signUp(server.current, `Seed ${seed}`, { testClock: clock, plan: "enterprise" });
    const run = new Run(new Random(seed), company, await backend(server.current, company), clock);
    for (const metric of LIMITED) await run.#limit(metric, 100, true);
    return run;
  }

  async step(): Promise<void> {
    const dice = this.#random.next();
    if (dice < 0.5) return this.#event();
    if (dice < 0.62) return this.#batch();
    if (dice < 0.72) return this.#replay();
    if (dice < 0.84) return this.#reservation();
    if (dice < 0.89) return this.#look();
    if (dice < 0.94) return this.#newLimit();
    if (dice < 0.99) return this.#advance();
    return this.#restart();
  }

  #did(what: string): void {
    this.done[what] = (this.done[what] ?? 0) + 1;
  }

  /** An event and the body that it is sent with. */
  #made(mode: Event["mode"]): [Event, any] {
    const metric = this.#random.of(Object.keys(METRICS));
    const { aggregation, kind } = METRICS[metric];
    const isNegative = (metric === "storage" || metric === "load") && this.#random.next() < 0.35;
    const size = this.#random.next() < 0.2 ? BigInt(this.#random.between(1, 9_999)) * 1_000_001n : units(this.#random.between(1, 15));
    const amount = aggregation === "count" || aggregation === "unique" ? units(1) : isNegative ? -size : size;
    const value = aggregation === "unique" ? `person ${this.#random.between(1, 200)}` : undefined;
    const { now, start } = this.#model;
    const earliest = Math.max(start, now - REMEMBERED);
    const timestamp = this.#random.next() < 0.3 ? this.#random.between(earliest / 1_000, now / 1_000 + 240) * 1_000 : undefined;
    const body = { metric, amount: quantity(amount), ...(timestamp && { timestamp: iso(timestamp) }), ...(value && { metadata: { person: value } }) };
    return [{ mode, metric, amount, timestamp, value }, body];
  }

  #assertAnswered(answer: Answer, { status, code, current, limit, reserved, sequence }: Receipt, what: unknown): void {
    const text = `${JSON.stringify(what)} at ${iso(this.#model.now)}: ${answer.text}`;
    assert.equal(answer.status, status, text);
    if (code !== undefined) assert.equal(answer.body.errors?.[0]?.code ?? answer.body.code, code, text);
    if (status === 400) return;
    assert.equal(nanos(answer.body.current), current, text);
    assert.equal(nanos(answer.body.limit), shown(limit), text);
    if (code === undefined && limit !== undefined) {
      const left = limit - current - reserved;
      assert.equal(nanos(answer.body.remaining), left > 0n ? left : 0n, text);
    }
    if (status !== 200) assert.equal(nanos(answer.body.reserved), reserved, text);
    if (sequence !== undefined) assert.equal(answer.body.sequence, sequence, text);
  }

  async #event(): Promise<void> {
    const mode = this.#random.next() < 0.5 ? "usage" : "consumption";
    const [event, made] = this.#made(mode);
    // A weighted sum is never refused here, as it has no limit.
    const path = mode === "usage" ? "/v1/usage" : "/v1/usage/consumption";
    const body = this.#random.next() < 0.7 ? { ...made, idempotencyKey: randomUUID() } : made;
    const answer = await this.#caller.post(path, body);
    const expected = this.#model.count(event);
    this.#assertAnswered(answer, expected, body);
    if (answer.status === 200 && body.idempotencyKey) this.#known.push({ path, body, answer, at: this.#model.now });
    this.#did(`${mode} ${answer.status}`);
  }

  async #batch(): Promise<void> {
    const made = Array.from({ length: this.#random.between(1, 12) }, () => this.#made("usage"));
    const isCloud = this.#random.next() < 0.4;
    const cloud = ({ metric, amount, timestamp, metadata }: any) => ({ specversion: "1.0", id: randomUUID(), source: "/model", type: metric, time: timestamp, data: { amount, ...metadata } });
    const answer = isCloud
      ? await this.#caller.post("/v1/events", made.map(([, body]) => cloud(body)), { headers: { "content-type": "application/cloudevents-batch+json" } })
      : await this.#caller.post("/v1/usage/batch", { events: made.map(([, body]) => body) });
    const expected = made.map(([event]) => this.#model.count(event));
    const rejected = expected.flatMap(({ status, code }, index) => (status === 200 ? [] : [[index, code]]));
    const { accepted, replayed, current } = expect(answer, 200);
    assert.deepEqual([accepted, replayed, answer.body.rejected.map(({ index, code }: any) => [index, code])], [made.length - rejected.length, 0, rejected], answer.text);
    for (const [metric, count] of Object.entries<any>(current)) assert.equal(nanos(count), this.#model.current(metric), metric);
    this.#did(isCloud ? "batch of CloudEvents" : "batch");
  }

  async #replay(): Promise<void> {
    const fresh = this.#known.filter(({ at }) => at > this.#model.now - REMEMBERED);
    if (fresh.length === 0) return;
    const { path, body, answer } = this.#random.of(fresh);
    if (this.#random.next() < 0.2) {
      const other = await this.#caller.post(path, { ...body, metadata: { person: "somebody else" } });
      assert.equal(other.status, 422, other.text);
      return this.#did("another request with a known key");
    }
    assertReplay(answer, await this.#caller.post(path, body));
    this.#did("replay");
  }

  async #reservation(): Promise<void> {
    const held = [...this.#model.reservations].filter(([, each]) => this.#model.isActive(each));
    const dice = this.#random.next();
    if (held.length === 0 || dice < 0.5) return this.#reserve();
    const [id, { amount }] = this.#random.of(held);
    const path = `/v1/reservations/${id}`;
    if (dice < 0.65) {
      expect(await this.#caller.delete(path), 204);
      this.#model.reservations.get(id)!.status = "released";
      return this.#did("release");
    }
    const used = BigInt(this.#random.between(1, Number(amount / units(1)))) * units(1);
    const answer = await this.#caller.post(`${path}/settlement`, { amount: quantity(used) });
    this.#assertAnswered(answer, this.#model.settle(id, used), { settled: id });
    assertReplay(answer, await this.#caller.post(`${path}/settlement`, { amount: quantity(used) }));
    this.#did("settlement");
  }

  async #reserve(): Promise<void> {
    const [metric, count, ttlSeconds] = [this.#random.of(["apiCalls", "storage"]), this.#random.between(1, 30), this.#random.between(1, 86_400)];
    const body = { metric, amount: count, ttlSeconds };
    const headers = { "idempotency-key": randomUUID() };
    const answer = await this.#caller.post("/v1/reservations", body, { headers });
    this.#assertAnswered(answer, this.#model.reserve(answer.body.$id, metric, units(count), ttlSeconds), body);
    if (answer.status === 201) assertReplay(answer, await this.#caller.post("/v1/reservations", body, { headers }));
    this.#did(`reservation ${answer.status}`);
  }

  /** Every counter, what is held, and how every reservation stands. */
  async #look(): Promise<void> {
    const { metrics } = expect(await this.#caller.get("/v1/usage"), 200);
    for (const metric of Object.keys(METRICS)) {
      const known = metrics[metric] ?? { current: 0, reserved: 0 };
      assert.deepEqual([nanos(known.current), nanos(known.reserved)], [this.#model.current(metric), this.#model.held(metric)], `${metric} at ${iso(this.#model.now)}`);
    }
    const [id, reservation] = [...this.#model.reservations].at(-1) ?? [];
    if (id !== undefined && reservation!.expiresAt > this.#model.now - 30 * DAY) {
      const isExpired = reservation!.status === "active" && !this.#model.isActive(reservation!);
      assert.equal(expect(await this.#caller.get(`/v1/reservations/${id}`), 200).status, isExpired ? "expired" : reservation!.status);
    }
    this.#did("look");
  }

  async #newLimit(): Promise<void> {
    await this.#limit(this.#random.of(LIMITED), this.#random.of([-1, 0, 50, 100, 150, 300]), this.#random.next() < 0.8);
    this.#did("limit");
  }

  async #limit(metric: string, limit: number, isHard: boolean): Promise<void> {
    const body = { limit, enforcement: isHard ? "hard" : "soft" };
    expect(await vendor(server.current).put(`/v1/organizations/${this.#company.id}/limits/${metric}`, body), 200);
    this.#model.limits.set(metric, { limit: limit < 0 ? undefined : units(limit), isHard });
  }

  async #advance(by = this.#random.of([3_600_000, 5 * 3_600_000, DAY, 3 * DAY, 12 * DAY, 31 * DAY])): Promise<void> {
    this.#model.now += by;
    await advance(server.current, this.#clock, iso(this.#model.now));
    this.#did("advance");
  }

  async #restart(): Promise<void> {
    await server.current.kill9();
    await server.current.start();
    this.#did("restart");
  }

  /** Counters, raw events, history, proof and thresholds say what the model says. */
  async end(): Promise<void> {
    await this.#look();
    const { events, thresholds } = this.#model;
    // Usage may be up to five minutes ahead, and ranges end before their end.
    await this.#advance(3_600_000);
    await this.#look();
    const raw = await lines(this.#caller, "/v1/usage/events");
    assert.deepEqual(raw.map(({ sequence, metric, amount, timestamp }) => [sequence, metric, nanos(amount), Date.parse(timestamp)]), events.map(({ metric, amount, at }, index) => [index + 1, metric, amount, at]));
    for (const metric of Object.keys(METRICS)) {
      const total = sum(events.filter((event) => event.metric === metric).map(({ amount }) => amount));
      assert.equal(await historySum(this.#caller, metric, `&granularity=day&from=${START}`), total, `the history of ${metric}`);
    }
    assert.match(await assertProven(server.current, this.#caller), new RegExp(`events +${events.length} `));
    const told = await eventCounts(server.current, this.#company.id);
    const names = { 8: "Usage.approaching", 9: "Usage.warning", 10: "Usage.exceeded" };
    for (const [tenths, name] of Object.entries(names)) assert.equal(told[name] ?? 0, [...thresholds].filter((each) => each.endsWith(` ${tenths}`)).length, name);
  }
}

test("the vendor defines a metric of each aggregation", async () => {
  for (const [key, { aggregation, kind }] of Object.entries(METRICS)) {
    if (key === "apiCalls" || key === "storage") continue;
    expect(await vendor(server.current).post("/v1/metrics", { key, aggregation, kind, ...(aggregation === "unique" && { uniqueProperty: "person" }) }), 201);
  }
});

const seeds = process.env.SEED ? [Number(process.env.SEED)] : Array.from({ length: Number(process.env.SEEDS ?? 3) }, (_, index) => (Date.now() + index * 7_919) % 1_000_000);

for (const seed of seeds) {
  test(`a random history of ${STEPS} steps is what the model says (SEED=${seed})`, async (context) => {
    const run = await Run.begin(seed);
    for (let step = 0; step < STEPS; step++) await run.step();
    await run.end();
    context.diagnostic(JSON.stringify(run.done));
  });
}

// Twenty times kill -9 under a mixed load: each event that was acknowledged is there once, each other one at most once, and what is
// counted, charted and proven is what the raw events say.

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { test } from "node:test";
import { delay } from "../../scripts/lib.mjs";
import { Random, backend, eventually, expect, inParallel, signUpMany, vendor } from "./support/client.ts";
import type { Answer, Client } from "./support/client.ts";
import { freshServer } from "./support/server.ts";
import { assertProven, assertReplay, counters, historySum, nanos, quantity, rawEvents, sum, units } from "./support/usage.ts";
import type { Nanos, RawEvent } from "./support/usage.ts";

const server = freshServer();
const KILLS = 20;
const CLIENTS = 32;

/** An event as it was sent. Its tag travels in the metadata; a settlement has none, and is known by its amount. */
interface Sent {
  readonly tag: string;
  readonly metric: string;
  readonly amount: Nanos;
  isAcknowledged: boolean;
}

interface Request {
  readonly house: House;
  readonly method: "POST" | "DELETE";
  readonly path: string;
  readonly body?: unknown;
  readonly headers?: Record<string, string>;
  readonly events: readonly Sent[];
  readonly status: number;
  /** Whether it may be sent again. */
  readonly isKeyed: boolean;
  /** Whether its events have keys of their own, and the batch as a whole has none. */
  readonly isLooseBatch?: boolean;
  answer?: Answer;
}

/** An organization, and all that was ever sent for it. */
interface House {
  readonly caller: Client;
  readonly sent: Map<string, Sent>;
  readonly reservations: Map<string, { status: string; isSure: boolean }>;
}

/** How raw events make the counter. */
const METRICS: Record<string, (events: readonly RawEvent[]) => Nanos> = {
  apiCalls: (events) => sum(events.map(({ amount }) => nanos(amount))),
  storage: (events) => sum(events.map(({ amount }) => nanos(amount))),
  clicks: (events) => units(events.length),
  visitors: (events) => units(new Set(events.map(({ metadata }) => metadata.visitor)).size),
  peak: (events) => events.reduce((highest, { amount }) => (nanos(amount) > highest ? nanos(amount) : highest), 0n),
};

const DEFINED = [
  { key: "clicks", aggregation: "count", kind: "consumable" },
  { key: "visitors", aggregation: "unique", kind: "consumable", uniqueProperty: "visitor" },
  { key: "peak", aggregation: "max", kind: "consumable" },
];

/** What is sent, at random. */
class Sender {
  readonly #random: Random;
  #settlements = 0n;

  constructor(random: Random) {
    this.#random = random;
  }

  next(house: House): Request {
    const dice = this.#random.next();
    if (dice < 0.1) return this.#reservation(house);
    if (dice < 0.2) return this.#batch(house);
    if (dice < 0.35) return this.#cloudEvents(house);
    const path = dice < 0.7 ? "/v1/usage" : "/v1/usage/consumption";
    const [sent, body] = this.#event(house);
    const key = randomUUID();
    const form = this.#random.between(0, 4);
    if (form === 0) return { house, method: "POST", path, body, events: [sent], status: 200, isKeyed: false };
    const isInHeader = form === 1;
    const keyed = isInHeader ? { body, headers: { "idempotency-key": key } } : { body: { ...body, idempotencyKey: key } };
    return { house, method: "POST", path, ...keyed, events: [sent], status: 200, isKeyed: true };
  }

  /** What follows an answered reservation, if anything does. */
  after({ house, answer }: Request): Request | undefined {
    const id = answer!.body.$id;
    const path = `/v1/reservations/${id}`;
    const dice = this.#random.next();
    if (dice < 0.2) return undefined;
    house.reservations.set(id, { status: dice < 0.4 ? "released" : "settled", isSure: false });
    if (dice < 0.4) return { house, method: "DELETE", path, events: [], status: 204, isKeyed: true };
    const amount = units(1) + ++this.#settlements;
    const sent = this.#sent(house, `settlement of ${quantity(amount)}`, "apiCalls", amount);
    return { house, method: "POST", path: `${path}/settlement`, body: { amount: quantity(amount) }, events: [sent], status: 200, isKeyed: true };
  }

  #sent(house: House, tag: string, metric: string, amount: Nanos): Sent {
    const sent = { tag, metric, amount, isAcknowledged: false };
    house.sent.set(tag, sent);
    return sent;
  }

  #event(house: House): [Sent, { metric: string; amount: number | string; metadata: object }] {
    const metric = this.#random.of(["apiCalls", "apiCalls", "apiCalls", ...Object.keys(METRICS)]);
    const countsEvents = metric === "clicks" || metric === "visitors";
    const amount = countsEvents ? units(1) : BigInt(this.#random.between(1, 5)) * (this.#random.next() < 0.3 ? 100_000_001n : units(1));
    const tag = randomUUID();
    const metadata = { tag, ...(metric === "visitors" && { visitor: `visitor ${this.#random.between(1, 300)}` }) };
    return [this.#sent(house, tag, metric, amount), { metric, amount: quantity(amount), metadata }];
  }

  #reservation(house: House): Request {
    const body = { metric: "apiCalls", amount: 2, ttlSeconds: 86_400 };
    const headers = { "idempotency-key": randomUUID() };
    return { house, method: "POST", path: "/v1/reservations", body, headers, events: [], status: 201, isKeyed: true };
  }

  #batch(house: House): Request {
    const made = Array.from({ length: this.#random.between(1, 8) }, () => this.#event(house));
    const events = made.map(([, body]) => ({ ...body, idempotencyKey: randomUUID() }));
    const isLooseBatch = this.#random.next() < 0.5;
    const headers = isLooseBatch ? {} : { "idempotency-key": randomUUID() };
    return { house, method: "POST", path: "/v1/usage/batch", body: { events }, headers, events: made.map(([sent]) => sent), status: 200, isKeyed: true, isLooseBatch };
  }

  #cloudEvents(house: House): Request {
    const isBatch = this.#random.next() < 0.3;
    const made = Array.from({ length: isBatch ? this.#random.between(1, 5) : 1 }, () => this.#event(house));
    const list = made.map(([, { metric, amount, metadata }]) => ({ specversion: "1.0", id: randomUUID(), source: "/kills", type: metric, data: { amount, ...metadata } }));
    const headers = { "content-type": isBatch ? "application/cloudevents-batch+json" : "application/cloudevents+json" };
    return { house, method: "POST", path: "/v1/events", body: isBatch ? list : list[0], headers, events: made.map(([sent]) => sent), status: 200, isKeyed: true, isLooseBatch: isBatch };
  }
}

/** A request that gets no answer is one that may or may not have happened. */
async function send(request: Request): Promise<Answer | undefined> {
  const { house, method, path, body, headers } = request;
  const sending = method === "POST" ? house.caller.post(path, body, { headers }) : house.caller.delete(path);
  const answer = await sending.catch(() => undefined);
  if (answer === undefined) return undefined;
  assert.equal(answer.status, request.status, `${method} ${path}: ${answer.text}`);
  for (const sent of request.events) sent.isAcknowledged = true;
  if (path === "/v1/reservations") house.reservations.set(answer.body.$id, house.reservations.get(answer.body.$id) ?? { status: "active", isSure: true });
  const reservation = house.reservations.get(path.split("/")[3]);
  if (reservation) reservation.isSure = true;
  return answer;
}

/** Sends until the server is gone. */
async function storm(houses: readonly House[], sender: Sender, random: Random): Promise<Request[]> {
  const requests: Request[] = [];
  let isKilled = false;
  const one = async (request: Request) => {
    requests.push(request);
    request.answer = await send(request);
    const next = request.path === "/v1/reservations" && request.answer ? sender.after(request) : undefined;
    if (next) await one(next);
  };
  const clients = Promise.all(Array.from({ length: CLIENTS }, async () => {
    while (!isKilled) await one(sender.next(random.of(houses)));
  }));
  const kill = async () => {
    await eventually("the clients are under way", 30_000, () => requests.length > 200, 5);
    await delay(random.between(0, 700));
    await server.current.kill9();
    isKilled = true;
  };
  await Promise.all([clients, kill()]);
  return requests;
}

/** Sends most of what got no answer again, and some of the rest, which has to get its first answer. Answers how many. */
async function retry(requests: readonly Request[], random: Random): Promise<number> {
  const isAgain = ({ answer, isKeyed }: Request) => isKeyed && random.next() < (answer === undefined ? 0.7 : 0.15);
  const chosen = requests.filter(isAgain);
  await inParallel(CLIENTS, chosen, async (request) => {
    const first = request.answer ?? (await send(request));
    const second = await send(request);
    assert.ok(first && second, "a healthy server answers");
    if (request.isLooseBatch) assert.deepEqual([second.body.accepted, second.body.replayed], [0, request.events.length]);
    else if (request.method === "POST") assertReplay(first, second);
  });
  return chosen.length;
}

/** Every acknowledged event once, every other at most once, and none that was not sent. */
function assertExact(events: readonly RawEvent[], sent: ReadonlyMap<string, Sent>): void {
  const found = new Set<string>();
  for (const event of events) {
    const tag = event.metadata?.tag ?? `${event.mode} of ${event.amount}`;
    const known = sent.get(tag);
    assert.ok(known, `nobody sent ${JSON.stringify(event)}`);
    assert.ok(!found.has(tag), `twice: ${JSON.stringify(event)}`);
    found.add(tag);
    assert.equal(event.metric, known.metric);
    // Of a unique metric a value that was seen before counts 0.
    if (event.metric !== "visitors" || event.amount !== 0) assert.equal(nanos(event.amount), known.amount, JSON.stringify(event));
  }
  const lost = [...sent.values()].filter(({ tag, isAcknowledged }) => isAcknowledged && !found.has(tag));
  assert.deepEqual(lost, [], "acknowledged, and not there");
}

/** Counters, history and proof say what the raw events say. */
async function assertAgrees({ caller, reservations }: House, events: readonly RawEvent[]): Promise<void> {
  const counted = await counters(caller);
  for (const [metric, count] of Object.entries(METRICS)) {
    const own = events.filter((event) => event.metric === metric);
    assert.equal(counted.get(metric) ?? 0n, count(own), metric);
    assert.equal(await historySum(caller, metric), sum(own.map(({ amount }) => nanos(amount))), `the history of ${metric}`);
  }
  const printed = await assertProven(server.current, caller);
  assert.match(printed, new RegExp(`events +${events.length} \\(1 to ${events.length}\\)`));
  const sure = [...reservations].filter(([, { isSure }]) => isSure);
  await inParallel(8, sure.slice(-20), async ([id, { status }]) => assert.equal(expect(await caller.get(`/v1/reservations/${id}`), 200).status, status, id));
}

test("killed twenty times under load, it knows every event that it acknowledged, once, and can prove it", { timeout: 170_000 }, async (context) => {
  const random = new Random();
  context.diagnostic(`SEED=${random.seed}`);
  for (const metric of DEFINED) expect(await vendor(server.current).post("/v1/metrics", metric), 201);
  const companies = await signUpMany(server.current, ["North", "South", "East"], { plan: "enterprise" });
  const houses = await inParallel(3, companies, async (each): Promise<House> => ({ caller: await backend(server.current, each), sent: new Map(), reservations: new Map() }));
  // A refusal would be one more answer to know; limits have their own tests.
  for (const { id } of companies) expect(await vendor(server.current).put(`/v1/organizations/${id}/limits/storage`, { limit: -1 }), 200);
  const sender = new Sender(random);
  let [cutOff, retried] = [0, 0];
  for (let kill = 0; kill < KILLS; kill++) {
    const requests = await storm(houses, sender, random);
    await server.current.start();
    for (const { caller, sent } of houses) assertExact(await rawEvents(caller), sent);
    cutOff += requests.filter(({ answer }) => answer === undefined).length;
    retried += await retry(requests, random);
    for (const house of houses) {
      const events = await rawEvents(house.caller);
      assertExact(events, house.sent);
      await assertAgrees(house, events);
    }
  }
  const sent = houses.flatMap((house) => [...house.sent.values()]);
  const acknowledged = sent.filter(({ isAcknowledged }) => isAcknowledged).length;
  const present = (await Promise.all(houses.map(({ caller }) => rawEvents(caller)))).reduce((count, events) => count + events.length, 0);
  context.diagnostic(`${KILLS} kills, ${sent.length} events sent, ${acknowledged} acknowledged, ${present} there, ${cutOff} requests cut off, ${retried} sent again`);
  assert.ok(cutOff > KILLS, "the kills came in the middle of something");
});

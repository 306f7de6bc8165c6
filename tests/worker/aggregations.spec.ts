// A metric of each aggregation from its definition to its bill's count, its history and its proof.

import assert from "node:assert/strict";
import { test } from "node:test";
import { advance, assertProblem, backend, expect, makeClock, signUp, vendor } from "./support/client.ts";
import { freshServer } from "./support/server.ts";
import { assertProven, lines } from "./support/usage.ts";

const server = freshServer();
const START = "2026-01-01T00:00:00Z";
/** Half of the trial, whose 14 days are the first period. */
const HALF = "2026-01-08T00:00:00Z";

interface Case {
  readonly aggregation: string;
  readonly kind: string;
  readonly uniqueProperty?: string;
  /** The data of each event. */
  readonly events: readonly object[];
  /** The count after each. */
  readonly counts: readonly (number | string)[];
  /** When the next period has begun. */
  readonly carried: number;
  /** Of their hour: count, sum, max, last, uniques. */
  readonly history: readonly (number | string)[];
}

const CASES: readonly Case[] = [
  { aggregation: "count", kind: "consumable", events: [{}, {}, {}], counts: [1, 2, 3], carried: 0, history: [3, 3, 1, 1, 0] },
  { aggregation: "sum", kind: "consumable", events: [{ amount: 4 }, { amount: "0.5" }, { amount: 2 }], counts: [4, "4.5", "6.5"], carried: 0, history: [3, "6.5", 4, 2, 0] },
  { aggregation: "sum", kind: "level", events: [{ amount: 4 }, { amount: 3 }, { amount: -2 }], counts: [4, 7, 5], carried: 5, history: [3, 5, 4, -2, 0] },
  { aggregation: "max", kind: "consumable", events: [{ amount: 4 }, { amount: 9 }, { amount: 2 }], counts: [4, 9, 9], carried: 0, history: [3, 15, 9, 2, 0] },
  { aggregation: "latest", kind: "level", events: [{ amount: 4 }, { amount: 9 }, { amount: 2 }], counts: [4, 9, 2], carried: 2, history: [3, 15, 9, 2, 0] },
  { aggregation: "unique", kind: "consumable", uniqueProperty: "person", events: [{ person: "Ada" }, { person: "Bob" }, { person: "Ada" }], counts: [1, 2, 2], carried: 0, history: [3, 2, 1, 0, 2] },
  // What comes at half-time counts half, and wholly in the next period.
  { aggregation: "weighted_sum", kind: "level", events: [{ amount: 4 }, { amount: 3 }, { amount: -2 }], counts: [2, "3.5", "2.5"], carried: 5, history: [3, 5, 4, -2, 0] },
];

for (const { aggregation, kind, uniqueProperty, events, counts, carried, history } of CASES) {
  test(`${aggregation} of a ${kind} is defined, counted, limited, charted, carried over and proven`, async () => {
    const key = `${aggregation}.${kind}`;
    const made = expect(await vendor(server.current).post("/v1/metrics", { key, aggregation, kind, uniqueProperty, eventType: `com.example.${key}` }), 201);
    assert.deepEqual([made.$type, made.key, made.builtIn], ["Metric", key, false]);
    const clock = await makeClock(server.current, START);
    const acme = await signUp(server.current, key, { testClock: clock });
    const caller = await backend(server.current, acme);
    await advance(server.current, clock, HALF);

    const headers = { "content-type": "application/cloudevents+json" };
    const told: unknown[] = [];
    for (const [index, data] of events.entries()) {
      const event = { specversion: "1.0", id: String(index), source: "/cases", type: `com.example.${key}`, data };
      const receipt = expect(await caller.post("/v1/events", event, { headers }), 200);
      assert.deepEqual([receipt.metric, receipt.limit, receipt.sequence], [key, -1, index + 1]);
      told.push(receipt.current);
      assert.equal(expect(await caller.post("/v1/events", event, { headers }), 200).replayed, true);
    }
    assert.deepEqual(told, counts);
    const current = async () => expect(await caller.get("/v1/usage"), 200).metrics[key].current;
    assert.equal(await current(), counts.at(-1));

    const { data } = expect(await caller.get(`/v1/usage/history?metric=${key}&to=2026-01-08T01:00:00Z`), 200);
    assert.deepEqual(data.map(({ start, count, sum, max, last, uniques }: any) => [start, count, sum, max, last, uniques]), [[HALF, ...history]]);

    expect(await vendor(server.current).put(`/v1/organizations/${acme.id}/limits/${key}`, { limit: 0 }), 200);
    const one = { metric: key, ...(uniqueProperty && { metadata: { [uniqueProperty]: "Cy" } }) };
    assertProblem(await caller.post("/v1/usage/consumption", one), kind === "level" ? 403 : 429, "quota_exceeded");
    assert.equal(await current(), counts.at(-1), "what was refused changed nothing");

    await advance(server.current, clock, "2026-01-16T00:00:00Z");
    assert.equal(await current(), carried);
    assert.match(await assertProven(server.current, caller), new RegExp(`${key.replace(".", "\\.")} +${aggregation} +${kind} .* events 3 `));
    const end = (await lines(caller, "/v1/usage/proof")).at(-1);
    assert.ok(end.counters.some((counter: any) => counter.metric === key && counter.aggregation === aggregation && counter.kind === kind));
  });
}

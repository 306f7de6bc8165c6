// Usage as it can be checked from outside: exact amounts, raw events, proofs, history, and what was told at a limit.

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { eventually, expect, templates } from "./client.ts";
import type { Answer, Client, Company } from "./client.ts";
import { eventCounts } from "./disk.ts";
import type { Server } from "./server.ts";
import { verified } from "./verifier.ts";

/** A quantity in billionths: exact, whatever its size. */
export type Nanos = bigint;

const BILLION = 1_000_000_000n;

/** Reads a quantity as the API writes it: an integer, or a decimal text. */
export function nanos(quantity: number | string): Nanos {
  const [, sign, whole, fraction] = /^(-?)(\d+)(?:\.(\d{1,9}))?$/.exec(String(quantity)) ?? assert.fail(`${quantity} is not a quantity`);
  const size = BigInt(whole) * BILLION + BigInt((fraction ?? "").padEnd(9, "0"));
  return sign === "-" ? -size : size;
}

/** Writes a quantity as the API does. */
export function quantity(amount: Nanos): number | string {
  if (amount % BILLION === 0n) return Number(amount / BILLION);
  const size = amount < 0n ? -amount : amount;
  const fraction = String(size % BILLION).padStart(9, "0").replace(/0+$/, "");
  return `${amount < 0n ? "-" : ""}${size / BILLION}.${fraction}`;
}

export const units = (count: number): Nanos => BigInt(count) * BILLION;

export const sum = (amounts: Iterable<Nanos>): Nanos => [...amounts].reduce((total, amount) => total + amount, 0n);

/** A line of `GET /v1/usage/events`. */
export interface RawEvent {
  readonly sequence: number;
  readonly commit: number;
  readonly metric: string;
  readonly amount: number | string;
  readonly timestamp: string;
  readonly recordedAt: string;
  readonly idempotencyKey?: string;
  readonly mode: string;
  readonly metadata?: any;
}

/** The lines of an answer in newline-delimited JSON. */
export async function lines(caller: Client, from: string): Promise<any[]> {
  const answer = await caller.get(from);
  assert.equal(answer.status, 200, answer.text);
  assert.equal(answer.headers.get("content-type"), "application/x-ndjson");
  assert.ok(answer.text === "" || answer.text.endsWith("\n"));
  return answer.text.split("\n").slice(0, -1).map((line) => JSON.parse(line));
}

/** Every raw event, which have to be numbered without a gap. */
export async function rawEvents(caller: Client): Promise<RawEvent[]> {
  const events: RawEvent[] = await lines(caller, "/v1/usage/events");
  assert.ok(events.every(({ sequence }, index) => sequence === index + 1), "events are numbered from 1, without a gap");
  return events;
}

/** The offline verifier, which shares no code with the Meter, says that the proof of all usage holds. Answers what it printed. */
export async function assertProven(server: Server, caller: Client): Promise<string> {
  const proof = await caller.get("/v1/usage/proof");
  assert.equal(proof.status, 200, proof.text);
  const file = path.join(server.state, `${randomUUID()}.ndjson`);
  writeFileSync(file, proof.text);
  const printed = await verified(file).catch((error) => assert.fail(`the proof does not hold:\n${error.stdout}${error.stderr}`));
  assert.match(printed, /^VERIFIED$/m);
  rmSync(file);
  return printed;
}

/** Every counter of the current period. */
export async function counters(caller: Client): Promise<Map<string, Nanos>> {
  const { metrics } = expect(await caller.get("/v1/usage"), 200);
  return new Map(Object.entries<any>(metrics).map(([metric, { current }]) => [metric, nanos(current)]));
}

/** The amounts of a metric's history, added up. */
export async function historySum(caller: Client, metric: string, range = ""): Promise<Nanos> {
  const { data } = expect(await caller.get(`/v1/usage/history?metric=${metric}${range}`), 200);
  return sum(data.map((entry: any) => nanos(entry.sum)));
}

/** An answer as it has to come again when its request does: the same bytes, but for saying so. */
export const again = (text: string): string => text.replace('"replayed":false', '"replayed":true');

/** Asserts that `second` answers a request that was sent again, and was answered with `first` before. */
export function assertReplay(first: Answer, second: Answer): void {
  assert.equal(second.status, first.status, second.text);
  assert.equal(second.text, again(first.text));
  assert.equal(second.headers.get("idempotent-replayed"), "true");
}

const THRESHOLDS = ["Usage.approaching", "Usage.warning", "Usage.exceeded"];

/** Each threshold is told once, and the mail at the limit comes once: a later fact has come and gone when this answers. */
export async function assertWarnedOnce(server: Server, { company, caller }: { company: Company; caller: Client }): Promise<void> {
  const warnings = async () => (await templates(server, company.email)).filter((each) => each === "quota-exceeded").length;
  await eventually("the mail at the limit", 15_000, async () => (await warnings()) > 0);
  expect(await caller.post("/v1/usage", { metric: "users", amount: 1 }), 200);
  await eventually("a later fact of the Meter", 15_000, async () => {
    const { itemListElement } = expect(await company.desk.get("/v1/onboarding"), 200);
    return itemListElement.some((item: any) => item.key === "addTeamMembers" && item.status === "completed");
  });
  assert.equal(await warnings(), 1);
  const counts = await eventCounts(server, company.id);
  assert.deepEqual(THRESHOLDS.map((name) => counts[name]), [1, 1, 1]);
}

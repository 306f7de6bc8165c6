// What the product says was counted, from each place that says it: the counters at the proof's end, the invoices, and the history.

import { spawn } from "node:child_process";
import { createReadStream, createWriteStream, mkdtempSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { createInterface } from "node:readline";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { Failure, environment, fromRoot } from "../lib.mjs";
import { METRICS } from "./metrics.mjs";
import { monthOf } from "./plan.mjs";

const DAY_MS = 86_400_000;
/** A history has up to 1,000 days. */
const HISTORY_DAYS = 1_000;
const EXPORT_LIMIT_MS = 300_000;

/** Answers `{ sources: { counters, invoices, history }, verdict }`, each source a `Map("metric start" -> count)`. */
export async function booksOf(tenant, platformKey, signedUpMs, untilMs) {
  const folder = mkdtempSync(path.join(os.tmpdir(), "tenantry-proof-"));
  try {
    const file = path.join(folder, "proof.ndjson");
    await download(tenant, platformKey, file);
    const [counters, verdict] = [await countersIn(file), await verified(file)];
    const invoices = billed(await tenant.api.all("/v1/invoices"));
    return { sources: { counters, invoices, history: await history(tenant.api, signedUpMs, untilMs) }, verdict };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function download({ id, url }, platformKey, file) {
  const response = await fetch(`${url}/v1/usage/proof`, {
    headers: { Authorization: `Bearer ${platformKey}`, "Tenantry-Organization": id },
    signal: AbortSignal.timeout(EXPORT_LIMIT_MS),
  });
  if (response.status !== 200) throw new Failure(`The proof was answered with ${response.status}: ${await response.text()}`);
  await pipeline(Readable.fromWeb(response.body), createWriteStream(file));
}

async function countersIn(file) {
  let last = "";
  for await (const line of createInterface({ input: createReadStream(file) })) last = line;
  const { $type, counters } = JSON.parse(last);
  if ($type !== "UsageProofEnd") throw new Failure("The proof was cut off.");
  return summed(counters.map(({ metric, start, used }) => [metric, start, used]));
}

/** What our verifier says of a proof: `{ holds, text }`. */
async function verified(file) {
  const child = spawn("cargo", ["run", "--quiet", "-p", "verify", "--", file], { cwd: fromRoot(), env: environment(), stdio: ["ignore", "pipe", "pipe"] });
  let text = "";
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", (chunk) => (text += chunk));
  const code = await new Promise((resolve, reject) => child.once("error", reject).once("close", resolve));
  return { holds: code === 0 && text.includes("VERIFIED"), text };
}

/** All that was invoiced of a period: with it, and what came late. */
function billed(invoices) {
  const entries = invoices.flatMap(({ usage }) => usage);
  return summed(entries.map(({ metric, billingPeriod, counted }) => [metric, Date.parse(billingPeriod.startDate), counted]));
}

/** Months of the history, put together from its days as each metric's aggregation says. */
async function history(api, signedUpMs, untilMs) {
  const months = new Map();
  for (const { key, aggregation } of METRICS) {
    for (let fromMs = signedUpMs; fromMs < untilMs; fromMs += HISTORY_DAYS * DAY_MS) {
      const query = new URLSearchParams({ metric: key, granularity: "day", from: iso(fromMs), to: iso(Math.min(fromMs + HISTORY_DAYS * DAY_MS, untilMs)) });
      for (const day of (await api.get(`/v1/usage/history?${query}`)).data) {
        const at = `${key} ${Math.max(monthOf(Date.parse(day.start)), signedUpMs)}`;
        months.set(at, joined(aggregation, months.get(at), day));
      }
    }
  }
  return months;
}

const iso = (ms) => new Date(ms).toISOString();

function joined(aggregation, before, { count, sum, max, last, uniques }) {
  if (aggregation === "max") return Math.max(before ?? 0, Number(max));
  if (aggregation === "latest") return Number(last);
  const more = { count, sum, unique: uniques }[aggregation];
  return (before ?? 0) + Number(more);
}

function summed(rows) {
  const sums = new Map();
  for (const [metric, startMs, amount] of rows) {
    const key = `${metric} ${startMs}`;
    sums.set(key, (sums.get(key) ?? 0) + Number(amount));
  }
  return sums;
}

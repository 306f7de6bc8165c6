// What one line of the file is sent as: an event of each metric, so that every aggregation sees every line.

import { Failure } from "../lib.mjs";

/** Where an event's amount comes from: the metrics that count have none. */
const files = ({ files }) => files;

/** `type`: what a CloudEvents client calls it. A type may be the metric's key, or be mapped to it. */
export const METRICS = [
  { key: "apiCalls", aggregation: "sum", type: "apiCalls" },
  { key: "commits", aggregation: "count", type: "example.repository.pushed" },
  { key: "files", aggregation: "sum", type: "files", amount: files },
  { key: "authors", aggregation: "unique", type: "example.author.seen", uniqueProperty: "author" },
  { key: "filesMax", aggregation: "max", type: "example.files.max", amount: files },
  { key: "filesLatest", aggregation: "latest", type: "filesLatest", amount: files },
];

/** The events of one line, each with an id of its own. */
export function eventsOf(line) {
  return METRICS.map(({ key, type, amount }) => ({
    ...line,
    metric: key,
    type,
    key: `${line.id}/${key}`,
    amount: amount?.(line) ?? 1,
  }));
}

/** Defines the metrics that are not there yet; one of that name that counts otherwise is in the way. */
export async function defineMetrics(vendor) {
  const known = new Map((await vendor.all("/v1/metrics")).map((metric) => [metric.key, metric]));
  for (const { key, aggregation, uniqueProperty = null, type } of METRICS) {
    const wanted = { aggregation, kind: "consumable", uniqueProperty, eventType: type === key ? null : type };
    const there = known.get(key);
    if (!there) await vendor.post("/v1/metrics", Object.fromEntries(Object.entries({ key, ...wanted }).filter(([, value]) => value !== null)));
    else if (Object.entries(wanted).some(([member, value]) => (there[member] ?? null) !== value)) {
      throw new Failure(`The server has a metric ${key} that counts otherwise: use another server.`);
    }
  }
}

// What is in the shards' files: read for facts that no endpoint shows, also while workerd has them open; changed only while it is stopped.

import { readdirSync } from "node:fs";
import path from "node:path";
import type { Server } from "./server.ts";

/** The events of one organization by name: how often each became true. */
export async function eventCounts(server: Server, organization: string): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  await inEachShard(server.state, true, (shard) => {
    const rows = shard.prepare("SELECT type, count(*) AS number FROM events WHERE organization_id = ? GROUP BY type").all(organization);
    for (const row of rows) counts[String(row.type)] = Number(row.number);
  });
  return counts;
}

/** The hourly buckets of one organization. */
export async function buckets(server: Server, organization: string): Promise<{ metric: string; sum: string }[]> {
  const found: { metric: string; sum: string }[] = [];
  await inEachShard(server.state, true, (shard) => found.push(...shard.prepare("SELECT metric, sum FROM usage_buckets WHERE organization_id = ?").all(organization)));
  return found;
}

/** How many invoices there are, and how many of them have their number. */
export async function invoiceCounts(server: Server): Promise<{ all: number; numbered: number }> {
  const counts = { all: 0, numbered: 0 };
  await inEachShard(server.state, true, (shard) => {
    const row = shard.prepare("SELECT count(*) AS every, count(number) AS numbered FROM invoices").get();
    counts.all += Number(row.every);
    counts.numbered += Number(row.numbered);
  });
  return counts;
}

/** Runs statements on every shard, as no request could. The server must be stopped. */
export async function tamper(state: string, statements: string): Promise<void> {
  await inEachShard(state, false, (shard) => shard.exec(statements));
}

async function inEachShard(state: string, readOnly: boolean, work: (shard: any) => void): Promise<void> {
  const DatabaseSync = await sqlite();
  const folder = path.join(state, "v3/d1");
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".sqlite"));
  for (const file of files) {
    const database = new DatabaseSync(path.join(folder, file), { readOnly });
    try {
      const isShard = database.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'reaction_runs'").get() !== undefined;
      if (isShard) work(database);
    } finally {
      database.close();
    }
  }
}

/** Node 22 warns that its SQLite is new; we know. */
async function sqlite() {
  const listeners = process.listeners("warning");
  process.removeAllListeners("warning");
  const { DatabaseSync } = await import("node:sqlite");
  await new Promise((resolve) => setImmediate(resolve));
  for (const listener of listeners) process.on("warning", listener);
  return DatabaseSync;
}

// What is in the shards' files, for facts that no endpoint shows. Read only, also while workerd has them open.

import { readdirSync } from "node:fs";
import path from "node:path";
import type { Server } from "./server.ts";

/** The events of one organization by name: how often each became true. */
export async function eventCounts(server: Server, organization: string): Promise<Record<string, number>> {
  const DatabaseSync = await sqlite();
  const folder = path.join(server.state, "v3/d1");
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".sqlite"));
  const counts: Record<string, number> = {};
  for (const file of files) {
    const database = new DatabaseSync(path.join(folder, file), { readOnly: true });
    try {
      const isShard = database.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'reaction_runs'").get() !== undefined;
      if (!isShard) continue;
      const rows = database.prepare("SELECT type, count(*) AS number FROM events WHERE organization_id = ? GROUP BY type").all(organization);
      for (const row of rows) counts[String(row.type)] = Number(row.number);
    } finally {
      database.close();
    }
  }
  return counts;
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

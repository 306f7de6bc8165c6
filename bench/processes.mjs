// What a process has used, as Linux tells it.

import { readFileSync } from "node:fs";

const TICKS_A_SECOND = 100;

/** Seconds of a core in its own code and in the kernel's, and the bytes of memory that it occupies now. */
export function processUsage(pid) {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ").at(-1).split(" ");
  const rss = Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? 0) * 1024;
  return { user: Number(fields[11]) / TICKS_A_SECOND, system: Number(fields[12]) / TICKS_A_SECOND, rss };
}

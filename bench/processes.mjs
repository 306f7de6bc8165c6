// What a process has used.

import { readFileSync } from "node:fs";
import { output } from "../scripts/lib.mjs";

const TICKS_A_SECOND = 100;

/** Seconds of a core in its own code and in the kernel's, and the bytes of memory that it occupies now. */
export const processUsage = (pid) => (process.platform === "linux" ? usageOnLinux(pid) : usageElsewhere(pid));

function usageOnLinux(pid) {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ").at(-1).split(" ");
  const rss = Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? 0) * 1024;
  return { user: Number(fields[11]) / TICKS_A_SECOND, system: Number(fields[12]) / TICKS_A_SECOND, rss };
}

/** `ps` tells both times as one. On Linux it would tell whole seconds only. */
function usageElsewhere(pid) {
  const [kilobytes, time] = output("ps", ["-o", "rss=,time=", "-p", String(pid)]).trim().split(/\s+/);
  const seconds = time.split(":").reduce((sum, part) => sum * 60 + Number(part), 0);
  return { user: seconds, system: 0, rss: Number(kilobytes) * 1024 };
}

// `npm run rotate-keys -- <url>`: after a new secret was put in front of TENANTRY_MASTER_KEYS, wraps every sealing key under it. May be
// stopped and run again. The platform key comes from TENANTRY_PLATFORM_KEY, so that no other process sees it.

import { Failure, main, readArguments } from "./lib.mjs";

const REQUEST_LIMIT_MS = 60_000;
const USAGE = `TENANTRY_PLATFORM_KEY=tk_platform_... npm run rotate-keys -- https://your-worker.example

Wraps every sealing key under the newest of TENANTRY_MASTER_KEYS. May be stopped and run again.`;

async function step(url, key) {
  const response = await fetch(`${url}/v1/sealing-keys/rotations`, {
    method: "POST",
    headers: { Authorization: `Bearer ${key}` },
    signal: AbortSignal.timeout(REQUEST_LIMIT_MS),
  });
  const text = await response.text();
  if (response.status !== 200) throw new Failure(`${url} answered ${response.status}: ${text}`);
  return JSON.parse(text);
}

await main(import.meta.url, async () => {
  const [url] = readArguments(USAGE, {}, [1, 1]).positionals;
  const key = process.env.TENANTRY_PLATFORM_KEY;
  if (!key) throw new Failure(`TENANTRY_PLATFORM_KEY is not set.\n\n${USAGE}`);
  let rewrapped = 0;
  for (;;) {
    const progress = await step(url.replace(/\/$/, ""), key);
    rewrapped += progress.rewrapped;
    if (!progress.hasMore) break;
    console.log(`  ${rewrapped} keys so far`);
  }
  console.log(`✔ ${rewrapped} keys are wrapped under the newest secret. The older ones may be removed from TENANTRY_MASTER_KEYS.`);
});

// `npm run audit-billing -- <url> [hours]`: goes through all subscriptions and finds every period that is over by more than so many hours (2 when
// absent) without an invoice or a dead letter. The platform key comes from TENANTRY_PLATFORM_KEY, so that no other process sees it.

import { Failure, main, readArguments } from "./lib.mjs";

const REQUEST_LIMIT_MS = 60_000;
const USAGE = `TENANTRY_PLATFORM_KEY=tk_platform_... npm run audit-billing -- https://your-worker.example [hours]

Finds every period that is over by more than so many hours (2) without an invoice or a dead letter.`;

await main(import.meta.url, async () => {
  const [url, hours] = readArguments(USAGE, {}, [1, 2]).positionals;
  const key = process.env.TENANTRY_PLATFORM_KEY;
  if (!key) throw new Failure(`TENANTRY_PLATFORM_KEY is not set.\n\n${USAGE}`);
  const { subscriptions, findings } = await auditBilling(url.replace(/\/$/, ""), key, hours);
  for (const { organization, subscription, kind, since } of findings) {
    const finding = kind === "overdue" ? `due since ${since}, neither billed nor a dead letter` : `the period from ${since} has no invoice`;
    console.error(`✘ ${subscription} of ${organization}: ${finding}`);
  }
  if (findings.length > 0) throw new Failure(`${findings.length} findings at ${subscriptions} subscriptions. The hourly run bills due subscriptions; a finding after it is a bug.`);
  console.log(`✔ ${subscriptions} subscriptions: every period that is over has its invoice or is a dead letter.`);
});

/** Goes through all subscriptions: `{ subscriptions, findings }`. */
export async function auditBilling(url, key, hours = "2") {
  const found = { subscriptions: 0, findings: [] };
  for (let cursor = ""; ; ) {
    const target = `/v1/billing/audit?graceHours=${encodeURIComponent(hours)}${cursor}`;
    const response = await fetch(`${url}${target}`, { headers: { Authorization: `Bearer ${key}` }, signal: AbortSignal.timeout(REQUEST_LIMIT_MS) });
    const text = await response.text();
    if (response.status !== 200) throw new Failure(`${url}${target} answered ${response.status}: ${text}`);
    const page = JSON.parse(text);
    found.subscriptions += page.subscriptions;
    found.findings.push(...page.findings);
    if (page.nextCursor === null) return found;
    cursor = `&cursor=${encodeURIComponent(page.nextCursor)}`;
  }
}

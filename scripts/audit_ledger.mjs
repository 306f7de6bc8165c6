// `npm run audit-ledger -- <url>`: computes every balance of every organization again from its postings, and holds them against what is kept
// and against the invoices. The platform key comes from TENANTRY_PLATFORM_KEY, so that no other process sees it.

import { Failure, main, readArguments } from "./lib.mjs";

const REQUEST_LIMIT_MS = 60_000;
const USAGE = `TENANTRY_PLATFORM_KEY=tk_platform_... npm run audit-ledger -- https://your-worker.example

Computes every balance of every organization again, and holds it against what is kept and against the invoices.`;
const PAGE = 100;

await main(import.meta.url, async () => {
  const [url] = readArguments(USAGE, {}, [1, 1]).positionals;
  const key = process.env.TENANTRY_PLATFORM_KEY;
  if (!key) throw new Failure(`TENANTRY_PLATFORM_KEY is not set.\n\n${USAGE}`);
  const { organizations, entries, differing } = await auditLedger(url.replace(/\/$/, ""), key);
  for (const { organization, differences } of differing) {
    for (const difference of differences) console.error(`✘ ${organization}: ${difference}`);
  }
  if (differing.length > 0) {
    throw new Failure(`${differing.length} of ${organizations} ledgers are wrong. Entries never change by themselves: compare with a backup, and look for who wrote to the database.`);
  }
  console.log(`✔ ${organizations} organizations, ${entries} entries: every entry sums to zero, and every balance is what its postings come to.`);
});

/** Goes through all organizations: `{ organizations, entries, differing }`. */
export async function auditLedger(url, key) {
  const get = async (target, headers = {}) => {
    const response = await fetch(`${url}${target}`, { headers: { Authorization: `Bearer ${key}`, ...headers }, signal: AbortSignal.timeout(REQUEST_LIMIT_MS) });
    const text = await response.text();
    if (response.status !== 200) throw new Failure(`${url}${target} answered ${response.status}: ${text}`);
    return JSON.parse(text);
  };
  const found = { organizations: 0, entries: 0, differing: [] };
  for (let cursor = ""; ; ) {
    const page = await get(`/v1/organizations?limit=${PAGE}${cursor}`);
    for (const { $id } of page.data) {
      const audit = await get("/v1/ledger/audit", { "Tenantry-Organization": $id });
      found.organizations += 1;
      found.entries += audit.entries;
      const differences = wrongLedger(audit);
      if (differences.length > 0) found.differing.push({ organization: $id, differences });
    }
    if (!page.hasMore) return found;
    cursor = `&cursor=${page.nextCursor}`;
  }
}

/** Sentences about what is wrong in one organization's ledger; none when all is right. Says nothing that it does not compute itself. */
export function wrongLedger({ isConsistent, balances, claims, unbalancedEntries }) {
  const amount = ({ price, priceCurrency }) => `${price} ${priceCurrency}`;
  const differs = (one, other) => one.amountMinor !== other.amountMinor || one.priceCurrency !== other.priceCurrency;
  const wrong = unbalancedEntries.map((entry) => `${entry} does not sum to zero`);
  for (const { account, balance, recomputed } of balances) {
    if (differs(balance, recomputed)) wrong.push(`${account} is kept as ${amount(balance)}, its postings come to ${amount(recomputed)}`);
  }
  for (const { basis, account, claimed, recomputed } of claims) {
    if (differs(claimed, recomputed)) wrong.push(`${account} comes to ${amount(recomputed)}, the ${basis} to ${amount(claimed)}`);
  }
  for (const [currency, sum] of sums(balances.map(({ recomputed }) => recomputed))) {
    if (sum !== 0) wrong.push(`the accounts in ${currency} sum to ${sum} minor units`);
  }
  if (wrong.length === 0 && !isConsistent) wrong.push("it calls itself inconsistent and does not say why");
  return wrong;
}

function sums(amounts) {
  const sums = new Map();
  for (const { priceCurrency, amountMinor } of amounts) sums.set(priceCurrency, (sums.get(priceCurrency) ?? 0) + amountMinor);
  return sums;
}

// `npm run audit-seats -- <url>`: holds the members of every organization against what its Meter counts as `users`, which is what the plan's
// limit is enforced by. The platform key comes from TENANTRY_PLATFORM_KEY, so that no other process sees it.

import { Failure, main, readArguments } from "./lib.mjs";

const REQUEST_LIMIT_MS = 60_000;
const USAGE = `TENANTRY_PLATFORM_KEY=tk_platform_... npm run audit-seats -- https://your-worker.example

Holds the members of every organization against what its Meter counts.`;
const PAGE = 100;

await main(import.meta.url, async () => {
  const [url] = readArguments(USAGE, {}, [1, 1]).positionals;
  const key = process.env.TENANTRY_PLATFORM_KEY;
  if (!key) throw new Failure(`TENANTRY_PLATFORM_KEY is not set.\n\n${USAGE}`);
  const { organizations, members, differing } = await auditSeats(url.replace(/\/$/, ""), key);
  for (const { organization, taken, held, meter } of differing) {
    console.error(`✘ ${organization}: ${taken} members and ${held} invitations, the Meter counts ${meter.taken} and holds ${meter.held}`);
  }
  if (differing.length > 0) throw new Failure(`${differing.length} of ${organizations} organizations differ. The hourly run tells the Meters again; what differs then is a mistake of ours.`);
  console.log(`✔ ${organizations} organizations, ${members} members: the Meters count the same.`);
});

/** Goes through all organizations: `{ organizations, members, differing }`. */
export async function auditSeats(url, key) {
  const get = async (target, headers = {}) => {
    const response = await fetch(`${url}${target}`, { headers: { Authorization: `Bearer ${key}`, ...headers }, signal: AbortSignal.timeout(REQUEST_LIMIT_MS) });
    const text = await response.text();
    if (response.status !== 200) throw new Failure(`${url}${target} answered ${response.status}: ${text}`);
    return JSON.parse(text);
  };
  const found = { organizations: 0, members: 0, differing: [] };
  for (let cursor = ""; ; ) {
    const page = await get(`/v1/organizations?limit=${PAGE}${cursor}`);
    for (const { $id } of page.data) {
      const { taken, held, meter, isConsistent } = await get("/v1/seats", { "Tenantry-Organization": $id });
      found.organizations += 1;
      found.members += taken;
      if (!isConsistent) found.differing.push({ organization: $id, taken, held, meter });
    }
    if (!page.hasMore) return found;
    cursor = `&cursor=${page.nextCursor}`;
  }
}

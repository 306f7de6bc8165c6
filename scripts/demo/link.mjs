// The address at which a reader sees what the demo left behind.

import { Failure } from "../lib.mjs";

const REQUEST_LIMIT_MS = 10_000;
/** In this order: only a server for development shows its mails. */
const PAGES = [
  { path: "/dev/inbox", title: "All mails of the year" },
  { path: "/docs", title: "The API, to look around in" },
];

/** A line with the first page that the server really shows. */
export async function workingLink({ url }) {
  for (const { path, title } of PAGES) {
    const response = await fetch(url + path, { signal: AbortSignal.timeout(REQUEST_LIMIT_MS) });
    await response.arrayBuffer();
    if (response.ok) return `${title}: ${url}${path}`;
  }
  throw new Failure(`${url} shows neither of ${PAGES.map(({ path }) => path).join(" and ")}: is it a Tenantry server?`);
}

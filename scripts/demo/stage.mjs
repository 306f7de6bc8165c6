// Whether the demo may play on a server that somebody else has started.

import { vendorOf } from "../client.mjs";
import { Failure } from "../lib.mjs";
import { confirmed } from "../terminal.mjs";
import { CAST } from "./cast.mjs";

/** As many as one page of a list has: a server with more is nobody's playground. */
const ORGANIZATIONS_MAX = 100;
const NAMED_MAX = 3;

/** Asks before the demo adds its companies to data that is not its own; `yes` answers beforehand. */
export async function askBeforeFilling(server, { yes = false }) {
  const { data, hasMore } = await vendorOf(server).get(`/v1/organizations?limit=${ORGANIZATIONS_MAX}`);
  const found = foreign(data, server.organization);
  if (yes || (found.length === 0 && !hasMore)) return;
  const theirs = named(found, hasMore);
  const sentence = `${server.url} has ${theirs} already, and the demo adds ${CAST.length} companies with a year of invoices.`;
  if (!process.stdin.isTTY) {
    const remedy = "Play there nevertheless with `npm run demo -- --yes`, or stop that server: the demo then starts one of its own.";
    throw new Failure(`${sentence}\n${remedy}`);
  }
  if (!(await confirmed(`${sentence}\nPlay there nevertheless?`))) throw new Failure("Nothing was played.");
}

/** Neither of an earlier demo nor the organization that `npm run dev` makes. */
export function foreign(organizations, seeded) {
  const cast = new Set(CAST.map(({ name }) => name));
  return organizations.filter(({ $id, name, email }) => $id !== seeded && !(cast.has(name) && email.startsWith("office+")));
}

function named(found, hasMore) {
  const names = found.slice(0, NAMED_MAX).map(({ name }) => name).join(", ");
  const more = hasMore || found.length > NAMED_MAX ? " and others" : "";
  if (found.length === 1 && !hasMore) return `an organization of yours (${names})`;
  return `organizations of yours (${names || "more than a page"}${more})`;
}

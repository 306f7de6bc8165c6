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
  const sentence = `${server.url} has ${named(found, hasMore)} already, and the demo adds ${CAST.length} companies with a year of invoices.`;
  if (!process.stdin.isTTY) {
    throw new Failure(`${sentence}\nPlay there nevertheless with \`npm run demo -- --yes\`, or stop that server: the demo then starts one of its own.`);
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
  return found.length === 1 && !hasMore ? `an organization of yours (${names})` : `organizations of yours (${names || "more than a page"}${more})`;
}

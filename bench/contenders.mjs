// Who is compared: our Worker and the baselines, each on a workerd of its own, started when first needed.

import { createHmac, randomBytes } from "node:crypto";
import { Failure } from "../scripts/lib.mjs";
import { progress } from "./report.mjs";
import { startWorkerd } from "./workerd.mjs";

const KEY = "tk_org_bench";
const SECRET = randomBytes(32).toString("hex");
const DAY_MS = 86_400_000;
const NEVER_REACHED = 1_000_000_000_000;

const BASELINES = {
  hop: { title: "nothing but the hop", classes: { HOP: "Hop" } },
  echo: { title: "the hop with texts", classes: { ECHO: "Echo" } },
  naive: { title: "plain JavaScript", classes: { NAIVE: "Naive" } },
  group_commit: { title: "JavaScript, group commit", classes: { GROUP_COMMIT: "GroupCommit" } },
};

/** Servers by name and by what is kept apart from the rest, each started once; `stop` ends them all. */
export class Contenders {
  #running = new Map();

  async get(name, apart = "") {
    const place = `${name} ${apart}`;
    if (!this.#running.has(place)) this.#running.set(place, name === "ours" ? startOurs() : name === "trusted" ? startOurs({ title: "ours, trusting whoever calls", entry: "bench/trusted.mjs" }) : startBaseline(name));
    return this.#running.get(place);
  }

  async stop() {
    const servers = await Promise.allSettled(this.#running.values());
    const running = servers.flatMap(({ value }) => value ?? []);
    for (const server of running) tellLog(server);
    await Promise.all(running.map((server) => server.stop()));
  }
}

/** What workerd prints is errors: they cost time, and whoever reads the rates should know. */
export function tellLog({ title, log }) {
  const lines = log().split("\n").filter((line) => line !== "");
  if (lines.length > 0) progress(`${title} printed ${lines.length} lines, the last: ${lines.at(-1).slice(0, 300)}`);
}

async function startBaseline(name) {
  const { title, classes } = BASELINES[name];
  const server = await startWorkerd({ name, entry: `bench/baselines/${name}.mjs`, classes });
  return { ...server, title, tokens: [KEY], isEmpty: name === "hop" || name === "echo" };
}

/** Our Worker with one organization that is set up: its token opens the hot path. */
export async function startOurs({ inspect = false, title = "ours", entry = "bench/door.mjs" } = {}) {
  const server = await startWorkerd({
    name: "ours",
    entry,
    classes: { METER: "Meter", INVOICE_NUMBERS: "InvoiceNumbers" },
    vars: { TENANTRY_SECRET: SECRET, TENANT_SHARDS: "1", APP_URL: "http://127.0.0.1", API_URL: "http://127.0.0.1" },
    inspect,
  });
  try {
    return { ...server, title, tokens: [await setUpOrganization(server.port)] };
  } catch (error) {
    const log = server.log();
    await server.stop();
    throw log ? new Failure(`${error.message}\n${log.slice(-2_000)}`) : error;
  }
}

/** A new organization with a plan and a key, that has used its metric once. Answers the key's secret text. */
export async function setUpOrganization(port, limit = NEVER_REACHED) {
  const organization = newLetters();
  const key = newLetters();
  const token = mint(key, organization);
  const name = `org_${organization.letters}`;
  const putKey = { call: "putKey", key: `key_${key.letters}`, scopes: ["usage.write", "usage.read"], expiresAt: null };
  await tell(port, name, [{ call: "configure", entitlements: entitlements(limit) }, putKey]);
  await useOnce(port, token);
  return token;
}

async function tell(port, organization, calls) {
  const response = await fetch(`http://127.0.0.1:${port}/bench/calls`, { method: "PUT", body: JSON.stringify({ organization, calls }) });
  const text = await response.text();
  const refused = response.ok && JSON.parse(text).find((reply) => reply.refused);
  if (!response.ok || refused) throw new Failure(`The Meter refused its set-up: ${response.status} ${text}`);
}

async function useOnce(port, token) {
  const response = await fetch(`http://127.0.0.1:${port}/v1/usage/consumption`, {
    method: "POST",
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    body: '{"metric":"apiCalls","amount":1,"idempotencyKey":"first"}',
  });
  const text = await response.text();
  if (response.status !== 200) throw new Failure(`The first use was refused: ${response.status} ${text}`);
}

/** How much the organization has used, as it is told. */
export async function usedBy(port, token) {
  const response = await fetch(`http://127.0.0.1:${port}/v1/quotas/apiCalls`, { headers: { authorization: `Bearer ${token}` } });
  return (await response.json()).current;
}

/** A plan with a hard limit: usually one that is checked and never reached, so that no threshold is crossed. */
function entitlements(limit) {
  const today = Math.floor(Date.now() / DAY_MS) * DAY_MS;
  const time = (days) => new Date(today + days * DAY_MS).toISOString();
  return {
    version: 1,
    plan: "bench",
    planVersion: 1,
    subscriptionStartedAt: time(-40),
    boundaries: Array.from({ length: 16 }, (_, index) => time(-40 + index * 30)),
    metrics: { apiCalls: { kind: "consumable", limit } },
    clock: null,
  };
}

const ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz";

/** As `encode_base32` in src/kernel/ids.rs. */
export function letters(bytes) {
  let number = BigInt(`0x${bytes.toString("hex")}`);
  let text = "";
  for (let place = 0; place < 26; place += 1) {
    text = ALPHABET[Number(number & 31n)] + text;
    number >>= 5n;
  }
  return text;
}

function newLetters() {
  const bytes = randomBytes(16);
  return { bytes, letters: letters(bytes) };
}

/** As `OrganizationToken::mint` in src/identity/api_keys/token.rs. */
function mint(key, organization) {
  const mac = createHmac("sha256", SECRET).update("tk_org").update(key.bytes).update(organization.bytes).digest();
  return `tk_org_${key.letters}${organization.letters}${letters(mac.subarray(0, 16))}`;
}

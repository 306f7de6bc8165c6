// The billing run: ten thousand organizations with a period that is over, from the hourly cron to the last number, on a real workerd with
// its databases, objects and queues on disk.

import { createHmac, randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { spawnSync } from "node:child_process";
import { auditBilling } from "../scripts/audit_billing.mjs";
import { Failure, NODE_22, eventually, fromRoot, readJson } from "../scripts/lib.mjs";
import { startServer } from "../scripts/server.mjs";
import { bytes, count, finding, printTable, progress } from "./report.mjs";
import { letters } from "./contenders.mjs";
import { processUsage } from "./processes.mjs";

const BATCHES_MAX = 6;
/** Set up in one request, and requests at once. */
const CHUNK = 50;
const AT_ONCE = 4;
const USES_EACH = 3;
const STEPS = 10;
const POLL_MS = 250;
const QUIET_MS = 4_000;
const RUN_WAIT_MS = 9 * 60_000;
const DAY_MS = 86_400_000;
/** Memory of the second half of the run against that of the first one. */
const GROWTH_MAX = 1.2;

export async function measureBillingRun({ options }) {
  const state = mkdtempSync(path.join(os.tmpdir(), "tenantry-bench-billing-"));
  try {
    const organizations = Array.from({ length: options.organizations }, () => ({ key: newId(), organization: newId(), subscription: newId() }));
    const period = overPeriod();
    const shardOf = await placeSome(state);
    const named = organizations.map(({ organization, subscription }) => ({ id: `org_${organization.letters}`, subscription: `sub_${subscription.letters}` }));
    progress(`billing: writing ${count(named.length)} organizations`);
    rows("write", state, { organizations: named, ...period, shardOf });
    await useSome(state, organizations, period);
    const run = await bill(state, named.length);
    return report(run, rows("read", state), named.length, Object.keys(shardOf).length);
  } finally {
    rmSync(state, { recursive: true, force: true });
  }
}

/** The last month that began on the day of the month that it is now, or on the 28th. */
function overPeriod() {
  const now = new Date();
  const day = Math.min(now.getUTCDate(), 28);
  return { startsAt: Date.UTC(now.getUTCFullYear(), now.getUTCMonth() - 1, day), endsAt: Date.UTC(now.getUTCFullYear(), now.getUTCMonth(), day) };
}

const door = (state) => startServer({ kind: "release", state, entry: "bench/billing_door.mjs" });

/** A few organizations by the ordinary way, so that it is known which file is which shard. They are on trial and not due. */
async function placeSome(state) {
  const server = await door(state);
  try {
    for (let number = 0; number < 8; number += 1) {
      const headers = { authorization: `Bearer ${server.platformKey}`, "content-type": "application/json" };
      const body = JSON.stringify({ name: `First ${number}`, email: `first${number}@first.example` });
      const response = await fetch(`${server.url}/v1/organizations`, { method: "POST", headers, body });
      if (response.status !== 201) throw new Failure(`An organization was refused: ${await response.text()}`);
    }
  } finally {
    await server.stop();
  }
  return rows("placed", state);
}

function rows(what, state, input = {}) {
  const args = ["--disable-warning=ExperimentalWarning", fromRoot("bench/billing_rows.mjs"), what, state];
  const result = spawnSync(NODE_22, args, { encoding: "utf8", input: JSON.stringify(input) });
  if (result.status !== 0) throw new Failure(`The rows could not be handled: ${result.stderr}`);
  return JSON.parse(result.stdout);
}

/** Opens their Meters and lets each use something in the period that is over, every tenth one past what its plan includes. */
async function useSome(state, organizations, period) {
  const server = await door(state);
  try {
    const secret = readJson(path.join(state, "secrets.json")).secret;
    const entries = organizations.map((each, index) => entry(each, index, period, secret));
    const chunks = Array.from({ length: Math.ceil(entries.length / CHUNK) }, (_, index) => entries.slice(index * CHUNK, (index + 1) * CHUNK));
    let done = 0;
    const next = async () => {
      for (let chunk = chunks.pop(); chunk; chunk = chunks.pop()) {
        const response = await fetch(`${server.url}/bench/organizations`, { method: "PUT", body: JSON.stringify(chunk) });
        if (!response.ok) throw new Failure(`Setting up failed: ${await response.text()}`);
        done += chunk.length;
        if (done % 2_000 === 0) progress(`billing: ${count(done)} have used something`);
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, next));
  } finally {
    await server.stop();
  }
}

function entry({ key, organization }, index, { startsAt, endsAt }, secret) {
  const time = (at) => new Date(at).toISOString();
  const month = (number) => time(new Date(startsAt).setUTCMonth(new Date(startsAt).getUTCMonth() + number));
  const entitlements = {
    version: 1,
    plan: "professional",
    planVersion: 1,
    subscriptionStartedAt: time(startsAt),
    boundaries: Array.from({ length: 15 }, (_, number) => month(number)),
    metrics: { apiCalls: { kind: "consumable", limit: 100_000 } },
    clock: null,
  };
  const amount = index % 10 === 0 ? 40_000 : 1_000;
  return {
    organization: `org_${organization.letters}`,
    calls: [
      { call: "configure", entitlements },
      { call: "putKey", key: `key_${key.letters}`, scopes: ["usage.write", "usage.read"], expiresAt: null },
    ],
    token: mint(key, organization, secret),
    usage: Array.from({ length: USES_EACH }, (_, number) => ({ metric: "apiCalls", amount, idempotencyKey: `use ${number}`, timestamp: time(endsAt - (number + 1) * 3_600_000) })),
  };
}

/** Begins the run on a server whose memory nobody has used, and watches it until nothing happens any more. */
async function bill(state, invoices) {
  const server = await door(state);
  try {
    const begin = usage(server);
    const started = Date.now();
    await server.cron("0 * * * *");
    const marks = [];
    let [counts, calmSince, finishedAt] = [{}, Date.now(), undefined];
    const isDone = await eventually(RUN_WAIT_MS, async () => {
      const now = await (await fetch(`${server.url}/bench/counts`)).json();
      if (JSON.stringify(now) !== JSON.stringify(counts)) [counts, calmSince] = [now, Date.now()];
      const numbered = counts["tenantry-billing INVOICE_NUMBERS"] ?? 0;
      while (marks.length < STEPS && numbered >= ((marks.length + 1) * invoices) / STEPS) {
        marks.push({ numbered: Math.min(numbered, invoices), ms: Date.now() - started, ...since(begin, usage(server)) });
        progress(`billing: ${count(numbered)} invoices after ${(marks.at(-1).ms / 1000).toFixed(0)} s, ${bytes(marks.at(-1).rss)}`);
      }
      if (numbered >= invoices) finishedAt ??= { ms: Date.now() - started, ...since(begin, usage(server)) };
      // The local mailer enters each mail in the directory.
      const mailed = counts["tenantry-email DIRECTORY"] ?? 0;
      return numbered >= invoices && mailed >= invoices && Date.now() - calmSince > QUIET_MS;
    }, POLL_MS);
    if (!isDone) throw new Failure(`The run did not end: ${JSON.stringify(counts)}\n${server.log().slice(-2_000)}`);
    const audit = await auditBilling(server.url, server.platformKey, "0");
    const log = server.log().split("\n").filter((line) => line.includes("error"));
    if (log.length > 0) progress(`billing: the server printed ${log.length} errors, the last: ${log.at(-1).slice(0, 300)}`);
    return { counts, marks, finishedAt, all: { ms: calmSince - started, ...since(begin, usage(server)) }, audit };
  } finally {
    await server.stop();
  }
}

/** CPU seconds and memory of the workerds of a server, and of wrangler beside them. */
function usage(server) {
  const of = (is) => server.pids.filter(({ command }) => is(command)).map(({ pid }) => processUsage(pid));
  const sum = (processes, field) => processes.reduce((total, each) => total + each[field], 0);
  const [workerd, others] = [of((command) => command === "workerd"), of((command) => command !== "workerd")];
  return { user: sum(workerd, "user"), system: sum(workerd, "system"), rss: sum(workerd, "rss"), others: sum(others, "user") + sum(others, "system") };
}

const since = (begin, now) => ({ user: now.user - begin.user, system: now.system - begin.system, others: now.others - begin.others, rss: now.rss });

function report({ counts, marks, finishedAt, all, audit }, read, organizations, others) {
  if (audit.findings.length > 0 || audit.subscriptions !== organizations + others) throw new Failure(`The check found ${JSON.stringify(audit)}.`);
  if (read.invoices !== organizations || !read.isGapless || read.failures !== 0 || read.mails !== organizations) throw new Failure(`The run is not right: ${JSON.stringify({ read, counts })}`);
  const batches = (queue) => Object.entries(counts).filter(([name]) => name.startsWith(`${queue} `) && /DIRECTORY|TENANTS/.test(name)).reduce((sum, [, calls]) => sum + calls, 0);
  const each = (calls) => (calls / organizations).toFixed(2);
  printTable(
    `A billing run of ${count(organizations)} organizations, ${read.overage} of them with overage: one invoice each, numbered 1 to ${count(organizations)}, each mailed`,
    ["invoices", "seconds", "invoices/s", "workerd user s", "system s", "memory"],
    marks.map((mark, index) => {
      const before = marks[index - 1] ?? { numbered: 0, ms: 0, user: 0, system: 0 };
      const rate = ((mark.numbered - before.numbered) * 1000) / (mark.ms - before.ms);
      return [count(mark.numbered), (mark.ms / 1000).toFixed(1), count(rate), (mark.user - before.user).toFixed(1), (mark.system - before.system).toFixed(1), bytes(mark.rss)];
    }),
  );
  const perInvoice = (seconds) => `${((seconds * 1000) / organizations).toFixed(2)} ms`;
  console.log(`\nAn invoice takes ${perInvoice(all.user)} of workerd's own time and ${perInvoice(all.system)} of the kernel's for it, mail included; wrangler beside it took ${all.others.toFixed(1)} s in all.`);
  console.log(`Batches of D1 an invoice: ${each(batches("tenantry-billing"))} for the bill and its pages, ${each(batches("tenantry-email"))} for its mail, ${each(batches("tenantry-events"))} for nudges, ${each(batches("cron"))} for crons.`);
  console.log(`Calls: ${each(counts["tenantry-billing METER"] ?? 0)} of Meters, ${each(counts["tenantry-billing INVOICE_NUMBERS"] ?? 0)} of the numbers. Mails were all sent after ${(all.ms / 1000).toFixed(1)} s.`);
  const half = Math.ceil(marks.length / 2);
  const most = (part) => Math.max(...part.map(({ rss }) => rss));
  const growth = most(marks.slice(half)) / most(marks.slice(0, half));
  const own = (batches("tenantry-billing") + batches("cron") + batches("tenantry-events")) / organizations;
  return [
    finding("billing: invoices/s", count((organizations * 1000) / finishedAt.ms)),
    finding("billing: D1 batches an invoice", own.toFixed(2), `≤ ${BATCHES_MAX}`, own <= BATCHES_MAX),
    finding("billing: memory of the second half", `${growth.toFixed(2)} ×`, `≤ ${GROWTH_MAX.toFixed(2)} ×`, growth <= GROWTH_MAX),
  ];
}

function newId() {
  // Sorted by time, as the Worker's own are.
  const id = randomBytes(16);
  id.writeUIntBE(Date.now(), 0, 6);
  id[6] = 0x70 | (id[6] & 0x0f);
  id[8] = 0x80 | (id[8] & 0x3f);
  return { bytes: id, letters: letters(id) };
}

/** As `OrganizationToken::mint` in src/identity/api_keys/token.rs. */
function mint(key, organization, secret) {
  const mac = createHmac("sha256", secret).update("tk_org").update(key.bytes).update(organization.bytes).digest();
  return `tk_org_${key.letters}${organization.letters}${letters(mac.subarray(0, 16))}`;
}

// Writes the organizations of the billing benchmark into the databases of a stopped server, and reads what became of them. Runs on Node 22,
// which has SQLite:  node billing_rows.mjs write|placed|read <state>, and what to write as JSON on its input

import { readFileSync, readdirSync } from "node:fs";
import path from "node:path";
import { DatabaseSync } from "node:sqlite";
import { readArguments } from "../scripts/lib.mjs";

const [what, state] = readArguments("node billing_rows.mjs write|placed|read <state>", {}, [2, 2]).positionals;
const work = { write, placed, read }[what];
console.log(JSON.stringify(work(JSON.parse(readFileSync(0, "utf8")))));

function databases() {
  const folder = path.join(state, "v3/d1");
  const files = readdirSync(folder, { recursive: true }).filter((name) => name.endsWith(".sqlite") && !name.endsWith("metadata.sqlite"));
  const open = files.sort().map((name) => new DatabaseSync(path.join(folder, name)));
  const has = (table) => (database) => database.prepare("SELECT 1 FROM sqlite_schema WHERE name = ?").get(table) !== undefined;
  return { directory: open.find(has("erasures")), shards: open.filter(has("reaction_runs")) };
}

/** Organizations with a subscription whose present period is over. Which file is which shard shows in what the server says of its first organization. */
function write({ organizations, startsAt, endsAt, shardOf }) {
  const { directory, shards } = databases();
  const place = directory.prepare("INSERT INTO organizations (id, shard, status, request, created_at) VALUES (?, ?, 'placed', '{}', ?)");
  const first = shardFiles(shards, shardOf);
  const enter = first.map((shard) => ({
    organization: shard.prepare("INSERT INTO organizations (organization_id, name, email, details, settings, status, created_at, onboarded_at) VALUES (?, ?, ?, '{}', ?, 'onboarded', ?, ?)"),
    subscription: shard.prepare(
      "INSERT INTO subscriptions (organization_id, id, plan, plan_version, billing_period, quantity, add_ons, currency, status, started_at, time_zone, anchored_at, period_index, period_starts_at, period_ends_at, earlier_periods, next_billing_at, advance, usage_billed, auto_renew, version) VALUES (?, ?, 'professional', 1, 'month', 1, '{}', 'USD', 'active', ?, 'UTC', ?, 0, ?, ?, '[]', ?, '[]', '{}', 1, 1)",
    ),
    phase: shard.prepare(
      "INSERT INTO subscription_phases (organization_id, subscription_id, starts_at, plan, plan_version, billing_period, quantity, add_ons) VALUES (?, ?, ?, 'professional', 1, 'month', 1, '{}')",
    ),
  }));
  const settings = JSON.stringify({ timezone: "UTC", dateFormat: "YYYY-MM-DD", currency: "USD", language: "en" });
  const all = [directory, ...first];
  for (const database of all) database.exec("BEGIN");
  organizations.forEach(({ id, subscription }, index) => {
    const shard = index % first.length;
    place.run(id, shard, startsAt);
    enter[shard].organization.run(id, `Company ${index}`, `admin@company${index}.example`, settings, startsAt, startsAt);
    enter[shard].subscription.run(id, subscription, startsAt, startsAt, startsAt, endsAt, endsAt);
    enter[shard].phase.run(id, subscription, startsAt);
  });
  for (const database of all) database.exec("COMMIT");
  return { shards: first.length };
}

/** The shards' files in the order of their numbers, told by organizations that the server has placed. */
function shardFiles(shards, shardOf) {
  const files = [];
  for (const [id, number] of Object.entries(shardOf)) {
    const holds = (shard) => shard.prepare("SELECT 1 FROM organizations WHERE organization_id = ?").get(id) !== undefined;
    files[number] ??= shards.find(holds);
  }
  return files;
}

/** Which shard each organization is on. */
function placed() {
  return Object.fromEntries(databases().directory.prepare("SELECT id, shard FROM organizations").all().map(({ id, shard }) => [id, shard]));
}

function read() {
  const { directory, shards } = databases();
  const rows = shards.flatMap((shard) => shard.prepare("SELECT number, status, total_minor, json_array_length(lines) AS lines FROM invoices").all());
  const numbers = rows.map(({ number }) => number).filter((number) => number !== null).sort((left, right) => left - right);
  return {
    invoices: rows.length,
    isGapless: numbers.length === rows.length && numbers.every((number, index) => number === index + 1),
    overage: rows.filter(({ lines }) => lines > 1).length,
    failures: shards.flatMap((shard) => shard.prepare("SELECT * FROM billing_failures").all()).length,
    mails: directory.prepare("SELECT count(*) AS count FROM local_mails WHERE template = 'invoice-payment-required'").get().count,
    unsent: shards.flatMap((shard) => shard.prepare("SELECT last_error FROM mails WHERE sent_at IS NULL").all()).length,
  };
}

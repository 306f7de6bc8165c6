// PostgreSQL doing the same: a row for the key and a conditional update of the counter, one statement, on disk when it answers.
//
// A cluster of its own in a temporary folder, with the settings that initdb writes. pgbench talks to it directly, through a socket file:
// no HTTP, no JSON, no key to verify stands in between, all of which ours does.

import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { Failure, atExit, delay, lastLines } from "../scripts/lib.mjs";
import { jobFor, measure } from "./cases.mjs";
import { count, finding, median, printTable, progress } from "./report.mjs";

const TOOLS = ["initdb", "pg_ctl", "pgbench", "psql"];
const VERSIONS = "/usr/lib/postgresql";
const CLIENTS = [32, 64];
const THREADS = 2;
const WARM_UP_SECONDS = 1;
const PAUSE_MS = 100;

const SCHEMA = `
  CREATE SEQUENCE request_keys;
  CREATE TABLE claims (key text PRIMARY KEY, metric text NOT NULL, amount bigint NOT NULL, created_at timestamptz NOT NULL DEFAULT now());
  CREATE TABLE counters (metric text PRIMARY KEY, used bigint NOT NULL, quota bigint NOT NULL);
  INSERT INTO counters VALUES ('apiCalls', 0, 1000000000000);`;
const CONSUME = `
  WITH claim AS (
    INSERT INTO claims (key, metric, amount) VALUES (lpad(nextval('request_keys')::text, 32, '0'), 'apiCalls', 1)
    ON CONFLICT DO NOTHING RETURNING amount
  )
  UPDATE counters SET used = used + claim.amount FROM claim
  WHERE metric = 'apiCalls' AND used + claim.amount <= quota RETURNING used;`;

export async function comparePostgres({ contenders, generator, options }) {
  const tools = findTools();
  const obstacle = !tools ? "PostgreSQL is not installed" : process.getuid?.() === 0 ? "PostgreSQL does not run as root" : undefined;
  if (obstacle) {
    console.log(`\n${obstacle}: it is left out.`);
    return [];
  }
  const ours = await contenders.get("ours");
  const cluster = startCluster(tools);
  try {
    return await compare({ ours, cluster, generator, options });
  } finally {
    cluster.stop();
  }
}

/** The folder that holds all that is needed: of the newest version installed as Debian does, or one of PATH. */
function findTools() {
  const versions = existsSync(VERSIONS) ? readdirSync(VERSIONS).sort((left, right) => Number(right) - Number(left)) : [];
  const folders = [...versions.map((version) => path.join(VERSIONS, version, "bin")), ...(process.env.PATH ?? "").split(path.delimiter)];
  return folders.find((folder) => TOOLS.every((tool) => existsSync(path.join(folder, tool))));
}

function startCluster(tools) {
  const folder = mkdtempSync(path.join(os.tmpdir(), "tenantry-bench-postgres-"));
  const data = path.join(folder, "data");
  const script = path.join(folder, "consume.sql");
  const log = path.join(folder, "log");
  const client = ["-h", folder, "-U", "bench"];
  const run = (tool, ...args) => {
    // pg_ctl leaves a server behind that would hold a pipe open: what it says goes to its log.
    const isControl = tool === "pg_ctl";
    const result = spawnSync(path.join(tools, tool), args, { cwd: folder, encoding: "utf8", stdio: isControl ? "ignore" : ["ignore", "pipe", "pipe"] });
    if (result.status === 0) return result.stdout;
    throw new Failure(`${tool} failed: ${result.error?.message ?? result.stderr ?? lastLines(readFileSync(log, "utf8"), 20)}`);
  };
  const end = () => {
    spawnSync(path.join(tools, "pg_ctl"), ["-D", data, "-m", "immediate", "-w", "stop"], { stdio: "ignore" });
    rmSync(folder, { recursive: true, force: true });
  };
  const callOff = atExit(end);
  try {
    progress("postgres: making a cluster");
    writeFileSync(script, CONSUME.replaceAll("\n", " ").trim());
    run("initdb", "-D", data, "-A", "trust", "-U", "bench", "-E", "UTF8", "--locale=C");
    run("pg_ctl", "-D", data, "-l", log, "-o", `-k ${folder} -c listen_addresses=''`, "-w", "start");
    run("psql", ...client, "-d", "postgres", "-v", "ON_ERROR_STOP=1", "-qc", SCHEMA);
  } catch (error) {
    end();
    callOff();
    throw error;
  }
  return {
    /** Transactions a second. */
    rate(clients, seconds) {
      const text = run("pgbench", ...client, "-n", "-M", "prepared", "-c", String(clients), "-j", String(THREADS), "-T", String(seconds), "-f", script, "postgres");
      return Number(/^tps = ([\d.]+)/m.exec(text)?.[1]);
    },
    stop() {
      end();
      callOff();
    },
  };
}

async function compare({ ours, cluster, generator, options }) {
  const job = jobFor(ours, { requests: { kind: "consumption", size: 1 }, connections: 64 });
  const seconds = Math.max(1, Math.round(options.seconds));
  await measure(generator, ours, { ...job, ms: WARM_UP_SECONDS * 1000 });
  cluster.rate(CLIENTS[0], WARM_UP_SECONDS);
  const rates = { ours: [], ...Object.fromEntries(CLIENTS.map((clients) => [clients, []])) };
  for (let round = 1; round <= options.rounds; round += 1) {
    rates.ours.push((await measure(generator, ours, { ...job, ms: seconds * 1000 })).rate);
    await delay(PAUSE_MS);
    for (const clients of CLIENTS) rates[clients].push(cluster.rate(clients, seconds));
    progress(`postgres: round ${round} of ${options.rounds}: ours ${count(rates.ours.at(-1))}, ${CLIENTS.map((clients) => `${clients} clients ${count(rates[clients].at(-1))}`).join(", ")}`);
  }
  const ratio = (clients) => median(rates.ours.map((rate, round) => rate / rates[clients][round]));
  printTable(
    `The same in PostgreSQL, medians of ${options.rounds} alternating rounds of ${seconds} s`,
    ["", "requests/s", "ours is"],
    [
      ["ours", count(median(rates.ours)), ""],
      ...CLIENTS.map((clients) => [`PostgreSQL, ${clients} clients`, count(median(rates[clients])), `${ratio(clients).toFixed(2)} ×`]),
    ],
  );
  return CLIENTS.map((clients) => finding(`postgres: ours / ${clients} clients`, `${ratio(clients).toFixed(2)} ×`));
}

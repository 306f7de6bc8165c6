// Starts the built Worker on a real local workerd (`wrangler dev`), for tests, the demo and benchmarks.
//
// Each server is a process group of its own, so that it can be killed whole and nothing else with it, and it keeps its
// state in a folder: a server that was killed and is started again on the same folder has to know everything it acknowledged.

import { spawn } from "node:child_process";
import { closeSync, existsSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import os from "node:os";
import path from "node:path";
import { build } from "./build.mjs";
import {
  Failure,
  WRANGLER_ENVIRONMENT,
  atExit,
  environment,
  eventually,
  fromRoot,
  lastLines,
  output,
  readJson,
  signalGroup,
  wranglerCommand,
} from "./lib.mjs";
import { seed } from "./seed.mjs";
import { ShownLog } from "./server_log.mjs";
import { setUp } from "./setup.mjs";
import { credentialsFile, prepareState, stateFolder } from "./state.mjs";

const READY_WAIT_MS = 60_000;
const STOP_WAIT_MS = 5_000;
const KILL_WAIT_MS = 5_000;
const REQUEST_LIMIT_MS = 60_000;
const LOG_PAUSE_MS = 250;

/**
 * Starts a server on 127.0.0.1 that serves a build that is there, and answers when it is healthy.
 *
 * - `kind`: which build, see `build.mjs`.
 * - `state`: the folder of its data. Left out, it is a temporary one that `stop` removes.
 * - `port`: left out, a free one.
 * - `quiet: false`: what wrangler and the Worker print is shown as well, once the server is healthy. It is always in `server.log`.
 * - `logLevel`: wrangler's. From `log` on, it holds each request and the Worker's `console.log`, which costs time under load.
 * - `vars`: more variables for the Worker.
 * - `entry`: the Worker's main file, relative to the root, if it is not the one that is deployed.
 */
export async function startServer({ kind = "quick", state, port, quiet = true, logLevel = "warn", vars = {}, entry } = {}) {
  const temporary = state === undefined;
  const folder = state ?? mkdtempSync(path.join(os.tmpdir(), "tenantry-"));
  const server = new Server({ kind, folder, temporary, quiet, logLevel, vars, entry, port: port ?? (await freePort()) });
  await server.start();
  return server;
}

class Server {
  #options;
  #child;
  #ended = false;
  #exit;
  #logTimer;
  #callOff;

  constructor(options) {
    this.#options = options;
    this.url = `http://127.0.0.1:${options.port}`;
    this.state = options.folder;
    rmSync(this.#logFile, { force: true });
  }

  /** Starts the processes; after `stop` or `kill9` once more, on the same port and the same state. */
  async start() {
    refuseStateInUse(this.state);
    const { platformKey, environmentFile } = await prepareState(this.state);
    this.platformKey = platformKey;
    const logged = this.log().length;
    await this.#spawn(environmentFile);
    this.#callOff?.();
    // A server is not in our process group: a test run that is interrupted would leave it behind.
    this.#callOff = atExit(() => this.#abandon());
    await eventually(READY_WAIT_MS, async () => this.#ended || (await isHealthy(this.url)));
    if (this.alive && (await isHealthy(this.url))) {
      if (!this.#options.quiet) this.#showLog();
      return;
    }
    const why = this.#ended ? "ended at once" : `was not healthy within ${READY_WAIT_MS / 1000} seconds (${await health(this.url)})`;
    const log = this.log().slice(logged);
    await this.stop();
    throw new Failure(`${lastLines(log, 40)}\n\nThe server at ${this.url} ${why}.`);
  }

  async #spawn(environmentFile) {
    const { kind, folder, logLevel, vars, entry, port } = this.#options;
    const [node, args] = wranglerCommand(
      ...["dev", ...(entry ? [entry] : []), "--ip", "127.0.0.1", "--port", String(port), "--inspector-port", String(await freePort())],
      ...["--persist-to", folder, "--env-file", environmentFile, "--show-interactive-dev-session=false"],
      ...["--log-level", process.env.TENANTRY_LOG ?? logLevel],
      ...Object.entries({ TENANTRY_ENVIRONMENT: "development", API_URL: this.url, ...vars }).flatMap(([name, value]) => ["--var", `${name}:${value}`]),
    );
    // A file rather than a pipe: a server must not wait for us, nor fall over when we are gone.
    const log = openSync(this.#logFile, "a");
    const scratch = emptyScratch(folder);
    this.#ended = false;
    this.#child = spawn(node, args, {
      cwd: fromRoot(),
      detached: true,
      stdio: ["ignore", log, log],
      env: environment({
        ...WRANGLER_ENVIRONMENT,
        // Recording a trace of each request is for the explorer page, and costs more than most requests.
        X_LOCAL_EXPLORER: "false",
        X_LOCAL_OBSERVABILITY: "false",
        // Servers side by side have the same name, and must not find each other.
        WRANGLER_REGISTRY_PATH: path.join(folder, "registry"),
        // A server that is killed leaves its scratch files behind: here they go with its state, or with its next start.
        TMPDIR: scratch,
        TENANTRY_PREBUILT: "1",
        // Which build `#rust` is stands in package.json; the others are wrangler's own conditions.
        WRANGLER_BUILD_CONDITIONS: ["workerd", "worker", "browser", ...(kind === "release" ? [] : [kind])].join(","),
      }),
    });
    closeSync(log);
    this.#exit = new Promise((resolve) => this.#child.once("exit", resolve).once("error", resolve)).then(() => (this.#ended = true));
    writeFileSync(pidFile(folder), String(this.#child.pid));
  }

  get #logFile() {
    return path.join(this.state, "server.log");
  }

  /** What wrangler and the Worker have printed so far. */
  log() {
    return existsSync(this.#logFile) ? readFileSync(this.#logFile, "utf8") : "";
  }

  /** Copies what is printed from now on to our own output, until our process ends. */
  #showLog() {
    const shown = new ShownLog({ from: this.log().length });
    this.#logTimer = setInterval(() => process.stdout.write(shown.next(this.log())), LOG_PAUSE_MS).unref();
  }

  /** The processes of this server that are alive: `[{ pid, command }]`, wrangler first, the workerds among them. */
  get pids() {
    return groupMembers(this.#child.pid);
  }

  /** False once wrangler has ended, by itself or by a signal. */
  get alive() {
    return this.#child !== undefined && !this.#ended;
  }

  /** Fires one cron trigger, as Cloudflare would, and waits until the Worker has handled it. */
  async cron(expression) {
    const query = new URLSearchParams({ cron: expression });
    const response = await fetch(`${this.url}/cdn-cgi/local/scheduled?${query}`, { signal: AbortSignal.timeout(REQUEST_LIMIT_MS) });
    const text = await response.text();
    if (!response.ok || text !== "ok") throw new Error(`cron "${expression}": ${response.status} ${text}`);
  }

  /** Ends wrangler and workerd as a power cut would: no handler runs, nothing is flushed. The state stays. */
  async kill9() {
    signalGroup(this.#child.pid, "SIGKILL");
    await this.#gone(KILL_WAIT_MS);
  }

  /** Ends the server in good order, and by force when it does not. */
  async stop() {
    signalGroup(this.#child.pid, "SIGTERM");
    if (!(await this.#gone(STOP_WAIT_MS))) await this.kill9();
    this.#callOff();
    rmSync(pidFile(this.state), { force: true });
    if (this.#options.temporary) rmSync(this.state, { recursive: true, force: true });
  }

  /** Waits for the exit event as well: it comes a moment after the process is gone, and must not be taken for the next one's. */
  async #gone(limitMs) {
    clearInterval(this.#logTimer);
    const gone = await eventually(limitMs, () => this.pids.length === 0);
    if (gone) await this.#exit;
    return gone;
  }

  #abandon() {
    signalGroup(this.#child.pid, "SIGKILL");
    if (this.#options.temporary) rmSync(this.state, { recursive: true, force: true });
  }
}

/** wrangler's and workerd's own folder for what need not last. Sockets would need a short path, but neither makes any there. */
function emptyScratch(state) {
  const scratch = path.join(state, "tmp");
  rmSync(scratch, { recursive: true, force: true });
  mkdirSync(scratch, { recursive: true });
  return scratch;
}

/** Zombies do not count: where nobody collects them, they stay for ever. */
function groupMembers(group) {
  const rows = (output("ps", ["-A", "-o", "pid=,pgid=,stat=,comm="]) ?? "").split("\n").map((row) => row.trim().split(/\s+/));
  return rows
    .filter(([, pgid, stat]) => Number(pgid) === group && !stat.startsWith("Z"))
    .map(([pid, , , command]) => ({ pid: Number(pid), command: path.basename(command) }));
}

const pidFile = (state) => path.join(state, "server.pid");

/** Two workerds on one state would damage it. */
function refuseStateInUse(state) {
  if (!existsSync(pidFile(state))) return;
  const group = Number(readFileSync(pidFile(state), "utf8"));
  const command = output("ps", ["-p", String(group), "-o", "args="]) ?? "";
  if (!command.includes("wrangler")) return;
  throw new Failure(`The state in ${state} is in use by process ${group}: stop that server first, or set TENANTRY_STATE to another folder.`);
}

/** A port that nobody listens on now. */
export async function freePort() {
  const probe = createServer();
  await new Promise((resolve, reject) => probe.once("error", reject).listen(0, "127.0.0.1", resolve));
  const { port } = probe.address();
  await new Promise((resolve) => probe.close(resolve));
  return port;
}

/** Whether somebody could listen on this port of 127.0.0.1. */
export async function portIsFree(port) {
  const probe = createServer();
  const free = await new Promise((resolve) => probe.once("error", () => resolve(false)).listen(port, "127.0.0.1", () => resolve(true)));
  if (free) await new Promise((resolve) => probe.close(resolve));
  return free;
}

async function health(url) {
  try {
    const response = await fetch(`${url}/healthz`, { signal: AbortSignal.timeout(5_000) });
    return response.ok ? "ok" : `/healthz answers ${response.status}: ${await response.text()}`;
  } catch (error) {
    return `/healthz does not answer: ${error.cause?.code ?? error.message}`;
  }
}

/** Whether the server answers, and each of its bindings with it. */
export const isHealthy = async (url) => (await health(url)) === "ok";

/**
 * A server to try things on, with a demo organization: the one that TENANTRY_URL or a running `npm run dev` offers, else a temporary
 * one of our own. Answers `{ url, platformKey, organization, organizationKey, own, stop() }`; `stop` leaves another's server alone.
 * An offer that is not healthy is taken for a server that has ended, unless TENANTRY_URL names it.
 */
export async function useServer(options = {}) {
  const offered = offeredServer();
  if (offered && (await isHealthy(offered.url))) return { ...offered, own: false, stop: async () => {} };
  if (process.env.TENANTRY_URL) throw new Failure(`There is no healthy server at TENANTRY_URL (${process.env.TENANTRY_URL}).`);
  await setUp();
  await build("quick");
  const server = await startServer(options);
  try {
    return Object.assign(server, await seed(server.url, server.platformKey), { own: true });
  } catch (error) {
    await server.stop();
    throw error;
  }
}

/** TENANTRY_URL wins; its keys come from the environment, or from `npm run dev` when that serves the same address. */
function offeredServer() {
  const file = credentialsFile(stateFolder());
  const written = existsSync(file) ? readJson(file) : undefined;
  const url = process.env.TENANTRY_URL?.replace(/\/$/, "");
  if (!url || url === written?.url) return written;
  return {
    url,
    platformKey: process.env.TENANTRY_PLATFORM_KEY,
    organization: process.env.TENANTRY_ORGANIZATION,
    organizationKey: process.env.TENANTRY_ORGANIZATION_KEY,
  };
}

// What every script needs: where things are, running a command, telling how long it takes, and failing with one clear sentence.
// Runs on Node 20 without any package, because on a fresh clone nothing is installed yet.

import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, readdirSync, statSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { withoutColours } from "./terminal.mjs";

export const ROOT = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "..");
export const fromRoot = (...parts) => path.join(ROOT, ...parts);

/** Node 22, which wrangler needs while the user's own Node may be 20. It comes with `npm ci`. */
export const NODE_22 = fromRoot("node_modules/node/bin/node");
const WRANGLER = fromRoot("node_modules/wrangler/bin/wrangler.js");

/** 128 and SIGPIPE, as shells report it. */
const CLOSED_PIPE_EXIT_CODE = 141;

/** An error whose message is meant for the person at the terminal: shown without a stack. */
export class Failure extends Error {}

/** Runs a script's main function when the file is the one that was started. */
export async function main(url, run) {
  if (!process.argv[1] || pathToFileURL(process.argv[1]).href !== url) return;
  endWithReader();
  try {
    await run();
  } catch (error) {
    console.error(error instanceof Failure ? `\n✘ ${error.message}` : error);
    process.exit(1);
  }
}

/** `npm run demo | head` closes the pipe early: the script ends as a program that SIGPIPE ends, and its own endings follow. */
function endWithReader() {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on("error", (error) => {
      if (error.code !== "EPIPE") throw error;
      process.exit(CLOSED_PIPE_EXIT_CODE);
    });
  }
}

/**
 * The words of the command line: `{ values, positionals }`, as `parseArgs` of Node reads them. `--help` prints the usage and ends; what is
 * not in order is refused with the usage. `words`: how many words beside the options there may be, `[least, most]`.
 */
export function readArguments(usage, options = {}, words = [0, 0]) {
  const { values, positionals } = parsed(usage, options);
  if (values.help) {
    console.log(usage);
    process.exit(0);
  }
  const [least, most] = words;
  if (positionals.length < least) throw new Failure(`Something is missing.\n\n${usage}`);
  if (positionals.length > most) throw new Failure(`\`${positionals[most]}\` is too much.\n\n${usage}`);
  return { values, positionals };
}

function parsed(usage, options) {
  try {
    return parseArgs({ options: { ...options, help: { type: "boolean", short: "h" } }, allowPositionals: true });
  } catch (error) {
    throw new Failure(`${error.message}\n\n${usage}`);
  }
}

/** A number from the command line, at least `least`; `undefined` where it is left out. */
export function readNumber(usage, name, text, { least = 0, isWhole = true } = {}) {
  if (text === undefined) return undefined;
  const number = Number(text);
  if (text.trim() === "" || !(number >= least) || (isWhole && !Number.isSafeInteger(number))) {
    throw new Failure(`${name} takes a ${isWhole ? "whole " : ""}number of at least ${least}, not \`${text}\`.\n\n${usage}`);
  }
  return number;
}

export const seconds = (since) => `${((Date.now() - since) / 1000).toFixed(1)} s`;

export const delay = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** Asks `probe` until it answers something truthy, at most `limitMs` long. Answers undefined when the time is up. */
export async function eventually(limitMs, probe, pauseMs = 50) {
  const deadline = Date.now() + limitMs;
  do {
    const answer = await probe();
    if (answer) return answer;
    await delay(pauseMs);
  } while (Date.now() < deadline);
  return undefined;
}

/** The environment in which commands run: the project's own tools, Node 22 among them, come first. */
export function environment(extra = {}) {
  const bin = fromRoot("node_modules/.bin");
  return { ...process.env, PATH: `${bin}${path.delimiter}${process.env.PATH}`, ...extra };
}

const ENDINGS = new Set();
let exitIsWatched = false;

/** Calls `end` when this process ends, Ctrl-C included, unless the answered function is called before. There is no time to wait in it. */
export function atExit(end) {
  if (!exitIsWatched) {
    exitIsWatched = true;
    process.on("exit", () => ENDINGS.forEach((each) => each()));
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) {
      // Whoever has a handler of his own ends the process himself, and the line above follows.
      process.on(signal, () => process.listenerCount(signal) === 1 && process.exit(130));
    }
  }
  ENDINGS.add(end);
  return () => ENDINGS.delete(end);
}

/** Signals a process and all that it started; a group that is gone is none of our business. */
export function signalGroup(group, signal) {
  try {
    process.kill(-group, signal);
  } catch (error) {
    if (error.code !== "ESRCH") throw error;
  }
}

/** Runs a short command and answers its trimmed output, or undefined when it is missing or fails. */
export function output(command, args) {
  const result = spawnSync(command, args, { cwd: ROOT, encoding: "utf8" });
  return result.status === 0 ? result.stdout.trim() : undefined;
}

/** Tells of a long command, for commands that have nothing better: a line every ten seconds, so that nobody wonders whether it hangs. */
const EVERY_TEN_SECONDS = {
  pauseMs: 10_000,
  working: (title, elapsed, last) => console.log(`  … ${title}, ${elapsed}${last ? ` (${last})` : ""}`),
  done: (title, elapsed) => console.log(`  ✔ ${title}, ${elapsed}`),
};
let reporter = EVERY_TEN_SECONDS;

/** From now on, long commands are told of by `next`; without it, as they were at first. */
export function reportTo(next = EVERY_TEN_SECONDS) {
  reporter = next;
}

/** A lasting line about finished work, by the same reporter. */
export const reportDone = (title, started) => reporter.done(title, seconds(started));

/**
 * Runs a long command in silence but for its reporter. The end of what the command printed appears only when it fails. Answers the output.
 * `priority`: of the process, as in `os.setPriority`.
 */
export async function quietly(title, command, args, { env, priority } = {}) {
  const started = Date.now();
  let text = "";
  const ticker = setInterval(() => {
    const last = text.trimEnd().split("\n").at(-1).trim().slice(0, 70);
    reporter.working(title, seconds(started), last);
  }, reporter.pauseMs);
  const child = start(command, args, env);
  // What the command starts inherits it. A child that could not be started has no number, and says so below.
  if (priority !== undefined && child.pid !== undefined) os.setPriority(child.pid, priority);
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (chunk) => (text += chunk));
  }
  const code = await exitCode(child, command).finally(() => clearInterval(ticker));
  if (code !== 0) throw new Failure(`${lastLines(text, 60)}\n\n${title} failed: \`${[path.basename(command), ...args].join(" ")}\` ended with ${code}.`);
  reportDone(title, started);
  return text;
}

export const lastLines = (text, count) => text.trimEnd().split("\n").slice(-count).join("\n");

/** Runs a command whose output the user wants to see as it comes. Answers its exit code and a copy of the output. */
export async function loudly(command, args, { env } = {}) {
  let text = "";
  const child = start(command, args, env);
  const copies = [[child.stdout, process.stdout], [child.stderr, process.stderr]];
  for (const [from, to] of copies) {
    from.setEncoding("utf8").on("data", (chunk) => {
      text += chunk;
      to.write(chunk);
    });
  }
  return { code: await exitCode(child, command), text: withoutColours(text) };
}

/** In a process group of its own, because a build that goes on after its `npm run` was stopped would disturb the next one. */
function start(command, args, env) {
  return spawn(command, args, { cwd: ROOT, env: environment(env), stdio: ["ignore", "pipe", "pipe"], detached: true });
}

function exitCode(child, command) {
  const callOff = atExit(() => signalGroup(child.pid, "SIGTERM"));
  return new Promise((resolve, reject) => {
    child.on("error", (error) => reject(new Failure(`Could not start \`${command}\`: ${error.message}.`)));
    child.on("close", (code, signal) => resolve(code ?? signal));
  }).finally(callOff);
}

/** Node and its arguments that run wrangler. */
export const wranglerCommand = (...args) => [NODE_22, [WRANGLER, ...args]];

/** How we want wrangler to behave everywhere: no telemetry, no look-ups on the network, no log files in the home directory. */
export const WRANGLER_ENVIRONMENT = {
  CLOUDFLARE_CF_FETCH_ENABLED: "false",
  WRANGLER_HIDE_BANNER: "true",
  WRANGLER_SEND_ERROR_REPORTS: "false",
  WRANGLER_SEND_METRICS: "false",
  WRANGLER_WRITE_LOGS: "false",
};

export const readJson = (file) => JSON.parse(readFileSync(file, "utf8"));

/** Only the owner may read it: what we write this way holds keys. */
export function writePrivateJson(file, value) {
  writeFileSync(file, `${JSON.stringify(value, null, 2)}\n`, { mode: 0o600 });
}

/** Every file under the given paths (relative to the root), in a stable order. Paths that do not exist count as empty. */
export function filesUnder(...paths) {
  return paths.filter((name) => existsSync(fromRoot(name))).flatMap((name) => {
    if (statSync(fromRoot(name)).isFile()) return [name];
    return filesUnder(...readdirSync(fromRoot(name)).sort().map((entry) => path.join(name, entry)));
  });
}

/** A fingerprint of the names and contents of files: it changes exactly when they do. */
export function fingerprint(...paths) {
  const hash = createHash("sha256");
  for (const name of filesUnder(...paths)) {
    const content = readFileSync(fromRoot(name));
    hash.update(`${name}\0${content.length}\0`).update(content);
  }
  return hash.digest("hex").slice(0, 16);
}

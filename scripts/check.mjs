// `npm run check`: what a reviewer would otherwise have to look for. Format, lints for both targets, drift between the code and
// what is written about it, and the budgets of size and start-up. It runs everything before it fails, and closes with a table.

import { mkdirSync, readFileSync, readdirSync, rmSync, statSync } from "node:fs";
import path from "node:path";
import { build } from "./build.mjs";
import { bindings, crons } from "./config.mjs";
import { Failure, WRANGLER_ENVIRONMENT, filesUnder, fromRoot, loudly, main, quietly, readArguments, readJson, seconds, wranglerCommand } from "./lib.mjs";
import { lintApi } from "./lint_api.mjs";
import { setUp } from "./setup.mjs";

/** As Cloudflare counts it: its limit is 64 MiB unpacked, and what is small starts fast. */
const BUNDLE_MIB_MAX = 16;
/** Cloudflare refuses a Worker that takes a second to start; a user waits for a cold start. */
const START_UP_MS_MAX = 60;
/** A single profile has few samples, so the middle one of several counts. */
const START_UP_RUNS = 5;
const SCRATCH = fromRoot(".dev/check");

/** In this order. A check answers the figure that the table shows, or throws a `Failure` that says what to do. */
const CHECKS = [
  ["format", () => cargo("fmt", "--all", "--check")],
  ["lints, native", () => cargo("clippy", "--workspace", "--all-targets", "--", "-D", "warnings")],
  ["lints, wasm32", () => cargo("clippy", "--target", "wasm32-unknown-unknown", "--lib", "--", "-D", "warnings")],
  ["generated files", () => cargo("test", "--workspace", "--test", "it", "--quiet", "drift")],
  ["api lint", lintApi],
  ["tidy", () => cargo("test", "--workspace", "--test", "it", "--quiet", "tidy")],
  ["bindings", bindingsAreUsedAndExplained],
  ["bundle, unpacked", bundleSize],
  ["start-up, active", startUpTime],
];

/** What to do when a cargo command fails, by its name or by the name of the test. */
const REMEDIES = {
  fmt: "run `cargo fmt --all`",
  clippy: "follow what clippy says above",
  drift: "run `UPDATE=1 cargo test --test it drift` and read the difference before you commit it",
  tidy: "follow what the test says above",
};

const USAGE = `npm run check [-- <name>]

Runs every check, or those whose name begins like this:
${CHECKS.map(([name]) => `  ${name}`).join("\n")}`;

await main(import.meta.url, async () => {
  const [wanted = ""] = readArguments(USAGE, {}, [0, 1]).positionals;
  const chosen = CHECKS.filter(([name]) => name.startsWith(wanted));
  if (chosen.length === 0) throw new Failure(`There is no check ${wanted}.\n\n${USAGE}`);
  await setUp();
  const rows = [];
  for (const [name, check] of chosen) rows.push(await measured(name, check));
  rmSync(SCRATCH, { recursive: true, force: true });
  printTable(rows);
  const failed = rows.filter((row) => !row.passed).map((row) => row.name);
  if (failed.length > 0) throw new Failure(`Not in order: ${failed.join("; ")}. The reasons stand above.`);
});

async function measured(name, check) {
  console.log(`\n── ${name}`);
  const started = Date.now();
  try {
    return { name, passed: true, figure: (await check()) ?? "clean", time: seconds(started) };
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    console.error(`✘ ${error.message}`);
    return { name, passed: false, figure: error.figure ?? "see above", time: seconds(started) };
  }
}

async function cargo(...args) {
  const { code } = await loudly("cargo", args);
  const remedy = REMEDIES[args[0]] ?? REMEDIES[args.at(-1)];
  if (code !== 0) throw new Failure(`\`cargo ${args.join(" ")}\` ended with ${code}: ${remedy}.`);
}

/** A binding that no code names is a mistake in one of the two places, and so is one that nobody explains. */
function bindingsAreUsedAndExplained() {
  const edge = sourceOf("src/edge", "durable_objects");
  const all = bindings();
  const problems = all.flatMap(({ name, comment }) => [
    ...(comment.startsWith(`${name}:`) ? [] : [`wrangler.toml does not explain ${name}: write a comment "# ${name}: ..." above its table`]),
    // A shard is addressed by its number.
    ...(edge.includes(name.replace(/\d+$/, "")) ? [] : [`${name} is bound in wrangler.toml, but src/edge does not name it`]),
  ]);
  const everything = sourceOf("src");
  for (const cron of crons()) if (!everything.includes(`"${cron}"`)) problems.push(`the cron "${cron}" fires, but src does not name it`);
  if (problems.length > 0) throw new Failure(`${problems.join(";\n  ")}.`);
  return `${all.length} bindings, ${crons().length} crons`;
}

function sourceOf(...folders) {
  return filesUnder(...folders).map((name) => readFileSync(fromRoot(name), "utf8")).join("\n");
}

/** The size of what `wrangler deploy` would upload: the script and its wasm, without source maps. */
async function bundleSize() {
  await build("release");
  const folder = path.join(SCRATCH, "bundle");
  mkdirSync(folder, { recursive: true });
  await wrangler("wrangler deploy --dry-run", "deploy", "--dry-run", "--outdir", folder);
  const modules = readdirSync(folder).filter((name) => /\.(m?js|wasm)$/.test(name));
  const mib = modules.reduce((sum, name) => sum + statSync(path.join(folder, name)).size, 0) / 2 ** 20;
  return within(mib, BUNDLE_MIB_MAX, "MiB", "look at what grew with `cargo bloat --release --target wasm32-unknown-unknown`");
}

/** Time in which the processor was busy before the Worker could answer, on this machine, from the profile that wrangler records. */
async function startUpTime() {
  await build("release");
  const times = [];
  for (let run = 0; run < START_UP_RUNS; run += 1) {
    const profile = path.join(SCRATCH, `startup-${run}.cpuprofile`);
    await wrangler(`wrangler check startup (${run + 1} of ${START_UP_RUNS})`, "check", "startup", "--outfile", profile);
    times.push(activeMilliseconds(readJson(profile)));
  }
  const median = times.sort((a, b) => a - b)[Math.floor(START_UP_RUNS / 2)];
  return within(median, START_UP_MS_MAX, "ms", "keep tables and parsing out of start-up (LazyLock)");
}

function activeMilliseconds({ nodes, samples, timeDeltas }) {
  const idle = new Set(nodes.filter((node) => node.callFrame.functionName === "(idle)").map((node) => node.id));
  return timeDeltas.reduce((sum, delta, index) => sum + (idle.has(samples[index]) ? 0 : delta), 0) / 1000;
}

async function wrangler(title, ...args) {
  const [node, command] = wranglerCommand(...args);
  await quietly(title, node, command, { env: { ...WRANGLER_ENVIRONMENT, TENANTRY_PREBUILT: "1" } });
}

function within(amount, limit, unit, remedy) {
  const figure = `${amount.toFixed(1)} of ${limit} ${unit}`;
  if (amount > limit) throw Object.assign(new Failure(`${figure} is over the budget: ${remedy}.`), { figure });
  return figure;
}

function printTable(rows) {
  console.log("");
  for (const { name, passed, figure, time } of rows) {
    console.log(`${passed ? "✔" : "✘"} ${name.padEnd(18)} ${figure.padEnd(28)} ${time.padStart(8)}`);
  }
}

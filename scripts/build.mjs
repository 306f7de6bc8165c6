// `npm run build`: the Worker from Rust to ./build/release, and the static files to ./assets. wrangler calls it before `deploy` ([build] in
// wrangler.toml). Other commands build what they need; which of the two that is stands in docs/DEVELOPMENT.md.

import { closeSync, existsSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync, writeSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { assemble, compile, copyChanged } from "./build/steps.mjs";
import { fontsAreMade } from "./fonts.mjs";
import { Failure, eventually, filesUnder, fingerprint, fromRoot, main, output, readArguments } from "./lib.mjs";
import { setUp, wasmOpt } from "./setup.mjs";

/**
 * - `quick`: not optimised and compiled incrementally, for `npm run dev` and most of the tests. No debug information: wasm-bindgen would
 *   throw it away. A function's name in a stack is kept.
 * - `release`: what is deployed, measured and checked.
 *
 * `src/edge` imports either as `#rust`; package.json says when it is which.
 */
const BUILDS = {
  quick: { profile: "dev", folder: "build/quick", env: { CARGO_PROFILE_DEV_DEBUG: "none" } },
  release: { profile: "release", folder: "build/release", isOptimised: true },
};

const INPUTS = [
  "Cargo.toml", "Cargo.lock", "src", "durable_objects", "crates", "migrations", "package-lock.json", "scripts/build.mjs", "scripts/build",
];
/** The JavaScript in `src` is put beside the build by wrangler, and tests are not in it. */
const IS_NO_INPUT = /^src\/.*\.mjs$|^crates\/[^/]+\/(tests|examples|benches)\//;
const LOCK_WAIT_MS = 15 * 60_000;

/** Changes exactly when a build would, for a given compiler. */
export const inputsFingerprint = () => fingerprint(...filesUnder(...INPUTS).filter((name) => !IS_NO_INPUT.test(name)));

/**
 * Builds unless nothing has changed: cargo would notice by itself, but what comes after it does not.
 *
 * - `withNames`: so that a profile can name functions of Rust. What is deployed has none, they are a tenth of its size.
 * - `inBackground`: with what other work leaves of the processor.
 */
export async function build(kind, { withNames = false, inBackground = false } = {}) {
  const { folder, profile, env, isOptimised } = BUILDS[kind];
  const stamp = fromRoot(folder, ".stamp");
  await oneAtATime(kind, async () => {
    const inputs = [inputsFingerprint(), output("rustc", ["--version"]), ...(withNames ? ["with names"] : [])].join("\n");
    const isCurrent = existsSync(fromRoot(folder, "index.js")) && existsSync(stamp) && readFileSync(stamp, "utf8") === inputs;
    if (isCurrent && fontsAreMade()) return copyAssets();
    const tools = await setUp();
    copyAssets();
    rmSync(stamp, { force: true });
    const priority = inBackground ? os.constants.priority.PRIORITY_LOW : undefined;
    const title = `${kind} build`;
    const names = withNames ? { CARGO_PROFILE_RELEASE_STRIP: "false" } : {};
    const wasm = await compile({ title, profile, priority, env: { ...env, ...names } });
    const optimiser = isOptimised ? { wasmOpt: await wasmOpt(), minify: true } : {};
    await assemble(wasm, fromRoot(folder), { title, tools, priority, ...optimiser });
    writeFileSync(stamp, inputs);
  });
}

/** `npm run dev` rebuilds on a change while somebody may run `npm test`: both write the same folder. */
async function oneAtATime(kind, work) {
  const lock = fromRoot(`.dev/build-${kind}.lock`);
  mkdirSync(path.dirname(lock), { recursive: true });
  if (!(await eventually(LOCK_WAIT_MS, () => takeLock(lock), 200))) {
    throw new Failure(`Another build has been running for ${LOCK_WAIT_MS / 60_000} minutes: stop it, or remove ${lock}.`);
  }
  try {
    await work();
  } finally {
    rmSync(lock, { force: true });
  }
}

export function takeLock(lock) {
  try {
    const file = openSync(lock, "wx");
    writeSync(file, String(process.pid));
    closeSync(file);
    return true;
  } catch {
    if (!ownerIsAlive(lock)) rmSync(lock, { force: true });
    return false;
  }
}

function ownerIsAlive(lock) {
  try {
    const owner = Number(readFileSync(lock, "utf8"));
    // An empty file belongs to an owner that is just writing its number.
    return owner === 0 || process.kill(owner, 0);
  } catch {
    return false;
  }
}

/**
 * The static files that come from elsewhere: the interactive page at /docs is Swagger UI, served by us, so that no visitor's browser talks
 * to a third party; and the description of the API, which the Worker serves without carrying it.
 */
function copyAssets() {
  const page = ["swagger-ui-bundle.js", "swagger-ui.css", "LICENSE", "NOTICE"];
  copyChanged([
    ...page.map((name) => [fromRoot("node_modules/swagger-ui-dist", name), fromRoot("assets/docs/vendor", name)]),
    [fromRoot("openapi.json"), fromRoot("assets/openapi.json")],
  ]);
}

const USAGE = `npm run build [-- --quick]

Builds the Worker that is deployed, or with --quick the one that \`npm run dev\` serves. Returns at once when no input has changed.`;

await main(import.meta.url, async () => {
  const { quick } = readArguments(USAGE, { quick: { type: "boolean" } }).values;
  // Tests and benchmarks start many servers on one finished build, and say so.
  if (process.env.TENANTRY_PREBUILT !== "1") await build(quick ? "quick" : "release");
});

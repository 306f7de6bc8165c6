// `npm run build`: the Worker that is deployed and tested, from Rust to ./build, and the files of the /docs page and the fonts of
// invoices to ./assets.
// wrangler calls it too ([build] in wrangler.toml), before `dev` and before `deploy`.

import { closeSync, copyFileSync, existsSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync, writeSync } from "node:fs";
import { Failure, eventually, filesUnder, fingerprint, fromRoot, main, quietly } from "./lib.mjs";
import { fontsAreMade } from "./fonts.mjs";
import { setUp } from "./setup.mjs";

const INPUTS = [
  "Cargo.toml",
  "Cargo.lock",
  "src",
  "durable_objects",
  "crates",
  "migrations",
  "openapi.json",
  "package-lock.json",
  "scripts/build.mjs",
];
const STAMP = fromRoot("build/.stamp");
const LOCK = fromRoot(".dev/build.lock");
const LOCK_WAIT_MS = 15 * 60_000;

/** Changes exactly when a build would: the JavaScript in `src` is not in it, wrangler puts that beside it. */
export const inputsFingerprint = () => fingerprint(...filesUnder(...INPUTS).filter((name) => !(name.startsWith("src") && name.endsWith(".mjs"))));

/**
 * Builds unless nothing has changed: cargo would notice by itself, but the optimiser behind it is slow and does not.
 * `withNames`: so that a profile can name functions of Rust. What is deployed has none, they are a tenth of its size.
 */
export async function build({ withNames = false } = {}) {
  await oneAtATime(async () => {
    const inputs = `${inputsFingerprint()}${withNames ? " with names" : ""}`;
    if (existsSync(fromRoot("build/index.js")) && existsSync(STAMP) && readFileSync(STAMP, "utf8") === inputs && docsAreCopied() && fontsAreMade()) return;
    const tools = await setUp();
    copyDocs();
    rmSync(STAMP, { force: true });
    await quietly("Worker build", tools.workerBuild, ["--release"], {
      env: { WASM_BINDGEN_BIN: tools.wasmBindgen, WASM_OPT_BIN: tools.wasmOpt, ESBUILD_BIN: tools.esbuild, RUST_BACKTRACE: "0", ...(withNames ? { CARGO_PROFILE_RELEASE_STRIP: "false" } : {}) },
    });
    writeFileSync(STAMP, inputs);
  });
}

/** `npm run dev` rebuilds on a change while somebody may run `npm test`: both write the same folder. */
async function oneAtATime(work) {
  mkdirSync(fromRoot(".dev"), { recursive: true });
  if (!(await eventually(LOCK_WAIT_MS, takeLock, 200))) {
    throw new Failure(`Another build has been running for ${LOCK_WAIT_MS / 60_000} minutes: stop it, or remove ${LOCK}.`);
  }
  try {
    await work();
  } finally {
    rmSync(LOCK, { force: true });
  }
}

function takeLock() {
  try {
    const file = openSync(LOCK, "wx");
    writeSync(file, String(process.pid));
    closeSync(file);
    return true;
  } catch {
    if (!ownerIsAlive()) rmSync(LOCK, { force: true });
    return false;
  }
}

function ownerIsAlive() {
  try {
    const owner = Number(readFileSync(LOCK, "utf8"));
    // An empty file belongs to an owner that is just writing its number.
    return owner === 0 || process.kill(owner, 0);
  } catch {
    return false;
  }
}

/** The interactive page at /docs is Swagger UI, served by us: no visitor's browser talks to a third party. */
const DOCS_FILES = ["swagger-ui-bundle.js", "swagger-ui.css", "LICENSE", "NOTICE"];
const DOCS_FROM = fromRoot("node_modules/swagger-ui-dist");
const DOCS_TO = fromRoot("assets/docs/vendor");

const docsAreCopied = () => DOCS_FILES.every((name) => existsSync(`${DOCS_TO}/${name}`));

function copyDocs() {
  mkdirSync(DOCS_TO, { recursive: true });
  for (const name of DOCS_FILES) copyFileSync(`${DOCS_FROM}/${name}`, `${DOCS_TO}/${name}`);
}

await main(import.meta.url, async () => {
  // Tests and benchmarks start many servers on one finished build, and say so.
  if (process.env.TENANTRY_PREBUILT !== "1") await build();
});

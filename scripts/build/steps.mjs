// From Rust to the module that `src/edge` imports: cargo, wasm-bindgen, wasm-opt, esbuild. These are the steps of worker-build, called
// directly, because worker-build itself takes a minute and a half to compile.

import { copyFileSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { Failure, fromRoot, output, quietly } from "../lib.mjs";

const TARGET = "wasm32-unknown-unknown";
const SHIM = fromRoot("scripts/build/shim.js");

/** What workerd runs for certain. Without this list wasm-opt would be free to write what only newer runtimes read. */
const WASM_FEATURES = [
  "mutable-globals", "sign-ext", "nontrapping-float-to-int", "bulk-memory", "multivalue", "reference-types", "exception-handling",
];

/** The events of a Worker: their handlers get the environment and the context of the call. */
const EVENTS = ["fetch", "scheduled", "queue"];
/** Exports that are the shim's business. */
const INTERNAL = ["__wbg_reset_state", "__worker_init_state"];

/** `cargo build`; answers the wasm file. */
export async function compile({ title, profile, env = {}, priority }) {
  await quietly(`${title}: cargo`, "cargo", ["build", "--lib", "--target", TARGET, "--profile", profile], {
    priority,
    env: {
      // The macros of wasm-bindgen then use the futures of js-sys, as the `worker` crate does.
      WASM_BINDGEN_USE_JS_SYS: "1",
      ...env,
    },
  });
  return path.join(targetFolder(), TARGET, profile === "dev" ? "debug" : profile, "tenantry.wasm");
}

function targetFolder() {
  const metadata = output("cargo", ["metadata", "--format-version=1", "--no-deps"]);
  if (metadata === undefined) throw new Failure("`cargo metadata` failed: run it to see why.");
  return JSON.parse(metadata).target_directory;
}

/**
 * Everything behind the compiler, beside the folder and then in its place, so that a server never sees half a build.
 * `wasmOpt`: optimises for size when it is given. `minify`: the JavaScript as well.
 */
export async function assemble(wasm, folder, { title, tools, wasmOpt, minify = false, priority }) {
  const staging = `${folder}.${process.pid}`;
  rmSync(staging, { recursive: true, force: true });
  mkdirSync(staging, { recursive: true });
  try {
    await quietly(`${title}: wasm-bindgen`, tools.wasmBindgen, [
      ...[wasm, "--out-dir", staging, "--out-name", "index", "--target", "module", "--no-typescript"],
      // A panic ends an instance. The shim makes the next one with what these two add.
      ...["--experimental-reset-state-function", "--force-enable-abort-handler"],
    ], { priority });
    if (wasmOpt) await optimise(path.join(staging, "index_bg.wasm"), { title, wasmOpt, priority });
    await bundle(staging, { title, tools, minify });
    put(staging, folder);
  } finally {
    rmSync(staging, { recursive: true, force: true });
  }
}

/** `--debuginfo` keeps the names of functions where there are any. */
async function optimise(wasm, { title, wasmOpt, priority }) {
  const optimised = `${wasm}.optimised`;
  const features = WASM_FEATURES.map((feature) => `--enable-${feature}`);
  await quietly(`${title}: wasm-opt`, wasmOpt, [wasm, "-o", optimised, "-O", ...features, "--debuginfo"], { priority });
  renameSync(optimised, wasm);
}

/** The shim and what wasm-bindgen wrote become one file; the wasm stays beside it. */
async function bundle(staging, { title, tools, minify }) {
  const index = path.join(staging, "index.js");
  const bound = readFileSync(index, "utf8");
  const shim = readFileSync(SHIM, "utf8").replace("$HANDLERS", () => handlers(bound)) + classes(bound);
  writeFileSync(path.join(staging, "shim.js"), shim);
  await quietly(`${title}: esbuild`, tools.esbuild, [
    ...[path.join(staging, "shim.js"), `--outfile=${index}`, "--allow-overwrite", "--bundle", "--format=esm"],
    ...["--external:./index_bg.wasm", "--external:cloudflare:*", "--log-level=warning", ...(minify ? ["--minify"] : [])],
  ]);
  // wrangler and workerd import a wasm module like any other.
  writeFileSync(index, readFileSync(index, "utf8").replaceAll("import source ", "import "));
}

/** The functions that Rust exports, as methods of the Worker's entry point. */
function handlers(bound) {
  const forms = [/^export (?:async )?function ([\w$]+)\(/gm, /^export \{ *[\w$]+ as ([\w$]+) *\}/gm];
  const declared = forms.flatMap((form) => [...bound.matchAll(form)]);
  const names = declared.map(([, name]) => name).filter((name) => !INTERNAL.includes(name));
  const missing = EVENTS.filter((event) => !names.includes(event));
  if (missing.length > 0) throw new Failure(`wasm-bindgen wrote no ${missing.join(", ")}: steps.mjs may misread its output.`);
  const handler = (name) => (EVENTS.includes(name) ? eventHandler(name) : `exports.${name}`);
  return names.map((name) => `Entrypoint.prototype.${name} = ${handler(name)};`).join("\n");
}

const eventHandler = (name) => `function ${name}(arg) {
  return exports.${name}.call(this, arg, this.env, this.ctx);
}`;

/** The classes that Rust exports, each behind the shim's proxy. */
function classes(bound) {
  const names = [...bound.matchAll(/^export class ([\w$]+)/gm)].map(([, name]) => name);
  return `\n${names.map((name) => `export const ${name} = new Proxy(exports.${name}, classProxyHooks);`).join("\n")}\n`;
}

/** Two files, the wasm first: whoever watches the JavaScript finds both when it changes. */
function put(staging, folder) {
  mkdirSync(folder, { recursive: true });
  for (const name of ["index_bg.wasm", "index.js"]) renameSync(path.join(staging, name), path.join(folder, name));
}

/** Copies files whose content differs. */
export function copyChanged(pairs) {
  for (const [from, to] of pairs) {
    if (existsSync(to) && readFileSync(from).equals(readFileSync(to))) continue;
    mkdirSync(path.dirname(to), { recursive: true });
    copyFileSync(from, to);
  }
}

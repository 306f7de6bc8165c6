// `npm run setup`: brings a fresh clone to the point where it can build, test and run. Every other command calls it first;
// when everything is in place it takes a fraction of a second.

import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { makeFonts } from "./fonts.mjs";
import { Failure, NODE_22, fromRoot, main, output, quietly, readArguments, readJson, reportDone, seconds } from "./lib.mjs";

const NODE_MAJOR_MIN = 20;
const WASM_TARGET = "wasm32-unknown-unknown";
export const CACHE = process.env.TENANTRY_CACHE ?? path.join(process.env.XDG_CACHE_HOME ?? path.join(os.homedir(), ".cache"), "tenantry");

/** Answers where the tools are that every build needs. */
export async function setUp() {
  checkNode();
  checkRust();
  checkCCompiler();
  await installPackages();
  await makeFonts();
  await addWasmTarget();
  return { wasmBindgen: await wasmBindgen(), esbuild: fromRoot("node_modules/esbuild/bin/esbuild") };
}

function checkNode() {
  if (Number(process.versions.node.split(".")[0]) >= NODE_MAJOR_MIN) return;
  throw new Failure(`Node ${process.versions.node} is too old: install Node ${NODE_MAJOR_MIN} or newer from https://nodejs.org.`);
}

function checkRust() {
  const wanted = /^rust-version\s*=\s*"([\d.]+)"/m.exec(readFileSync(fromRoot("Cargo.toml"), "utf8"))?.[1] ?? "1.91";
  const installed = /^rustc (\d+\.\d+)/.exec(output("rustc", ["--version"]) ?? "")?.[1];
  if (!installed || !output("cargo", ["--version"])) {
    throw new Failure("Rust is missing: install it with rustup (https://rustup.rs), then open a new terminal.");
  }
  if (minor(installed) < minor(wanted)) {
    throw new Failure(`Rust ${installed} is too old, ${wanted} or newer is needed: run \`rustup update stable\`.`);
  }
}

const minor = (version) => Number(version.split(".")[1]);

/** The native tests run over SQLite, which is compiled from C. */
function checkCCompiler() {
  if (output(process.env.CC ?? "cc", ["--version"]) !== undefined) return;
  throw new Failure("A C compiler is missing: run `sudo apt install build-essential` (Debian, Ubuntu) or `xcode-select --install` (macOS).");
}

async function installPackages() {
  if (!packagesAreCurrent()) {
    if (!output("npm", ["--version"])) throw new Failure("npm is missing: it comes with Node from https://nodejs.org (Debian, Ubuntu: `sudo apt install npm`).");
    await quietly("npm packages", "npm", ["ci", "--no-audit", "--no-fund", "--loglevel=error"]);
  }
  if (!output(NODE_22, ["--version"])) {
    throw new Failure("Node 22, which wrangler needs, was not installed with the npm packages: run `npm rebuild node`.");
  }
}

/** npm notes in node_modules what it installed. Packages for other systems stay away, and they are marked optional. */
function packagesAreCurrent() {
  const note = fromRoot("node_modules/.package-lock.json");
  if (!existsSync(note)) return false;
  const installed = readJson(note).packages;
  const locked = Object.entries(readJson(fromRoot("package-lock.json")).packages);
  return locked.every(([name, entry]) => name === "" || entry.optional || installed[name]?.version === entry.version);
}

/** rustup does not always install targets by itself, so we ask for ours. */
async function addWasmTarget() {
  const library = output("rustc", ["--print", "target-libdir", "--target", WASM_TARGET]);
  if (library && existsSync(library)) return;
  if (!output("rustup", ["--version"])) {
    throw new Failure(`The Rust target ${WASM_TARGET} is missing and there is no rustup to add it: install Rust with rustup (https://rustup.rs).`);
  }
  await quietly(`Rust target ${WASM_TARGET}`, "rustup", ["target", "add", WASM_TARGET]);
}

/** The command line tool has to be of exactly the version of the library that Cargo.lock names. */
async function wasmBindgen() {
  if (!existsSync(fromRoot("Cargo.lock"))) throw new Failure("Cargo.lock is missing: run `cargo generate-lockfile`.");
  const lock = readFileSync(fromRoot("Cargo.lock"), "utf8");
  const version = /name = "wasm-bindgen"\nversion = "([^"]+)"/.exec(lock)?.[1];
  if (!version) throw new Failure("Cargo.lock does not name wasm-bindgen, so this is not a Worker that can be built.");
  const tool = toolPath("wasm-bindgen-cli", version, "wasm-bindgen");
  if (!existsSync(tool) && (await downloadWasmBindgen(version, tool))) return tool;
  return compiledTool("wasm-bindgen-cli", version, "wasm-bindgen");
}

const toolPath = (crate, version, binary) => path.join(CACHE, `${crate}-${version}`, "bin", binary);

/** The project's own release, where it can be reached: seconds instead of a minute of compiling. Answers whether that worked. */
export async function downloadWasmBindgen(version, tool, host = GITHUB) {
  const triple = { "linux-x64": "x86_64-unknown-linux-musl", "darwin-arm64": "aarch64-apple-darwin", "darwin-x64": "x86_64-apple-darwin" }[SYSTEM];
  if (!triple) return false;
  const name = `wasm-bindgen-${version}-${triple}`;
  const url = `${host}/wasm-bindgen/wasm-bindgen/releases/download/${version}/${name}.tar.gz`;
  return downloadTool(url, tool, (folder) => path.join(folder, name, "wasm-bindgen"), `wasm-bindgen ${version}`);
}

/**
 * The optimiser of a release: binaryen's own, where it can be downloaded, else the one that comes with the npm packages. That one is the
 * same program, itself compiled to WebAssembly, and takes several times as long.
 */
export async function wasmOpt() {
  const { version } = readJson(fromRoot("node_modules/binaryen/package.json"));
  const tool = toolPath("binaryen", version, "wasm-opt");
  if (existsSync(tool) || (await downloadWasmOpt(version.split(".")[0], tool))) return tool;
  return fromRoot("node_modules/binaryen/bin/wasm-opt");
}

/** npm counts 132.0.0 what binaryen counts 132. Answers whether it worked. */
export async function downloadWasmOpt(version, tool, host = GITHUB) {
  const system = { "linux-x64": "x86_64-linux", "linux-arm64": "aarch64-linux", "darwin-arm64": "arm64-macos", "darwin-x64": "x86_64-macos" }[SYSTEM];
  if (!system) return false;
  const name = `binaryen-version_${version}`;
  const url = `${host}/WebAssembly/binaryen/releases/download/version_${version}/${name}-${system}.tar.gz`;
  return downloadTool(url, tool, (folder) => path.join(folder, name, "bin/wasm-opt"), `wasm-opt version ${version}`, {
    // On macOS it finds its library beside it.
    library: (folder) => path.join(folder, name, "lib"),
  });
}

const GITHUB = "https://github.com";
const SYSTEM = `${process.platform}-${process.arch}`;

/** Takes one binary, and the folder of its libraries, out of an archive, if it says that it is `expected`. Answers whether it did. */
async function downloadTool(url, tool, binaryIn, expected, { library } = {}) {
  const cache = path.dirname(path.dirname(tool));
  const folder = `${cache}.download-${process.pid}`;
  const started = Date.now();
  try {
    const archive = await download(url);
    mkdirSync(folder, { recursive: true });
    writeFileSync(path.join(folder, "archive.tar.gz"), archive);
    output("tar", ["-xzf", path.join(folder, "archive.tar.gz"), "-C", folder]);
    const binary = binaryIn(folder);
    if (!output(binary, ["--version"])?.startsWith(expected)) return false;
    mkdirSync(path.dirname(tool), { recursive: true });
    const libraries = library?.(folder);
    if (libraries && existsSync(libraries) && !existsSync(path.join(cache, "lib"))) renameSync(libraries, path.join(cache, "lib"));
    renameSync(binary, tool);
    reportDone(`${expected} downloaded`, started);
    return true;
  } catch {
    // No network, a proxy in the way, no such release: the other way works everywhere.
    return false;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Ten seconds for an answer to begin, a minute for all of it. */
async function download(url) {
  const abort = new AbortController();
  const connect = setTimeout(() => abort.abort(), 10_000);
  const whole = setTimeout(() => abort.abort(), 60_000);
  try {
    const response = await fetch(url, { signal: abort.signal });
    clearTimeout(connect);
    if (!response.ok) throw new Error(`${response.status} from ${url}`);
    return Buffer.from(await response.arrayBuffer());
  } finally {
    clearTimeout(connect);
    clearTimeout(whole);
  }
}

/** Compiled once into a cache outside the checkout, with little optimisation: that is faster overall than waiting for a fast tool. */
async function compiledTool(crate, version, binary) {
  const tool = toolPath(crate, version, binary);
  if (existsSync(tool)) return tool;
  await quietly(`${crate} ${version}, once for this machine`, "cargo", ["install", `${crate}@=${version}`, "--root", path.dirname(path.dirname(tool))], {
    env: {
      CARGO_PROFILE_RELEASE_CODEGEN_UNITS: "16",
      CARGO_PROFILE_RELEASE_LTO: "off",
      CARGO_PROFILE_RELEASE_OPT_LEVEL: "1",
    },
  });
  return tool;
}

await main(import.meta.url, async () => {
  readArguments("npm run setup\n\nInstalls what the other commands need. They call it themselves.");
  const started = Date.now();
  await setUp();
  console.log(`✔ Everything is in place (${seconds(started)}).`);
});

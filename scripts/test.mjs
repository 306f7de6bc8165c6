// `npm test`: every test there is, from fast to slow, and nothing skipped. Continuous integration runs the same.

import { readFileSync } from "node:fs";
import { build } from "./build.mjs";
import { Failure, NODE_22, filesUnder, fromRoot, loudly, main, readArguments, seconds } from "./lib.mjs";
import { pythonEnvironment } from "./python.mjs";
import { setUp } from "./setup.mjs";
import { makeTemplate } from "./state.mjs";

export const USAGE = `npm test [-- <pattern>...]

Without a pattern: everything. A pattern chooses the native tests whose name contains it and the files of tests/worker whose path does;
the path of a Rust file stands for the tests in it:

  npm test -- kill                             every test with kill in its name, and the files named after it
  npm test -- tests/worker/kill.spec.ts        one file on the built Worker
  npm test -- src/catalog/plans/plan.rs        the unit tests of one module`;

const COLOURS = process.stdout.isTTY;
const SPECS = "tests/worker";
/** What runs on the build that is deployed, the benchmark's Worker among it. Everything else runs on the quick one. */
const RELEASE = /\bkind: "release"|bench\/contenders\.mjs"/;
/** A file that kills its server wants the machine for itself. */
const KILLS = /\bkill9\(|\bkillDuringAdvance\(/;
const AT_ONCE = 2;
/** How a file asks for Python packages. They are installed before any test runs, so that a missing Python is known at once. */
const PYTHON = /\bpythonEnvironment\("(\w+)"\)/g;

/** Runs what the patterns choose, or everything, and prints the closing lines. */
export async function runTests(patterns) {
  const run = new Run();
  run.announce("Set-up");
  await setUp();
  const specs = specFiles(patterns);
  for (const name of pythonEnvironments(specs)) await pythonEnvironment(name);
  // It needs one core for most of its time, and others leave it one most of the time.
  const release = specs.some(needsRelease) ? build("release", { inBackground: specs.length > 1 }) : Promise.resolve();
  // It is awaited only when it is needed, and then it rejects again.
  release.catch(() => {});
  if (!patterns.some((pattern) => pattern.endsWith(".spec.ts"))) await run.native(patterns, specs.length === 0);
  if (specs.length > 0) await run.worker(specs, release);
  run.close();
}

function specFiles(patterns) {
  const all = filesUnder(SPECS).filter((name) => name.endsWith(".spec.ts"));
  if (patterns.length === 0) return all;
  return all.filter((name) => patterns.some((pattern) => name.includes(pattern.replace(/^\.\//, ""))));
}

function pythonEnvironments(specs) {
  return specs.flatMap((file) => [...readFileSync(fromRoot(file), "utf8").matchAll(PYTHON)].map(([, name]) => name));
}

/** What a pattern is among the names of native tests: a file is its module. */
function nativeName(pattern) {
  if (!pattern.endsWith(".rs")) return pattern;
  const module = pattern.replace(/^\.\//, "").replace(/^(crates\/\w+\/)?(src|tests\/it|tests)\//, "").replace(/(\/mod)?\.rs$/, "");
  return module.replaceAll("/", "::");
}

/** One run with its closing lines. */
class Run {
  #started = Date.now();
  #closing = [];

  announce(ring) {
    console.log(`\n── ${ring} (after ${seconds(this.#started)})`);
  }

  /** Rules, API, scenarios and simulation: the core without Cloudflare. `isAll`: nothing else runs, so that something has to match. */
  async native(patterns, isAll) {
    const filter = patterns.length > 0 ? ["--", ...patterns.map(nativeName)] : [];
    const args = ["test", "--workspace", ...(COLOURS ? ["--color=always"] : []), ...filter];
    this.announce(`Native tests: cargo ${args.join(" ")}`);
    const { code, text } = await loudly("cargo", args);
    const closing = text.match(/^test result: .*$/gm) ?? [];
    const count = (word) => closing.reduce((sum, line) => sum + Number(new RegExp(`(\\d+) ${word}`).exec(line)?.[1] ?? 0), 0);
    this.#refuse(code !== 0, `\`cargo test --workspace\` ended with ${code}`, closing);
    this.#refuse(count("ignored") > 0, `ignored native tests: ${count("ignored")}, and an ignored test is a failure`, closing);
    const isEmpty = count("passed") === 0 && (isAll || patterns.length === 0);
    this.#refuse(isEmpty, patterns.length > 0 ? `no test matches ${patterns.join(" or ")}` : "there are no native tests", closing);
    this.#closing.push(`cargo test: ${count("passed")} passed; ${count("failed")} failed; ${count("ignored")} ignored`);
  }

  /** The built Worker on a real workerd, driven over HTTP. `release`: resolves when the build is there that is deployed. */
  async worker(files, release) {
    const [deployed, quick] = [files.filter(needsRelease), files.filter((name) => !needsRelease(name))];
    const [alone, beside] = [quick.filter(kills), quick.filter((name) => !kills(name))];
    const counts = {};
    if (quick.length > 0) {
      this.announce("Worker build, quick");
      // Two servers that start at once would both migrate.
      await Promise.all([build("quick"), makeTemplate()]);
    }
    await this.#specs(`${beside.length} files on workerd, ${AT_ONCE} at a time`, beside, AT_ONCE, counts);
    await this.#specs(`${alone.length} files that kill it, one at a time`, alone, 1, counts);
    if (deployed.length > 0) {
      this.announce("Worker build, release");
      await release;
      await this.#specs(`${deployed.length} files on the build that is deployed, one at a time`, deployed, 1, counts);
    }
    this.#closing.push("node --test:", ...Object.entries(counts).map(([word, count]) => `ℹ ${word} ${Math.round(count)}`));
  }

  async #specs(title, files, atOnce, counts) {
    if (files.length === 0) return;
    this.announce(`Worker tests: ${title}`);
    const { code, text } = await loudly(NODE_22, ["--test", "--test-reporter=spec", `--test-concurrency=${atOnce}`, ...files], {
      env: { TENANTRY_PREBUILT: "1", ...(COLOURS ? { FORCE_COLOR: "1" } : {}) },
    });
    const closing = [...text.matchAll(/^ℹ (tests|suites|pass|fail|cancelled|skipped|todo|duration_ms) ([\d.]+)$/gm)];
    const lines = closing.map(([line]) => line);
    const count = (word) => Number(closing.find(([, each]) => each === word)?.[2] ?? NaN);
    this.#refuse(code !== 0, `\`node --test\` ended with ${code}`, lines);
    const left = `skipped worker tests: ${count("skipped")}, to do: ${count("todo")}, and such a test is a failure`;
    this.#refuse(count("skipped") !== 0 || count("todo") !== 0, left, lines);
    this.#refuse(!(count("pass") > 0), "no worker test ran", lines);
    for (const [, word, number] of closing) counts[word] = (counts[word] ?? 0) + Number(number);
  }

  /** Ends with the runner's own closing lines before the one sentence that says what is wrong. */
  #refuse(isBad, sentence, closing) {
    if (!isBad) return;
    console.log(["", ...closing].join("\n"));
    throw new Failure(`Tests failed after ${seconds(this.#started)}: ${sentence}.`);
  }

  close() {
    this.announce("All tests passed, none was skipped");
    console.log(this.#closing.join("\n"));
  }
}

const kills = (file) => KILLS.test(readFileSync(fromRoot(file), "utf8"));
const needsRelease = (file) => RELEASE.test(readFileSync(fromRoot(file), "utf8"));

await main(import.meta.url, async () => {
  const { positionals } = readArguments(USAGE, {}, [0, Infinity]);
  await runTests(positionals);
});

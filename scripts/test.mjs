// `npm test`: every test there is, from fast to slow, and nothing skipped. Continuous integration runs the same.
//
//   npm test                                   everything
//   npm test -- tests/worker/usage.spec.ts     only these files, on the built Worker

import { build } from "./build.mjs";
import { Failure, NODE_22, filesUnder, loudly, main, seconds } from "./lib.mjs";
import { setUp } from "./setup.mjs";

const started = Date.now();
const COLOURS = process.stdout.isTTY;

await main(import.meta.url, async () => {
  const chosen = process.argv.slice(2);
  announce("Set-up");
  await setUp();
  const closing = chosen.length > 0 ? [] : await nativeTests();
  announce("Worker build");
  await build();
  closing.push(...(await workerTests(chosen.length > 0 ? chosen : specFiles())));
  announce("All tests passed, none was skipped");
  console.log(closing.join("\n"));
});

function announce(ring) {
  console.log(`\n── ${ring} (after ${seconds(started)})`);
}

/** Rules, API, scenarios and simulation: the core without Cloudflare. Answers the closing lines. */
async function nativeTests() {
  announce("Native tests: cargo test --workspace");
  const { code, text } = await loudly("cargo", ["test", "--workspace", ...(COLOURS ? ["--color=always"] : [])]);
  const closing = text.match(/^test result: .*$/gm) ?? [];
  const count = (word) => closing.reduce((sum, line) => sum + Number(new RegExp(`(\\d+) ${word}`).exec(line)?.[1] ?? 0), 0);
  refuse(code !== 0, `\`cargo test --workspace\` ended with ${code}`, closing);
  refuse(count("ignored") > 0, `ignored native tests: ${count("ignored")}, and an ignored test is a failure`, closing);
  refuse(count("passed") === 0, "there are no native tests", closing);
  return [`cargo test: ${count("passed")} passed; ${count("failed")} failed; ${count("ignored")} ignored`];
}

function specFiles() {
  return filesUnder("tests/worker").filter((name) => name.endsWith(".spec.ts"));
}

/** The built Worker on a real workerd, driven over HTTP; one file at a time, because a kill test wants the machine for itself. */
async function workerTests(files) {
  announce(`Worker tests: ${files.length} files on workerd`);
  refuse(files.length === 0, "there are no worker tests", []);
  const { code, text } = await loudly(NODE_22, ["--test", "--test-reporter=spec", "--test-concurrency=1", ...files], {
    env: { TENANTRY_PREBUILT: "1", ...(COLOURS ? { FORCE_COLOR: "1" } : {}) },
  });
  const closing = text.match(/^ℹ (tests|suites|pass|fail|cancelled|skipped|todo|duration_ms) .*$/gm) ?? [];
  const count = (word) => Number(new RegExp(`^ℹ ${word} (\\d+)$`, "m").exec(closing.join("\n"))?.[1] ?? NaN);
  refuse(code !== 0, `\`node --test\` ended with ${code}`, closing);
  refuse(count("skipped") !== 0 || count("todo") !== 0, `skipped worker tests: ${count("skipped")}, to do: ${count("todo")}, and such a test is a failure`, closing);
  refuse(!(count("pass") > 0), "no worker test ran", closing);
  return ["node --test:", ...closing];
}

/** Ends with the runner's own closing lines before the one sentence that says what is wrong. */
function refuse(isBad, sentence, closing) {
  if (!isBad) return;
  console.log(["", ...closing].join("\n"));
  throw new Failure(`Tests failed after ${seconds(started)}: ${sentence}.`);
}

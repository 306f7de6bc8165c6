// The commands of package.json as a person at a terminal meets them: help, keys, a question before data is mixed, a closed pipe, a log.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { describe, test } from "node:test";
import { workingLink } from "../../scripts/demo/link.mjs";
import { foreign } from "../../scripts/demo/stage.mjs";
import { environment, fromRoot, readJson, writePrivateJson } from "../../scripts/lib.mjs";
import { seed } from "../../scripts/seed.mjs";
import { ShownLog } from "../../scripts/server_log.mjs";
import { credentialsFile } from "../../scripts/state.mjs";
import { bar, table } from "../../scripts/terminal.mjs";
import { inParallel, signUp } from "./support/client.ts";
import { freshServer } from "./support/server.ts";

const server = freshServer();
const COMMAND_LIMIT_MS = 60_000;
const CLOSED_PIPE_EXIT_CODE = 141;

interface Ended {
  readonly code: number;
  readonly output: string;
  readonly errors: string;
}

/** Runs a command without a terminal, with nothing of the environment that names a server but what is given. */
function run(command: string, args: readonly string[], env: Record<string, string> = {}): Promise<Ended> {
  const { TENANTRY_URL: _, TENANTRY_STATE: __, NODE_TEST_CONTEXT: ___, ...own } = environment();
  return new Promise((resolve) => {
    const options = { cwd: fromRoot(), env: { ...own, ...env }, timeout: COMMAND_LIMIT_MS, maxBuffer: 2 ** 24 };
    const child = execFile(command, args, options, (error, output, errors) => {
      resolve({ code: error ? Number(error.code ?? -1) : 0, output, errors });
    });
    child.stdin!.end();
  });
}

const scripts: Record<string, string> = readJson(fromRoot("package.json")).scripts;

test("every command explains itself", async () => {
  const helps = await inParallel(2, Object.entries(scripts), async ([name, command]) => {
    const [program, ...args] = command.split(" ");
    return { name, ...(await run(program, [...args, "--help"])) };
  });
  for (const { name, code, output, errors } of helps) {
    assert.equal(code, 0, `${name}: ${errors}`);
    assert.ok(output.includes(name === "test" ? "npm test" : `npm run ${name}`), `${name}: ${output}`);
  }
  assert.ok(helps.length >= 15);
});

test("a reader that closes the pipe ends a command, without a word", async () => {
  // The help is longer than its first line, and the reader has gone before the rest is written.
  const script = "import { main } from './scripts/lib.mjs'; " +
    "await main(String(new URL(process.argv[1], 'file:')), async () => { " +
    "for (;;) { console.log('line'); await new Promise(setImmediate); } });";
  const command = `set -o pipefail; "$0" --input-type=module -e "$1" "$PWD/x.mjs" | head -n 1`;
  const { code, output, errors } = await run("bash", ["-c", command, process.execPath, script]);
  assert.deepEqual({ code, output, errors }, { code: CLOSED_PIPE_EXIT_CODE, output: "line\n", errors: "" });
});

describe("with a server", () => {
  test("`npm run dev -- --keys` prints lines that a shell evaluates, for the state that is named", async () => {
    const { url, state, platformKey } = server.current;
    const before = await run("node", ["scripts/dev.mjs", "--keys"], { TENANTRY_STATE: state });
    assert.equal(before.code, 1);
    assert.match(before.errors, /No server has run on .* yet: start one with `npm run dev`/);
    const seeded = await seed(url, platformKey);
    writePrivateJson(credentialsFile(state), { url, platformKey, ...seeded });
    const { code, output, errors } = await run("node", ["scripts/dev.mjs", "--keys"], { TENANTRY_STATE: state });
    assert.deepEqual([code, errors], [0, ""]);
    assert.deepEqual(output.trim().split("\n"), [
      `export TENANTRY_URL=${url}`,
      `export TENANTRY_PLATFORM_KEY=${platformKey}`,
      `export TENANTRY_ORGANIZATION=${seeded.organization}`,
      `export TENANTRY_ORGANIZATION_KEY=${seeded.organizationKey}`,
    ]);
  });

  test("the demo finds the server of the state, and does not mix its companies with others without being told", async () => {
    const { url, state } = server.current;
    await signUp(server.current, "Acme");
    const { code, output, errors } = await run("node", ["scripts/demo.mjs"], { TENANTRY_STATE: state });
    assert.equal(code, 1);
    assert.ok(output.includes(`Playing on ${url}, which is running already.`), output);
    assert.match(errors, /has an organization of yours \(Acme\) already[\s\S]*`npm run demo -- --yes`/);
  });

  test("the demo's companies and the seeded organization are nobody's data", () => {
    const organization = (id: string, name: string, email: string) => ({ $id: id, name, email });
    const found = foreign([
      organization("org_1", "Demo Company", "admin@demo.example"),
      organization("org_2", "Titan Freight", "office+abc@titan-freight.example"),
      organization("org_3", "Titan Freight", "somebody@titan.example"),
    ], "org_1");
    assert.deepEqual(found.map(({ $id }: { $id: string }) => $id), ["org_3"]);
  });

  test("the demo's link works", async () => {
    const [link] = /http:\S+/.exec(await workingLink(server.current))!;
    assert.equal(link, `${server.current.url}/dev/inbox`);
    assert.equal((await fetch(link)).status, 200);
  });

  test("a killed server leaves its scratch files in its state only, and starts again there", async () => {
    const leftovers = () => new Set(readdirSync(os.tmpdir()).filter((name) => name.startsWith("miniflare-")));
    const scratch = path.join(server.current.state, "tmp");
    const made = readdirSync(scratch);
    assert.ok(made.some((name) => name.startsWith("miniflare-")), `${made}`);
    await server.current.kill9();
    await server.current.start();
    assert.ok(existsSync(scratch));
    for (const name of [...made, ...readdirSync(scratch)]) assert.ok(!leftovers().has(name), name);
    assert.ok(made.every((name) => !name.startsWith("miniflare-") || !readdirSync(scratch).includes(name)), "the old ones are gone");
  });
});

test("a log is shown without the notice that reads like a fault", () => {
  const log = new ShownLog({ from: 0 });
  const notice = [
    "▲ \u001b[43m[WARNING]\u001b[0m Scheduled Workers are not automatically triggered during local development.",
    "", "  To manually trigger a scheduled event, run:", '    curl "http://127.0.0.1/cdn-cgi/local/scheduled"',
    "  For more details, see \u001b[4mhttps://example.test/cron-triggers/#test\u001b[0m", "",
  ].join("\n");
  assert.equal(log.next(notice), "");
  assert.equal(log.next(`${notice}\n▲ [WARNING] another`), "");
  assert.equal(log.next(`${notice}\n▲ [WARNING] another\nerror\nhal`), "\n▲ [WARNING] another\nerror\n".trimStart());
});

test("a bar fills, and columns keep their width", () => {
  assert.deepEqual([bar(0, 3).slice(-5), bar(3, 3)], ["  0 %", `[${"█".repeat(24)}] 100 %`]);
  assert.equal(table(["name", "n"], [["a", 1], ["bcdef", 22]]), "name    n\n─────  ──\na       1\nbcdef  22");
});

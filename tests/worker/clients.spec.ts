// Clients that are generated from openapi.json, compiled strictly and run: each calls the same 20 operations, with their types alone.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";
import { NODE_22, environment, fingerprint, fromRoot, readJson } from "../../scripts/lib.mjs";
import { pythonEnvironment } from "../../scripts/python.mjs";
import { found } from "./support/people.ts";
import { Proxy } from "./support/proxy.ts";
import { freshServer } from "./support/server.ts";

const STEP_WAIT_MS = 120_000;
const WORK = fromRoot(".dev/clients");
const OPENAPI = fromRoot("openapi.json");
const OPERATIONS = [
  "advanceTestClock", "changeSubscription", "checkPermission", "consumeUsage", "createApiKey", "createOrganization", "createPlan",
  "createReservation", "createTestClock", "getInvoice", "getQuota", "getReservation", "getUsageHistory", "listAuditLog", "listInvoices",
  "listPlans", "previewSubscriptionChange", "recordEvents", "recordUsageBatch", "settleReservation",
];
const STRICT = ["--strict", "--exactOptionalPropertyTypes", "--noUncheckedIndexedAccess", "--skipLibCheck", "--types", "node"];
const MODULES = ["--module", "preserve", "--moduleResolution", "bundler", "--target", "es2023"];

const server = freshServer();

/** Runs a command in a folder; what it printed appears when it fails. */
async function run(folder: string, command: string, args: readonly string[], env: Record<string, string> = {}): Promise<void> {
  const options = { cwd: folder, env: environment(env), timeout: STEP_WAIT_MS, maxBuffer: 2 ** 26 };
  await promisify(execFile)(command, args, options).catch((error) => {
    assert.fail(`${[path.basename(command), ...args].join(" ")}: ${error.message}\n${error.stdout}${error.stderr}`);
  });
}

const node = (folder: string, script: string, ...args: readonly string[]): Promise<void> =>
  run(folder, NODE_22, [fromRoot("node_modules", script), ...args]);

/** The folder of a client with its program. What is generated there is kept until the description or a generator changes. */
async function generated(name: string, generate: (folder: string) => Promise<void>): Promise<string> {
  const folder = path.join(WORK, name);
  const stamp = path.join(folder, ".stamp");
  const inputs = fingerprint("openapi.json", "package-lock.json", "scripts/python.mjs", `tests/clients/${name}`, "tests/worker/clients.spec.ts");
  if (!existsSync(stamp) || readFileSync(stamp, "utf8") !== inputs) {
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder, { recursive: true });
    cpSync(fromRoot("tests/clients", name), folder, { recursive: true });
    await generate(folder);
    writeFileSync(stamp, inputs);
  }
  return folder;
}

/** The operations whose paths and methods were asked for. */
function operations(proxy: Proxy): string[] {
  const routes = Object.entries<any>(readJson(OPENAPI).paths).flatMap(([template, methods]) => {
    const pattern = new RegExp(`^${template.replace(/\{\w+\}/g, "[^/]+")}$`);
    return Object.entries<any>(methods).map(([method, { operationId }]) => ({ method: method.toUpperCase(), pattern, operationId }));
  });
  const asked = proxy.noted.map((noted) => routes.find(({ method, pattern }) => method === noted.method && pattern.test(noted.path))?.operationId);
  return [...new Set(asked)].sort();
}

/** Runs a program, which makes its own assertions, and looks at the requests that came. */
async function assertCallsAll(call: (env: Record<string, string>) => Promise<void>): Promise<void> {
  const { owner } = await found(server.current, "Permitted");
  const proxy = await Proxy.before(server.current.url);
  try {
    await call({ TENANTRY_URL: proxy.url, TENANTRY_PLATFORM_KEY: server.current.platformKey, TENANTRY_ACCESS_TOKEN: owner.session.accessToken });
    assert.deepEqual(operations(proxy), OPERATIONS);
    const refused = proxy.noted.filter(({ status }) => status >= 400).map(({ path, status }) => [path, status]);
    assert.deepEqual(refused, [["/v1/usage/consumption", 429]]);
  } finally {
    await proxy.close();
  }
}

/** Generated code has imports without endings, as bundlers read them. */
async function runBundled(folder: string, env: Record<string, string>): Promise<void> {
  const bundle = ["program.ts", "--bundle", "--platform=node", "--format=esm", "--outfile=program.mjs", "--log-level=warning"];
  await run(folder, fromRoot("node_modules/esbuild/bin/esbuild"), bundle);
  await run(folder, NODE_22, ["program.mjs"], env);
}

test("openapi-typescript and openapi-fetch", async () => {
  const folder = await generated("openapi-fetch", (folder) =>
    node(folder, "openapi-typescript/bin/cli.js", OPENAPI, "--output", "generated/schema.d.ts"));
  await node(folder, "typescript/bin/tsc", ...STRICT, ...MODULES, "--noEmit", "program.ts");
  await assertCallsAll((env) => runBundled(folder, env));
});

test("hey-api", async () => {
  const folder = await generated("hey-api", async (folder) => {
    await node(folder, "@hey-api/openapi-ts/bin/run.js", "--silent", "--input", OPENAPI, "--output", "source");
    // Its own runtime does not know exactOptionalPropertyTypes: it is compiled first, and its types are used.
    const lib = ["--strict", "--skipLibCheck", "--declaration", "--lib", "es2023,dom,dom.iterable", "--rootDir", "source"];
    await node(folder, "typescript/bin/tsc", ...lib, ...MODULES, "--outDir", "generated", "source/index.ts", "source/client/index.ts");
  });
  await node(folder, "typescript/bin/tsc", ...STRICT, ...MODULES, "--noEmit", "program.ts");
  await assertCallsAll((env) => runBundled(folder, env));
});

test("openapi-python-client", async () => {
  const bin = await pythonEnvironment("clients");
  const tool = (name: string) => path.join(bin, name);
  const folder = await generated("python", (folder) => {
    const args = ["generate", "--path", OPENAPI, "--config", "config.yaml", "--meta", "none", "--output-path", "tenantry"];
    return run(folder, tool("openapi-python-client"), args, { PATH: `${bin}${path.delimiter}${process.env.PATH}` });
  });
  // Errors in the generator's own templates are not ours to mend.
  await run(folder, tool("mypy"), ["--strict", "--follow-imports=silent", "program.py"]);
  await assertCallsAll((env) => run(folder, tool("python"), ["program.py"], env));
});

// `npm run fuzz`: throws what a schema allows, and what it doesn't, at a running Worker, as two organizations that must not see each
// other and as the vendor. The tool is schemathesis; it is installed once, for this machine, beside the other tools.

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { build } from "./build.mjs";
import { EVERYWHERE, EXCEPTIONS } from "./fuzz/exceptions.mjs";
import { Failure, fromRoot, loudly, main, readArguments, readJson, readNumber, seconds } from "./lib.mjs";
import { pythonEnvironment } from "./python.mjs";
import { startServer } from "./server.mjs";
import { setUp } from "./setup.mjs";

const USAGE = `npm run fuzz [-- --examples 50] [--seed 1] [--seconds 300] [--only <operation id>]

Tests every operation of openapi.json on the built Worker, on a server of its own: examples, coverage, fuzzing and stateful phases, all
checks, also whether one organization gets what another one owns.`;

await main(import.meta.url, async () => {
  const started = Date.now();
  const options = readOptions();
  await setUp();
  const schemathesis = path.join(await pythonEnvironment("fuzz"), "st");
  await build("quick");
  const folder = mkdtempSync(path.join(os.tmpdir(), "tenantry-fuzz-"));
  const server = await startServer();
  const failed = [];
  try {
    for (const run of await runs(server)) {
      console.log(`\n── ${run.title} (after ${seconds(started)})`);
      if (!(await fuzz(schemathesis, server, run, folder, options))) failed.push(run.title);
    }
  } finally {
    await server.stop();
    rmSync(folder, { recursive: true, force: true });
  }
  if (failed.length > 0) throw new Failure(`Findings ${failed.join(" and ")}, see above. Repeat them with \`npm run fuzz -- --seed ${options.seed}\`.`);
  console.log(`\nNo findings, seed ${options.seed}, ${seconds(started)}.`);
});

function readOptions() {
  const text = { type: "string" };
  const { values } = readArguments(USAGE, { examples: text, seed: text, seconds: text, only: text });
  const number = (name, otherwise) => readNumber(USAGE, `--${name}`, values[name]) ?? otherwise;
  return { examples: number("examples", 50), seed: number("seed", Date.now() % 100_000), seconds: number("seconds", 300), only: values.only };
}

/** Who calls what: two organizations what is an organization's, the vendor what is the vendor's. */
async function runs(server) {
  const operations = Object.values(readJson(fromRoot("openapi.json")).paths).flatMap((methods) => Object.values(methods));
  const isVendors = ({ security }) => security?.length > 0 && security.every((way) => "platformKey" in way);
  const idsOf = (wanted) => operations.filter(wanted).map(({ operationId }) => operationId);
  const [acme, globex] = [await tenant(server, "Acme"), await tenant(server, "Globex")];
  return [
    { title: "as two organizations", operations: idsOf((operation) => !isVendors(operation)), peers: { acme, globex } },
    { title: "as the vendor", operations: idsOf(isVendors), peers: { vendor: server.platformKey } },
  ];
}

/** A key for everything of a new organization. */
async function tenant(server, name) {
  const post = async (target, body, headers) => {
    const response = await fetch(`${server.url}${target}`, {
      method: "POST",
      headers: { Authorization: `Bearer ${server.platformKey}`, "Content-Type": "application/json", ...headers },
      body: JSON.stringify(body),
    });
    if (response.status !== 201) throw new Failure(`POST ${target} answered ${response.status}: ${await response.text()}`);
    return response.json();
  };
  const organization = await post("/v1/organizations", { name, email: `admin@${name.toLowerCase()}.example` });
  return (await post("/v1/api-keys", { name: "fuzzing", scopes: ["*"] }, { "Tenantry-Organization": organization.$id })).secret;
}

/** Answers whether nothing was found. */
async function fuzz(schemathesis, server, run, folder, options) {
  const operations = run.operations.filter((operation) => options.only === undefined || operation === options.only);
  if (operations.length === 0) return true;
  const users = path.join(folder, "users.yaml");
  const config = path.join(folder, "schemathesis.toml");
  writeFileSync(users, usersFile(run.peers));
  writeFileSync(config, configFile(users, Object.keys(run.peers), operations));
  const { code } = await loudly(schemathesis, [
    ...["--config-file", config, "run", `${server.url}/openapi.json`],
    ...operations.flatMap((operation) => ["--include-operation-id", operation]),
    ...["--checks", "all", "--phases", "examples,coverage,fuzzing,stateful", "--max-examples", String(options.examples)],
    ...["--seed", String(options.seed), "--workers", "1", "--max-time", String(options.seconds), "--rate-limit", "auto"],
  ]);
  return code === 0;
}

function usersFile(peers) {
  const users = Object.entries(peers).map(([name, key]) => `  - name: ${name}\n    fixedHeaders: [{name: Authorization, value: "Bearer ${key}"}]`);
  return ["auth:", ...users].join("\n");
}

/** With two peers, each object of the one is asked for by the other. */
function configFile(users, names, operations) {
  const peers = names.length > 1 ? `peers = ${JSON.stringify(names)}\n` : "";
  const statuses = (checks) => Object.entries(checks).map(([check, expected]) => `checks.${check}.expected-statuses = ${JSON.stringify(expected)}`).join("\n");
  const exceptions = EXCEPTIONS.filter(({ operation }) => operations.includes(operation)).map(
    ({ operation, checks, reason }) => `# ${reason}\n[[operations]]\ninclude-operation-id = "${operation}"\n${statuses(checks)}\n`,
  );
  return `${statuses(EVERYWHERE)}\n\n[auth.wfc]\npath = ${JSON.stringify(users)}\n${peers}\n${exceptions.join("\n")}`;
}

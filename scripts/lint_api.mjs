// `npm run lint:api`: reads openapi.json with two linters, Spectral and Redocly. No warning is let through. Neither asks the network.

import path from "node:path";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import os from "node:os";
import { Failure, NODE_22, environment, fromRoot, main, readArguments, readJson } from "./lib.mjs";
import { spawnSync } from "node:child_process";

const DOCUMENT = "openapi.json";
/** Enough for every operation and member of the document, so that nothing is cut off. */
const PROBLEMS_MAX = 10_000;
const FINDINGS_SHOWN_MAX = 40;
const QUIET = { REDOCLY_TELEMETRY: "off", REDOCLY_SUPPRESS_UPDATE_NOTICE: "true", NO_COLOR: "1" };

const USAGE = `npm run lint:api

Reads openapi.json with Spectral and Redocly, and lets no warning through.`;

await main(import.meta.url, async () => {
  readArguments(USAGE);
  console.log(lintApi());
});

/** Answers a figure, or throws the findings. */
export function lintApi() {
  const findings = [...spectral(), ...redocly()];
  if (findings.length > 0) {
    const shown = findings.slice(0, FINDINGS_SHOWN_MAX).map(({ kind, place, message }) => `  ${kind} at ${place}: ${message}`);
    const remedy = "correct the `#[utoipa::path]` of the operation, the schema, or what the document adds to them";
    throw new Failure(`${shown.join("\n")}\n${findings.length} findings in ${DOCUMENT} (${kindsOf(findings)}): ${remedy}.`);
  }
  return `0 warnings, ${operations()} operations`;
}

function kindsOf(findings) {
  const counts = new Map();
  for (const { kind } of findings) counts.set(kind, (counts.get(kind) ?? 0) + 1);
  return [...counts].map(([kind, count]) => `${count} × ${kind}`).join(", ");
}

function operations() {
  return Object.values(readJson(fromRoot(DOCUMENT)).paths).reduce((sum, methods) => sum + Object.keys(methods).length, 0);
}

function spectral() {
  const found = linted("@stoplight/spectral-cli/dist/index.js", (report) => [
    ...["lint", DOCUMENT, "--ruleset", "scripts/lint/spectral.yaml"],
    ...["--format", "json", "--output", report, "--quiet", "--fail-severity", "hint"],
  ]);
  return found.map(({ code, path: place, message }) => ({ kind: code, place: place.join("."), message }));
}

function redocly() {
  const found = linted("@redocly/cli/bin/cli.js", () => [
    ...["lint", DOCUMENT, "--config", "scripts/lint/redocly.yaml"],
    ...["--format", "json", "--max-problems", String(PROBLEMS_MAX)],
  ]);
  return found.problems.map(({ ruleId, location, message }) => ({ kind: ruleId, place: location[0]?.pointer ?? "#", message }));
}

/** What a linter reports as JSON, in a file if it takes one. Findings make both end with 1, which is no failure of the linter. */
function linted(script, args) {
  const folder = mkdtempSync(path.join(os.tmpdir(), "tenantry-lint-"));
  const report = path.join(folder, "report.json");
  try {
    const commands = [fromRoot("node_modules", script), ...args(report)];
    const run = spawnSync(NODE_22, commands, { cwd: fromRoot(), env: environment(QUIET), encoding: "utf8", maxBuffer: 64 * 1024 * 1024 });
    const text = commands.includes(report) ? readFileSync(report, "utf8") : run.stdout;
    return JSON.parse(text);
  } catch (error) {
    throw new Failure(`${script} did not report: ${error.message}. Run \`npm ci\` and try again.`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

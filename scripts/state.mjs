// The folder in which a local server keeps everything: its databases and objects (wrangler's `v3`), its secrets, its log.

import { createHash, randomBytes, randomInt } from "node:crypto";
import { cpSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { databases } from "./config.mjs";
import { WRANGLER_ENVIRONMENT, fingerprint, fromRoot, quietly, readJson, wranglerCommand, writePrivateJson } from "./lib.mjs";

const STAMP = "migrations.stamp";

/** Makes a state folder ready to be served: migrated, and with secrets of its own. Data that is already there stays. */
export async function prepareState(state) {
  if (!existsSync(path.join(state, "v3"))) await copyTemplate(state);
  else await migrate(state);
  return secretsOf(state);
}

async function copyTemplate(state) {
  const template = await makeTemplate();
  mkdirSync(state, { recursive: true });
  cpSync(template, state, { recursive: true });
}

/** Migrating takes seconds and copying none, so a migrated empty state is kept for each set of migrations. Answers where. */
export async function makeTemplate() {
  const template = fromRoot(".dev/template", migrationsFingerprint());
  if (!existsSync(template)) {
    const unfinished = `${template}.${process.pid}`;
    await migrate(unfinished);
    if (existsSync(template)) rmSync(unfinished, { recursive: true, force: true });
    else renameSync(unfinished, template);
  }
  return template;
}

async function migrate(state) {
  const wanted = migrationsFingerprint();
  const stamp = path.join(state, STAMP);
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === wanted) return;
  mkdirSync(state, { recursive: true });
  for (const { binding } of databases()) {
    const [node, args] = wranglerCommand("d1", "migrations", "apply", binding, "--local", "--persist-to", state);
    await quietly(`migrations of ${binding}`, node, args, { env: WRANGLER_ENVIRONMENT });
  }
  writeFileSync(stamp, wanted);
}

/** Changes when a migration or a database is added. */
function migrationsFingerprint() {
  const folders = [...new Set(databases().map((database) => database.migrations_dir))];
  return [fingerprint(...folders), ...databases().map((database) => database.binding)].join("-");
}

/** The secrets of this state, made once. A second start keeps them, and so every key that was made with them. */
function secretsOf(state) {
  const file = path.join(state, "secrets.json");
  if (!existsSync(file)) {
    writePrivateJson(file, { secret: randomBytes(32).toString("hex"), platformKey: `tk_platform_${base62(43)}` });
  }
  const { secret, platformKey } = readJson(file);
  const hash = createHash("sha256").update(platformKey).digest("hex");
  // The form in which wrangler reads secrets: the command line would show them to every process on the machine.
  const environmentFile = path.join(state, "secrets.env");
  writeFileSync(environmentFile, `TENANTRY_SECRET=${secret}\nROOT_PLATFORM_KEY_HASH=${hash}\n`, { mode: 0o600 });
  return { platformKey, environmentFile };
}

const ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const base62 = (length) => Array.from({ length }, () => ALPHABET[randomInt(ALPHABET.length)]).join("");

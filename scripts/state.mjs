// The folder in which a local server keeps everything: its databases and objects (wrangler's `v3`), its secrets, its log.

import { createHash, randomBytes, randomInt } from "node:crypto";
import { cpSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { databases } from "./config.mjs";
import { Failure, WRANGLER_ENVIRONMENT, filesUnder, fingerprint, fromRoot, quietly, readJson, wranglerCommand, writePrivateJson } from "./lib.mjs";

/** Which migrations made the state: their files with fingerprints. */
const STAMP = "migrations.json";

/** Where `npm run dev` keeps its data, and everything that finds its server looks. */
export const stateFolder = () => path.resolve(process.env.TENANTRY_STATE ?? fromRoot(".dev/state"));

/** Where a server that `npm run dev` starts on a state says what it serves: `{ url, platformKey, organization, organizationKey }`. */
export const credentialsFile = (state) => path.join(state, "credentials.json");

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
  // The note's name is part of it: a template of before the note would be refused at the second start of its copy.
  const template = fromRoot(".dev/template", `${migrationsFingerprint()}-${STAMP}`);
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
  // A state without the note is older than it.
  const applied = existsSync(stamp) ? readJson(stamp) : existsSync(path.join(state, "v3")) ? { files: { "migrations/": "" } } : undefined;
  if (applied?.fingerprint === wanted) return;
  if (applied) refuseOtherMigrations(state, applied.files);
  mkdirSync(state, { recursive: true });
  for (const { binding } of databases()) {
    const [node, args] = wranglerCommand("d1", "migrations", "apply", binding, "--local", "--persist-to", state);
    await quietly(`migrations of ${binding}`, node, args, { env: WRANGLER_ENVIRONMENT });
  }
  writeFileSync(stamp, JSON.stringify({ fingerprint: wanted, files: migrationFiles() }));
}

/** wrangler knows an applied migration by its name alone, and would serve the old tables of a file that was edited since. */
function refuseOtherMigrations(state, applied) {
  const present = migrationFiles();
  const changed = Object.keys(applied).filter((name) => present[name] !== applied[name]);
  if (changed.length === 0) return;
  throw new Failure(
    `The data in ${state} was made by another version of ${changed.join(" and ")}, and there is no migration between the two: ` +
      `delete that folder, or set TENANTRY_STATE to another one.`,
  );
}

const migrationFiles = () =>
  Object.fromEntries(filesUnder(...migrationFolders()).map((name) => [name, fingerprint(name)]));

const migrationFolders = () => [...new Set(databases().map((database) => database.migrations_dir))];

/** Changes when a migration or a database is added. */
function migrationsFingerprint() {
  return [fingerprint(...migrationFolders()), ...databases().map((database) => database.binding)].join("-");
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

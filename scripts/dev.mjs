// `npm run dev`: from a fresh clone to a running server with a demo organization, which is built and started again on each change.

import { existsSync, mkdirSync } from "node:fs";
import path from "node:path";
import { build, inputsFingerprint } from "./build.mjs";
import { crons, isDue } from "./config.mjs";
import { Failure, delay, fromRoot, main, readArguments, readJson, seconds, writePrivateJson } from "./lib.mjs";
import { seed } from "./seed.mjs";
import { CREDENTIALS_FILE, portIsFree, startServer } from "./server.mjs";
import { setUp } from "./setup.mjs";
import { prepareState } from "./state.mjs";

const MINUTE_MS = 60_000;
const WATCH_PAUSE_MS = 500;
const USAGE = `npm run dev

Builds without optimisation, serves with a demo organization, and builds and serves again whenever a source changes.

  PORT            where it listens (8787)
  TENANTRY_STATE  the folder of its data (.dev/state)`;
let stopping = false;

await main(import.meta.url, async () => {
  const started = Date.now();
  readArguments(USAGE);
  const port = Number(process.env.PORT ?? 8787);
  const state = path.resolve(process.env.TENANTRY_STATE ?? fromRoot(".dev/state"));
  await refuseTakenPort(port);
  console.log("Preparing (the first time takes some minutes, later starts a few seconds)");
  await setUp();
  const built = inputsFingerprint();
  await Promise.all([build("quick"), prepareState(state)]);
  console.log(`  … starting the server on port ${port}`);
  const server = await startServer({ state, port, quiet: false, logLevel: "log" });
  process.once("SIGINT", () => stop(server)).once("SIGTERM", () => stop(server));
  const credentials = await demoCredentials(server);
  introduce(credentials, started);
  fireCrons(server);
  await rebuildOnChange(server, built);
});

async function refuseTakenPort(port) {
  if (!(port > 0 && port < 65_535)) throw new Failure(`PORT=${process.env.PORT} is not a port: choose one as in \`PORT=8788 npm run dev\`.`);
  if (await portIsFree(port)) return;
  throw new Failure(`Port ${port} is taken: stop what listens there, or choose another with \`PORT=${port + 1} npm run dev\`.`);
}

/** Seeds once per state: a second start offers the same organization and key. */
async function demoCredentials(server) {
  const kept = path.join(server.state, "demo.json");
  if (!existsSync(kept)) writePrivateJson(kept, await seed(server.url, server.platformKey));
  const credentials = { url: server.url, platformKey: server.platformKey, ...readJson(kept) };
  mkdirSync(path.dirname(CREDENTIALS_FILE), { recursive: true });
  writePrivateJson(CREDENTIALS_FILE, credentials);
  return credentials;
}

function introduce({ url, platformKey, organization, organizationKey }, started) {
  console.log(`
Tenantry is running at ${url} (ready after ${seconds(started)})

  API reference        ${url}/docs
  Mails it would send  ${url}/dev/inbox
  Platform key         ${platformKey}
  Demo organization    ${organization}
  Organization key     ${organizationKey}

Ask whether the demo organization may make an API call, and count it:

  curl -X POST ${url}/v1/usage/consumption \\
    -H "Authorization: Bearer ${organizationKey}" \\
    -H "Content-Type: application/json" \\
    -d '{"metric":"apiCalls","amount":1}'

The keys are in ${path.relative(process.cwd(), CREDENTIALS_FILE)} as well. Ctrl-C ends the server and keeps its data.
`);
}

/**
 * wrangler could watch the sources as well, but it holds every request while it builds, and for good when the build fails.
 * We build beside the running server, and replace it only by a build that succeeded.
 */
async function rebuildOnChange(server, built) {
  let seen = built;
  for (let serving = true; ; await delay(WATCH_PAUSE_MS)) {
    if (serving && !server.alive && !stopping) throw new Failure(`The server ended by itself: ${server.state}/server.log may say why.`);
    const now = inputsFingerprint();
    if (now === seen) continue;
    seen = now;
    serving = await replace(server, serving);
  }
}

/** Answers whether a server is running afterwards. */
async function replace(server, serving) {
  console.log("\nA source file changed");
  const started = Date.now();
  try {
    await build("quick");
    await server.stop();
    serving = false;
    await server.start();
    console.log(`  ✔ ${server.url} runs the new build, ${seconds(started)} after the change`);
    return true;
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    console.error(`✘ ${error.message}${serving ? "\n  The previous build keeps running." : ""}`);
    return serving;
  }
}

/** Crons never fire by themselves on a local workerd, so we are its clock. */
function fireCrons(server) {
  const untilNextMinute = MINUTE_MS - (Date.now() % MINUTE_MS);
  const timer = setTimeout(() => {
    const minute = new Date();
    fireCrons(server);
    for (const expression of crons().filter((cron) => isDue(cron, minute))) {
      if (server.alive) server.cron(expression).catch((error) => console.error(`✘ ${error.message}`));
    }
  }, untilNextMinute + 100);
  // The server keeps this process alive, its clock does not.
  timer.unref();
}

async function stop(server) {
  stopping = true;
  console.log("\nStopping");
  await server.stop();
  process.exit(0);
}

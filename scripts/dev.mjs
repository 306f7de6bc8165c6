// `npm run dev`: from a fresh clone to a running server with a demo organization, which is built and started again on each change.

import { existsSync } from "node:fs";
import path from "node:path";
import { build, inputsFingerprint } from "./build.mjs";
import { crons, isDue } from "./config.mjs";
import { Failure, delay, fromRoot, main, readArguments, readJson, seconds, writePrivateJson } from "./lib.mjs";
import { seed } from "./seed.mjs";
import { isHealthy, portIsFree, startServer } from "./server.mjs";
import { setUp } from "./setup.mjs";
import { credentialsFile, prepareState, stateFolder } from "./state.mjs";
import { inSteps } from "./steps.mjs";
import { paint } from "./terminal.mjs";

const MINUTE_MS = 60_000;
const WATCH_PAUSE_MS = 500;
const USAGE = `npm run dev [-- --keys | --verbose]

Builds without optimisation, serves with a demo organization, and builds and serves again whenever a source changes.

  --keys          no server: prints the address and the keys of the running or the last one as export lines,
                  for eval "$(npm run -s dev -- --keys)"
  --verbose       logs each request in a line; without it, warnings and errors only

  PORT            where it listens (8787)
  TENANTRY_STATE  the folder of its data (.dev/state)`;
let stopping = false;

await main(import.meta.url, async () => {
  const { keys, verbose } = readArguments(USAGE, { keys: { type: "boolean" }, verbose: { type: "boolean" } }).values;
  await (keys ? printKeys(stateFolder()) : serve(stateFolder(), { verbose }));
});

/** Nothing but the lines goes to standard output, because a shell evaluates them. */
async function printKeys(state) {
  const file = credentialsFile(state);
  if (!existsSync(file)) {
    throw new Failure(`No server has run on ${state} yet: start one with \`npm run dev\`, or set TENANTRY_STATE to its folder.`);
  }
  const credentials = readJson(file);
  console.log(exportLines(credentials));
  if (await isHealthy(credentials.url)) return;
  console.error(`Nothing answers at ${credentials.url} now: these keys are valid again once \`npm run dev\` runs on ${state}.`);
}

function exportLines({ url, platformKey, organization, organizationKey }) {
  return `export TENANTRY_URL=${url}
export TENANTRY_PLATFORM_KEY=${platformKey}
export TENANTRY_ORGANIZATION=${organization}
export TENANTRY_ORGANIZATION_KEY=${organizationKey}`;
}

async function serve(state, { verbose = false }) {
  const started = Date.now();
  const port = Number(process.env.PORT ?? 8787);
  await refuseTakenPort(port);
  let built;
  let server;
  const [, , , , credentials] = await inSteps([
    {
      title: "install tools and packages",
      expected: expected("node_modules/.package-lock.json", "1 to 3 minutes", "a second"),
      work: setUp,
    },
    {
      title: "compile the Worker",
      expected: expected("build/quick/index.js", "2 to 6 minutes", "a second, half a minute after a change"),
      work: () => ((built = inputsFingerprint()), build("quick")),
    },
    { title: "migrate the databases", expected: expected(`${state}/v3`, "up to 20 seconds", "a second"), work: () => prepareState(state) },
    {
      title: `start the server on port ${port}`,
      expected: "about 5 seconds",
      work: async () => {
        server = await startServer({ state, port, quiet: false, logLevel: verbose ? "log" : "warn" });
        process.once("SIGINT", () => stop(server)).once("SIGTERM", () => stop(server));
      },
    },
    { title: "make a demo organization", expected: "a second", work: () => demoCredentials(server) },
  ]);
  introduce(credentials, started);
  fireCrons(server);
  await rebuildOnChange(server, built);
}

/** How long a step takes: `first` until it has left its trace. */
function expected(trace, first, later) {
  return existsSync(path.resolve(fromRoot(), trace)) ? later : `${first}, only this first time`;
}

async function refuseTakenPort(port) {
  if (!(port > 0 && port < 65_535)) throw new Failure(`PORT=${process.env.PORT} is not a port: choose one as in \`PORT=8788 npm run dev\`.`);
  if (await portIsFree(port)) return;
  throw new Failure(`Port ${port} is taken: stop what listens there, or choose another with \`PORT=${port + 1} npm run dev\`.`);
}

/** Seeds once per state: a second start offers the same organization and key. */
async function demoCredentials({ state, url, platformKey }) {
  const file = credentialsFile(state);
  const { organization, organizationKey } = existsSync(file) ? readJson(file) : await seed(url, platformKey);
  const credentials = { url, platformKey, organization, organizationKey };
  writePrivateJson(file, credentials);
  return credentials;
}

function introduce(credentials, started) {
  const { url } = credentials;
  console.log(`
${paint("bold", `Tenantry is running at ${url}`)} (ready after ${seconds(started)})

  API reference        ${url}/docs
  Mails it would send  ${url}/dev/inbox

Paste these lines into another terminal, or let it ask for them with  eval "$(npm run -s dev -- --keys)"

${exportLines(credentials)}

Then ask whether the demo organization may make an API call, and count it:

curl -s "$TENANTRY_URL/v1/usage/consumption" -H "Authorization: Bearer $TENANTRY_ORGANIZATION_KEY" \\
  -H "Content-Type: application/json" -d '{"metric":"apiCalls","amount":1}'

README.md goes on from here. Ctrl-C ends the server and keeps its data.
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

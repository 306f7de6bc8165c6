// `npm run test:watch -- <pattern>`: runs what the pattern chooses, as `npm test` does, and again whenever a source or a test changes.

import { Failure, delay, fingerprint, main, readArguments } from "./lib.mjs";
import { runTests } from "./test.mjs";

const WATCH_PAUSE_MS = 500;
const WATCHED = ["Cargo.toml", "Cargo.lock", "src", "durable_objects", "crates", "migrations", "tests", "scripts"];
const USAGE = `npm run test:watch -- <pattern>...

Runs what the patterns choose, best one file, and again whenever a source or a test changes. Ctrl-C ends it.
Patterns are those of \`npm test\`: \`npm test -- --help\`.`;

await main(import.meta.url, async () => {
  const { positionals } = readArguments(USAGE, {}, [1, Infinity]);
  for (let seen; ; await delay(WATCH_PAUSE_MS)) {
    const now = fingerprint(...WATCHED);
    if (now === seen) continue;
    seen = now;
    await runTests(positionals).catch((error) => {
      if (!(error instanceof Failure)) throw error;
      console.error(`\n✘ ${error.message}`);
    });
    console.log("\nWaiting for a change …");
  }
});

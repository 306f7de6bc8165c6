// `npm run bench`: the hot path on plain workerd against its baselines, in one run on one machine. See bench/README.md.

import { build } from "../scripts/build.mjs";
import { Failure, loudly, main, seconds } from "../scripts/lib.mjs";
import { CASES } from "./cases.mjs";
import { Contenders } from "./contenders.mjs";
import { startGenerator } from "./load.mjs";
import { readOptions } from "./options.mjs";
import { profile } from "./profile.mjs";
import { printSummary } from "./report.mjs";

/** Natively: how many lines are rated a second on one core. */
const RATING = "rating";
const RATED_LINES_A_SECOND_MIN = 1_000_000;

async function rate() {
  const least = ["--", "--least", String(RATED_LINES_A_SECOND_MIN)];
  const { code } = await loudly("cargo", ["run", "--release", "--quiet", "-p", "rating", "--example", "speed", ...least]);
  if (code !== 0) throw new Failure(`A price is rated slower than ${RATED_LINES_A_SECOND_MIN} lines a second.`);
}

await main(import.meta.url, async () => {
  const started = Date.now();
  const options = readOptions([RATING, ...Object.keys(CASES)]);
  if (options.cases.includes(RATING) && !options.profile) await rate();
  options.cases = options.cases.filter((name) => name !== RATING);
  if (options.cases.length === 0) return;
  await build("release", { withNames: options.profile });
  const contenders = new Contenders();
  const generator = startGenerator();
  try {
    if (options.profile) {
      await profile({ generator, options });
      return;
    }
    const results = [];
    for (const name of options.cases) results.push(...(await CASES[name]({ name, contenders, generator, options })));
    printSummary(results);
    console.log(`\n${seconds(started)} in all.`);
  } finally {
    generator.stop();
    await contenders.stop();
  }
});

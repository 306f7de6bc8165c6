// `npm run bench`: the hot path on plain workerd against its baselines, in one run on one machine. See bench/README.md.

import { build } from "../scripts/build.mjs";
import { main, seconds } from "../scripts/lib.mjs";
import { CASES } from "./cases.mjs";
import { Contenders } from "./contenders.mjs";
import { startGenerator } from "./load.mjs";
import { readOptions } from "./options.mjs";
import { profile } from "./profile.mjs";
import { printSummary } from "./report.mjs";

await main(import.meta.url, async () => {
  const started = Date.now();
  const options = readOptions(process.argv.slice(2), Object.keys(CASES));
  await build();
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

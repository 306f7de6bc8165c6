// What the command line asks for.

import { Failure, readArguments, readNumber } from "../scripts/lib.mjs";

const USAGE = `npm run bench -- [cases] [options]
  cases      of: CASES (all when none is named)
  --rounds   how many counted rounds (5)
  --seconds  how long a round takes (2)
  --organizations  how many are billed in the case billing (10000)
  --profile  no comparison: where our Worker spends its time in each case, the 25 most expensive functions`;

/** Answers `{ cases, rounds, seconds, organizations, profile }`. */
export function readOptions(known) {
  const usage = USAGE.replace("CASES", known.join(" "));
  const text = { type: "string" };
  const { values, positionals } = readArguments(usage, { rounds: text, seconds: text, organizations: text, profile: { type: "boolean" } }, [0, Infinity]);
  const unknown = positionals.find((name) => !known.includes(name));
  if (unknown !== undefined) throw new Failure(`There is no case ${unknown}.\n\n${usage}`);
  return {
    cases: positionals.length > 0 ? positionals : known,
    rounds: readNumber(usage, "--rounds", values.rounds, { least: 1 }) ?? 5,
    seconds: readNumber(usage, "--seconds", values.seconds, { least: 0.1, isWhole: false }) ?? 2,
    organizations: readNumber(usage, "--organizations", values.organizations, { least: 1 }) ?? 10_000,
    profile: values.profile ?? false,
  };
}

// What the command line asks for.

import { Failure } from "../scripts/lib.mjs";

const USAGE = `npm run bench -- [cases] [options]
  cases      of: CASES (all when none is named)
  --rounds   how many counted rounds (5)
  --seconds  how long a round takes (2)
  --organizations  how many are billed in the case billing (10000)
  --profile  no comparison: where our Worker spends its time in each case, the 25 most expensive functions`;

/** Answers `{ cases, rounds, seconds, organizations, profile }`. */
export function readOptions(words, known) {
  const options = { cases: [], rounds: 5, seconds: 2, organizations: 10_000, profile: false };
  const rest = [...words];
  const refuse = (reason) => {
    throw new Failure(`${reason}\n\n${USAGE.replace("CASES", known.join(" "))}`);
  };
  while (rest.length > 0) {
    const word = rest.shift();
    if (word === "--profile") options.profile = true;
    else if (["--rounds", "--seconds", "--organizations"].includes(word)) {
      options[word.slice(2)] = Number(rest.shift());
      if (!(options[word.slice(2)] > 0)) refuse(`${word} takes a number above 0.`);
    } else if (known.includes(word)) options.cases.push(word);
    else refuse(word === "--help" ? "" : `There is no ${word}.`);
  }
  for (const name of ["rounds", "organizations"]) if (!Number.isInteger(options[name])) refuse(`--${name} takes a whole number.`);
  if (options.cases.length === 0) options.cases = known;
  return options;
}

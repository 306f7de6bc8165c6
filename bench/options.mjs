// What the command line asks for.

import { Failure } from "../scripts/lib.mjs";

const USAGE = `npm run bench -- [cases] [options]
  cases      of: CASES (all when none is named)
  --rounds   how many counted rounds (5)
  --seconds  how long a round takes (2)
  --profile  no comparison: where our Worker spends its time in each case, the 25 most expensive functions`;

/** Answers `{ cases, rounds, seconds, profile }`. */
export function readOptions(words, known) {
  const options = { cases: [], rounds: 5, seconds: 2, profile: false };
  const rest = [...words];
  const refuse = (reason) => {
    throw new Failure(`${reason}\n\n${USAGE.replace("CASES", known.join(" "))}`);
  };
  while (rest.length > 0) {
    const word = rest.shift();
    if (word === "--profile") options.profile = true;
    else if (word === "--rounds" || word === "--seconds") {
      options[word.slice(2)] = Number(rest.shift());
      if (!(options[word.slice(2)] > 0)) refuse(`${word} takes a number above 0.`);
    } else if (known.includes(word)) options.cases.push(word);
    else refuse(word === "--help" ? "" : `There is no ${word}.`);
  }
  if (!Number.isInteger(options.rounds)) refuse("--rounds takes a whole number.");
  if (options.cases.length === 0) options.cases = known;
  return options;
}

// Work in steps that a person waits for: which step it is, how long it takes, and how long it has taken.

import { reportTo, seconds } from "./lib.mjs";
import { ProgressLine, isTerminal, paint } from "./terminal.mjs";

const TICK_MS = isTerminal() ? 200 : 10_000;

/** Does `[{ title, expected, work }]` one after the other; answers what each of them answered. `expected`: how long it takes, in words. */
export async function inSteps(steps) {
  const answers = [];
  for (const [index, step] of steps.entries()) answers.push(await oneStep(step, `step ${index + 1} of ${steps.length}`));
  return answers;
}

async function oneStep({ title, expected, work }, place) {
  const started = Date.now();
  const line = new ProgressLine();
  let detail = "";
  const tell = () => line.show(`${isTerminal() ? `${place}: ${title} (${expected})` : " "} … ${seconds(started)}${detail}`);
  // Elsewhere than on a terminal, a line that cannot be rewritten comes once, before the wait.
  if (!isTerminal()) console.log(`${place}: ${title} (${expected})`);
  reportTo({ pauseMs: TICK_MS, working: (what, _, last) => (detail = last ? `, ${last}` : `, ${what}`), done: () => (detail = "") });
  const ticker = setInterval(tell, TICK_MS);
  if (isTerminal()) tell();
  try {
    const answer = await work();
    line.clear();
    console.log(isTerminal() ? `${paint("green", "✔")} ${place}: ${title}, ${seconds(started)}` : `  ✔ ${seconds(started)}`);
    return answer;
  } finally {
    line.clear();
    clearInterval(ticker);
    reportTo();
  }
}

// What a person at the terminal sees: colours where a terminal shows them, and one line that is rewritten while work goes on.
// Where nobody watches (a pipe, a log, continuous integration), lines stay as they are and come rarely.

const PLAIN_PAUSE_MS = 10_000;
const BAR_WIDTH = 24;
/** Where a terminal does not say how wide it is. */
const COLUMNS = 80;
const CLEAR_LINE = "\r\u001b[2K";

export const isTerminal = () => process.stdout.isTTY === true;

/** Colours are for terminals only, and for people who did not refuse them (https://no-color.org). */
export const hasColours = () => isTerminal() && !process.env.NO_COLOR && process.env.TERM !== "dumb";

const STYLES = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33, blue: 34, magenta: 35, cyan: 36 };

/** The text in a style of `STYLES`, unchanged where there are no colours. */
export const paint = (style, text) => (hasColours() ? `\u001b[${STYLES[style]}m${text}\u001b[0m` : String(text));

/** One line at the bottom: rewritten in place on a terminal, elsewhere printed every ten seconds at most. */
export class ProgressLine {
  #shown = false;
  #toldAt = Date.now();

  show(text) {
    if (isTerminal()) {
      process.stdout.write(CLEAR_LINE + text.slice(0, (process.stdout.columns || COLUMNS) - 1));
      this.#shown = true;
    } else if (Date.now() - this.#toldAt >= PLAIN_PAUSE_MS) {
      this.#toldAt = Date.now();
      console.log(text);
    }
  }

  /** Takes the line away, for a lasting line in its place. */
  clear() {
    if (this.#shown) process.stdout.write(CLEAR_LINE);
    this.#shown = false;
  }
}

/** `[████████░░░░░░░░] 50 %` */
export function bar(done, of) {
  const full = Math.floor((BAR_WIDTH * done) / of);
  return `[${"█".repeat(full)}${"░".repeat(BAR_WIDTH - full)}] ${String(Math.floor((100 * done) / of)).padStart(3)} %`;
}

/** The width of a text on the screen: without its colours. */
export const widthOf = (text) => withoutColours(text).length;

export const withoutColours = (text) => text.replace(/\u001b\[[0-9;]*m/g, "");

/** Rows under headings. The first column stands to the left, the others to the right, except those in `left` (by index). */
export function table(headings, rows, { left = [0] } = {}) {
  const texts = [headings, ...rows].map((row) => row.map(String));
  const widths = headings.map((_, column) => Math.max(...texts.map((row) => widthOf(row[column]))));
  const padded = (cell, column) => {
    const gap = " ".repeat(widths[column] - widthOf(cell));
    return left.includes(column) ? cell + gap : gap + cell;
  };
  const line = (row) => row.map(padded).join("  ").trimEnd();
  const rule = widths.map((width) => "─".repeat(width)).join("  ");
  return [paint("bold", line(texts[0])), paint("dim", rule), ...texts.slice(1).map(line)].join("\n");
}

/** Asks a question that is answered with y or n; anything else is no. */
export async function confirmed(question) {
  const { createInterface } = await import("node:readline/promises");
  const lines = createInterface({ input: process.stdin, output: process.stdout });
  try {
    return /^y(es)?$/i.test((await lines.question(`${question} [y/N] `)).trim());
  } finally {
    lines.close();
  }
}

// What of a server's log is worth showing: wrangler writes notices of a tool among what happened.

import { withoutColours } from "./terminal.mjs";

/** A notice that reads like a fault and is none here, from its first line to its last: `npm run dev` fires the crons itself. */
const NOTICES = [{ from: /\[WARNING\].*Scheduled Workers are not automatically triggered/, to: /cron-triggers/ }];

/** Hands on what is shown of a growing text. */
export class ShownLog {
  #read = 0;
  #notice;

  constructor({ from }) {
    this.#read = from;
  }

  /** The lines that are new in the whole text, without notices; a line that is not complete waits for its end. */
  next(whole) {
    const end = whole.lastIndexOf("\n") + 1;
    if (end <= this.#read) return "";
    const lines = whole.slice(this.#read, end).split("\n").slice(0, -1);
    this.#read = end;
    const shown = lines.filter((line) => this.#isShown(withoutColours(line)));
    // Without its notice, a text of empty lines is left.
    return shown.every((line) => line.trim() === "") ? "" : `${shown.join("\n")}\n`;
  }

  #isShown(line) {
    this.#notice ??= NOTICES.find(({ from }) => from.test(line));
    if (!this.#notice) return true;
    if (this.#notice.to.test(line)) this.#notice = undefined;
    return false;
  }
}

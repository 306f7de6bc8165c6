// Pasting into a shell as a person does: an interactive shell without settings reads the text line by line.

import { spawn } from "node:child_process";
import type { ChildProcessByStdio } from "node:child_process";
import type { Readable, Writable } from "node:stream";
import { atExit, delay, fromRoot, signalGroup } from "../../../scripts/lib.mjs";

/** A block may compile the verifier for the first time. */
const BLOCK_LIMIT_MS = 280_000;
const EXIT_LIMIT_MS = 5_000;
/** Separates what a shell tells us from what commands print. */
const MARK = "\u001e";
/**
 * Tells of every command that ends with another status than 0, of the last of a pipe as of the others, and of every variable that is used
 * before it is set. Jobs stay in the shell's process group, so that none outlives it.
 */
const WATCH = String.raw`PS1= PS2=
set +m
set -u -o pipefail
trap 'printf "\036failed with %s\036\n" "$?" >&2' ERR`;
/** What a shell itself says when it cannot run a line. */
const COMPLAINT = /^(?:zsh|bash)(?:: line \d+)?: .*$/gm;

export interface Pasted {
  readonly output: string;
  /** What went wrong, in the shell's words; empty when nothing did. */
  readonly failures: readonly string[];
}

/** One shell session. It ends with `end`, or with this process. */
export class Session {
  readonly #child: ChildProcessByStdio<Writable, Readable, Readable>;
  readonly #callOff: () => void;
  #texts = { output: "", errors: "" };
  #hasEnded = false;
  #pastes = 0;

  private constructor([command, ...args]: readonly string[], env: Record<string, string>) {
    const { NODE_TEST_CONTEXT: _, ...own } = process.env;
    // In a session of its own: an interactive shell would take the terminal of whoever runs the tests.
    this.#child = spawn(command, args, {
      cwd: fromRoot(),
      env: { ...own, HISTFILE: "/dev/null", TERM: "dumb", ...env },
      stdio: ["pipe", "pipe", "pipe"],
      detached: true,
    });
    this.#child.stdout.setEncoding("utf8").on("data", (text) => (this.#texts.output += text));
    this.#child.stderr.setEncoding("utf8").on("data", (text) => (this.#texts.errors += text));
    this.#child.once("close", () => (this.#hasEnded = true));
    this.#child.stdin.on("error", () => {});
    this.#callOff = atExit(() => signalGroup(this.#child.pid!, "SIGKILL"));
  }

  static async begin(command: readonly string[], env: Record<string, string> = {}): Promise<Session> {
    const session = new Session(command, env);
    await session.paste(WATCH);
    return session;
  }

  /** Waits until the shell has done all of the text. */
  async paste(text: string): Promise<Pasted> {
    this.#texts = { output: "", errors: "" };
    this.#pastes += 1;
    const end = `${MARK}end ${this.#pastes}${MARK}`;
    const told = `printf '\\036end %s\\036\\n' ${this.#pastes}`;
    this.#child.stdin.write(`${text}\n${told}; ${told} >&2\n`);
    const deadline = Date.now() + BLOCK_LIMIT_MS;
    const isDone = () => this.#texts.output.includes(end) && this.#texts.errors.includes(end);
    while (!isDone()) {
      if (this.#hasEnded) return this.#unfinished("the shell ended");
      if (Date.now() > deadline) return this.#unfinished(`the shell did not come to the end within ${BLOCK_LIMIT_MS / 1_000} seconds`);
      await delay(20);
    }
    const { output, errors } = this.#texts;
    const failed = [...errors.matchAll(/\u001e(failed with \d+)\u001e/g)].map(([, sentence]) => sentence);
    const complaints = [...errors.matchAll(COMPLAINT)].map(([line]) => line);
    const printed = failed.length > 0 ? [errors.replace(/\u001e[^\u001e]*\u001e\n?/g, "").trim()] : [];
    return { output: output.slice(0, output.indexOf(end)), failures: [...complaints, ...failed, ...printed] };
  }

  #unfinished(why: string): Pasted {
    const { output, errors } = this.#texts;
    return { output, failures: [`${why}: ${errors}`] };
  }

  /** Ends the shell and what it started, and nothing else. */
  async end(): Promise<void> {
    this.#child.stdin.end();
    const deadline = Date.now() + EXIT_LIMIT_MS;
    while (!this.#hasEnded && Date.now() < deadline) await delay(20);
    signalGroup(this.#child.pid!, "SIGKILL");
    this.#callOff();
  }
}

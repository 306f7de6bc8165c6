// The offline verifier, which shares no code with what it checks: a program of its own, built once for all that a test has it check.

import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { environment, fromRoot } from "../../../scripts/lib.mjs";

const run = promisify(execFile);
let built: Promise<string> | undefined;

/** What it prints of these files; rejects with `stdout` and `stderr` when they do not hold. */
export async function verified(...files: readonly string[]): Promise<string> {
  built ??= build();
  return (await run(await built, files)).stdout;
}

async function build(): Promise<string> {
  const { stdout } = await run("cargo", ["build", "-q", "-p", "verify", "--message-format=json"], { cwd: fromRoot(), env: environment(), maxBuffer: 2 ** 26 });
  const messages = stdout.trim().split("\n").map((line) => JSON.parse(line));
  return messages.find(({ executable }) => executable).executable;
}

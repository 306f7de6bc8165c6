// The offline verifier, which shares no code with what it checks: a program of its own, built once for all that a test has it check.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { randomUUID } from "node:crypto";
import { rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { environment, fromRoot } from "../../../scripts/lib.mjs";
import { inParallel, invoices } from "./client.ts";
import type { Company } from "./client.ts";

const run = promisify(execFile);
let built: Promise<string> | undefined;

/** What it prints of these files; rejects with `stdout` and `stderr` when they do not hold. */
export async function verified(...files: readonly string[]): Promise<string> {
  built ??= build();
  return (await run(await built, files)).stdout;
}

/** Each of the company's invoices can be computed again from its proof and the log of its usage. Answers why they were made. */
export async function assertInvoicesProven(of: Company): Promise<Set<string>> {
  const usage = scratch((await of.desk.get("/v1/usage/proof")).text);
  const all = await invoices(of);
  await inParallel(4, all, async ({ $id, billingReason }) => {
    const proof = scratch((await of.desk.get(`/v1/invoices/${$id}/proof`)).text);
    const printed = await verified(proof, usage).catch((error) => assert.fail(`the proof of a ${billingReason} does not hold: ${error.stdout}${error.stderr}`));
    assert.match(printed, /^VERIFIED$/m);
    rmSync(proof);
  });
  rmSync(usage);
  return new Set(all.map(({ billingReason }) => billingReason));
}

function scratch(text: string): string {
  const file = path.join(os.tmpdir(), `tenantry-proof-${randomUUID()}`);
  writeFileSync(file, text);
  return file;
}

async function build(): Promise<string> {
  const { stdout } = await run("cargo", ["build", "-q", "-p", "verify", "--message-format=json"], { cwd: fromRoot(), env: environment(), maxBuffer: 2 ** 26 });
  const messages = stdout.trim().split("\n").map((line) => JSON.parse(line));
  return messages.find(({ executable }) => executable).executable;
}

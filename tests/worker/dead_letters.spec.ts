// Work that keeps failing becomes a dead letter after its last attempt: it is listed, and done when it is replayed. The first seven attempts are taken from the shards'
// files, because their pauses add up to an hour.

import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { after, test } from "node:test";
import { backend, company, eventually, expect, inParallel, signUp, templates, vendor } from "./support/client.ts";
import { tamper } from "./support/disk.ts";
import { startServer } from "./support/server.ts";
import type { Server } from "./support/server.ts";

const MINUTE = "* * * * *";
const state = mkdtempSync(path.join(os.tmpdir(), "tenantry-dead-letters-"));
after(() => rmSync(state, { recursive: true, force: true }));

/** Runs `work` on a server of its own over the state that all tests here share, one after the other. */
async function serving<T>(vars: Record<string, string>, work: (server: Server) => Promise<T>): Promise<T> {
  const server = await startServer({ state, vars });
  try {
    return await work(server);
  } finally {
    await server.stop();
  }
}

const deadLetters = async (server: Server) => expect(await vendor(server).get("/v1/dead-letters"), 200).data;

const onlyDeadLetter = (server: Server) =>
  eventually("a dead letter", 20_000, async () => {
    await server.cron(MINUTE);
    const [first, ...more] = await deadLetters(server);
    assert.deepEqual(more, []);
    return first;
  });

const REPLAYS = 5;
const replay = async (server: Server, id: string) => (await vendor(server).post("/v1/dead-letters/replays", { id })).status;

test("a mail that no provider accepts becomes a dead letter with its last attempt, and is sent when it is replayed", async () => {
  const acme = await serving({ TENANTRY_ENVIRONMENT: "production" }, (server) => signUp(server, "Acme"));
  await tamper(state, "UPDATE mails SET attempts = 7, next_attempt_at = 1 WHERE sent_at IS NULL");
  const mail = await serving({ TENANTRY_ENVIRONMENT: "production" }, onlyDeadLetter);
  assert.deepEqual([mail.kind, mail.name, mail.attempts, mail.organization], ["mail", "organization-welcome", 8, acme.id]);
  assert.match(mail.lastError, /no mail provider/);
  await serving({ TENANTRY_ENVIRONMENT: "production" }, async (server) => {
    const replays = await inParallel(REPLAYS, Array.from({ length: REPLAYS }), () => replay(server, mail.$id));
    assert.deepEqual(replays.sort(), [204, ...Array.from({ length: REPLAYS - 1 }, () => 404)], "one replay takes the dead letter");
    assert.equal(await replay(server, mail.$id), 404, "the mail is tried again by itself");
  });
  await tamper(state, "UPDATE mails SET attempts = 7, next_attempt_at = 1 WHERE sent_at IS NULL AND attempts = 1");
  await serving({ TENANTRY_ENVIRONMENT: "production" }, onlyDeadLetter);
  await serving({}, async (server) => {
    assert.equal(await replay(server, mail.$id), 204);
    assert.deepEqual(await deadLetters(server), []);
    assert.deepEqual(await templates(server, acme.email), ["organization-welcome"]);
  });
});

test("a failing step becomes a dead letter with its last attempt, the other steps are done, and a replay runs it", async () => {
  const bolt = await serving({}, (server) => signUp(server, "Bolt"));
  const again = "UPDATE events SET dispatched_at = NULL, next_attempt_at = 1 WHERE type = 'Subscription.created'";
  const seventh = "UPDATE reaction_runs SET status = 'retrying', attempts = 7 WHERE step = 'trials.admit_usage'";
  const mine = `organization_id = '${bolt.id}'`;
  await tamper(state, `UPDATE subscriptions SET plan = 'gone' WHERE ${mine}; ${again} AND ${mine}; ${seventh} AND ${mine};`);
  const step = await serving({}, onlyDeadLetter);
  assert.deepEqual([step.kind, step.name, step.attempts, step.organization], ["step", "trials.admit_usage", 8, bolt.id]);
  await tamper(state, `UPDATE subscriptions SET plan = 'professional' WHERE ${mine}`);
  await serving({}, async (server) => {
    assert.equal(await replay(server, step.$id), 204);
    assert.deepEqual(await deadLetters(server), []);
    const here = company(server, bolt.id, bolt.email);
    expect(await (await backend(server, here)).get("/v1/quotas/apiCalls"), 200);
  });
});

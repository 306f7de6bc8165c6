// How an organization pauses and ends, on real databases and a real object.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { advance, assertProblem, backend, eventually, expect, makeClock, signUp, vendor } from "./support/client.ts";
import { freshServer } from "./support/server.ts";

const server = freshServer();

test("a suspension stops the hot path before its answer, and the resumption opens it", async () => {
  const acme = await signUp(server.current, "Paused");
  const client = await backend(server.current, acme);
  const path = `/v1/organizations/${acme.id}/suspension`;
  expect(await client.post("/v1/usage", { metric: "apiCalls" }), 200);
  expect(await vendor(server.current).put(path, { reason: "payment is overdue" }), 200);
  assertProblem(await client.post("/v1/usage", { metric: "apiCalls" }), 403, "organization_suspended");
  assertProblem(await client.post("/v1/usage/consumption", { metric: "apiCalls" }), 403, "organization_suspended");
  expect(await client.get("/v1/usage"), 200);
  expect(await vendor(server.current).delete(path), 204);
  expect(await client.post("/v1/usage", { metric: "apiCalls" }), 200);
});

test("an export holds everything and its digest is right", async () => {
  const acme = await signUp(server.current, "Exporter");
  const client = await backend(server.current, acme, ["*"]);
  for (let number = 0; number < 20; number++) expect(await client.post("/v1/usage", { metric: "apiCalls" }), 200);
  const { $id } = expect(await client.post("/v1/exports", {}), 202);
  await eventually("the export is done", 30_000, async () => expect(await client.get(`/v1/exports/${$id}`), 200).status === "done");
  const content = await client.get(`/v1/exports/${$id}/content`);
  assert.equal(content.status, 200);
  const end = content.text.trimEnd().lastIndexOf("\n") + 1;
  const { summary } = JSON.parse(content.text.slice(end));
  assert.equal(summary.sha256, createHash("sha256").update(content.text.slice(0, end)).digest("hex"));
  assert.equal(summary.rows.usageEvents, 20);
  const rest = await client.get(`/v1/exports/${$id}/content`, { headers: { range: "bytes=100-" } });
  assert.deepEqual([rest.status, rest.text], [206, content.text.slice(100)]);
});

test("thirty days after its cancellation an organization is unknown everywhere", async () => {
  const clock = await makeClock(server.current, "2026-01-01T00:00:00Z");
  const acme = await signUp(server.current, "Leaver", { testClock: clock });
  const client = await backend(server.current, acme, ["*"]);
  expect(await client.post("/v1/usage", { metric: "apiCalls" }), 200);
  expect(await client.post("/v1/organization/cancellation", { reason: "we stop" }), 201);
  assertProblem(await client.post("/v1/usage", { metric: "apiCalls" }), 403, "organization_cancelled");
  expect(await client.get("/v1/usage"), 200);
  await advance(server.current, clock, "2026-02-01T00:00:00Z");
  assertProblem(await client.get("/v1/usage"), 401);
  assertProblem(await client.post("/v1/usage", { metric: "apiCalls" }), 401);
  assertProblem(await client.get("/v1/organization"), 401);
  assertProblem(await vendor(server.current).get(`/v1/organizations/${acme.id}`), 404);
  const [record] = expect(await vendor(server.current).get("/v1/erasures"), 200).data;
  assert.deepEqual([record.organization, record.status], [acme.id, "done"]);
  assert.ok(record.rows.meter.commits > 0 && record.rows.tenants.organizations === 1, JSON.stringify(record));
});

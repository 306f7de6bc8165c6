// CloudEvents, reservations and the vendor's metrics on both ways to a Meter: an organization's key goes straight there through the shell,
// the vendor's key through the router. Both get the same.

import assert from "node:assert/strict";
import { test } from "node:test";
import { assertProblem, backend, bearer, counted, expect, signUp, vendor } from "./support/client.ts";
import type { Client } from "./support/client.ts";
import { freshServer } from "./support/server.ts";

const server = freshServer();

/** A company, and the two ways to its Meter. */
async function ways(name: string): Promise<[string, Client][]> {
  const acme = await signUp(server.current, name);
  return [["its own key", await backend(server.current, acme)], ["the vendor's key", acme.desk]];
}

const STRUCTURED = { "content-type": "application/cloudevents+json" };
const BATCH = { "content-type": "application/cloudevents-batch+json; charset=utf-8" };
const event = (id: string, more: object = {}) => ({ specversion: "1.0", id, source: "/tests", type: "apiCalls", ...more });

test("CloudEvents count in their three forms, and once", async () => {
  for (const [way, caller] of await ways("Eventful")) {
    const before = await counted(caller, "apiCalls");
    const structured = () => caller.post("/v1/events", event(`${way} 1`), { headers: STRUCTURED });
    assert.equal(expect(await structured(), 200).replayed, false, way);
    assert.equal(expect(await structured(), 200).replayed, true, way);
    const binary = { "ce-specversion": "1.0", "ce-id": `${way} 2`, "ce-source": "/tests", "ce-type": "apiCalls" };
    assert.equal(expect(await caller.send("POST", "/v1/events", undefined, { headers: binary }), 200).$type, "UsageReceipt", way);
    const withData = { ...binary, "ce-id": `${way} 3`, "content-type": "application/json" };
    expect(await caller.send("POST", "/v1/events", '{"route":"/a"}', { headers: withData }), 200);
    const batch = expect(await caller.post("/v1/events", [event(`${way} 4`), event(`${way} 1`), event(`${way} 5`, { type: "wishes" })], { headers: BATCH }), 200);
    assert.deepEqual([batch.accepted, batch.replayed, batch.rejected.map(({ index, code }: any) => [index, code])], [1, 1, [[2, "unknown_metric"]]], way);
    assert.equal((await counted(caller, "apiCalls")) - before, 4, way);
    assertProblem(await caller.send("POST", "/v1/events", undefined, { headers: { ...binary, "ce-specversion": "0.3" } }), 400);
    assertProblem(await caller.send("PUT", "/v1/events", undefined), 405, "method_not_allowed");
  }
});

test("a reservation is held, read, settled and released", async () => {
  for (const [way, caller] of await ways("Reserved")) {
    const made = expect(await caller.post("/v1/reservations", { metric: "apiCalls", amount: 100 }), 201);
    assert.deepEqual([made.$type, made.status, made.amount, made.reserved], ["Reservation", "active", 100, 100], way);
    const path = `/v1/reservations/${made.$id}`;
    assert.equal(expect(await caller.get(path), 200).status, "active", way);
    const settled = expect(await caller.post(`${path}/settlement`, { amount: 60 }), 200);
    assert.deepEqual([settled.$type, settled.reservation, settled.current % 60], ["UsageReceipt", made.$id, 0], way);
    assert.equal(expect(await caller.post(`${path}/settlement`, { amount: 60 }), 200).replayed, true, way);
    assertProblem(await caller.delete(path), 409, "reservation_settled");

    const other = expect(await caller.post("/v1/reservations", { metric: "apiCalls", amount: 5 }, { headers: { "idempotency-key": `${way} other` } }), 201);
    const again = await caller.post("/v1/reservations", { metric: "apiCalls", amount: 5 }, { headers: { "idempotency-key": `${way} other` } });
    assert.equal(expect(again, 201).$id, other.$id, way);
    for (const attempt of [1, 2]) {
      const released = await caller.delete(`/v1/reservations/${other.$id}`);
      assert.deepEqual([released.status, released.text, released.headers.get("content-type")], [204, "", null], `${way} ${attempt}`);
      assert.match(released.headers.get("request-id")!, /^req_/);
    }
    assertProblem(await caller.post(`/v1/reservations/${other.$id}/settlement`, { amount: 1 }), 409, "reservation_released");
    assertProblem(await caller.get("/v1/reservations/res_00000000000000000000000001"), 404, "not_found");
    assertProblem(await caller.get(`${path}/settlement`), 405, "method_not_allowed");
    assertProblem(await caller.get("/v1/reservations/"), 404, "route_not_found");
  }
});

test("a metric that the vendor has just defined counts from the first request on, on both ways", async () => {
  for (const [index, name] of ["Told by its key", "Told by the vendor"].entries()) {
    const key = `minutes${index}`;
    expect(await vendor(server.current).post("/v1/metrics", { key, name: "Minutes", aggregation: "sum", kind: "consumable", eventType: `call.ended.${index}` }), 201);
    const [[, own], [, desk]] = await ways(name);
    const caller = index === 0 ? own : desk;
    const body = { metric: key, amount: "1.5", metadata: { name: "Zoë" }, idempotencyKey: "first" };
    assert.equal(expect(await caller.post("/v1/usage", body), 200).current, "1.5", "the body survives being sent twice");
    assert.equal(expect(await caller.post("/v1/events", event("e1", { type: `call.ended.${index}` }), { headers: STRUCTURED }), 200).current, "2.5");
    assert.deepEqual(expect(await caller.get(`/v1/usage/history?metric=${key}`), 200).data.map(({ sum }: any) => sum), ["2.5"]);
    assertProblem(await caller.post("/v1/usage", { metric: "wishes" }), 400, "unknown_metric");
  }
  const revoked = await signUp(server.current, "Revoked");
  const made = expect(await revoked.desk.post("/v1/api-keys", { name: "gone", scopes: ["usage.write"] }), 201);
  expect(await revoked.desk.delete(`/v1/api-keys/${made.$id}`), 204);
  assertProblem(await bearer(server.current, made.secret).post("/v1/usage", { metric: "minutes9" }), 401, "unauthenticated");
});

// Requests as browsers send them, from pages of other origins; and the pages that we serve ourselves.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { request } from "node:http";
import { test } from "node:test";
import { fromRoot } from "../../scripts/lib.mjs";
import { address, backend, expect, signUp, vendor } from "./support/client.ts";
import { found } from "./support/people.ts";
import type { Founded } from "./support/people.ts";
import { freshServer } from "./support/server.ts";

const server = freshServer();
const PAGE = "http://localhost:5173";
const STRANGER = "https://evil.example";
let prepared: Promise<Founded> | undefined;

/** A company of the vendor, who allows the page's origin. */
function company(): Promise<Founded> {
  return (prepared ??= (async () => {
    expect(await vendor(server.current).put("/v1/allowed-origins", { origins: ["https://app.example.com", PAGE] }), 200);
    return found(server.current, "Browsing");
  })());
}

interface Raw {
  readonly status: number;
  readonly headers: Record<string, string | string[] | undefined>;
  readonly text: string;
  /** The origin whose scripts may read the answer. */
  readonly reader: string | undefined;
}

/** By hand: `fetch` would set and hide headers of its own. */
function raw(method: string, path: string, headers: Record<string, string>, body?: string): Promise<Raw> {
  return new Promise((resolve, reject) => {
    const sent = request(new URL(path, server.current.url), { method, headers }, (response) => {
      let text = "";
      response.setEncoding("utf8");
      response.on("data", (part) => {
        text += part;
        // A feed does not end by itself.
        if (response.headers["content-type"] === "text/event-stream") sent.destroy();
      });
      response.on("close", () => {
        const reader = response.headers["access-control-allow-origin"];
        resolve({ status: response.statusCode ?? 0, headers: response.headers, text, reader });
      });
    });
    sent.on("error", reject);
    sent.end(body);
  });
}

const token = async () => ({ authorization: `Bearer ${(await company()).owner.session.accessToken}` });
const JSON_BODY = { "content-type": "application/json" };

test("a preflight of each method is answered by the origin alone", async () => {
  await company();
  for (const method of ["GET", "POST", "PUT", "PATCH", "DELETE"]) {
    for (const path of ["/v1/organization", "/v1/usage/consumption", "/v1/sessions"]) {
      const asked = { "access-control-request-method": method, "access-control-request-headers": "authorization,content-type" };
      const allowed = await raw("OPTIONS", path, { origin: PAGE, ...asked });
      assert.deepEqual([allowed.status, allowed.text, allowed.reader], [204, "", PAGE], `${method} ${path}`);
      assert.ok(String(allowed.headers["access-control-allow-methods"]).split(", ").includes(method));
      assert.match(String(allowed.headers["access-control-allow-headers"]), /Authorization, Content-Type, Idempotency-Key/);
      assert.deepEqual([allowed.headers["access-control-max-age"], allowed.headers.vary], ["600", "Origin"]);
      const refused = await raw("OPTIONS", path, { origin: STRANGER, ...asked });
      assert.deepEqual([refused.status, refused.reader, JSON.parse(refused.text).code], [403, undefined, "origin_not_allowed"]);
    }
  }
});

test("an allowed page reads answers and problems, on the hot path as well; a strange one reads nothing", async () => {
  const bearer = await token();
  const cases: [string, string, number, string?][] = [
    ["GET", "/v1/organization", 200],
    ["POST", "/v1/usage/consumption", 200, '{"metric":"apiCalls"}'],
    ["POST", "/v1/usage", 400, "{}"],
    ["POST", "/v1/usage", 415],
    ["GET", "/v1/usage", 200],
    ["GET", "/v1/quotas/apiCalls", 200],
    ["GET", "/v1/organizations", 403],
    ["GET", "/v1/nothing", 404],
    ["PUT", "/v1/organization", 405, "{}"],
  ];
  for (const [method, path, status, body] of cases) {
    const sent = body ?? (method === "POST" ? "no JSON" : undefined);
    const type: Record<string, string> = body !== undefined ? JSON_BODY : sent !== undefined ? { "content-type": "text/plain" } : {};
    const answer = await raw(method, path, { origin: PAGE, ...bearer, ...type }, sent);
    assert.deepEqual([answer.status, answer.reader], [status, PAGE], `${method} ${path}: ${answer.text}`);
    for (const name of ["Request-Id", "Retry-After", "RateLimit", "RateLimit-Policy", "Idempotent-Replayed"]) {
      assert.ok(String(answer.headers["access-control-expose-headers"]).split(", ").includes(name), name);
    }
    assert.equal(answer.headers["access-control-allow-credentials"], undefined);
    const strange = await raw(method, path, { origin: STRANGER, ...bearer, ...type }, sent);
    assert.deepEqual([strange.status, strange.reader], [status, undefined], `${method} ${path}`);
  }
});

test("a page logs in without a credential", async () => {
  await company();
  const login = await raw("POST", "/v1/login", { origin: PAGE, ...JSON_BODY }, JSON.stringify({ email: address("login") }));
  assert.deepEqual([login.status, login.reader], [202, PAGE], login.text);
  const code = JSON.stringify({ email: address("login"), code: "000000" });
  const wrong = await raw("POST", "/v1/sessions", { origin: PAGE, ...JSON_BODY }, code);
  assert.deepEqual([wrong.status, wrong.reader], [401, PAGE], wrong.text);
});

test("no page reads the answer to a key", async () => {
  const { company: acme } = await company();
  const key = expect(await acme.desk.post("/v1/api-keys", { name: "leaked", scopes: ["usage.*"] }), 201).secret;
  for (const credential of [key, server.current.platformKey]) {
    const headers = { origin: PAGE, authorization: `Bearer ${credential}`, "tenantry-organization": acme.id, ...JSON_BODY };
    const consumption = ["POST", "/v1/usage/consumption", '{"metric":"apiCalls"}'] as const;
    for (const [method, path, body] of [consumption, ["GET", "/v1/usage", undefined] as const]) {
      const answer = await raw(method, path, headers, body);
      assert.deepEqual([answer.status, answer.reader], [200, undefined], `${path}: ${answer.text}`);
    }
  }
});

test("a page follows live usage by its token", async () => {
  const stream = { accept: "text/event-stream", ...(await token()) };
  const feed = await raw("GET", "/v1/usage/live", { origin: PAGE, ...stream });
  assert.deepEqual([feed.status, feed.reader, feed.headers["content-type"]], [200, PAGE, "text/event-stream"]);
  assert.match(feed.text, /data:/);
  assert.equal(feed.headers["tenantry-feed"], undefined);
  assert.equal((await raw("GET", "/v1/usage/live", { origin: STRANGER, ...stream })).reader, undefined);
});

test("a failure of ours is read, too", async () => {
  const panic = await raw("POST", "/dev/experiments/panic", { origin: PAGE, ...(await token()), ...JSON_BODY }, "{}");
  assert.deepEqual([panic.status, panic.reader, JSON.parse(panic.text).code], [500, PAGE, "internal_error"]);
  const strange = await raw("POST", "/dev/experiments/panic", { origin: STRANGER, ...JSON_BODY }, "{}");
  assert.deepEqual([strange.status, strange.reader], [500, undefined]);
});

test("a backend without Origin gets what it got", async () => {
  const caller = await backend(server.current, await signUp(server.current, "Backend"));
  const answer = await caller.post("/v1/usage/consumption", { metric: "apiCalls" });
  expect(answer, 200);
  assert.deepEqual([answer.headers.get("vary"), answer.headers.get("access-control-allow-origin")], [null, null]);
});

test("the pages load our own files only, and a program gets JSON", async () => {
  const home = await raw("GET", "/", { accept: "text/html" });
  assert.deepEqual([home.status, home.headers["content-type"]], [200, "text/html; charset=utf-8"]);
  const json = JSON.parse((await raw("GET", "/", { accept: "*/*" })).text);
  assert.deepEqual([json.name, json.environment], ["Tenantry", "development"]);
  for (const { href } of json.links) assert.equal((await raw("GET", href, {})).status, 200, href);
  for (const path of ["/", "/docs"]) {
    const page = await raw("GET", path, { accept: "text/html" });
    assert.match(String(page.headers["content-security-policy"]), /^default-src 'none'; script-src 'self';/, path);
    assert.equal(page.headers["x-content-type-options"], "nosniff");
    assert.doesNotMatch(page.text, /<script(?![^>]* src="\/)|<style| on\w+="|https?:\/\//, `${path} has nothing inline and names no host`);
    const files = Array.from(page.text.replaceAll("&#x2f;", "/").matchAll(/(?:src|href)="(\/[^"]*)"/g), ([, file]) => file);
    assert.ok(files.length > 0);
    for (const file of files) assert.equal((await raw("GET", file, {})).status, 200, file);
  }
});

test("the texts for language models are served as they are committed", async () => {
  for (const [path, type] of [["/llms.txt", /^text\/plain/], ["/docs/reference.md", /^text\/markdown/]] as const) {
    const answer = await raw("GET", path, {});
    assert.match(String(answer.headers["content-type"]), type);
    assert.equal(answer.text, readFileSync(fromRoot("assets", path), "utf8"));
  }
  const posted = await raw("POST", "/llms.txt", {});
  assert.deepEqual([posted.status, JSON.parse(posted.text).code], [405, "method_not_allowed"]);
});

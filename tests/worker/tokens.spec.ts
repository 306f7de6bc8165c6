// Tokens and secrets on the real runtime: its own cryptography seals, and what we sign anybody can verify.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createPublicKey, verify } from "node:crypto";
import { test } from "node:test";
import { fromRoot } from "../../scripts/lib.mjs";
import { anybody, backend, expect, signUp, vendor } from "./support/client.ts";
import type { Company } from "./support/client.ts";
import { freshServer } from "./support/server.ts";

const server = freshServer();

test("the runtime seals as AES-256-GCM says, and a secret opens only where it was sealed", async () => {
  const { findings, opened, opensElsewhere } = expect(await anybody(server.current).post("/dev/experiments/sealing", {}), 200);
  assert.ok(findings.length >= 4, "the list is not empty");
  assert.deepEqual(findings.filter((each: any) => each.found !== null), []);
  assert.equal(opened, "a secret");
  assert.equal(opensElsewhere, false);
});

test("a machine's token is verified by anybody with the published keys", async () => {
  const acme = await signUp(server.current, "Acme");
  const { client, token } = await machine(acme, ["usage.*"]);
  const [header, claims, signature] = token.split(".");
  const decode = (part: string) => JSON.parse(Buffer.from(part, "base64url").toString());
  const set = expect(await anybody(server.current).get("/.well-known/jwks.json"), 200);
  const jwk = set.keys.find((key: any) => key.kid === decode(header).kid);
  assert.equal(decode(header).alg, "EdDSA");
  const key = createPublicKey({ key: jwk, format: "jwk" });
  assert.ok(verify(null, Buffer.from(`${header}.${claims}`), key, Buffer.from(signature, "base64url")));
  assert.equal(decode(claims).iss, server.current.url);
  assert.equal(decode(claims).sub, client.$id);
  assert.equal(decode(claims).exp - decode(claims).iat, 600);
  const discovered = expect(await anybody(server.current).get("/.well-known/oauth-authorization-server"), 200);
  assert.equal(discovered.token_endpoint, `${server.current.url}/oauth/token`);
});

test("a token opens the hot path until its client is deleted", async () => {
  const acme = await signUp(server.current, "Hot");
  const { client, token } = await machine(acme, ["usage.write"]);
  const bearer = { headers: { authorization: `Bearer ${token}` } };
  const use = () => anybody(server.current).post("/v1/usage", { metric: "apiCalls" }, bearer);
  assert.equal(expect(await use(), 200).current, 1);
  assert.equal((await anybody(server.current).get("/v1/usage", bearer)).status, 403);
  const forged = { headers: { authorization: `Bearer ${token.slice(0, -4)}AAAA` } };
  assert.equal((await anybody(server.current).post("/v1/usage", { metric: "apiCalls" }, forged)).status, 401);
  expect(await acme.desk.delete(`/v1/oauth-clients/${client.$id}`), 204);
  assert.equal((await use()).status, 401);
});

test("a key says that it was used on the short way", async () => {
  const acme = await signUp(server.current, "Used");
  const key = await backend(server.current, acme, ["usage.*"]);
  expect(await key.post("/v1/usage", { metric: "apiCalls" }), 200);
  const listed = expect(await acme.desk.get("/v1/api-keys"), 200);
  assert.ok(listed.data.some((each: any) => each.lastUsedAt !== null));
});

test("the operator's command wraps all keys anew", async () => {
  const key = expect(await vendor(server.current).post("/v1/platform-keys", { name: "operator" }), 201).secret;
  const environment = { ...process.env, TENANTRY_PLATFORM_KEY: key };
  const said = execFileSync(process.execPath, [fromRoot("scripts/rotate_keys.mjs"), server.current.url], { env: environment, encoding: "utf8" });
  assert.match(said, /0 keys are wrapped under the newest secret/);
});

async function machine(of: Company, scopes: string[]): Promise<{ client: any; token: string }> {
  const client = expect(await of.desk.post("/v1/oauth-clients", { name: "machine", scopes }), 201);
  const form = new URLSearchParams({ grant_type: "client_credentials", client_id: client.$id, client_secret: client.secret });
  const headers = { "content-type": "application/x-www-form-urlencoded" };
  const granted = expect(await anybody(server.current).send("POST", "/oauth/token", form.toString(), { headers }), 200);
  return { client, token: granted.access_token };
}

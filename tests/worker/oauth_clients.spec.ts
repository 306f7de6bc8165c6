// Generic libraries, with nothing but the issuer's address: they discover, get a token and verify it.

import assert from "node:assert/strict";
import { test } from "node:test";
import { createRemoteJWKSet, jwtVerify } from "jose";
import * as oauth from "openid-client";
import { anybody, bearer, expect, signUp } from "./support/client.ts";
import { found } from "./support/people.ts";
import { freshServer } from "./support/server.ts";

const server = freshServer();

/** The server under test has no certificate. */
const INSECURE = { execute: [oauth.allowInsecureRequests] };

async function client(scopes: string[]): Promise<any> {
  const acme = await signUp(server.current, "Acme");
  return expect(await acme.desk.post("/v1/oauth-clients", { name: "library", scopes }), 201);
}

test("openid-client discovers the server and gets a token in both ways of authentication", async () => {
  const { $id, secret } = await client(["usage.read", "organization.read"]);
  for (const authentication of [oauth.ClientSecretBasic(secret), oauth.ClientSecretPost(secret)]) {
    const issuer = new URL(server.current.url);
    const config = await oauth.discovery(issuer, $id, undefined, authentication, { ...INSECURE, algorithm: "oauth2" });
    const metadata = config.serverMetadata();
    assert.equal(metadata.issuer, server.current.url);
    assert.deepEqual(metadata.response_types_supported, []);
    const granted = await oauth.clientCredentialsGrant(config, { scope: "organization.read", resource: metadata.issuer });
    assert.deepEqual([granted.token_type, granted.expires_in, granted.scope], ["bearer", 600, "organization.read"]);
    const caller = bearer(server.current, granted.access_token);
    expect(await caller.get("/v1/organization"), 200);
    assert.equal((await caller.get("/v1/usage")).status, 403);
    await assert.rejects(oauth.clientCredentialsGrant(config, { scope: "invoices.read" }), { error: "invalid_scope" });
    await assert.rejects(oauth.clientCredentialsGrant(config, { resource: "https://elsewhere.example" }), { error: "invalid_target" });
  }
});

test("openid-client calls the API with its token", async () => {
  const { $id, secret } = await client(["organization.read"]);
  const config = await oauth.discovery(new URL(server.current.url), $id, secret, undefined, { ...INSECURE, algorithm: "oauth2" });
  const { access_token: token } = await oauth.clientCredentialsGrant(config);
  const response = await oauth.fetchProtectedResource(config, token, new URL("/v1/organization", server.current.url), "GET");
  assert.equal(((await response.json()) as any).$type, "Organization");
});

test("a wrong secret is told as OAuth says", async () => {
  const { $id } = await client(["usage.read"]);
  const config = await oauth.discovery(new URL(server.current.url), $id, "wrong", undefined, { ...INSECURE, algorithm: "oauth2" });
  await assert.rejects(oauth.clientCredentialsGrant(config), (error: any) => error.status === 401);
});

test("jose verifies a machine's token by the published keys, with issuer, audience and type", async () => {
  const { $id, secret } = await client(["usage.*"]);
  const metadata = expect(await anybody(server.current).get("/.well-known/oauth-authorization-server"), 200);
  const keys = createRemoteJWKSet(new URL(metadata.jwks_uri));
  const form = new URLSearchParams({ grant_type: "client_credentials", client_id: $id, client_secret: secret });
  const headers = { "content-type": "application/x-www-form-urlencoded" };
  const { access_token: token } = expect(await anybody(server.current).send("POST", "/oauth/token", form.toString(), { headers }), 200);
  const expected = { issuer: metadata.issuer, audience: metadata.issuer, typ: "at+jwt", algorithms: ["EdDSA"] };
  const required = { ...expected, requiredClaims: ["aud", "iss", "sub", "client_id", "iat", "exp", "jti"] };
  const { payload, protectedHeader } = await jwtVerify(token, keys, required);
  assert.deepEqual([payload.sub, payload.client_id, payload.scope], [$id, $id, "usage.*"]);
  assert.equal(protectedHeader.typ, "at+jwt");
  for (const other of [{ audience: "https://elsewhere.example" }, { issuer: "https://elsewhere.example" }, { typ: "JWT" }]) {
    await assert.rejects(jwtVerify(token, keys, { ...expected, ...other }), { code: "ERR_JWT_CLAIM_VALIDATION_FAILED" });
  }
  const [header, claims, signature] = token.split(".");
  const forged = `${header}.${claims}.${signature.startsWith("A") ? "B" : "A"}${signature.slice(1)}`;
  await assert.rejects(jwtVerify(forged, keys, expected), { code: "ERR_JWS_SIGNATURE_VERIFICATION_FAILED" });
});

test("jose verifies a member's token; the keys say what they are for and may be cached", async () => {
  const { owner } = await found(server.current, "Founded");
  const answer = await anybody(server.current).get("/.well-known/jwks.json");
  const published = expect(answer, 200).keys;
  assert.ok(published.length > 0);
  for (const { kty, crv, alg, use, kid } of published) {
    assert.deepEqual([kty, crv, alg, use, typeof kid], ["OKP", "Ed25519", "EdDSA", "sig", "string"]);
  }
  assert.match(answer.headers.get("cache-control") ?? "", /^public, max-age=\d+$/);
  const keys = createRemoteJWKSet(new URL("/.well-known/jwks.json", server.current.url));
  const { url } = server.current;
  const { payload } = await jwtVerify(owner.session.accessToken, keys, { issuer: url, audience: url, typ: "at+jwt" });
  assert.deepEqual([payload.sub, payload.client_id, payload.sid], [owner.id, "sessions", owner.session.$id]);
});

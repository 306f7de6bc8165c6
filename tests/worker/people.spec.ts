// People from end to end: they sign up, log in, invite each other, may do what their roles say, and go.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { address, anybody, assertProblem, bearer, counted, eventually, expect, inParallel, mails } from "./support/client.ts";
import type { Answer, Client } from "./support/client.ts";
import * as people from "./support/people.ts";
import { assertLacks, assertUnknownCredential, found, joined, logIn, openSession } from "./support/people.ts";
import { freshServer } from "./support/server.ts";
import { lines } from "./support/usage.ts";

const server = freshServer();
const USE = { metric: "apiCalls" };

const data = async (caller: Client, path: string): Promise<any[]> => expect(await caller.get(path), 200).data;
const nobody = () => anybody(server.current);
const emails = (members: any[]): string[] => members.map(({ email }) => email).sort();
/** A problem without what differs from request to request. */
const told = ({ status, body }: Answer) => ({ status, ...body, instance: undefined, requestId: undefined });

/** An answer without what every answer has of its own. */
function bare({ status, headers, text }: Answer): object {
  const own = new Set(["request-id", "date", "ratelimit"]);
  return { status, text, headers: [...headers].filter(([name]) => !own.has(name)).sort() };
}

async function key(of: Client, scopes: string[]): Promise<{ $id: string; client: Client }> {
  const { $id, secret } = expect(await of.post("/v1/api-keys", { name: "a key", scopes }), 201);
  return { $id, client: bearer(server.current, secret) };
}

async function machine(of: Client, scopes: string[]): Promise<{ $id: string; token: () => Promise<Answer> }> {
  const { $id, secret } = expect(await of.post("/v1/oauth-clients", { name: "a machine", scopes }), 201);
  const headers = {
    authorization: `Basic ${Buffer.from(`${$id}:${secret}`).toString("base64")}`,
    "content-type": "application/x-www-form-urlencoded",
  };
  return { $id, token: () => nobody().send("POST", "/oauth/token", "grant_type=client_credentials", { headers }) };
}

test("whoever signs a company up gets in with the mailed code, once, and owns it", async () => {
  const email = address("Ada");
  const signedUp = await nobody().post("/v1/signup", { name: "Acme", email, givenName: "Ada" });
  const organization = expect(signedUp, 201);
  assert.deepEqual([organization.$type, organization.name, organization.email], ["Organization", "Acme", email]);
  const { code } = people.readLogin((await people.arrived(server.current, email, "login-code"))[0]);
  assert.ok(!signedUp.text.includes(code) && organization.accessToken === undefined, "the answer opens nothing");

  const wrong = code === "000000" ? "111111" : "000000";
  const refused = await openSession(server.current, { email, code: wrong });
  assertProblem(refused, 401, "invalid_code");
  const session = expect(await openSession(server.current, { email, code }), 201);
  assert.deepEqual([session.organization, session.tokenType, session.expiresIn], [organization.$id, "Bearer", 600]);
  assert.deepEqual(told(await openSession(server.current, { email, code })), told(refused), "a used code is told apart from a wrong one by nobody");

  const ada = people.person(server.current, email, session);
  const [owner, ...others] = await data(ada.client, "/v1/members");
  assert.deepEqual([owner.$type, owner.$id, owner.email, owner.role, owner.givenName], ["Person", ada.id, email, "owner", "Ada"]);
  assert.ok(owner.emailVerified, "whoever has the code has the mailbox");
  assert.deepEqual(others, []);
  assert.equal(expect(await ada.client.get("/v1/organization"), 200).$id, organization.$id);
  assertUnknownCredential(await bearer(server.current, `${session.accessToken.slice(0, -4)}AAAA`).get("/v1/members"));
});

test("a login is answered alike for everybody, and mailed only to whom it concerns", async () => {
  const { owner } = await found(server.current, "Quiet");
  const stranger = address("stranger");
  const answers = [await nobody().post("/v1/login", { email: stranger }), await nobody().post("/v1/login", { email: owner.email })];
  assert.equal(answers[0].status, 202);
  assert.deepEqual(bare(answers[0]), bare(answers[1]));
  const mailed = await people.arrived(server.current, owner.email, "login-code", 1);
  assert.equal(mailed.length, 2);
  assert.deepEqual(await mails(server.current, stranger), [], "the stranger asked before");
  const { token } = people.readLogin(mailed[1]);
  assert.equal(expect(await openSession(server.current, { token }), 201).person, owner.id, "the link is as good as the code");
  assertProblem(await openSession(server.current, { token }), 401, "invalid_code");
  assertProblem(await openSession(server.current, { email: stranger, code: "123456" }), 401, "invalid_code");
});

test("an invitation opens the door once, to what it says and no further", async () => {
  const { owner } = await found(server.current, "Inviter");
  const admin = await joined(server.current, owner.client, "Admin", "admin");
  const email = address("Viewer");
  const invitation = expect(await admin.client.post("/v1/invitations", { email, role: "viewer" }), 201);
  assert.deepEqual([invitation.status, invitation.role, invitation.invitedBy], ["pending", "viewer", admin.id]);
  const token = await people.mailedInvitation(server.current, email);
  assert.ok(!JSON.stringify(invitation).includes(token), "only the mail has the token");
  const accepted = expect(await nobody().post("/v1/invitation-acceptances", { token, givenName: "Vera" }), 201);
  const again = await nobody().post("/v1/invitation-acceptances", { token });
  assertProblem(again, 404, "invitation_not_valid");
  assert.deepEqual(told(await nobody().post("/v1/invitation-acceptances", { token: `${token.slice(0, -2)}00` })), told(again));
  const viewer = await logIn(server.current, email);
  assert.equal(viewer.id, accepted.$id);
  assert.deepEqual(emails(await data(viewer.client, "/v1/members")), emails([owner, admin, viewer]));
  assert.equal(expect(await owner.client.get(`/v1/invitations/${invitation.$id}`), 200).status, "accepted");

  const guest = { email: address("guest"), role: "viewer" };
  assertLacks(await viewer.client.post("/v1/invitations", guest), "members.write");
  assertLacks(await viewer.client.post("/v1/teams", { name: "Mine" }), "teams.write");
  assertLacks(await viewer.client.get("/v1/api-keys"), "apiKeys.read");
  assertLacks(await viewer.client.post("/v1/usage", USE), "usage.write");
  assertLacks(await viewer.client.patch(`/v1/members/${viewer.id}`, { role: "admin" }), "members.write");
  assert.equal(expect(await viewer.client.patch(`/v1/members/${viewer.id}`, { jobTitle: "Guest" }), 200).jobTitle, "Guest", "one's own profile is one's own");

  // Nobody gives what they don't hold, nor takes it away.
  for (const refused of [
    await admin.client.post("/v1/invitations", { ...guest, role: "owner" }),
    await admin.client.patch(`/v1/members/${admin.id}`, { role: "owner" }),
    await admin.client.patch(`/v1/members/${owner.id}`, { role: "viewer" }),
    await admin.client.delete(`/v1/members/${owner.id}`),
    await admin.client.post("/v1/api-keys", { name: "all", scopes: ["*"] }),
  ]) assertLacks(refused, "*");
  assertLacks(await admin.client.post("/v1/api-keys", { name: "owns", scopes: ["organization.own"] }), "organization.own");
  assert.deepEqual((await data(owner.client, "/v1/members")).map(({ role }) => role).sort(), ["admin", "owner", "viewer"]);
});

test("a role on a team reaches what is below it and nothing beside it", async () => {
  const { owner } = await found(server.current, "Teams");
  const team = async (name: string, parentTeam?: string) => expect(await owner.client.post("/v1/teams", { name, parentTeam }), 201).$id;
  const parent = await team("Parent");
  const [child, sibling] = [await team("Child", parent), await team("Sibling")];
  const lead = await joined(server.current, owner.client, "Lead", { role: null, teams: [{ team: parent, role: "admin" }] });

  assert.equal(expect(await lead.client.patch(`/v1/teams/${child}`, { name: "Renamed" }), 200).name, "Renamed");
  assertLacks(await lead.client.patch(`/v1/teams/${sibling}`, { name: "Taken" }), "teams.write");
  assertLacks(await lead.client.get(`/v1/teams/${sibling}`), "teams.read");
  assertLacks(await lead.client.post("/v1/teams", { name: "Topmost" }), "teams.write");
  assertLacks(await lead.client.patch(`/v1/teams/${child}`, { parentTeam: null }), "teams.write");
  assertLacks(await lead.client.put(`/v1/teams/${child}/members/${lead.id}`, { role: "owner" }), "*");
  assertLacks(await lead.client.get("/v1/members"), "members.read");
  assert.deepEqual((await data(lead.client, "/v1/teams")).map(({ $id }) => $id), [child, parent]);
  assert.equal(expect(await owner.client.get(`/v1/teams/${sibling}`), 200).name, "Sibling");

  const check = async (who: Client, query: string) => expect(await who.get(`/v1/permissions/check?permission=teams.write${query}`), 200);
  const may = await check(lead.client, `&team=${child}`);
  assert.deepEqual([may.allowed, may.person, may.reason], [true, lead.id, { role: "admin", scope: "teams.*", assignedOn: parent, inheritedFrom: parent }]);
  const there = await check(lead.client, `&team=${parent}`);
  assert.deepEqual(there.reason, { role: "admin", scope: "teams.*", assignedOn: parent, inheritedFrom: null });
  for (const where of [`&team=${sibling}`, ""]) {
    const mayNot = await check(lead.client, where);
    assert.deepEqual([mayNot.allowed, mayNot.reason, mayNot.missing.permission, mayNot.missing.heldOn], [false, null, "teams.write", [parent]]);
    assert.deepEqual(await check(owner.client, `${where}&person=${lead.id}`), mayNot, "the owner is told the same of them");
  }
  const owners = await check(owner.client, `&team=${child}`);
  assert.deepEqual(owners.reason, { role: "owner", scope: "*", assignedOn: "organization", inheritedFrom: "organization" });

  expect(await owner.client.delete(`/v1/teams/${parent}/members/${lead.id}`), 204);
  assertLacks(await lead.client.patch(`/v1/teams/${child}`, { name: "Late" }), "teams.write");
  assert.equal((await check(lead.client, `&team=${child}`)).allowed, false);
});

test("a role of one's own means what it says from the next request on", async () => {
  const { owner } = await found(server.current, "Roles");
  const permissions = ["usage.*", "members.*", "roles.*", "apiKeys.*"];
  const role = expect(await owner.client.post("/v1/roles", { key: "release-manager", name: "Release manager", permissions }), 201);
  assert.deepEqual([role.$type, role.key, role.builtIn, role.permissions], ["Role", "release-manager", false, permissions]);
  const { client, id } = await joined(server.current, owner.client, "Manager", "release-manager");

  expect(await client.post("/v1/usage", USE), 200);
  assertLacks(await client.get("/v1/invoices"), "invoices.read");
  assertLacks(await client.post("/v1/roles", { key: "more", name: "More", permissions: ["usage.read", "invoices.read"] }), "invoices.read");
  assertLacks(await client.patch(`/v1/roles/${role.$id}`, { permissions: [...permissions, "teams.write"] }), "teams.write");
  assertLacks(await client.post("/v1/api-keys", { name: "more", scopes: ["teams.*"] }), "teams.*");
  assert.equal((await client.post("/v1/invitations", { email: address("friend"), role: "admin" })).status, 403);
  assert.equal((await client.patch(`/v1/members/${id}`, { role: "admin" })).status, 403);
  expect(await client.post("/v1/roles", { key: "less", name: "Less", permissions: ["usage.read"] }), 201);

  assertProblem(await owner.client.delete(`/v1/roles/${role.$id}`), 409, "role_in_use");
  const viewer = (await data(owner.client, "/v1/roles")).find((each) => each.key === "viewer");
  assertProblem(await owner.client.patch(`/v1/roles/${viewer.$id}`, { permissions: ["*"] }), 409, "built_in_role");
  expect(await owner.client.patch(`/v1/roles/${role.$id}`, { permissions: ["usage.read"] }), 200);
  assertLacks(await client.post("/v1/usage", USE), "usage.write");
  assert.equal(await counted(client, "apiCalls"), 1);
});

test("the last owner stays, whoever wants them gone and however many go at once", async () => {
  const { company, owner } = await found(server.current, "Owners");
  const path = `/v1/members/${owner.id}`;
  for (const caller of [owner.client, company.desk]) {
    assertProblem(await caller.delete(path), 409, "last_owner");
    assertProblem(await caller.patch(path, { role: "viewer" }), 409, "last_owner");
  }
  const other = await joined(server.current, owner.client, "Other", "owner");
  const answers = await Promise.all([owner, other].map(({ client, id }) => client.delete(`/v1/members/${id}`)));
  assert.deepEqual(answers.map(({ status }) => status).sort(), [204, 409], JSON.stringify(answers.map(({ text }) => text)));
  const [left, ...others] = await data(company.desk, "/v1/members");
  assert.deepEqual([left.role, others], ["owner", []]);
});

test("whoever is removed is out at once, with all that was in their hands", async () => {
  const { owner } = await found(server.current, "Leavers");
  const member = await joined(server.current, owner.client, "Member", "developer");
  const theirs = await key(member.client, ["usage.*"]);
  const its = await machine(member.client, ["usage.*"]);
  const token = bearer(server.current, expect(await its.token(), 200).access_token);
  const hands = [member.client, theirs.client, token];
  for (const hand of hands) {
    expect(await hand.post("/v1/usage", USE), 200);
    expect(await hand.get("/v1/usage"), 200);
  }
  expect(await owner.client.delete(`/v1/members/${member.id}`), 204);
  const refused = await Promise.all(hands.flatMap((hand) => [hand.post("/v1/usage", USE), hand.post("/v1/usage/consumption", USE), hand.get("/v1/usage")]));
  refused.forEach(assertUnknownCredential);
  assert.equal((await its.token()).status, 401);
  assertProblem(await nobody().post("/v1/session-refreshments", { refreshToken: member.session.refreshToken }), 401, "invalid_refresh_token");
  assertProblem(await owner.client.get(`/v1/members/${member.id}`), 404, "not_found");
  assert.equal(await counted(owner.client, "apiCalls"), 3, "what was refused was not counted");
});

test("each refresh token is good once, and an old one ends the session", async () => {
  const { owner } = await found(server.current, "Sessions");
  const refresh = (refreshToken: string) => nobody().post("/v1/session-refreshments", { refreshToken });
  const first = owner.session;
  const second = expect(await refresh(first.refreshToken), 201);
  const third = expect(await refresh(second.refreshToken), 201);
  assert.equal(new Set([first, second, third].map(({ refreshToken }) => refreshToken)).size, 3);
  assert.deepEqual([second.$id, third.$id], [first.$id, first.$id]);
  const newest = bearer(server.current, third.accessToken);
  const other = await logIn(server.current, owner.email);
  const sessions = (await data(newest, "/v1/sessions?person=me")).map(({ $id }) => $id);
  assert.deepEqual(sessions, [other.session.$id, first.$id]);

  assertProblem(await refresh(first.refreshToken), 401, "invalid_refresh_token");
  assertProblem(await refresh(third.refreshToken), 401, "invalid_refresh_token");
  for (const { accessToken } of [first, second, third]) assertUnknownCredential(await bearer(server.current, accessToken).get("/v1/members"));
  expect(await other.client.get("/v1/members"), 200);
  expect(await other.client.delete(`/v1/sessions/${other.session.$id}`), 204);
  assertUnknownCredential(await other.client.get("/v1/members"));
  assertProblem(await refresh(other.session.refreshToken), 401, "invalid_refresh_token");
});

test("of many invitations at once, never more are held than the plan has seats", async () => {
  const { company, owner } = await found(server.current, "Seats");
  await joined(server.current, owner.client, "Second", "viewer");
  const consistent = () => eventually("the Meter counts the same", 15_000, async () => {
    const seats = expect(await owner.client.get("/v1/seats"), 200);
    assert.ok(seats.taken + seats.held <= seats.limit && Number(seats.meter.taken) + seats.meter.held <= seats.limit, JSON.stringify(seats));
    return seats.isConsistent && seats;
  });
  const before = await consistent();
  assert.deepEqual([before.taken, before.held, before.limit, before.meter], [2, 0, 25, { taken: 2, held: 0 }]);
  const guests = Array.from({ length: 30 }, (_, number) => address(`guest ${number}`));
  const answers = await inParallel(30, guests, (email) => owner.client.post("/v1/invitations", { email, role: "viewer" }));
  for (const refused of answers.filter(({ status }) => status !== 201)) {
    const problem = assertProblem(refused, 403, "quota_exceeded");
    assert.deepEqual([problem.metric, problem.limit], ["users", 25]);
  }
  const invited = answers.filter(({ status }) => status === 201).map(({ body }) => body);
  assert.equal(invited.length, 23);
  const full = await consistent();
  assert.deepEqual([full.taken, full.held, full.meter], [2, 23, { taken: 2, held: 23 }]);
  assert.equal((await data(owner.client, "/v1/invitations?status=pending&limit=100")).length, 23);
  assertProblem(await company.desk.post("/v1/invitations", { email: address("late"), role: "viewer" }), 403, "quota_exceeded");
  assertProblem(await company.desk.post("/v1/usage", { metric: "users" }), 409, "metric_is_counted");

  expect(await owner.client.delete(`/v1/invitations/${invited[0].$id}`), 204);
  await eventually("the seat is free", 15_000, async () => expect(await owner.client.get("/v1/seats"), 200).meter.held === 22);
  await joined(server.current, owner.client, "Late", "viewer");
  const last = await consistent();
  assert.deepEqual([last.taken, last.held, last.meter], [3, 22, { taken: 3, held: 22 }]);
});

test("a second factor is asked for once it is confirmed, and each of its codes opens one login", async () => {
  const { owner } = await found(server.current, "Factor");
  const enrolled = expect(await owner.client.post("/v1/second-factor", {}), 201);
  assert.equal(people.fromBase32(enrolled.secret).length, 20);
  assert.equal(new URL(enrolled.otpauthUri).searchParams.get("secret"), enrolled.secret);
  assert.equal((await logIn(server.current, owner.email)).id, owner.id, "not confirmed, not asked for");
  assertProblem(await owner.client.post("/v1/second-factor/confirmation", { code: people.totp(enrolled.secret, people.timeStep() - 20) }), 403, "invalid_second_factor");
  const step = people.timeStep();
  const confirmed = expect(await owner.client.post("/v1/second-factor/confirmation", { code: people.totp(enrolled.secret, step) }), 201);
  assert.ok(confirmed.confirmedAt && confirmed.secret === undefined);
  assert.equal(new Set(confirmed.recoveryCodes).size, 10);

  const { code } = await people.askedLogin(server.current, owner.email);
  const open = (more: object) => openSession(server.current, { email: owner.email, code, ...more });
  assertProblem(await open({}), 409, "second_factor_required");
  const spent = people.totp(enrolled.secret, step);
  assertProblem(await open({ secondFactorCode: spent }), 401, "invalid_second_factor");
  // A clock may be a step ahead, so the next one's code is good already.
  const next = people.totp(enrolled.secret, step + 1);
  assert.equal(expect(await open({ secondFactorCode: next }), 201).person, owner.id);
  const login = async (secondFactorCode: string) => {
    const { token } = await people.askedLogin(server.current, owner.email);
    return openSession(server.current, { token, secondFactorCode });
  };
  assertProblem(await login(next), 401, "invalid_second_factor");
  const [recovery] = confirmed.recoveryCodes;
  expect(await login(recovery), 201);
  assertProblem(await login(recovery), 401, "invalid_second_factor");
  const factor = await owner.client.get("/v1/second-factor");
  assert.equal(expect(factor, 200).recoveryCodesLeft, 9);
  assert.ok(!factor.text.includes(enrolled.secret) && !factor.text.includes(recovery));
});

test("a rotated key stays good for the overlap and no longer, on both ways in", async () => {
  const { owner } = await found(server.current, "Rotator");
  const old = await key(owner.client, ["usage.*"]);
  expect(await old.client.post("/v1/usage", USE), 200);
  const rotate = async (id: string, overlapSeconds: number) => expect(await owner.client.post(`/v1/api-keys/${id}/rotations`, { overlapSeconds }), 201);
  const rotated = await rotate(old.$id, 8);
  assert.deepEqual([rotated.name, rotated.scopes], ["a key", ["usage.*"]]);
  const second = bearer(server.current, rotated.secret);
  const until = expect(await owner.client.get(`/v1/api-keys/${old.$id}`), 200).expiresAt;
  for (const each of [old.client, second]) {
    expect(await each.post("/v1/usage", USE), 200);
    expect(await each.get("/v1/usage"), 200);
  }
  assert.ok(Date.now() < Date.parse(until), "the old one was good within the overlap, and this test not too slow to see it");
  await eventually("the old key's end", 20_000, async () => (await old.client.post("/v1/usage", USE)).status === 401);
  assert.ok(Date.now() >= Date.parse(until));
  assertUnknownCredential(await old.client.get("/v1/usage"));
  const third = bearer(server.current, (await rotate(rotated.$id, 0)).secret);
  assertUnknownCredential(await second.post("/v1/usage", USE));
  assertUnknownCredential(await second.get("/v1/usage"));
  expect(await third.post("/v1/usage", USE), 200);
});

test("a machine reads the usage with a token for its credentials", async () => {
  const { owner } = await found(server.current, "Machines");
  const its = await machine(owner.client, ["usage.read"]);
  const granted = expect(await its.token(), 200);
  assert.deepEqual([granted.token_type, granted.expires_in, granted.scope], ["Bearer", 600, "usage.read"]);
  const token = bearer(server.current, granted.access_token);
  assert.equal(expect(await token.get("/v1/usage"), 200).metrics.apiCalls.current, 0);
  assertLacks(await token.post("/v1/usage", USE), "usage.write");
  assertLacks(await token.get("/v1/members"), "members.read");
  expect(await owner.client.delete(`/v1/oauth-clients/${its.$id}`), 204);
  assertUnknownCredential(await token.get("/v1/usage"));
  const refused = await its.token();
  assert.deepEqual([refused.status, refused.body.error], [401, "invalid_client"]);
});

/** RFC 8785, for what an audit log holds: members by name, no spaces. */
function canonical(value: any): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  if (value === null || typeof value !== "object") return JSON.stringify(value);
  return `{${Object.keys(value).sort().map((name) => `${JSON.stringify(name)}:${canonical(value[name])}`).join(",")}}`;
}

const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");

test("the audit log holds by its hashes, and names who did it", async () => {
  const { company, owner } = await found(server.current, "Audited");
  const admin = await joined(server.current, owner.client, "Clerk", "admin");
  const made = await key(admin.client, ["teams.*"]);
  const team = expect(await made.client.post("/v1/teams", { name: "By key" }), 201);
  const named = await owner.client.patch("/v1/organization", { name: "Renamed" });
  expect(named, 200);
  const head = expect(await owner.client.get("/v1/audit-log/head"), 200);
  const [first, ...rest] = await lines(owner.client, "/v1/audit-log/export");
  const last = rest.pop();
  assert.deepEqual([first.$type, first.log, first.isGenesis], ["AuditLog", company.id, true]);
  let previous = sha256(`tenantry-audit-chain-v1\n${company.id}`);
  assert.equal(first.previous, previous);
  rest.forEach(({ sequence, hash, entry }, index) => {
    assert.deepEqual([sequence, entry.sequence, entry.log], [index + 1, index + 1, company.id]);
    previous = sha256(`${previous}\n${canonical(entry)}`);
    assert.equal(hash, previous, `entry ${sequence}`);
  });
  assert.deepEqual([last.$type, last.sequence, last.hash], ["AuditLogEnd", rest.length, previous]);
  assert.ok(head.sequence >= 5 && rest.length >= head.sequence);
  assert.equal(rest[head.sequence - 1].hash, head.hash, "it leads to the head that was kept");

  const of = (action: string, target: string) => rest.map(({ entry }) => entry).find((entry) => entry.action === action && entry.target.id === target);
  const renamed = of("organization.updated", company.id);
  assert.deepEqual(renamed.actor, { kind: "person", id: owner.id, session: owner.session.$id });
  assert.equal(renamed.requestId, named.headers.get("request-id"));
  assert.deepEqual([renamed.before.name, renamed.after.name], ["Audited", "Renamed"]);
  assert.equal(of("apiKey.created", made.$id).actor.id, admin.id);
  const byKey = of("team.created", team.$id);
  assert.deepEqual([byKey.actor.kind, byKey.actor.id, byKey.onBehalfOf], ["apiKey", made.$id, { kind: "person", id: admin.id }]);
  const searched = await data(owner.client, `/v1/audit-log?actor=${admin.id}&action=apiKey.*`);
  assert.deepEqual(searched.map(({ target }) => target.id), [made.$id]);
  const everything = JSON.stringify(rest);
  for (const secret of [owner.session.accessToken, owner.session.refreshToken]) assert.ok(!everything.includes(secret));
});

test("an export is made and lists the members", async () => {
  const { company, owner } = await found(server.current, "Exporter");
  const viewer = await joined(server.current, owner.client, "Reader", "viewer");
  assertLacks(await viewer.client.post("/v1/exports", {}), "exports.write");
  const { $id } = expect(await owner.client.post("/v1/exports", {}), 202);
  const done = await eventually("the export is done", 30_000, async () => {
    const now = expect(await owner.client.get(`/v1/exports/${$id}`), 200);
    assert.notEqual(now.status, "failed", JSON.stringify(now));
    return now.status === "done" && now;
  });
  assert.equal(done.progress, 100);
  const content = await lines(owner.client, `/v1/exports/${$id}/content`);
  const rows = (table: string) => content.filter((line) => line.table === table).map(({ row }) => row);
  assert.deepEqual(emails(rows("members")), emails([owner, viewer]));
  assert.deepEqual([done.rows.members, content.at(-1).summary.rows.members], [2, 2]);
  assert.deepEqual(rows("organizations").map(({ organization_id, name }) => [organization_id, name]), [[company.id, "Exporter"]]);
  assert.ok(rows("members").every((row) => row.organization_id === company.id));
});

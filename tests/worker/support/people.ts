// People as they come: by a sign-up or an invitation, and in by the code that was mailed to them.

import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { address, anybody, assertProblem, bearer, company, eventually, expect, mails } from "./client.ts";
import type { Answer, Client, Company, Mail } from "./client.ts";
import type { Server } from "./server.ts";

const MAIL_WAIT_MS = 15_000;

/** Somebody who is logged in. */
export interface Person {
  readonly id: string;
  readonly email: string;
  /** As it came from `POST /v1/sessions`. */
  readonly session: any;
  /** Speaks with the session's access token. */
  readonly client: Client;
}

/** A company that signed itself up, and whoever did it. */
export interface Founded {
  readonly company: Company;
  readonly owner: Person;
}

/** The mails of one template to one address, oldest first, once there are more than `known`: a queue brings them. */
export function arrived(server: Server, to: string, template: string, known = 0): Promise<Mail[]> {
  return eventually(`mail ${known + 1} of ${template}`, MAIL_WAIT_MS, async () => {
    const found = (await mails(server, to)).filter((mail) => mail.template === template);
    return found.length > known && found;
  });
}

/** What a login mail says. */
export interface Login {
  readonly code: string;
  readonly token: string;
}

export function readLogin({ text }: Mail): Login {
  const [code] = /\b\d{6}\b/.exec(text) ?? assert.fail(text);
  const [, token] = /login\?token=(\S+)/.exec(text) ?? assert.fail(text);
  return { code, token };
}

/** Asks for a login mail and waits for it. */
export async function askedLogin(server: Server, email: string): Promise<Login> {
  const known = (await mails(server, email)).filter(({ template }) => template === "login-code").length;
  expect(await anybody(server).post("/v1/login", { email }), 202);
  return readLogin((await arrived(server, email, "login-code", known)).at(-1)!);
}

export const openSession = (server: Server, body: object): Promise<Answer> => anybody(server).post("/v1/sessions", body);

export function person(server: Server, email: string, session: any): Person {
  return { id: session.person, email, session, client: bearer(server, session.accessToken) };
}

/** Somebody logs in (once more). */
export async function logIn(server: Server, email: string, more: object = {}): Promise<Person> {
  const { code } = await askedLogin(server, email);
  return person(server, email, expect(await openSession(server, { email, code, ...more }), 201));
}

/** A company signs itself up; its owner logs in with the code that was mailed then. */
export async function found(server: Server, name: string, more: object = {}): Promise<Founded> {
  const email = address(name);
  const organization = expect(await anybody(server).post("/v1/signup", { name, email, ...more }), 201);
  const [mail] = await arrived(server, email, "login-code");
  const session = expect(await openSession(server, { email, code: readLogin(mail).code }), 201);
  return { company: company(server, organization.$id, email), owner: person(server, email, session) };
}

/** The token of the newest invitation that was mailed to somebody. */
export async function mailedInvitation(server: Server, to: string): Promise<string> {
  const { text } = (await arrived(server, to, "team-invitation")).at(-1)!;
  return (/token=(tk_invite_\w+)/.exec(text) ?? assert.fail(text))[1];
}

/** Somebody is invited, accepts and logs in. `as`: their role, or what else an invitation says. */
export async function joined(server: Server, by: Client, name: string, as: string | object): Promise<Person> {
  const email = address(name);
  const roles = typeof as === "string" ? { role: as } : as;
  expect(await by.post("/v1/invitations", { email, ...roles }), 201);
  const token = await mailedInvitation(server, email);
  expect(await anybody(server).post("/v1/invitation-acceptances", { token, givenName: name }), 201);
  return logIn(server, email);
}

/** A refusal that names the permission that is missing, to people as well. */
export function assertLacks(answer: Answer, permission: string): void {
  const problem = assertProblem(answer, 403, "forbidden");
  assert.equal(problem.missingPermission, permission, answer.text);
  assert.ok(problem.detail.includes(permission), answer.text);
}

/** What any bad credential is told. */
export function assertUnknownCredential(answer: Answer): void {
  assertProblem(answer, 401, "unauthenticated");
  assert.match(answer.headers.get("www-authenticate") ?? "", /^Bearer/);
}

/** Bytes from base32 (RFC 4648) without padding. */
export function fromBase32(text: string): Buffer {
  const bits = [...text].map((letter) => "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".indexOf(letter));
  assert.ok(bits.every((five) => five >= 0), `${text} is not base32`);
  const binary = bits.map((five) => five.toString(2).padStart(5, "0")).join("");
  return Buffer.from((binary.match(/.{8}/g) ?? []).map((byte) => Number.parseInt(byte, 2)));
}

export const timeStep = (): number => Math.floor(Date.now() / 30_000);

/** The code of an authenticator app (RFC 6238: SHA-1, 6 digits, 30 seconds). */
export function totp(secret: string, step: number): string {
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(step));
  const mac = createHmac("sha1", fromBase32(secret)).update(counter).digest();
  const word = mac.readUInt32BE(mac.at(-1)! & 0x0f) & 0x7fff_ffff;
  return String(word % 1_000_000).padStart(6, "0");
}

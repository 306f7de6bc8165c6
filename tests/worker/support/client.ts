// How the spec files talk to the Worker: as its vendor and as an organization's backend, over HTTP and nothing else.

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { delay } from "../../../scripts/lib.mjs";
import type { Server } from "./server.ts";

const REQUEST_LIMIT_MS = 60_000;

/** What came back. `body` is the JSON, or undefined when it is none. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  readonly body: any;
}

export interface Extra {
  readonly headers?: Record<string, string>;
  readonly signal?: AbortSignal;
}

/** One caller: what it sends along with each request says who it is. */
export class Client {
  readonly #server: Server;
  readonly #headers: Record<string, string>;

  constructor(server: Server, headers: Record<string, string>) {
    this.#server = server;
    this.#headers = headers;
  }

  get(path: string, extra: Extra = {}): Promise<Answer> {
    return this.send("GET", path, undefined, extra);
  }

  post(path: string, body: unknown, extra: Extra = {}): Promise<Answer> {
    return this.#write("POST", path, body, extra);
  }

  put(path: string, body: unknown, extra: Extra = {}): Promise<Answer> {
    return this.#write("PUT", path, body, extra);
  }

  patch(path: string, body: unknown, extra: Extra = {}): Promise<Answer> {
    return this.#write("PATCH", path, body, extra);
  }

  delete(path: string, extra: Extra = {}): Promise<Answer> {
    return this.send("DELETE", path, undefined, extra);
  }

  /** A request as it stands: the body is not touched. A stream goes out in chunks, without a Content-Length. */
  async send(method: string, path: string, body: BodyInit | undefined, { headers, signal }: Extra = {}): Promise<Answer> {
    const limit = AbortSignal.timeout(REQUEST_LIMIT_MS);
    const response = await fetch(this.#server.url + path, {
      method,
      body,
      headers: { ...this.#headers, ...headers },
      signal: signal ? AbortSignal.any([signal, limit]) : limit,
      redirect: "manual",
      ...(body instanceof ReadableStream ? { duplex: "half" } : {}),
    } as RequestInit);
    const text = await response.text();
    return { status: response.status, headers: response.headers, text, body: parsed(text) };
  }

  #write(method: string, path: string, body: unknown, { headers, signal }: Extra): Promise<Answer> {
    return this.send(method, path, JSON.stringify(body), { headers: { "content-type": "application/json", ...headers }, signal });
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The JSON of an answer that has to have this status. */
export function expect(answer: Answer, status: number): any {
  assert.equal(answer.status, status, answer.text);
  return answer.body;
}

/** A refusal as every refusal has to be (RFC 9457); answers its document. */
export function assertProblem(answer: Answer, status: number, code?: string): any {
  assert.equal(answer.status, status, answer.text);
  assert.equal(answer.headers.get("content-type"), "application/problem+json", answer.text);
  const problem = answer.body;
  assert.equal(problem.status, status);
  for (const member of ["type", "title", "detail", "code", "instance"]) assert.ok(typeof problem[member] === "string" && problem[member] !== "", `${member} is there`);
  assert.match(problem.requestId, /^req_[0-9a-z]{26}$/);
  assert.equal(answer.headers.get("request-id"), problem.requestId);
  if (code !== undefined) assert.equal(problem.code, code, answer.text);
  return problem;
}

export const anybody = (server: Server): Client => new Client(server, {});

export const vendor = (server: Server): Client => bearer(server, server.platformKey);

export const bearer = (server: Server, credential: string): Client => new Client(server, { authorization: `Bearer ${credential}` });

/** An organization, seen through the vendor's eyes. */
export interface Company {
  readonly id: string;
  readonly email: string;
  /** The vendor, acting for it. */
  readonly desk: Client;
}

export const company = (server: Server, id: string, email: string): Company => ({
  id,
  email,
  desk: new Client(server, { authorization: `Bearer ${server.platformKey}`, "tenantry-organization": id }),
});

/** An address that nobody else has, so that its mails are its own. */
export const address = (name: string): string => `${name.toLowerCase().replace(/[^a-z0-9]+/g, "-")}-${randomUUID()}@example.test`;

export async function signUp(server: Server, name: string, more: object = {}): Promise<Company> {
  const email = address(name);
  const organization = expect(await vendor(server).post("/v1/organizations", { name, email, ...more }), 201);
  return company(server, organization.$id, email);
}

/** Many at once, but not more than a laptop bears. */
export function signUpMany(server: Server, names: readonly string[], more: object = {}): Promise<Company[]> {
  return inParallel(4, names, (name) => signUp(server, name, more));
}

/** The company's own backend, with a key of its own. */
export async function backend(server: Server, of: Company, scopes: readonly string[] = ["usage.read", "usage.write"]): Promise<Client> {
  const key = expect(await of.desk.post("/v1/api-keys", { name: "backend", scopes }), 201);
  return bearer(server, key.secret);
}

export async function makeClock(server: Server, now: string): Promise<string> {
  return expect(await vendor(server).post("/v1/test-clocks", { now }), 201).$id;
}

export async function advance(server: Server, clock: string, now: string): Promise<void> {
  expect(await vendor(server).put(`/v1/test-clocks/${clock}`, { now }), 200);
}

/** A company with a test clock of its own, which `to` advances. */
export interface Story {
  readonly of: Company;
  readonly to: (now: string) => Promise<void>;
}

/** A company that signed up at an instant. */
export async function beginStory(server: Server, name: string, at: string, more: object = {}): Promise<Story> {
  const clock = await makeClock(server, at);
  return { of: await signUp(server, name, { testClock: clock, ...more }), to: (now) => advance(server, clock, now) };
}

export interface Mail {
  readonly $id: string;
  readonly template: string;
  readonly subject: string;
  readonly text: string;
  readonly html: string;
  readonly data: any;
  readonly sentAt: string;
}

/** The mails to one address, oldest first. */
export async function mails(server: Server, to: string): Promise<Mail[]> {
  return expect(await anybody(server).get(`/dev/emails?to=${encodeURIComponent(to)}`), 200).reverse();
}

export async function templates(server: Server, to: string): Promise<string[]> {
  return (await mails(server, to)).map((mail) => mail.template);
}

/** Every invoice of a company, oldest first. */
export async function invoices(of: Company): Promise<any[]> {
  const all: any[] = [];
  for (let path = "/v1/invoices?limit=100"; ; ) {
    const page = expect(await of.desk.get(path), 200);
    all.push(...page.data);
    if (!page.hasMore) return all.reverse();
    path = `/v1/invoices?limit=100&cursor=${encodeURIComponent(page.nextCursor)}`;
  }
}

/** The metric's counter as the company's own key reads it. */
export async function counted(caller: Client, metric: string): Promise<number> {
  return expect(await caller.get("/v1/usage"), 200).metrics[metric].current;
}

/** Asks until the answer is something, and says what was awaited when it never is. */
export async function eventually<T>(what: string, limitMs: number, probe: () => Promise<T | undefined | false> | T | undefined | false, pauseMs = 100): Promise<T> {
  const deadline = Date.now() + limitMs;
  for (;;) {
    const answer = await probe();
    if (answer) return answer;
    if (Date.now() >= deadline) assert.fail(`${what}: not within ${limitMs / 1000} seconds`);
    await delay(pauseMs);
  }
}

/** Looks again and again, for something that must not happen has no moment at which it has not happened. */
export async function staysTrue(forMs: number, check: () => Promise<void>): Promise<void> {
  const end = Date.now() + forMs;
  do {
    await check();
    await delay(100);
  } while (Date.now() < end);
}

/** Does the work for each of the things, `width` at a time; answers in the order of the things. */
export async function inParallel<T, R>(width: number, things: readonly T[], work: (thing: T, index: number) => Promise<R>): Promise<R[]> {
  const results = new Array<R>(things.length);
  let next = 0;
  const worker = async () => {
    while (next < things.length) {
      const index = next++;
      results[index] = await work(things[index], index);
    }
  };
  await Promise.all(Array.from({ length: Math.min(width, things.length) }, worker));
  return results;
}

/** Numbers that look random and come again with the same seed. */
export class Random {
  readonly seed: number;
  #state: number;

  /** SEED=... in the environment repeats a run. */
  constructor(seed: number = Number(process.env.SEED ?? Date.now() % 1_000_000)) {
    this.seed = seed;
    this.#state = seed;
  }

  /** From 0 up to 1 (mulberry32). */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  /** A whole number from `low` to `high`, both included. */
  between(low: number, high: number): number {
    return low + Math.floor(this.next() * (high - low + 1));
  }

  of<T>(things: readonly T[]): T {
    return things[this.between(0, things.length - 1)];
  }
}

/** Invoices begin where the trial of 14 days ends, and then monthly: the starts of the periods that have begun by `now`. */
export function periodsBy(now: string, signUpAt: string): string[] {
  const starts: string[] = [];
  const first = new Date(Date.parse(signUpAt) + 14 * 86_400_000);
  assert.ok(first.getUTCDate() <= 28, "this does not count from the end of a month");
  for (let month = 0; ; month++) {
    const start = new Date(first);
    start.setUTCMonth(first.getUTCMonth() + month);
    if (start > new Date(now)) return starts;
    starts.push(start.toISOString().replace(".000Z", "Z"));
  }
}

/** Some companies and the starts of the periods that they are to be billed for. */
export interface Billed {
  readonly companies: readonly Company[];
  readonly periods: readonly string[];
}

/** Every company's invoices: one for each period, numbered 1 to n over all of them, each with one mail. Answers how many there are. */
export async function assertInvoicesAreExact(server: Server, ...billed: readonly Billed[]): Promise<number> {
  const numbers: string[] = [];
  const all = billed.flatMap(({ companies, periods }) => companies.map((each) => ({ each, periods })));
  await inParallel(4, all, async ({ each, periods }) => {
    const own = await invoices(each);
    assert.deepEqual(own.map((invoice) => invoice.billingPeriod.startDate), periods, "one invoice for each period");
    assert.ok(own.every((invoice) => ["due", "overdue"].includes(invoice.paymentStatus)));
    const identifiers = own.map((invoice) => invoice.identifier);
    const mailed = (await mails(server, each.email)).filter((mail) => mail.template === "invoice-payment-required");
    assert.deepEqual(mailed.map((mail) => mail.data.invoice.identifier).sort(), [...identifiers].sort(), "one mail for each invoice");
    numbers.push(...identifiers);
  });
  assert.deepEqual(numbers.sort(), Array.from({ length: numbers.length }, (_, index) => invoiceNumber(index + 1)), "1 to n, without a gap");
  return numbers.length;
}

/** Whether as many invoices and mails are there as there have to be: what a queue does is done some time. */
export async function isBilled(server: Server, { companies, periods }: Billed): Promise<boolean> {
  const counts = await inParallel(4, companies, async (each) => {
    const mailed = (await templates(server, each.email)).filter((template) => template === "invoice-payment-required");
    return Math.min(mailed.length, (await invoices(each)).length);
  });
  return counts.every((count) => count >= periods.length);
}

/** Fires the hourly and the minute's cron until everything is billed: what a kill tore from its commit, the minute's sweep finds. */
export async function untilBilled(server: Server, ...billed: readonly Billed[]): Promise<void> {
  await eventually("everything due is billed and mailed", 60_000, async () => {
    await server.cron("0 * * * *");
    await server.cron("* * * * *");
    for (const each of billed) {
      if (!(await isBilled(server, each))) return false;
    }
    return true;
  }, 500);
}

/** Advances a clock and kills the server on the way. The wait is the kill's place, not anything's condition: while an advance runs, a local server answers nobody else. */
export async function killDuringAdvance(server: Server, clock: string, target: string, afterMs: number): Promise<void> {
  const advancing = advance(server, clock, target).catch(() => undefined);
  await delay(afterMs);
  await server.kill9();
  await advancing;
  await server.start();
}

export const clockNow = async (server: Server, clock: string): Promise<string> => expect(await vendor(server).get(`/v1/test-clocks/${clock}`), 200).now;

export const invoiceNumber = (number: number): string => `INV-${String(number).padStart(6, "0")}`;

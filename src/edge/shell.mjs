// The shell around the Rust build: it carries the hot path's texts and holds no rule.
//
// Owns: which requests go straight to their organization's Meter, the group commit (requests of the same moment share one
// transaction), timers and transactions of the Meter. Does not own: any decision (`durable_objects/meter.rs`), any other request
// (`src/edge/entry.rs`).
// Invariants: only a key with the right MAC addresses an object; what throws inside a transaction is rolled back and its core is
// never used again; no error text leaves us.

import { DurableObject, WorkerEntrypoint } from "cloudflare:workers";
import Rust, { InvoiceNumbers, KeyGate, MeterCore, Outbox } from "../../build/index.js";

export { InvoiceNumbers };

const KEY_HEADER = /^Bearer tk_org_[0-9a-z]{26}([0-7][0-9a-hjkmnp-tv-z]{25})[0-9a-z]{26}$/;
const HOT_QUOTA = /^\/v1\/quotas\/[^/]+$/;
const HOT_POSTS = new Set(["/v1/usage", "/v1/usage/consumption", "/v1/usage/batch"]);
/** The largest body that the Meter reads. What says that it is longer, the Rust side refuses unread; what is longer is cut, and refused. */
const BODY_BYTES_MAX = 1024 * 1024;

export default class extends WorkerEntrypoint {
  async fetch(request) {
    try {
      const organization = hotOrganization(request, this.env);
      if (organization === undefined) return await unlessReset(new Rust(this.ctx, this.env).fetch(request));
      const wire = await toWire(request);
      return toResponse(await this.env.METER.getByName(organization).serve(wire));
    } catch (error) {
      return failed(error, request);
    }
  }

  scheduled(event) {
    return new Rust(this.ctx, this.env).scheduled(event);
  }

  queue(batch) {
    return new Rust(this.ctx, this.env).queue(batch);
  }
}

/** Requests that wait for Rust. A panic resets the wasm instance and would leave them waiting for ever, so they are told. */
const waiting = new Set();

addEventListener("error", (event) => {
  if (!(event.error instanceof WebAssembly.RuntimeError)) return;
  for (const reject of waiting) reject(event.error);
  waiting.clear();
});

/** What `answer` gives, or a rejection when the wasm instance is reset in the meantime. */
function unlessReset(answer) {
  let rejectNow;
  const reset = new Promise((_, reject) => {
    rejectNow = reject;
    waiting.add(reject);
  });
  return Promise.race([answer, reset]).finally(() => waiting.delete(rejectNow));
}

/** Path and query: what follows the host. */
function target(request) {
  const { url } = request;
  const start = url.indexOf("/", url.indexOf("://") + 3);
  return start < 0 ? "/" : url.slice(start);
}

/** The organization whose Meter answers this request; undefined when it is one of the ordinary requests. */
function hotOrganization(request, env) {
  const path = target(request).split("?", 1)[0];
  if (request.method === "POST") {
    if (!HOT_POSTS.has(path) || Number(request.headers.get("content-length")) > BODY_BYTES_MAX) return undefined;
  } else if (request.method !== "GET" || !(path === "/v1/usage" || HOT_QUOTA.test(path))) return undefined;
  // An empty key is no key: the router refuses it.
  if (request.headers.get("idempotency-key") === "") return undefined;
  const header = request.headers.get("authorization") ?? "";
  const letters = KEY_HEADER.exec(header)?.[1];
  return letters && isGenuine(header, env) ? `org_${letters}` : undefined;
}

/** Key headers that were found genuine; a forged one addresses no object, so it cannot bring any into being. */
const genuine = new Set();
const GENUINE_MAX = 10_000;
let gate;

function isGenuine(header, env) {
  if (genuine.has(header)) return true;
  gate ??= new KeyGate(env.TENANTRY_SECRET);
  if (!gate.is_genuine(header)) return false;
  if (genuine.size >= GENUINE_MAX) genuine.clear();
  genuine.add(header);
  return true;
}

/** As `HotRequest::to_wire` in src/usage/meter.rs. */
async function toWire(request) {
  const header = (name) => request.headers.get(name) ?? "";
  const body = request.method === "POST" ? decoded(await request.arrayBuffer()).slice(0, BODY_BYTES_MAX + 1) : "";
  return `:${header("authorization")}\n${request.method}\n${target(request)}\n${header("content-type")}\n${header("idempotency-key")}\n\n${body}`;
}

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Bytes that are no UTF-8 are no JSON either: the Meter gets something it refuses, not something repaired. */
function decoded(bytes) {
  try {
    return utf8.decode(bytes);
  } catch {
    return "\ufffd";
  }
}

/** As `HotReply::from_wire`. */
function toResponse(wire) {
  const end = wire.indexOf("\n\n");
  const [status, ...lines] = wire.slice(0, end).split("\n");
  const headers = lines.map((line) => [line.slice(0, line.indexOf(": ")), line.slice(line.indexOf(": ") + 2)]);
  return new Response(wire.slice(end + 2), { status: Number(status), headers });
}

/** The answer when something threw: what it was is in the log, under the request's id. */
function failed(error, request) {
  const letters = Array.from(crypto.getRandomValues(new Uint8Array(26)), (byte, place) => ALPHABET[byte & (place ? 31 : 7)]);
  const requestId = `req_${letters.join("")}`;
  console.error(JSON.stringify({ level: "error", message: "a request threw", requestId, target: target(request).split("?", 1)[0], error: String(error?.stack ?? error) }));
  const isPassing = Boolean(error?.retryable || error?.overloaded);
  const [status, code, title, detail] = isPassing
    ? [503, "unavailable", "Not available right now", "Send the request again, with the same Idempotency-Key."]
    : [500, "internal_error", "Something went wrong on our side", "Retry with the same Idempotency-Key; if it stays, report the request id."];
  const type = `https://tenantry.dev/problems/${code}`;
  const body = JSON.stringify({ type, title, status, detail, code, instance: target(request).split("?", 1)[0], requestId });
  const headers = { "content-type": "application/problem+json", "Request-Id": requestId, ...(isPassing && { "Retry-After": "1" }) };
  return new Response(body, { status, headers });
}

const ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz";

/**
 * How long the first request of a group waits for others: one turn of the event loop, in which all that has arrived is handed over.
 * Measured: 1 ms is slower at every load (timers come late), and so is waiting until the group before is on disk.
 */
const GATHER_MS = 0;
/** A group larger than this does not wait any longer. */
const GROUP_MAX = 256;
/** Between attempts to deliver facts: twice as long each time, up to five minutes. */
const RETRY_MS = 2_000;
const RETRY_MS_MAX = 300_000;
/** A delivery that takes longer is given up: after a wasm reset its promise would never settle. */
const DELIVERY_MS_MAX = 30_000;

export class Meter extends DurableObject {
  #core;
  #group = [];
  #isDelivering = false;
  /** When the alarm that we set goes off. */
  #alarmAt = Infinity;
  #deliveriesFailed = 0;
  #retryAt = 0;

  /** One hot request; its answer comes with those of its group, when all of them are stored. */
  serve(wire) {
    return new Promise((resolve, reject) => {
      const size = this.#group.push({ wire, resolve, reject });
      if (size === 1) setTimeout(() => this.#flush(), GATHER_MS);
      else if (size === GROUP_MAX) this.#flush();
    });
  }

  /** A call of the Worker: JSON in, JSON out. */
  call(text) {
    return this.#transaction((core) => core.call(text));
  }

  #flush() {
    const group = this.#group;
    this.#group = [];
    if (group.length === 0) return;
    try {
      const replies = this.#transaction((core) => core.serve(group.map(({ wire }) => wire)));
      group.forEach(({ resolve }, index) => resolve(replies[index]));
    } catch (error) {
      for (const { reject } of group) reject(error);
    }
  }

  /** After a wasm reset the build's proxy makes the core anew by itself; after a rollback we do. */
  #transaction(work) {
    try {
      this.#core ??= new MeterCore(this.ctx.storage, this.env.TENANTRY_SECRET, this.ctx.id.name);
      const result = this.ctx.storage.transactionSync(() => work(this.#core));
      this.#setAlarm();
      return result;
    } catch (error) {
      this.#core = undefined;
      throw error;
    }
  }

  /** The core knows when it wants to wake; an alarm is only ever moved to an earlier time. */
  #setAlarm() {
    if (!this.#isDelivering) this.#wakeAt(Math.max(this.#core?.alarm_at() ?? Infinity, this.#retryAt));
  }

  #wakeAt(at) {
    if (at >= this.#alarmAt) return;
    this.#alarmAt = at;
    this.ctx.storage.setAlarm(at);
  }

  /** Failed deliveries are tried again by alarms of our own: the platform would give up after six. */
  async alarm() {
    this.#alarmAt = Infinity;
    this.#isDelivering = true;
    try {
      this.call('{"call":"prune"}');
      await this.#deliver();
      this.#deliveriesFailed = 0;
      this.#retryAt = 0;
      this.#isDelivering = false;
      this.#setAlarm();
    } catch (error) {
      console.error(JSON.stringify({ level: "error", message: "facts were not delivered", organization: this.ctx.id.name, error: String(error?.stack ?? error) }));
      this.#retryAt = Date.now() + Math.min(RETRY_MS * 2 ** this.#deliveriesFailed++, RETRY_MS_MAX);
      this.#isDelivering = false;
      // Not as the core says: after a reset it knows nothing yet.
      this.#wakeAt(this.#retryAt);
    }
  }

  async #deliver() {
    for (;;) {
      const pending = this.call('{"call":"pendingFacts"}');
      const last = JSON.parse(pending).facts.at(-1);
      if (last === undefined) return;
      await within(DELIVERY_MS_MAX, Outbox.deliver(this.env, this.ctx.id.name, pending));
      this.call(JSON.stringify({ call: "acknowledgeFacts", through: last.sequence }));
    }
  }
}

/** What `promise` gives, or a rejection when that takes longer. */
function within(milliseconds, promise) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${milliseconds} ms`)), milliseconds);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

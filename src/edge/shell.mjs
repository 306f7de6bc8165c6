// The shell around the Rust build: it carries the hot path's texts and holds no rule.
//
// Owns: which requests go straight to their organization's Meter, the group commit (requests of the same moment share one
// transaction), timers and transactions of the Meter. Does not own: any decision (`durable_objects/meter.rs`), any other request
// (`src/edge/entry.rs`), live feeds (`feeds.mjs`).
// Invariants: only a key with the right MAC addresses an object; what throws inside a transaction is rolled back and its core is
// never used again; no error text leaves us.

import { DurableObject } from "cloudflare:workers";
import Rust, { InvoiceNumbers, KeyGate, MeterCore, Outbox } from "../../build/index.js";
import { FEED_ENDS_AT, FEED_KEY, Feeds } from "./feeds.mjs";
import { newRequestId, problem } from "./problems.mjs";

export { InvoiceNumbers };

const KEY_HEADER = /^Bearer tk_org_[0-9a-z]{26}([0-7][0-9a-hjkmnp-tv-z]{25})[0-9a-z]{26}$/;
/** The largest body that the Meter reads. What says that it is longer, the Rust side refuses unread; what is longer is cut, and refused. */
const BODY_BYTES_MAX = 1024 * 1024;
/** The Meter's answer when it has to be told the platform's metrics first: `TELL_METRICS` in src/usage/meter.rs. */
const TELL_METRICS = "?metrics";
/** On an answer of Rust: open a live feed. `TICKET` in src/usage/live.rs. */
const TICKET = "tenantry-feed";

export default {
  async fetch(request, env, ctx) {
    try {
      const { method, headers } = request;
      const target = targetOf(request.url);
      const caller = isHot(method, target) ? headers.get("authorization") : null;
      const organization = caller === null ? undefined : (genuine.get(caller) ?? examined(caller, env));
      if (organization === undefined) return await longWay(request, env, ctx);
      const key = headers.get("idempotency-key");
      if (isForTheRouter(method, headers, key)) return await longWay(request, env, ctx);
      const bytes = method === "POST" ? await request.arrayBuffer() : undefined;
      // As `HotRequest::to_wire` in src/usage/meter.rs.
      const wire = `:${caller}\n${method}\n${target}\n${bytes === undefined ? NO_CONTENT : contentOf(target, headers, key ?? "", decoded(bytes))}`;
      const reply = await env.METER.getByName(organization).serve(wire);
      return reply === TELL_METRICS ? await longWay(again(request, bytes), env, ctx) : toResponse(reply);
    } catch (error) {
      return failed(error, request);
    }
  },

  scheduled(event, env, ctx) {
    return new Rust(ctx, env).scheduled(event);
  },

  queue(batch, env, ctx) {
    return new Rust(ctx, env).queue(batch);
  },
};

/** Through the router: it verifies the caller in its organization's database. */
async function longWay(request, env, ctx) {
  const response = await unlessReset(new Rust(ctx, env).fetch(request));
  const ticket = response.headers.get(TICKET);
  return ticket === null ? response : openFeed(request, env, ticket, response.headers.get("request-id"));
}

/** A live feed is served by the organization's Meter itself. */
function openFeed(request, env, ticket, requestId) {
  const [organization, key, endsAt] = ticket.split(" ");
  const headers = new Headers({ [FEED_KEY]: key, [FEED_ENDS_AT]: endsAt, "request-id": requestId });
  for (const name of ["upgrade", "last-event-id"]) {
    const value = request.headers.get(name);
    if (value !== null) headers.set(name, value);
  }
  return env.METER.getByName(organization).fetch(new Request(request.url, { headers }));
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
function targetOf(url) {
  const start = url.indexOf("/", url.indexOf("://") + 3);
  return start < 0 ? "/" : url.slice(start);
}

function pathOf(target) {
  const end = target.indexOf("?");
  return end < 0 ? target : target.slice(0, end);
}

/** Whether a Meter answers this request, if the caller is an organization. */
function isHot(method, target) {
  const path = pathOf(target);
  if (method === "POST") {
    return (
      path === "/v1/usage" ||
      path === "/v1/usage/consumption" ||
      path === "/v1/events" ||
      path === "/v1/usage/batch" ||
      path === "/v1/reservations" ||
      (path.endsWith(SETTLEMENT) && isChild(path.slice(0, -SETTLEMENT.length), RESERVATIONS))
    );
  }
  if (method === "GET") return path === "/v1/usage" || isChild(path, "/v1/quotas/") || isChild(path, RESERVATIONS);
  return method === "DELETE" && isChild(path, RESERVATIONS);
}

const RESERVATIONS = "/v1/reservations/";
const SETTLEMENT = "/settlement";

/** Whether `path` is one more segment below `parent`. */
function isChild(path, parent) {
  return path.length > parent.length && path.startsWith(parent) && !path.includes("/", parent.length);
}

/** What the Meter would refuse unread: an empty key is no key, and a body may say that it is too long. */
function isForTheRouter(method, headers, key) {
  return key === "" || (method === "POST" && Number(headers.get("content-length")) > BODY_BYTES_MAX);
}

/** Key headers that were found genuine, and whose they are; a forged one addresses no object, so it cannot bring any into being. */
const genuine = new Map();
const GENUINE_MAX = 10_000;
let gate;

function examined(header, env) {
  const letters = KEY_HEADER.exec(header)?.[1];
  if (letters === undefined) return undefined;
  gate ??= new KeyGate(env.TENANTRY_SECRET);
  if (!gate.is_genuine(header)) return undefined;
  if (genuine.size >= GENUINE_MAX) genuine.clear();
  const organization = `org_${letters}`;
  genuine.set(header, organization);
  return organization;
}

/** No type, no key, no attributes, no body. */
const NO_CONTENT = "\n\n\n";

/** What the wire says of a request with a body: its type, key and attributes, and at last the body, cut when it is too long anyway. */
function contentOf(target, headers, key, text) {
  const body = text.length > BODY_BYTES_MAX ? text.slice(0, BODY_BYTES_MAX + 1) : text;
  return `${headers.get("content-type") ?? ""}\n${key}\n${attributesOf(target, headers)}\n${body}`;
}

/** The headers that say what a CloudEvent is when its body is only its data. */
function attributesOf(target, headers) {
  if (!target.startsWith("/v1/events")) return "";
  let found;
  for (const [name, value] of headers) {
    if (name.startsWith("ce-")) (found ??= {})[name] = value;
  }
  return found === undefined ? "" : JSON.stringify(found);
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

/** The request once more, after its body was read. */
function again(request, bytes) {
  return new Request(request.url, { method: request.method, headers: request.headers, body: bytes });
}

/** As `HotReply::from_wire`. */
function toResponse(wire) {
  const head = wire.indexOf("\n\n");
  let start = wire.indexOf("\n") + 1;
  const status = Number(wire.slice(0, start - 1));
  const headers = {};
  while (start <= head) {
    const colon = wire.indexOf(": ", start);
    const end = wire.indexOf("\n", colon);
    headers[wire.slice(start, colon)] = wire.slice(colon + 2, end);
    start = end + 1;
  }
  // Where a body is not allowed, an empty one is refused as well.
  return new Response(status === 204 ? null : wire.slice(head + 2), { status, headers });
}

/** The answer when something threw: what it was is in the log, under the request's id. */
function failed(error, request) {
  const requestId = newRequestId();
  const path = pathOf(targetOf(request.url));
  console.error(JSON.stringify({ level: "error", message: "a request threw", requestId, target: path, error: String(error?.stack ?? error) }));
  const isPassing = Boolean(error?.retryable || error?.overloaded);
  return isPassing ? problem(503, UNAVAILABLE, path, requestId, { "Retry-After": "1" }) : problem(500, MISTAKE, path, requestId);
}

const UNAVAILABLE = { code: "unavailable", title: "Not available right now", detail: "Send the request again, with the same Idempotency-Key." };
const MISTAKE = { code: "internal_error", title: "Something went wrong on our side", detail: "Retry with the same Idempotency-Key; if it stays, report the request id." };

/**
 * How long the first request of a group waits for others: one turn of the event loop, in which all that has arrived is handed over; two
 * when there is something to commit. Measured: one turn makes smaller groups and more commits; 1 ms is slower at every load (timers come
 * late), and so is waiting until the group before is on disk. A question that is asked alone, without a group, costs twice as much.
 */
const GATHER_MS = 0;
/** A group larger than this does not wait any longer. */
const GROUP_MAX = 256;
/** Between attempts to deliver facts and buckets: twice as long each time, up to five minutes. */
const RETRY_MS = 2_000;
const RETRY_MS_MAX = 300_000;
/** A delivery that takes longer is given up: after a wasm reset its promise would never settle. */
const DELIVERY_MS_MAX = 30_000;
/** Pages of buckets that one alarm stores; what is left waits for the next. */
const ROLL_UPS_MAX = 100;
/** How a call that revokes a key begins: `Call::RemoveKey` in src/usage/meter.rs. */
const REMOVE_KEY = '{"call":"removeKey"';
/** How the call begins after which nothing is left: `Call::Erase`. */
const ERASE = '{"call":"erase"';

export class Meter extends DurableObject {
  #core;
  #group = [];
  #isDelivering = false;
  /** When the alarm that we set goes off. */
  #alarmAt = Infinity;
  #deliveriesFailed = 0;
  #retryAt = 0;
  #feeds = new Feeds(this.ctx, (since) => this.#ask(JSON.stringify({ call: "changes", since })));

  /** One hot request; its answer comes with those of its group, when all of them are stored. */
  serve(wire) {
    return new Promise((resolve, reject) => {
      const size = this.#group.push({ wire, resolve, reject });
      if (size === 1) this.#flushSoon(wire);
      else if (size === GROUP_MAX) this.#flush();
    });
  }

  /** A question has no commit to share: it waits one turn only. */
  #flushSoon(wire) {
    const flush = () => this.#flush();
    const isQuestion = wire.startsWith("GET\n", wire.indexOf("\n") + 1);
    setTimeout(isQuestion ? flush : () => setTimeout(flush, GATHER_MS), GATHER_MS);
  }

  /** A call of the Worker: JSON in, JSON out. */
  call(text) {
    const reply = this.#ask(text);
    if (text.startsWith(REMOVE_KEY)) this.#feeds.revoke(JSON.parse(text).key);
    if (text.startsWith(ERASE)) this.#rest();
    this.#feeds.changed();
    return reply;
  }

  #ask(text) {
    return this.#transaction((core) => core.call(text));
  }

  /** Nobody listens any more, and there is nothing left to wake for. */
  #rest() {
    this.#feeds.end();
    this.#alarmAt = Infinity;
    this.#retryAt = 0;
    this.ctx.storage.deleteAlarm();
  }

  /** A live feed, for whom the Worker has found it permitted. */
  fetch(request) {
    return this.#feeds.open(request);
  }

  /** Listeners have nothing to say. */
  webSocketMessage() {}

  /** Without our half of the farewell a listener would wait for it. */
  webSocketClose(socket) {
    socket.close(1000);
  }

  #flush() {
    const group = this.#group;
    this.#group = [];
    if (group.length === 0) return;
    try {
      const replies = this.#transaction((core) => core.serve(group.map(({ wire }) => wire)));
      group.forEach(({ resolve }, index) => resolve(replies[index]));
      this.#feeds.changed();
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
      this.#ask('{"call":"prune"}');
      await this.#deliver();
      await this.#storeBuckets();
      this.#deliveriesFailed = 0;
      this.#retryAt = 0;
      this.#isDelivering = false;
      this.#setAlarm();
    } catch (error) {
      console.error(JSON.stringify({ level: "error", message: "facts or buckets were not delivered", organization: this.ctx.id.name, error: String(error?.stack ?? error) }));
      this.#retryAt = Date.now() + Math.min(RETRY_MS * 2 ** this.#deliveriesFailed++, RETRY_MS_MAX);
      this.#isDelivering = false;
      // Not as the core says: after a reset it knows nothing yet.
      this.#wakeAt(this.#retryAt);
    }
  }

  async #deliver() {
    for (;;) {
      const pending = this.#ask('{"call":"pendingFacts"}');
      const last = JSON.parse(pending).facts.at(-1);
      if (last === undefined) return;
      await within(DELIVERY_MS_MAX, Outbox.deliver(this.env, this.ctx.id.name, pending));
      this.#ask(JSON.stringify({ call: "acknowledgeFacts", through: last.sequence }));
    }
  }

  /** Usage by the hour goes to the tenant's database; a bucket that comes twice changes nothing there. */
  async #storeBuckets() {
    for (let round = 0; round < ROLL_UPS_MAX; round++) {
      const rolled = this.#ask('{"call":"rollUp"}');
      const { buckets, hasMore } = JSON.parse(rolled);
      if (buckets.length > 0) {
        await within(DELIVERY_MS_MAX, Outbox.store_buckets(this.env, this.ctx.id.name, rolled));
        this.#ask(JSON.stringify({ call: "acknowledgeBuckets", through: buckets.at(-1).version }));
      }
      if (!hasMore) return;
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

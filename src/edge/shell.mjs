// The shell around the Rust build: it passes the texts of the hot path and has no rules.
//
// Owns: which requests are sent directly to their organization's Meter. Does not own: any decision (`durable_objects/meter.rs`), any other
// request (`src/edge/entry.rs`), which of them go together (`shared_calls.mjs`), the Meter's transactions (`meter.mjs`).
// Invariants: only a key with the right MAC addresses an object; no internal error text is in a response.

import Rust, { InvoiceNumbers, KeyGate } from "#rust";
import { FEED_ENDS_AT, FEED_KEY } from "./feeds.mjs";
import { HOT_PATHS } from "./hot_paths.mjs";
import { Meter } from "./meter.mjs";
import { newRequestId, problem } from "./problems.mjs";
import { askMeter } from "./shared_calls.mjs";
import { BODY_BYTES_MAX, toResponse, toWire } from "./wire.mjs";

export { InvoiceNumbers, Meter };

const KEY_HEADER = /^Bearer tk_org_[0-9a-z]{26}([0-7][0-9a-hjkmnp-tv-z]{25})[0-9a-z]{26}$/;
/** The Meter's answer when it needs the platform's metrics first: `METRICS_NEEDED` in src/meter/wire.rs. */
const METRICS_NEEDED = "?metrics";
/** The header of Rust's answer that opens a live feed: `TICKET` in src/metering/usage/live.rs. */
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
      const reply = await askMeter(env, ctx, organization, toWire(`:${caller}`, method, target, headers, key ?? "", bytes));
      return reply === METRICS_NEEDED ? await longWay(again(request, bytes), env, ctx) : toResponse(reply);
    } catch (error) {
      return await readable(failed(error, request, env), request, env, ctx);
    }
  },

  scheduled(event, env, ctx) {
    return new Rust(ctx, env).scheduled(event);
  },

  queue(batch, env, ctx) {
    return new Rust(ctx, env).queue(batch);
  },
};

/** Calls the router, which verifies the caller in its organization's database. */
async function longWay(request, env, ctx) {
  const response = await unlessReset(new Rust(ctx, env).fetch(request));
  const ticket = response.headers.get(TICKET);
  return ticket === null ? response : openFeed(request, env, ticket, response);
}

/** A live feed is served by the organization's Meter itself. `answer` is Rust's, which says whether pages of another origin may read it. */
async function openFeed(request, env, ticket, answer) {
  const [organization, key, endsAt] = ticket.split(" ");
  const headers = new Headers({ [FEED_KEY]: key, [FEED_ENDS_AT]: endsAt, "request-id": answer.headers.get("request-id") });
  for (const name of ["upgrade", "last-event-id"]) {
    const value = request.headers.get(name);
    if (value !== null) headers.set(name, value);
  }
  const feed = await env.METER.getByName(organization).fetch(new Request(request.url, { headers }));
  return shared(feed, answer);
}

/** The headers by which a browser decides whether a page of another origin may read a response: `src/api/cors.rs`. */
const CROSS_ORIGIN = ["access-control-allow-origin", "access-control-expose-headers", "vary"];

/** The response with the CORS headers of Rust's answer, where that has any. */
function shared(response, answer) {
  if (!answer.headers.has("access-control-allow-origin") || response.webSocket) return response;
  const readable = new Response(response.body, response);
  for (const name of CROSS_ORIGIN) {
    const value = answer.headers.get(name);
    if (value !== null) readable.headers.set(name, value);
  }
  return readable;
}

/** A failure that pages of an allowed origin can read, too. Rust is asked by an unknown path, because the request itself threw. */
async function readable(response, request, env, ctx) {
  if (!request.headers.has("origin")) return response;
  const headers = new Headers();
  for (const name of ["origin", "authorization"]) {
    const value = request.headers.get(name);
    if (value !== null) headers.set(name, value);
  }
  try {
    return shared(response, await new Rust(ctx, env).fetch(new Request(new URL("/failed", request.url), { headers })));
  } catch {
    return response;
  }
}

/** Requests that wait for Rust. A panic resets the wasm instance and they would wait for ever, so they are rejected. */
const waiting = new Set();

addEventListener("error", (event) => {
  if (!(event.error instanceof WebAssembly.RuntimeError)) return;
  for (const reject of waiting) reject(event.error);
  waiting.clear();
});

/** The result of `answer`, or a rejection when the wasm instance is reset meanwhile. */
function unlessReset(answer) {
  // Another request's panic rejects it, see `shared_calls.mjs` on such promises.
  const { promise: reset, reject } = Promise.withResolvers();
  waiting.add(reject);
  return Promise.race([answer, reset]).finally(() => waiting.delete(reject));
}

/** Path and query. */
function targetOf(url) {
  const start = url.indexOf("/", url.indexOf("://") + 3);
  return start < 0 ? "/" : url.slice(start);
}

function pathOf(target) {
  const end = target.indexOf("?");
  return end < 0 ? target : target.slice(0, end);
}

/** By method, the patterns of path and query of hot requests. A name in braces stands for one segment. */
const HOT = new Map();
for (const [method, paths] of Map.groupBy(HOT_PATHS, ([method]) => method)) {
  const expressions = paths.map(([, path]) => path.replace(/\{\w+\}/, "[^/?]+"));
  HOT.set(method, new RegExp(`^(?:${expressions.join("|")})(?:\\?|$)`));
}

/** Whether a Meter answers this request, if the caller is an organization. */
function isHot(method, target) {
  return HOT.get(method)?.test(target) ?? false;
}

/** Whether the Meter would refuse the request unread: for an empty key, or a declared length that is too large. */
function isForTheRouter(method, headers, key) {
  return key === "" || (method === "POST" && Number(headers.get("content-length")) > BODY_BYTES_MAX);
}

/** Verified key headers and their organizations; a forged key addresses no object, so it can't create one. */
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

/** The request again, after its body was read. */
function again(request, bytes) {
  return new Request(request.url, { method: request.method, headers: request.headers, body: bytes });
}

/** The answer to a request that threw. The log has the error, under the request's id. */
function failed(error, request, { API_URL }) {
  const requestId = newRequestId();
  const path = pathOf(targetOf(request.url));
  const detail = String(error?.stack ?? error);
  console.error(JSON.stringify({ level: "error", message: "a request threw", requestId, target: path, error: detail }));
  const isPassing = Boolean(error?.retryable || error?.overloaded);
  return isPassing
    ? problem(API_URL, 503, UNAVAILABLE, path, requestId, { "Retry-After": "1" })
    : problem(API_URL, 500, MISTAKE, path, requestId);
}

const UNAVAILABLE = {
  code: "unavailable",
  title: "Not available right now",
  detail: "Send the request again, with the same Idempotency-Key.",
};
const MISTAKE = {
  code: "internal_error",
  title: "Something went wrong on our side",
  detail: "Retry with the same Idempotency-Key; if it stays, report the request id.",
};

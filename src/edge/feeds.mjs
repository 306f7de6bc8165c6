// Live feeds of one Meter: the listeners to the organization's usage, over a WebSocket or as server-sent events.
//
// Owns: the listeners, the rate of their messages, and the end of their connections. Does not own: the permission to listen
// (`src/metering/usage/live.rs`) and the messages (the Meter's answer to `changes`, passed on unchanged).
// Invariants: without listeners there is no work; a listener gets at most four messages a second, and none with a revoked or expired key;
// a slow listener gets fewer messages, not more memory.

import { problem } from "./problems.mjs";

/** The shell's header with the caller of a feed: the key, or `-` for the vendor, and its expiry, or `-`. */
export const FEED_KEY = "tenantry-feed-key";
export const FEED_ENDS_AT = "tenantry-feed-ends-at";

/** The pause between two messages to one listener. */
const PAUSE_MS = 250;
/** The pause before a failed call of the Meter is retried. */
const RETRY_MS = 2_000;
/** A quiet stream gets a comment, so that no proxy closes it. */
const KEEP_OPEN_MS = 15_000;
/** A stream that is not read for this time is closed. */
const UNREAD_MS_MAX = 60_000;
const LISTENERS_MAX = 1_000;
/** Recently revoked keys: a key may be revoked between the check of a listener and its arrival here. */
const REVOKED_MAX = 1_000;
/** WebSocket's code for a breach of policy. */
const NOT_ALLOWED = 1008;

const TOO_MANY = {
  code: "too_many_feeds",
  title: "Too many live feeds",
  detail: `An organization has at most ${LISTENERS_MAX} live feeds. Close one, and share feeds between your users.`,
};
const REVOKED = {
  code: "unauthenticated",
  title: "Credentials are missing or not valid",
  detail: "This credential is unknown, expired or revoked. Create a new key with POST /v1/api-keys.",
};

export class Feeds {
  #ctx;
  #apiUrl;
  #changes;
  #streams = new Set();
  #revoked = new Set();
  #hasListeners;
  #timer;
  #keepOpen;

  /** `apiUrl` is the address of the Worker; `changes` returns the document of the changes after an event, as text. */
  constructor(ctx, apiUrl, changes) {
    this.#ctx = ctx;
    this.#apiUrl = apiUrl;
    this.#changes = changes;
    this.#hasListeners = ctx.getWebSockets().length > 0;
  }

  /** Called after usage was recorded. */
  changed() {
    if (this.#hasListeners) this.#notifyIn(0);
  }

  /** Answers a request that the shell has authorized. */
  open(request) {
    const { headers } = request;
    const key = headers.get(FEED_KEY);
    const requestId = headers.get("request-id");
    const refused = (status, what, more) => problem(this.#apiUrl, status, what, new URL(request.url).pathname, requestId, more);
    if (this.#revoked.has(key)) return refused(401, REVOKED, { "WWW-Authenticate": 'Bearer realm="tenantry"' });
    if (this.#listeners().length >= LISTENERS_MAX) return refused(503, TOO_MANY, { "Retry-After": "60" });
    const ends = Number(headers.get(FEED_ENDS_AT));
    const state = { key, since: 0, nextAt: 0, endsAt: Number.isNaN(ends) ? Infinity : ends };
    this.#hasListeners = true;
    const isSocket = headers.get("upgrade")?.toLowerCase() === "websocket";
    return isSocket ? this.#openSocket(state, requestId) : this.#openStream(state, headers, requestId);
  }

  #openSocket(state, requestId) {
    const [client, server] = Object.values(new WebSocketPair());
    this.#ctx.setWebSocketAutoResponse(new WebSocketRequestResponsePair("ping", "pong"));
    this.#ctx.acceptWebSocket(server, [state.key]);
    server.serializeAttachment(state);
    this.#notify([new Socket(server)], true);
    return new Response(null, { status: 101, webSocket: client, headers: { "Request-Id": requestId } });
  }

  #openStream(state, headers, requestId) {
    const { readable, writable } = new IdentityTransformStream();
    const stream = new Stream(state, writable.getWriter(), (isGone) => (isGone ? this.#forget(stream) : this.changed()));
    this.#streams.add(stream);
    this.#keepOpen ??= setInterval(() => this.#sendComments(), KEEP_OPEN_MS);
    const read = Number(headers.get("last-event-id") ?? 0);
    if (Number.isSafeInteger(read) && read > 0) stream.state.since = read;
    this.#notify([stream], stream.state.since === 0);
    const sent = { "content-type": "text/event-stream", "cache-control": "no-cache", "Request-Id": requestId };
    return new Response(readable, { headers: sent });
  }

  /** Ends the feeds of a key, also those that are about to open. */
  revoke(key) {
    if (this.#revoked.size >= REVOKED_MAX) this.#revoked.clear();
    this.#revoked.add(key);
    for (const socket of this.#ctx.getWebSockets(key)) new Socket(socket).end();
    for (const stream of this.#streams) if (stream.state.key === key) stream.end();
  }

  /** Ends all feeds. */
  end() {
    for (const listener of this.#listeners()) listener.end();
  }

  #listeners() {
    const listeners = [...this.#streams];
    for (const socket of this.#ctx.getWebSockets()) {
      // A closed listener may stay for a while.
      if (socket.readyState === WebSocket.OPEN) listeners.push(new Socket(socket));
    }
    return listeners;
  }

  #notifyIn(milliseconds) {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      const listeners = this.#listeners();
      this.#hasListeners = listeners.length > 0;
      this.#notify(listeners, false);
    }, milliseconds);
  }

  /** Sends each listener the changes since its last message; during its pause, at the end of the pause. */
  #notify(listeners, isFirst) {
    const now = Date.now();
    const known = new Map();
    let soonest = Infinity;
    for (const listener of listeners) {
      const { state } = listener;
      if (state.endsAt <= now) listener.end();
      else if (listener.isBusy) listener.isBehind = true;
      else if (state.nextAt > now) soonest = Math.min(soonest, state.nextAt);
      else {
        const change = this.#changeSince(state.since, known);
        if (change === undefined) return this.#notifyIn(RETRY_MS);
        // A position beyond the newest change is not from this Meter.
        const isLost = change.sequence < state.since;
        if (isLost) soonest = now;
        if (isFirst || change.hasNews) listener.send(change, now + PAUSE_MS);
        else if (isLost) listener.forget();
      }
    }
    if (soonest < Infinity) this.#notifyIn(Math.max(soonest - now, 0));
  }

  /** The change as text, its sequence, and whether it has news; undefined while the Meter is unavailable. */
  #changeSince(since, known) {
    if (known.has(since)) return known.get(since);
    let change;
    try {
      const text = this.#changes(since);
      const { sequence, metrics } = JSON.parse(text);
      if (metrics === undefined) throw new Error(`no change, but ${text}`);
      change = { text, sequence, hasNews: Object.keys(metrics).length > 0 };
    } catch (error) {
      const [organization, detail] = [this.#ctx.id.name, String(error?.stack ?? error)];
      console.error(JSON.stringify({ level: "error", message: "messages to live feeds failed", organization, error: detail }));
    }
    known.set(since, change);
    return change;
  }

  #sendComments() {
    const now = Date.now();
    for (const stream of this.#streams) {
      if (stream.state.endsAt <= now) stream.end();
      else stream.keepOpen(now);
    }
  }

  #forget(stream) {
    this.#streams.delete(stream);
    if (this.#streams.size > 0) return;
    clearInterval(this.#keepOpen);
    this.#keepOpen = undefined;
  }
}

/** A WebSocket. Its state is attached to it, so that it survives while the object sleeps. */
class Socket {
  isBusy = false;
  #socket;

  constructor(socket) {
    this.#socket = socket;
    this.state = socket.deserializeAttachment();
  }

  send({ text, sequence }, nextAt) {
    try {
      this.#socket.send(text);
      this.#socket.serializeAttachment({ ...this.state, since: sequence, nextAt });
    } catch {
      // The socket is closing; the platform removes it.
    }
  }

  forget() {
    this.#socket.serializeAttachment({ ...this.state, since: 0 });
  }

  end() {
    try {
      this.#socket.close(NOT_ALLOWED, "The key was revoked or has expired.");
    } catch {
      // The socket is already closing.
    }
  }
}

const utf8 = new TextEncoder();

/** A stream of server-sent events. While a message is unread, no other is sent. */
class Stream {
  isBusy = false;
  isBehind = false;
  #writer;
  #onReady;
  #busySince = 0;

  /** Calls `onReady` when the stream can take missed changes, or with `true` when it is closed. */
  constructor(state, writer, onReady) {
    this.state = state;
    this.#writer = writer;
    this.#onReady = onReady;
    writer.closed.then(() => onReady(true), () => onReady(true));
  }

  send({ text, sequence }, nextAt) {
    this.state.since = sequence;
    this.state.nextAt = nextAt;
    this.#write(`id: ${sequence}\nevent: usage\ndata: ${text}\n\n`);
  }

  forget() {
    this.state.since = 0;
  }

  keepOpen(now) {
    if (!this.isBusy) this.#write(": still here\n\n");
    else if (now - this.#busySince > UNREAD_MS_MAX) this.#writer.abort().catch(() => {});
  }

  end() {
    this.#writer.close().catch(() => {});
  }

  #write(text) {
    this.isBusy = true;
    this.#busySince = Date.now();
    this.#writer.write(utf8.encode(text)).then(
      () => {
        this.isBusy = false;
        if (!this.isBehind) return;
        this.isBehind = false;
        this.#onReady(false);
      },
      () => this.#onReady(true),
    );
  }
}

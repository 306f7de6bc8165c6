// Listeners to a live feed, as a customer's backend would be one: by WebSocket or as server-sent events.

import assert from "node:assert/strict";
import { setTimeout as after } from "node:timers/promises";
import type { Server } from "./server.ts";

/** A message of a feed, and when it came. */
export interface Heard {
  readonly at: number;
  readonly id?: string;
  readonly data: any;
}

/** What both kinds of listeners have in common: what they heard, and waiting for it. */
export class Listener {
  readonly heard: Heard[] = [];
  /** The code with which a WebSocket was closed; 0 when a stream ended. */
  ended: number | undefined;

  /** The first message that fits, and that is not among the first `from` ones. */
  async until(what: string, fits: (message: Heard) => unknown, from = 0): Promise<Heard> {
    for (const deadline = Date.now() + 10_000; Date.now() < deadline; await after(20)) {
      const found = this.heard.slice(from).find(fits);
      if (found) return found;
      if (this.ended !== undefined) assert.fail(`${what}: the feed ended with ${this.ended} before, after ${JSON.stringify(this.heard)}`);
    }
    return assert.fail(`${what}: not heard within 10 seconds, but ${JSON.stringify(this.heard)}`);
  }

  /** Of a WebSocket that the server closes, the farewell comes at once, and its end when the object behind it sleeps, ten seconds later. */
  async untilEnd(): Promise<number> {
    for (const deadline = Date.now() + 20_000; Date.now() < deadline; await after(20)) {
      if (this.ended !== undefined) return this.ended;
    }
    return assert.fail("the feed did not end within 20 seconds");
  }
}

export class SocketListener extends Listener {
  readonly #socket: any;
  readonly texts: string[] = [];

  private constructor(socket: any) {
    super();
    this.#socket = socket;
    socket.addEventListener("message", ({ data }: { data: string }) => {
      this.texts.push(data);
      if (data.startsWith("{")) this.heard.push({ at: Date.now(), data: JSON.parse(data) });
    });
    socket.addEventListener("close", ({ code }: { code: number }) => (this.ended = code));
  }

  /** Node's own WebSocket sends headers, though the standard's can't. */
  static async open(server: Server, headers: Record<string, string>, path = "/v1/usage/live"): Promise<SocketListener> {
    const socket = new (WebSocket as any)(server.url.replace("http:", "ws:") + path, { headers });
    const listener = new SocketListener(socket);
    await new Promise<void>((resolve, reject) => {
      socket.addEventListener("open", () => resolve());
      socket.addEventListener("error", ({ error, message }: any) => reject(error ?? new Error(message || "the WebSocket did not open")));
    });
    return listener;
  }

  send(text: string): void {
    this.#socket.send(text);
  }

  async close(): Promise<void> {
    this.#socket.close(1000);
    await this.untilEnd();
  }
}

export class StreamListener extends Listener {
  readonly #ending = new AbortController();
  /** Lines that are comments. */
  comments = 0;
  headers = new Headers();

  static async open(server: Server, headers: Record<string, string>): Promise<StreamListener> {
    const listener = new StreamListener();
    const response = await fetch(`${server.url}/v1/usage/live`, { headers: { accept: "text/event-stream", ...headers }, signal: listener.#ending.signal });
    assert.equal(response.status, 200, response.status === 200 ? "" : await response.text());
    listener.headers = response.headers;
    void listener.#read(response.body!).catch(() => {}).finally(() => (listener.ended = 0));
    return listener;
  }

  async #read(body: ReadableStream<Uint8Array>): Promise<void> {
    let rest = "";
    for await (const piece of body.pipeThrough(new TextDecoderStream() as any) as any) {
      const messages = (rest + piece).split("\n\n");
      rest = messages.pop()!;
      for (const message of messages) this.#take(message);
    }
  }

  #take(message: string): void {
    if (message.startsWith(":")) return void this.comments++;
    const fields = Object.fromEntries(message.split("\n").map((line) => [line.slice(0, line.indexOf(": ")), line.slice(line.indexOf(": ") + 2)]));
    assert.deepEqual(Object.keys(fields), ["id", "event", "data"], message);
    assert.equal(fields.event, "usage");
    this.heard.push({ at: Date.now(), id: fields.id, data: JSON.parse(fields.data) });
  }

  async close(): Promise<void> {
    this.#ending.abort();
    await this.untilEnd();
  }
}

// A proxy before the Worker: it notes each request, and loses an answer when a test says so.

import { createServer, type IncomingMessage, type Server as HttpServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

const ANSWER_WAIT_MS = 60_000;

/** A request that the Worker has answered. */
export interface Noted {
  readonly method: string;
  readonly path: string;
  readonly status: number;
  readonly idempotencyKey: string | undefined;
  /** The answer did not reach the client. */
  readonly isLost: boolean;
}

export class Proxy {
  readonly noted: Noted[] = [];
  readonly #target: string;
  readonly #server: HttpServer;
  #losing: string | undefined;

  private constructor(target: string) {
    this.#target = target;
    this.#server = createServer((request, response) => {
      this.#pass(request, response).catch(() => response.destroy());
    });
  }

  static async before(target: string): Promise<Proxy> {
    const proxy = new Proxy(target);
    await new Promise<void>((resolve) => proxy.#server.listen(0, "127.0.0.1", resolve));
    return proxy;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** The next request to this path takes effect, and its client gets no answer. */
  loseAnswerOf(path: string): void {
    this.#losing = path;
  }

  /** What was noted of requests to this path. */
  requests(path: string): Noted[] {
    return this.noted.filter((each) => each.path === path);
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #pass(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = "GET", url = "/" } = request;
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const { host, connection, "content-length": _, ...headers } = request.headers;
    const answer = await fetch(this.#target + url, {
      method,
      headers: headers as Record<string, string>,
      ...(chunks.length > 0 ? { body: Buffer.concat(chunks) } : {}),
      signal: AbortSignal.timeout(ANSWER_WAIT_MS),
      redirect: "manual",
    });
    const body = Buffer.from(await answer.arrayBuffer());
    const path = url.split("?")[0];
    const isLost = path === this.#losing;
    this.noted.push({ method, path, status: answer.status, idempotencyKey: request.headers["idempotency-key"]?.toString(), isLost });
    if (isLost) {
      this.#losing = undefined;
      response.destroy();
      return;
    }
    const passed = [...answer.headers].filter(([name]) => !["connection", "content-encoding", "content-length", "transfer-encoding"].includes(name));
    response.writeHead(answer.status, Object.fromEntries(passed)).end(body);
  }
}

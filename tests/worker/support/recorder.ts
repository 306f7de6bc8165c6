// Stands in front of a server and keeps each answer, so that a test knows what the commands of others were told.

import { createServer, request } from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Server } from "./server.ts";

export interface Recorded {
  readonly ask: string;
  readonly status: number;
  readonly contentType: string;
  readonly text: string;
}

export interface Recorder {
  readonly url: string;
  /** The answers since the last call. */
  taken(): Recorded[];
  stop(): Promise<void>;
}

export async function recorderOf(server: Server): Promise<Recorder> {
  const answers: Recorded[] = [];
  const proxy = createServer((asked, answer) => forward(server, asked, answer, (recorded) => answers.push(recorded)));
  await new Promise<void>((resolve) => proxy.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`,
    taken: () => answers.splice(0),
    stop: () => new Promise((resolve) => {
      proxy.close(() => resolve());
      proxy.closeAllConnections();
    }),
  };
}

/** Hands everything on as it is: the headers in their order and spelling, the body byte by byte. */
function forward(server: Server, asked: IncomingMessage, answer: ServerResponse, record: (recorded: Recorded) => void): void {
  const ask = `${asked.method} ${asked.url}`;
  const upstream = request(server.url + asked.url, { method: asked.method, headers: asked.headers }, (response) => {
    answer.writeHead(response.statusCode!, response.statusMessage, response.rawHeaders);
    const chunks: Buffer[] = [];
    response.on("data", (chunk) => chunks.push(chunk));
    response.on("end", () => {
      // Kept before the other side can have it all, and go on.
      const text = Buffer.concat(chunks).toString();
      record({ ask, status: response.statusCode!, contentType: response.headers["content-type"] ?? "", text });
    });
    response.pipe(answer);
  });
  upstream.on("error", () => answer.destroy());
  asked.pipe(upstream);
}

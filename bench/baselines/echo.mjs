// The hop once more, carrying and answering as much text as ours does, headers too, and deciding nothing: what is left of the difference
// between this one and ours is what ours does.

import { DurableObject } from "cloudflare:workers";

const TEXT = "x".repeat(330);

export class Echo extends DurableObject {
  echo(wire) {
    return `200\n${wire.length}\n\n${TEXT}`;
  }
}

export default {
  async fetch(request, env) {
    const { method, headers, url } = request;
    const caller = headers.get("authorization");
    const key = headers.get("idempotency-key") ?? "";
    const body = method === "POST" ? new TextDecoder().decode(await request.arrayBuffer()) : "";
    const reply = await env.ECHO.getByName("org_bench").echo(`:${caller}\n${method}\n${url}\n${headers.get("content-type") ?? ""}\n${key}\n\n${body}`);
    return new Response(reply.slice(reply.indexOf("\n\n") + 2), {
      status: 200,
      headers: {
        "content-type": "application/json",
        "request-id": "req_00000000000000000000000000",
        "ratelimit-policy": '"default";q=1000;w=1',
        ratelimit: '"default";r=999;t=1',
      },
    });
  },
};

// The least a Worker with a Durable Object can do: one call that reads nothing and answers nothing.

import { DurableObject } from "cloudflare:workers";

export class Hop extends DurableObject {
  hop() {}
}

export default {
  async fetch(request, env) {
    await env.HOP.getByName("org_bench").hop();
    return new Response("");
  },
};

// Ours once more, without looking at who calls: every request counts for the organization that was set up last, as if its key had been
// verified and found permitted. What ours is slower than this is what credentials cost.

import { askMeter } from "../src/edge/shared_calls.mjs";
import Shell from "../src/edge/shell.mjs";
import { toResponse, toWire } from "../src/edge/wire.mjs";
import Door, { InvoiceNumbers, Meter } from "./door.mjs";

export { InvoiceNumbers, Meter };

let organization;

export default {
  ...Shell,
  async fetch(request, env, ctx) {
    if (request.method === "PUT") {
      organization = (await request.clone().json()).organization;
      return Door.fetch(request, env, ctx);
    }
    if (request.method !== "POST") return Shell.fetch(request, env, ctx);
    const { headers, url } = request;
    const target = url.slice(url.indexOf("/", 8));
    const wire = toWire("=", request.method, target, headers, headers.get("idempotency-key") ?? "", await request.arrayBuffer());
    return toResponse(await askMeter(env, ctx, organization, wire));
  },
};

// What the benchmark starts: the Worker as it is deployed, with one door more, through which organizations are set up without databases.

import Shell, { InvoiceNumbers, Meter as TheMeter } from "../src/edge/shell.mjs";

export { InvoiceNumbers };

/** There are no databases here, so nothing is brought to them. */
export class Meter extends TheMeter {
  alarm() {}
}

export default {
  ...Shell,
  async fetch(request, env, ctx) {
    // No request of the API is a PUT with this path, and the method is looked at first: the hot path pays one comparison.
    if (request.method !== "PUT" || !request.url.endsWith("/bench/calls")) return Shell.fetch(request, env, ctx);
    const { organization, calls } = await request.json();
    const meter = env.METER.getByName(organization);
    const replies = [];
    for (const call of calls) replies.push(JSON.parse(await meter.call(JSON.stringify(call))));
    return Response.json(replies);
  },
};

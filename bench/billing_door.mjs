// What the benchmark of the billing run starts: the Worker as it is deployed, in an environment that counts the calls of its databases and
// objects by what they are made for, with doors through which Meters are set up and the counts are read.

import Shell, { InvoiceNumbers, Meter } from "../src/edge/shell.mjs";

export { InvoiceNumbers, Meter };

/** `queue binding` → calls: batches of a database, addresses of an object. */
const counts = {};
const COUNTED = new Set(["batch", "get", "getByName", "idFromName"]);

function counted(name, binding) {
  return new Proxy(binding, {
    get(target, property) {
      const member = Reflect.get(target, property);
      if (typeof member !== "function" || property === "constructor" || typeof property === "symbol") return member;
      return (...args) => {
        if (COUNTED.has(property) && property !== "idFromName") counts[name] = (counts[name] ?? 0) + 1;
        return Reflect.apply(member, target, args);
      };
    },
  });
}

const environments = new Map();

/** The environment of what one queue or cron brings. */
function environmentOf(who, env) {
  if (!environments.has(who)) {
    const bindings = new Map();
    const get = (target, name) => {
      const value = Reflect.get(target, name);
      if (typeof value !== "object" || value === null) return value;
      if (!bindings.has(name)) bindings.set(name, counted(`${who} ${name}`, value));
      return bindings.get(name);
    };
    environments.set(who, new Proxy(env, { get }));
  }
  return environments.get(who);
}

export default {
  ...Shell,

  async fetch(request, env, ctx) {
    if (request.url.endsWith("/bench/counts")) return Response.json(counts);
    if (request.method !== "PUT" || !request.url.endsWith("/bench/organizations")) return Shell.fetch(request, env, ctx);
    for (const { organization, calls, token, usage } of await request.json()) {
      const meter = env.METER.getByName(organization);
      for (const call of calls) {
        const reply = JSON.parse(await meter.call(JSON.stringify(call)));
        if (reply.refused) return new Response(`${organization}: ${reply.refused}`, { status: 500 });
      }
      const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
      const used = await Shell.fetch(new Request("https://bench/v1/usage/batch", { method: "POST", headers, body: JSON.stringify({ events: usage }) }), env, ctx);
      if (used.status !== 200) return new Response(`${organization}: ${await used.text()}`, { status: 500 });
      const [{ facts }] = [JSON.parse(await meter.call('{"call":"pendingFacts"}'))];
      if (facts.length > 0) await meter.call(JSON.stringify({ call: "acknowledgeFacts", through: facts.at(-1).sequence }));
    }
    return new Response(null, { status: 204 });
  },

  queue(batch, env, ctx) {
    return Shell.queue(batch, environmentOf(batch.queue, env), ctx);
  },

  scheduled(event, env, ctx) {
    return Shell.scheduled(event, environmentOf("cron", env), ctx);
  },
};

// What bindings.spec.ts starts: the Worker as it is deployed, in an environment that counts each call of a binding.

import Shell, { InvoiceNumbers, Meter as TheMeter } from "../../../src/edge/shell.mjs";

export { InvoiceNumbers };

/** How often each method of each binding was called, by who called it: the Worker, the Meter, or the Meter's alarm. */
let counts = {};
const count = (name) => {
  counts[name] = (counts[name] ?? 0) + 1;
};

let alarmsRunning = 0;

/** The same object, whose methods are counted. It passes for what it is, because its constructor is looked at. */
function counted(name, binding) {
  return new Proxy(binding, {
    get(target, property) {
      const member = Reflect.get(target, property);
      if (typeof member !== "function" || property === "constructor" || typeof property === "symbol") return member;
      return (...args) => {
        const result = Reflect.apply(member, target, args);
        // An address of an object is no call yet; what is called on it is.
        if (property === "idFromName" || property === "idFromString") return result;
        if (property === "getByName" || property === "get") return counted(name, result);
        count(`${name()}.${property}`);
        return result;
      };
    },
  });
}

/** An environment whose bindings are counted; its texts are as they are. */
function counting(who, env) {
  const known = new Map();
  return new Proxy(env, {
    get(target, binding) {
      const value = Reflect.get(target, binding);
      if (typeof value !== "object" || value === null) return value;
      if (!known.has(binding)) known.set(binding, counted(() => `${who()} ${binding}`, value));
      return known.get(binding);
    },
  });
}

const workers = new WeakMap();

function workersEnvironment(env) {
  if (!workers.has(env)) workers.set(env, counting(() => "worker", env));
  return workers.get(env);
}

export default {
  ...Shell,
  async fetch(request, env, ctx) {
    if (!request.url.endsWith("/counts")) return Shell.fetch(request, workersEnvironment(env), ctx);
    if (request.method === "DELETE") counts = {};
    return Response.json({ counts, alarmsRunning });
  },
};

export class Meter extends TheMeter {
  constructor(ctx, env) {
    super(ctx, counting(() => (alarmsRunning > 0 ? "alarm" : "meter"), env));
  }

  async alarm() {
    alarmsRunning++;
    try {
      await super.alarm();
    } finally {
      alarmsRunning--;
    }
  }
}

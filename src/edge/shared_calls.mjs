// Requests that reach this isolate in the same moment share one call of their organization's Meter: a call costs more than what it carries.
//
// Owns: which requests go together, and that each of them hears of its end. Does not own: what a request says and what it is answered.
// Invariants: a call carries requests of one organization; each request gets the reply in its own place; what ends a call ends all that
// it carries; nobody waits longer than PATIENCE_MS for a call that somebody else makes.
//
// Promises that another request settles are made by `Promise.withResolvers`, never by `new Promise`: the latter loses in optimized code
// what workerd knows a promise's request by, its continuation then runs in the request that settled it, and the answer made there is
// refused.

/** A call that carries so many takes nobody on any more. */
const REQUESTS_MAX = 256;
/** What is longer, a batch, is worth a call of its own: the call is little beside it, and others would only wait for it. */
const SHARED_CHARACTERS_MAX = 4_096;
/** Turns of the event loop after which a call departs, however many still come. */
const TURNS_MAX = 8;
/** A call that has not departed after this will not: whoever was to make it was ended by the platform. */
const DEPARTURE_MS_MAX = 1_000;
/** As long as the platform lets a request finish what it began when its own client has gone. */
const PATIENCE_MS = 30_000;

/** By organization, the call that others may still join. */
const departing = new Map();

/** The Meter's reply to `wire`. The first request of a call makes it for all of them, also when its own client has gone. */
export function askMeter(env, ctx, organization, wire) {
  if (wire.length > SHARED_CHARACTERS_MAX) return env.METER.getByName(organization).serve(wire);
  const { promise, resolve, reject } = Promise.withResolvers();
  const call = departing.get(organization);
  if (call?.takesOn()) {
    // It keeps this request alive as well: the platform takes a request for hung that only waits for another one.
    setTimeout(() => reject(unanswered()), PATIENCE_MS);
    call.join(wire, resolve, reject);
  } else {
    const ours = new SharedCall();
    departing.set(organization, ours);
    ours.join(wire, resolve, reject);
    ctx.waitUntil(ours.depart(env.METER, organization));
  }
  return promise;
}

class SharedCall {
  #madeAt = Date.now();
  #wires = [];
  #waiting = [];

  takesOn() {
    return this.#wires.length < REQUESTS_MAX && Date.now() - this.#madeAt <= DEPARTURE_MS_MAX;
  }

  join(wire, resolve, reject) {
    this.#wires.push(wire);
    this.#waiting.push({ resolve, reject });
  }

  /** Never rejects: what went wrong, those who wait are told. */
  async depart(meters, organization) {
    await this.#allHaveArrived();
    if (departing.get(organization) === this) departing.delete(organization);
    try {
      const replies = await meters.getByName(organization).serveAll(this.#wires);
      this.#waiting.forEach(({ resolve }, place) => resolve(replies[place]));
    } catch (error) {
      for (const { reject } of this.#waiting) reject(error);
    }
  }

  /**
   * After the first turn in which nobody joined. A turn hands over a few requests: under load this waits for all that have arrived, and a
   * request that comes alone waits for one turn.
   */
  async #allHaveArrived() {
    for (let turn = 0; turn < TURNS_MAX; turn++) {
      const before = this.#wires.length;
      await new Promise((resolve) => setTimeout(resolve, 0));
      if (this.#wires.length === before) return;
    }
  }
}

/** It may have been counted or not, as after any lost connection: `retryable` makes the answer say so. */
function unanswered() {
  return Object.assign(new Error(`no answer within ${PATIENCE_MS} ms from the call of another request`), { retryable: true });
}

// Requests that reach this isolate in the same moment share one call of their organization's Meter: a call costs more than what it carries.
//
// Owns: which requests go together, and that each of them hears of its end. Does not own: what a request says and what it is answered.
// Invariants: a call carries requests of one organization; each request gets the reply in its own place; what ends a call ends all that
// it carries; nobody waits longer than PATIENCE_MS for a call that somebody else makes.
//
// Promises that another request settles are made by `Promise.withResolvers`, never by `new Promise`: the latter loses in optimized code
// what workerd knows a promise's request by, its continuation then runs in the request that settled it, and the answer made there is
// refused.

import { allHaveArrived } from "./gathering.mjs";

/** A call that carries this much takes nobody on any more. */
const REQUESTS_MAX = 256;
const CHARACTERS_MAX = 4 * 1024 * 1024;
/** A call that has not departed after this will not: whoever was to make it was ended by the platform. */
const DEPARTURE_MS_MAX = 1_000;
/** As long as the platform lets a request finish what it began when its own client has gone. */
const PATIENCE_MS = 30_000;

/** By organization, the call that others may still join. */
const departing = new Map();

/** The Meter's reply to `wire`. The first request of a call makes it for all of them, also when its own client has gone. */
export function askMeter(env, ctx, organization, wire) {
  const { promise, resolve, reject } = Promise.withResolvers();
  const call = departing.get(organization);
  if (call?.takes(wire)) {
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
  #characters = 0;
  #wires = [];
  #waiting = [];

  takes(wire) {
    return this.#wires.length < REQUESTS_MAX && this.#characters + wire.length <= CHARACTERS_MAX && Date.now() - this.#madeAt <= DEPARTURE_MS_MAX;
  }

  join(wire, resolve, reject) {
    this.#characters += wire.length;
    this.#wires.push(wire);
    this.#waiting.push({ resolve, reject });
  }

  /** Never rejects: what went wrong, those who wait are told. */
  async depart(meters, organization) {
    await allHaveArrived(() => this.#wires.length);
    if (departing.get(organization) === this) departing.delete(organization);
    try {
      const replies = await meters.getByName(organization).serveAll(this.#wires);
      this.#waiting.forEach(({ resolve }, place) => resolve(replies[place]));
    } catch (error) {
      for (const { reject } of this.#waiting) reject(error);
    }
  }
}

/** It may have been counted or not, as after any lost connection: `retryable` makes the answer say so. */
function unanswered() {
  return Object.assign(new Error(`no answer within ${PATIENCE_MS} ms from the call of another request`), { retryable: true });
}

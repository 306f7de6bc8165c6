// Requests that reach this isolate in the same moment share one call of their organization's Meter: a call costs more than what it carries.
//
// Owns: which requests share a call, and that each of them gets its outcome. Does not own: the contents of requests and replies.
// Invariants: a call carries requests of one organization; each request gets the reply at its own index; a failed call fails all its
// requests; no request waits longer than PATIENCE_MS for the call of another one.
//
// Promises that another request settles are made by `Promise.withResolvers`, never by `new Promise`: the latter loses in optimized code
// what workerd knows a promise's request by, its continuation then runs in the request that settled it, and the answer made there is
// refused.

/** Requests of one call at most. */
const REQUESTS_MAX = 256;
/** Longer requests, batches, get a call of their own: the call costs little beside them, and others would only wait. */
const SHARED_CHARACTERS_MAX = 4_096;
/** Turns of the event loop after which a call is made, even if more requests arrive. */
const TURNS_MAX = 8;
/** A call that is not made after this time is never made: the platform has ended its first request. */
const DEPARTURE_MS_MAX = 1_000;
/** The time in which the platform lets a request finish after its client has disconnected. */
const PATIENCE_MS = 30_000;

/** The open call of each organization. */
const departing = new Map();

/** The Meter's reply to `wire`. The first request of a call makes it for all, even after its own client has disconnected. */
export function askMeter(env, ctx, organization, wire) {
  if (wire.length > SHARED_CHARACTERS_MAX) return env.METER.getByName(organization).serve(wire);
  const { promise, resolve, reject } = Promise.withResolvers();
  const call = departing.get(organization);
  if (call?.takesOn()) {
    // It also keeps this request alive: the platform regards a request that only waits for another one as hung.
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

  /** Never rejects: a failure rejects the promises of the waiting requests. */
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
   * Waits for the first turn in which no request joined. A turn hands over a few requests: under load this waits for all that have arrived,
   * and a single request waits for one turn.
   */
  async #allHaveArrived() {
    for (let turn = 0; turn < TURNS_MAX; turn++) {
      const before = this.#wires.length;
      await new Promise((resolve) => setTimeout(resolve, 0));
      if (this.#wires.length === before) return;
    }
  }
}

/** The request may have been counted or not, as after a lost connection: `retryable` makes the answer a 503. */
function unanswered() {
  return Object.assign(new Error(`no answer within ${PATIENCE_MS} ms from the call of another request`), { retryable: true });
}

// The Meter as a Durable Object: it passes texts between the Worker and Rust and has no rules.
//
// Owns: the group commit (requests of the same moment share one transaction), timers and transactions of the Meter. Does not own: any
// decision (`durable_objects/meter.rs`), live feeds (`feeds.mjs`).
// Invariants: a transaction that throws is rolled back, and its core is never used again.

import { DurableObject } from "cloudflare:workers";
import { MeterCore, Outbox } from "#rust";
import { Feeds } from "./feeds.mjs";

/** A group of this size does not wait for more requests. */
const GROUP_MAX = 256;
/** The pause between attempts to deliver facts and buckets: doubled each time, up to five minutes. */
const RETRY_MS = 2_000;
const RETRY_MS_MAX = 300_000;
/** The time limit of a delivery: after a wasm reset its promise would never resolve. */
const DELIVERY_MS_MAX = 30_000;
/** Pages of buckets that one alarm stores; the rest waits for the next alarm. */
const ROLL_UPS_MAX = 100;
/** The beginning of a call that revokes a key: `Call::RemoveKey` in src/meter/contract.rs. */
const REMOVE_KEY = '{"call":"removeKey"';
/** The beginning of the call that erases everything: `Call::Erase`. */
const ERASE = '{"call":"erase"';

export class Meter extends DurableObject {
  #core;
  #group = [];
  #groupSize = 0;
  #isDelivering = false;
  /** The time of the alarm that is set. */
  #alarmAt = Infinity;
  #deliveriesFailed = 0;
  #retryAt = 0;
  #feeds = new Feeds(this.ctx, this.env.API_URL, (since) => this.#ask(JSON.stringify({ call: "changes", since })));

  /** One hot request. */
  async serve(wire) {
    const [reply] = await this.serveAll([wire]);
    return reply;
  }

  /** The hot requests of one shared call, answered with their group after all of it is stored. */
  serveAll(wires) {
    return new Promise((resolve, reject) => {
      const isFirst = this.#group.push({ wires, resolve, reject }) === 1;
      this.#groupSize += wires.length;
      if (this.#groupSize >= GROUP_MAX) this.#flush();
      else if (isFirst) this.#flushSoon();
    });
  }

  /**
   * A group waits two turns of the event loop for others. Measured: one turn makes smaller groups and more commits; waiting until no
   * request arrives is slower for batches, 1 ms at every load (timers come late), and so is waiting until the group before is on disk.
   */
  #flushSoon() {
    setTimeout(() => setTimeout(() => this.#flush(), 0), 0);
  }

  /** A call of the Worker: JSON in, JSON out. */
  call(text) {
    const reply = this.#ask(text);
    if (text.startsWith(REMOVE_KEY)) this.#feeds.revoke(JSON.parse(text).key);
    if (text.startsWith(ERASE)) this.#rest();
    this.#feeds.changed();
    return reply;
  }

  #ask(text) {
    return this.#transaction((core) => core.call(text));
  }

  /** Ends all feeds and removes the alarm. */
  #rest() {
    this.#feeds.end();
    this.#alarmAt = Infinity;
    this.#retryAt = 0;
    this.ctx.storage.deleteAlarm();
  }

  /** A live feed that the Worker has authorized. */
  fetch(request) {
    return this.#feeds.open(request);
  }

  /** Messages of listeners are ignored. */
  webSocketMessage() {}

  /** Without this close a listener would wait for the end of the handshake. */
  webSocketClose(socket) {
    socket.close(1000);
  }

  #flush() {
    const group = this.#group;
    this.#group = [];
    this.#groupSize = 0;
    if (group.length === 0) return;
    try {
      const replies = this.#transaction((core) => core.serve(group.flatMap(({ wires }) => wires)));
      let answered = 0;
      for (const { wires, resolve } of group) resolve(replies.slice(answered, (answered += wires.length)));
      this.#feeds.changed();
    } catch (error) {
      for (const { reject } of group) reject(error);
    }
  }

  /** After a wasm reset the build's proxy creates a new core; after a rollback this method does. */
  #transaction(work) {
    try {
      this.#core ??= new MeterCore(this.ctx.storage, this.env.TENANTRY_SECRET, this.env.API_URL, this.ctx.id.name);
      const result = this.ctx.storage.transactionSync(() => work(this.#core));
      this.#setAlarm();
      return result;
    } catch (error) {
      this.#core = undefined;
      throw error;
    }
  }

  /** The core returns its next wake time; an alarm is only moved to an earlier time. */
  #setAlarm() {
    if (!this.#isDelivering) this.#wakeAt(Math.max(this.#core?.alarm_at() ?? Infinity, this.#retryAt));
  }

  #wakeAt(at) {
    if (at >= this.#alarmAt) return;
    this.#alarmAt = at;
    this.ctx.storage.setAlarm(at);
  }

  /** Failed deliveries are retried by separate alarms: the platform gives up after six retries. */
  async alarm() {
    this.#alarmAt = Infinity;
    this.#isDelivering = true;
    try {
      this.#ask('{"call":"prune"}');
      await this.#deliver();
      await this.#storeBuckets();
      this.#deliveriesFailed = 0;
      this.#retryAt = 0;
      this.#isDelivering = false;
      this.#setAlarm();
    } catch (error) {
      const [organization, detail] = [this.ctx.id.name, String(error?.stack ?? error)];
      console.error(JSON.stringify({ level: "error", message: "facts or buckets were not delivered", organization, error: detail }));
      this.#retryAt = Date.now() + Math.min(RETRY_MS * 2 ** this.#deliveriesFailed++, RETRY_MS_MAX);
      this.#isDelivering = false;
      // The core's time is unknown after a reset, so this one is used.
      this.#wakeAt(this.#retryAt);
    }
  }

  async #deliver() {
    for (;;) {
      const pending = this.#ask('{"call":"pendingFacts"}');
      const last = JSON.parse(pending).facts.at(-1);
      if (last === undefined) return;
      await within(DELIVERY_MS_MAX, Outbox.deliver(this.env, this.ctx.id.name, pending));
      this.#ask(JSON.stringify({ call: "acknowledgeFacts", through: last.sequence }));
    }
  }

  /** Stores hourly usage in the tenant's database; a repeated bucket changes nothing there. */
  async #storeBuckets() {
    for (let round = 0; round < ROLL_UPS_MAX; round++) {
      const rolled = this.#ask('{"call":"rollUp"}');
      const { buckets, hasMore } = JSON.parse(rolled);
      if (buckets.length > 0) {
        await within(DELIVERY_MS_MAX, Outbox.store_buckets(this.env, this.ctx.id.name, rolled));
        this.#ask(JSON.stringify({ call: "acknowledgeBuckets", through: buckets.at(-1).version }));
      }
      if (!hasMore) return;
    }
  }
}

/** The result of `promise`, or a rejection after the time limit. */
function within(milliseconds, promise) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${milliseconds} ms`)), milliseconds);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

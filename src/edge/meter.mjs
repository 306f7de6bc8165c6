// The Meter as a Durable Object: it carries texts between the Worker and Rust and holds no rule.
//
// Owns: the group commit (requests of the same moment share one transaction), timers and transactions of the Meter. Does not own: any
// decision (`durable_objects/meter.rs`), live feeds (`feeds.mjs`).
// Invariants: what throws inside a transaction is rolled back, and its core is never used again.

import { DurableObject } from "cloudflare:workers";
import { MeterCore, Outbox } from "#rust";
import { Feeds } from "./feeds.mjs";

/** A group larger than this does not wait any longer. */
const GROUP_MAX = 256;
/** Between attempts to deliver facts and buckets: twice as long each time, up to five minutes. */
const RETRY_MS = 2_000;
const RETRY_MS_MAX = 300_000;
/** A delivery that takes longer is given up: after a wasm reset its promise would never settle. */
const DELIVERY_MS_MAX = 30_000;
/** Pages of buckets that one alarm stores; what is left waits for the next. */
const ROLL_UPS_MAX = 100;
/** How a call that revokes a key begins: `Call::RemoveKey` in src/meter/contract.rs. */
const REMOVE_KEY = '{"call":"removeKey"';
/** How the call begins after which nothing is left: `Call::Erase`. */
const ERASE = '{"call":"erase"';

export class Meter extends DurableObject {
  #core;
  #group = [];
  #groupSize = 0;
  #isDelivering = false;
  /** When the alarm that we set goes off. */
  #alarmAt = Infinity;
  #deliveriesFailed = 0;
  #retryAt = 0;
  #feeds = new Feeds(this.ctx, (since) => this.#ask(JSON.stringify({ call: "changes", since })));

  /** One hot request that comes alone. */
  async serve(wire) {
    const [reply] = await this.serveAll([wire]);
    return reply;
  }

  /** The hot requests of one shared call; their answers come with those of their group, when all of them are stored. */
  serveAll(wires) {
    return new Promise((resolve, reject) => {
      const isFirst = this.#group.push({ wires, resolve, reject }) === 1;
      this.#groupSize += wires.length;
      if (this.#groupSize >= GROUP_MAX) this.#flush();
      else if (isFirst) this.#flushSoon();
    });
  }

  /**
   * A group waits two turns of the event loop for others. Measured: one turn makes smaller groups and more commits; waiting until nobody
   * comes is slower for batches, 1 ms at every load (timers come late), and so is waiting until the group before is on disk.
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

  /** Nobody listens any more, and there is nothing left to wake for. */
  #rest() {
    this.#feeds.end();
    this.#alarmAt = Infinity;
    this.#retryAt = 0;
    this.ctx.storage.deleteAlarm();
  }

  /** A live feed, for whom the Worker has found it permitted. */
  fetch(request) {
    return this.#feeds.open(request);
  }

  /** Listeners have nothing to say. */
  webSocketMessage() {}

  /** Without our half of the farewell a listener would wait for it. */
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

  /** After a wasm reset the build's proxy makes the core anew by itself; after a rollback we do. */
  #transaction(work) {
    try {
      this.#core ??= new MeterCore(this.ctx.storage, this.env.TENANTRY_SECRET, this.ctx.id.name);
      const result = this.ctx.storage.transactionSync(() => work(this.#core));
      this.#setAlarm();
      return result;
    } catch (error) {
      this.#core = undefined;
      throw error;
    }
  }

  /** The core knows when it wants to wake; an alarm is only ever moved to an earlier time. */
  #setAlarm() {
    if (!this.#isDelivering) this.#wakeAt(Math.max(this.#core?.alarm_at() ?? Infinity, this.#retryAt));
  }

  #wakeAt(at) {
    if (at >= this.#alarmAt) return;
    this.#alarmAt = at;
    this.ctx.storage.setAlarm(at);
  }

  /** Failed deliveries are tried again by alarms of our own: the platform would give up after six. */
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
      console.error(JSON.stringify({ level: "error", message: "facts or buckets were not delivered", organization: this.ctx.id.name, error: String(error?.stack ?? error) }));
      this.#retryAt = Date.now() + Math.min(RETRY_MS * 2 ** this.#deliveriesFailed++, RETRY_MS_MAX);
      this.#isDelivering = false;
      // Not as the core says: after a reset it knows nothing yet.
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

  /** Usage by the hour goes to the tenant's database; a bucket that comes twice changes nothing there. */
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

/** What `promise` gives, or a rejection when that takes longer. */
function within(milliseconds, promise) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${milliseconds} ms`)), milliseconds);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

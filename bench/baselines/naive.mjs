// The plain way in JavaScript: each request writes its key and its counter; a batch writes all its keys with one statement.

import { DurableObject } from "cloudflare:workers";
import { Refusal, SCHEMA, answered, checkedEvent, keyIsTaken, quotaIsUsedUp, readBatch, readEvent, receipt, refused, worker } from "./usage.mjs";

/** Writes the key with what the counter will be; nothing when the key is known or the quota does not suffice. */
const CLAIM = `
  INSERT INTO claims (key, request, sequence, current, created_at)
  SELECT ?1, ?2, sequence + 1, used + ?4, ?5 FROM counters WHERE metric = ?3 AND used + ?4 <= quota
  ON CONFLICT DO NOTHING RETURNING sequence, current`;
// A statement whose rows are not all read stays open, and its transaction with it: hence `toArray`.
const COUNT = "UPDATE counters SET used = used + ?2, sequence = sequence + ?3 WHERE metric = ?1 RETURNING used, sequence";
const KNOWN = "SELECT request, sequence, current FROM claims WHERE key = ?1";
const CLAIM_ALL = `
  INSERT OR IGNORE INTO claims (key, request, sequence, created_at)
  SELECT value ->> 0, value ->> 1, ?2 + key, ?3 FROM json_each(?1)`;
/** Of the keys of a batch, those that it added itself. */
const ADDED = "SELECT key FROM claims WHERE key IN (SELECT value ->> 0 FROM json_each(?1)) AND sequence >= ?2";

export class Naive extends DurableObject {
  #sql = this.ctx.storage.sql;

  constructor(ctx, env) {
    super(ctx, env);
    this.#sql.exec(SCHEMA);
  }

  /** What one turn writes is one transaction, and the answer waits until it is on disk. */
  consume(body) {
    try {
      const { metric, amount, key, request } = readEvent(body);
      const [claimed] = this.#sql.exec(CLAIM, key, request, metric, amount, Date.now()).toArray();
      if (claimed) {
        this.#sql.exec(COUNT, metric, amount, 1).toArray();
        return answered(receipt(metric, claimed, false));
      }
      const [known] = this.#sql.exec(KNOWN, key).toArray();
      if (!known) throw quotaIsUsedUp();
      if (known.request !== request) throw keyIsTaken();
      return answered(receipt(metric, known, true));
    } catch (error) {
      return refused(error);
    }
  }

  record(body) {
    try {
      const rejected = [];
      const events = new Map();
      let replayed = 0;
      for (const [index, raw] of readBatch(body).entries()) {
        try {
          const event = checkedEvent(raw);
          if (events.has(event.key)) replayed += 1;
          else events.set(event.key, event);
        } catch (error) {
          if (!(error instanceof Refusal)) throw error;
          rejected.push({ index, code: error.code, detail: error.message });
        }
      }
      return answered(this.ctx.storage.transactionSync(() => this.#recordAll(events, replayed, rejected)));
    } catch (error) {
      return refused(error);
    }
  }

  #recordAll(events, replayed, rejected) {
    let { used, sequence } = this.#sql.exec("SELECT used, sequence FROM counters WHERE metric = 'apiCalls'").one();
    const list = Array.from(events.values(), ({ key, request }) => [key, request]);
    const parameter = JSON.stringify(list);
    const first = sequence + 1;
    const { rowsWritten } = this.#sql.exec(CLAIM_ALL, parameter, first, Date.now());
    let added = Array.from(events.values());
    // The rare case asks which keys were known; the usual one does not pay for it.
    if (rowsWritten !== added.length) added = Array.from(this.#sql.exec(ADDED, parameter, first), ({ key }) => events.get(key));
    const amount = added.reduce((sum, event) => sum + event.amount, 0);
    ({ used, sequence } = this.#sql.exec(COUNT, "apiCalls", amount, events.size).one());
    return { accepted: added.length, replayed: replayed + events.size - added.length, rejected, current: { apiCalls: used } };
  }
}

export default worker("NAIVE");

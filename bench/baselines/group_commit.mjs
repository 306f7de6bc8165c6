// The same with a group commit by hand: the requests of one turn share a transaction, its keys one statement, and the counter is in memory.

import { DurableObject } from "cloudflare:workers";
import { QUOTA, SCHEMA, answered, keyIsTaken, quotaIsUsedUp, readEvent, receipt, refused, worker } from "./usage.mjs";

const KNOWN = "SELECT key, request, sequence, current FROM claims WHERE key IN (SELECT value FROM json_each(?1))";
const CLAIM_ALL = `
  INSERT INTO claims (key, request, sequence, current, created_at)
  SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, ?2 FROM json_each(?1)`;

export class GroupCommit extends DurableObject {
  #sql = this.ctx.storage.sql;
  #group = [];
  #counter;

  constructor(ctx, env) {
    super(ctx, env);
    this.#sql.exec(SCHEMA);
    this.#readCounter();
  }

  #readCounter() {
    this.#counter = this.#sql.exec("SELECT used, sequence FROM counters WHERE metric = 'apiCalls'").one();
  }

  consume(body) {
    return new Promise((resolve, reject) => {
      if (this.#group.push({ body, resolve, reject }) === 1) setTimeout(() => this.#flush(), 0);
    });
  }

  #flush() {
    const group = this.#group;
    this.#group = [];
    try {
      const replies = this.ctx.storage.transactionSync(() => this.#serve(group));
      group.forEach(({ resolve }, index) => resolve(replies[index]));
    } catch (error) {
      this.#readCounter();
      for (const { reject } of group) reject(error);
    }
  }

  #serve(group) {
    const events = group.map(({ body }) => {
      try {
        return readEvent(body);
      } catch (error) {
        return { refusal: refused(error) };
      }
    });
    const keys = events.filter(({ key }) => key !== undefined).map(({ key }) => key);
    const known = new Map();
    for (const row of this.#sql.exec(KNOWN, JSON.stringify(keys))) known.set(row.key, row);
    const claims = [];
    const replies = events.map((event) => {
      try {
        return event.refusal ?? answered(this.#decide(event, known, claims));
      } catch (error) {
        return refused(error);
      }
    });
    if (claims.length > 0) {
      this.#sql.exec(CLAIM_ALL, JSON.stringify(claims), Date.now());
      this.#sql.exec("UPDATE counters SET used = ?1, sequence = ?2 WHERE metric = 'apiCalls'", this.#counter.used, this.#counter.sequence);
    }
    return replies;
  }

  #decide({ metric, amount, key, request }, known, claims) {
    const before = known.get(key);
    if (before) {
      if (before.request !== request) throw keyIsTaken();
      return receipt(metric, before, true);
    }
    if (this.#counter.used + amount > QUOTA) throw quotaIsUsedUp();
    const current = (this.#counter.used += amount);
    const sequence = (this.#counter.sequence += 1);
    known.set(key, { request, sequence, current });
    claims.push([key, request, sequence, current]);
    return receipt(metric, { sequence, current }, false);
  }
}

export default worker("GROUP_COMMIT");

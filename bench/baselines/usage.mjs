// What both JavaScript baselines share: reading and checking a request, and the documents they answer. The answers are as long as ours.

export const QUOTA = 1_000_000_000_000;
const PERIOD = { start: "2026-01-01T00:00:00Z", end: "2027-01-01T00:00:00Z" };
const KEY = /^Bearer tk_(org_[0-9a-z]{1,60})$/;
const PRINTABLE = /^[\x20-\x7e]{1,255}$/;
const MEMBERS = new Set(["metric", "amount", "idempotencyKey", "timestamp", "metadata"]);
const EVENTS_MAX = 1_000;
const BODY_CHARS_MAX = 1024 * 1024;

/** A request that cannot be answered with 200. */
export class Refusal extends Error {
  constructor(status, code, detail) {
    super(detail);
    Object.assign(this, { status, code });
  }
}

/** The reply of a Durable Object as one text, status first: cheaper to carry than an object. */
export const answered = (document) => `200${JSON.stringify(document)}`;

export function refused(error) {
  if (!(error instanceof Refusal)) throw error;
  const { status, code, message } = error;
  return `${status}${JSON.stringify({ type: `https://tenantry.dev/problems/${code}`, title: "Refused", status, code, detail: message })}`;
}

/** The Worker in front of the object: who asks, and whose object answers. */
export function worker(binding) {
  return {
    async fetch(request, env) {
      // The key names its organization, as ours does; that nobody else made it is taken on trust here.
      const organization = KEY.exec(request.headers.get("authorization"))?.[1];
      if (!organization) return toResponse('401{"code":"unauthorized"}');
      if (request.method !== "POST" || !request.headers.get("content-type")?.startsWith("application/json")) return toResponse('400{"code":"bad_request"}');
      const object = env[binding].getByName(organization);
      const body = await request.text();
      const { pathname } = new URL(request.url);
      if (pathname === "/v1/usage/consumption") return toResponse(await object.consume(body));
      if (pathname === "/v1/usage/batch") return toResponse(await object.record(body));
      return toResponse('404{"code":"not_found"}');
    },
  };
}

function toResponse(reply) {
  const status = Number(reply.slice(0, 3));
  return new Response(reply.slice(3), { status, headers: { "content-type": status === 200 ? "application/json" : "application/problem+json" } });
}

export function readEvent(body) {
  return checkedEvent(parsed(body));
}

export function readBatch(body) {
  const { events } = parsed(body);
  if (!Array.isArray(events) || events.length === 0 || events.length > EVENTS_MAX) {
    throw new Refusal(400, "invalid_events", `Send 1 to ${EVENTS_MAX} events.`);
  }
  return events;
}

function parsed(body) {
  if (body.length > BODY_CHARS_MAX) throw new Refusal(413, "too_large", "The body is too large.");
  try {
    const value = JSON.parse(body);
    if (value !== null && typeof value === "object" && !Array.isArray(value)) return value;
  } catch {
    // Told below.
  }
  throw new Refusal(400, "malformed_json", "Send a JSON object.");
}

export function checkedEvent(event) {
  if (event === null || typeof event !== "object") throw new Refusal(400, "invalid_event", "An event is an object.");
  for (const member in event) if (!MEMBERS.has(member)) throw new Refusal(400, "unknown_member", `${member} is unknown.`);
  const { metric, amount = 1, idempotencyKey, timestamp } = event;
  if (metric !== "apiCalls") throw new Refusal(400, "unknown_metric", "There is no such metric.");
  if (!Number.isSafeInteger(amount) || amount <= 0) throw new Refusal(400, "invalid_amount", "Send a positive integer.");
  if (typeof idempotencyKey !== "string" || !PRINTABLE.test(idempotencyKey)) throw new Refusal(400, "invalid_key", "Send an idempotency key.");
  if (timestamp !== undefined && Number.isNaN(Date.parse(timestamp))) throw new Refusal(400, "invalid_timestamp", "Send a timestamp.");
  return { metric, amount, key: idempotencyKey, request: `${metric} ${amount} ${timestamp ?? ""}` };
}

/** As our `UsageReceipt`. */
export function receipt(metric, { current, sequence }, replayed) {
  const percentage = String(Math.floor((current * 10_000) / QUOTA) / 100);
  return {
    $type: "UsageReceipt",
    metric,
    current,
    limit: QUOTA,
    remaining: Math.max(0, QUOTA - current),
    percentage,
    period: PERIOD,
    sequence,
    replayed,
    allowed: true,
  };
}

export const keyIsTaken = () => new Refusal(409, "idempotency_key_reused", "The key stands for another request.");
export const quotaIsUsedUp = () => new Refusal(429, "quota_exceeded", "The quota is used up.");

/** One row for each key ever used and one for each metric. */
export const SCHEMA = `
  CREATE TABLE IF NOT EXISTS claims (
    key TEXT PRIMARY KEY, request TEXT NOT NULL, sequence INTEGER NOT NULL, current INTEGER, created_at INTEGER NOT NULL
  ) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS counters (
    metric TEXT PRIMARY KEY, used INTEGER NOT NULL, quota INTEGER NOT NULL, sequence INTEGER NOT NULL
  ) WITHOUT ROWID;
  INSERT OR IGNORE INTO counters (metric, used, quota, sequence) VALUES ('apiCalls', 0, ${QUOTA}, 0);
`;

// Counts a file by each aggregation, by the rules that the API publishes and by nothing else: it shares no code with the product.
//
// The rules:
// - An amount of 0 counts nothing and is refused.
// - An event of which the id was counted within the last 35 days is a replay: the same one counts once, another one is refused.
// - Refused is what happened more than 5 minutes after it arrives, or 35 days before, or before the subscription began.
// - An event counts in the calendar month (UTC) in which it happened, whenever it arrives. The trial is what comes before the first
//   whole month.

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
const REMEMBERED_MS = 35 * DAY_MS;
const AHEAD_MAX_MS = 5 * MINUTE_MS;

/** What each metric makes of the events of a month, in the order in which they arrived. */
const COUNTS = {
  apiCalls: (events) => events.length,
  commits: (events) => events.length,
  files: (events) => events.reduce((sum, { amount }) => sum + amount, 0),
  authors: (events) => new Set(events.map(({ author }) => author)).size,
  filesMax: (events) => events.reduce((highest, { amount }) => Math.max(highest, amount), 0),
  filesLatest: (events) => events.reduce((latest, event) => (event.timeMs >= latest.timeMs ? event : latest)).amount,
};

/**
 * `deliveries`: `[{ organization, metric, key, timeMs, arrivedMs, amount, author }]` in the order of arrival. `signUps`: when each
 * organization's subscription began. Answers for each organization `{ accepted, replayed, refused: { code: count }, months }`, the
 * months being `Map("metric start" -> { metric, startMs, used, events })`.
 */
export function countMonths({ deliveries, signUps }) {
  const books = new Map([...signUps].map(([name, startMs]) => [name, { startMs, accepted: 0, replayed: 0, refused: {}, first: new Map(), months: new Map() }]));
  for (const delivery of deliveries) admit(books.get(delivery.organization), delivery);
  return new Map([...books].map(([name, { accepted, replayed, refused, months }]) => [name, { accepted, replayed, refused, months: used(months) }]));
}

function used(months) {
  return new Map([...months].map(([key, { metric, startMs, events }]) => [key, { metric, startMs, used: COUNTS[metric](events), events: events.length }]));
}

function admit(book, delivery) {
  const outcome = outcomeOf(book, delivery);
  if (outcome === "accepted") accept(book, delivery);
  else if (outcome === "replayed") book.replayed += 1;
  else book.refused[outcome] = (book.refused[outcome] ?? 0) + 1;
}

function outcomeOf({ startMs, first }, { key, metric, timeMs, arrivedMs, amount, author }) {
  // Of a latest amount 0 is a value like any other; everywhere else it counts nothing.
  if (amount === 0 && metric !== "filesLatest") return "amount_zero";
  const earlier = first.get(key);
  if (earlier && arrivedMs - earlier.arrivedMs < REMEMBERED_MS) {
    const isSame = earlier.timeMs === timeMs && earlier.amount === amount && earlier.author === author;
    return isSame ? "replayed" : "idempotency_mismatch";
  }
  if (timeMs > arrivedMs + AHEAD_MAX_MS) return "timestamp_in_future";
  if (timeMs < arrivedMs - REMEMBERED_MS) return "timestamp_too_old";
  if (timeMs < startMs) return "timestamp_before_subscription";
  return "accepted";
}

function accept(book, delivery) {
  book.accepted += 1;
  book.first.set(delivery.key, delivery);
  const happened = new Date(delivery.timeMs);
  const month = Date.UTC(happened.getUTCFullYear(), happened.getUTCMonth());
  // What happened before the first whole month is the trial's, which lies within one month.
  const startMs = month < book.startMs ? book.startMs : month;
  const key = `${delivery.metric} ${startMs}`;
  if (!book.months.has(key)) book.months.set(key, { metric: delivery.metric, startMs, events: [] });
  book.months.get(key).events.push(delivery);
}

// Counts a file of events by the rules that the API publishes, and by nothing else: it shares no code with the product, which has to
// come to the same numbers.
//
// The rules:
// - An event of which the id was counted within the last 35 days is a replay: the same one counts once, another one is refused.
// - Refused is what happened more than 5 minutes after it arrives, or 35 days before, or before the subscription began.
// - Periods: the trial of 14 days, then months from the trial's end on. A month too short for the day ends on its last day,
//   and the next one goes back to the day.
// - An event counts in the period in which it happened. When that has ended as the event arrives, the event is late, and on the
//   invoice of the period in which it arrives. Each invoice is issued when a period ends.

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
const TRIAL_MS = 14 * DAY_MS;
const REMEMBERED_MS = 35 * DAY_MS;
const AHEAD_MAX_MS = 5 * MINUTE_MS;

/**
 * `deliveries`: `[{ organization, id, timeMs, arrivedMs }]` in the order of arrival. `signUps`: when each organization's subscription
 * began. `untilMs`: how far the clock went in the end. Answers for each organization
 * `{ accepted, replayed, refused: { code: count }, invoices: [{ issuedMs, rows: [{ startMs, endMs, counted, late }] }] }`.
 */
export function count({ deliveries, signUps }, untilMs) {
  const books = new Map([...signUps].map(([organization, startMs]) => [organization, newBook(startMs)]));
  for (const delivery of deliveries) admit(books.get(delivery.organization), delivery);
  return new Map([...books].map(([organization, book]) => [organization, closed(book, untilMs)]));
}

const newBook = (startMs) => ({ startMs, accepted: 0, replayed: 0, refused: {}, arrivedById: new Map(), units: new Map() });

function admit(book, { id, timeMs, arrivedMs }) {
  const first = book.arrivedById.get(id);
  if (first && arrivedMs - first.arrivedMs < REMEMBERED_MS) {
    if (first.timeMs === timeMs) book.replayed += 1;
    else refuse(book, "idempotency_mismatch");
    return;
  }
  const code = refusal(book, timeMs, arrivedMs);
  if (code) return refuse(book, code);
  book.accepted += 1;
  book.arrivedById.set(id, { timeMs, arrivedMs });
  const happened = periodOf(book.startMs, timeMs);
  const arrived = periodOf(book.startMs, arrivedMs);
  // It cannot be invoiced before it arrives, nor before the period in which it happened has ended.
  const invoiced = Math.max(happened, arrived);
  const key = `${invoiced} ${happened}`;
  book.units.set(key, (book.units.get(key) ?? 0) + 1);
}

function refusal({ startMs }, timeMs, arrivedMs) {
  if (timeMs > arrivedMs + AHEAD_MAX_MS) return "timestamp_in_future";
  if (timeMs < arrivedMs - REMEMBERED_MS) return "timestamp_too_old";
  if (timeMs < startMs) return "timestamp_before_subscription";
  return undefined;
}

const refuse = (book, code) => void (book.refused[code] = (book.refused[code] ?? 0) + 1);

/** One invoice for each period that ended: its own count, also one of zero, then what came late for earlier periods. */
function closed({ startMs, accepted, replayed, refused, units }, untilMs) {
  const invoices = [];
  for (let index = 0; boundary(startMs, index + 1) <= untilMs; index += 1) {
    const row = (period) => ({
      startMs: boundary(startMs, period),
      endMs: boundary(startMs, period + 1),
      counted: units.get(`${index} ${period}`) ?? 0,
      late: period !== index,
    });
    const late = Array.from({ length: index }, (_, period) => row(period)).filter(({ counted }) => counted > 0);
    invoices.push({ issuedMs: boundary(startMs, index + 1), rows: [row(index), ...late] });
  }
  return { accepted, replayed, refused, invoices };
}

/** The trial is period 0. */
export function periodOf(startMs, instantMs) {
  let index = 0;
  while (boundary(startMs, index + 1) <= instantMs) index += 1;
  return index;
}

/** Where period `index` starts, in UTC. */
export function boundary(startMs, index) {
  return index === 0 ? startMs : monthsLater(startMs + TRIAL_MS, index - 1);
}

function monthsLater(anchorMs, months) {
  const anchor = new Date(anchorMs);
  const month = anchor.getUTCMonth() + months;
  const lastDay = new Date(Date.UTC(anchor.getUTCFullYear(), month + 1, 0)).getUTCDate();
  const day = Math.min(anchor.getUTCDate(), lastDay);
  return Date.UTC(anchor.getUTCFullYear(), month, day) + (anchorMs % DAY_MS);
}

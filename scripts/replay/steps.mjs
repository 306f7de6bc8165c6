// Cuts a file of events into steps: the clock moves, whoever is new signs up, and a chunk of events is sent.

const DAY_MS = 86_400_000;
/** What one batch takes. */
export const BATCH_MAX = 1_000;

/**
 * Answers `[{ clockMs, signUps, events }]`. The clock moves to where the last event of a chunk was sent before any of it is sent.
 *
 * A chunk never reaches beyond a calendar day (UTC) and never holds more than one batch. The first event of an organization ends its
 * chunk, so that the clock stands where the event was sent when the organization signs up.
 */
export function steps(events) {
  const known = new Set();
  const all = [];
  for (const event of events) {
    if (all.length === 0 || isFull(all.at(-1), event)) all.push({ clockMs: event.sentMs, signUps: [], events: [] });
    const step = all.at(-1);
    step.events.push(event);
    step.clockMs = event.sentMs;
    if (known.has(event.organization)) continue;
    known.add(event.organization);
    step.signUps.push(event.organization);
  }
  return all;
}

function isFull({ clockMs, signUps, events }, next) {
  return signUps.length > 0 || events.length === BATCH_MAX || Math.floor(clockMs / DAY_MS) !== Math.floor(next.sentMs / DAY_MS);
}

/** When each event arrives and each organization signs up, which is all that an independent count needs to know of the steps. */
export function arrivals(steps) {
  const signUps = new Map(steps.flatMap(({ clockMs, signUps }) => signUps.map((organization) => [organization, clockMs])));
  const deliveries = steps.flatMap(({ clockMs, events }) => events.map((event) => ({ ...event, arrivedMs: clockMs })));
  return { signUps, deliveries };
}

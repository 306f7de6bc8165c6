// In which order events are sent: each line twice, shuffled within the hour, day by day, on organizations whose periods are months.
//
// An organization signs up 14 days before the month in which it first sends begins. Its trial ends with the month before, and each
// period after it is a calendar month (UTC). The clock stands where the day's last event was sent while all of the day is sent.

import { eventsOf } from "./metrics.mjs";

const HOUR_MS = 3_600_000;
const DAY_MS = 86_400_000;
const TRIAL_MS = 14 * DAY_MS;

export function monthOf(ms) {
  const date = new Date(ms);
  return Date.UTC(date.getUTCFullYear(), date.getUTCMonth());
}

/** Numbers in [0, 1) that are the same for the same seed (mulberry32). */
export function random(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Answers `[{ startMs, clockMs, signUps, events }]`, a day with something to do each; `events` in the order in which they are sent. */
export function days(lines, seed) {
  const chance = random(seed);
  const all = new Map();
  const dayOf = (ms) => {
    const startMs = Math.floor(ms / DAY_MS) * DAY_MS;
    if (!all.has(startMs)) all.set(startMs, { startMs, clockMs: startMs, signUps: [], hours: new Map() });
    return all.get(startMs);
  };
  const known = new Set();
  for (const line of lines) {
    if (!known.has(line.organization)) dayOf(monthOf(line.sentMs) - TRIAL_MS).signUps.push(line.organization);
    known.add(line.organization);
    const day = dayOf(line.sentMs);
    day.clockMs = line.sentMs;
    const hour = Math.floor(line.sentMs / HOUR_MS);
    if (!day.hours.has(hour)) day.hours.set(hour, []);
    day.hours.get(hour).push(...eventsOf(line), ...eventsOf(line));
  }
  const inOrder = [...all.values()].sort((one, other) => one.startMs - other.startMs);
  return inOrder.map(({ hours, ...day }) => ({ ...day, events: [...hours.values()].flatMap((events) => shuffled(events, chance)) }));
}

function shuffled(events, chance) {
  for (let last = events.length - 1; last > 0; last -= 1) {
    const other = Math.floor(chance() * (last + 1));
    [events[last], events[other]] = [events[other], events[last]];
  }
  return events;
}

/** When each event arrives and each organization signs up. */
export function arrivals(days) {
  return {
    signUps: new Map(days.flatMap(({ startMs, signUps }) => signUps.map((organization) => [organization, startMs]))),
    deliveries: days.flatMap(({ clockMs, events }) => events.map((event) => ({ ...event, arrivedMs: clockMs }))),
  };
}

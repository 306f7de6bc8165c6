// A Meter too simple to be wrong: a list of events, and every count made anew from it. On a test clock, so that time is exact.

import { sum, units } from "./usage.ts";
import type { Nanos } from "./usage.ts";

export interface Metric {
  readonly aggregation: "sum" | "count" | "unique" | "max" | "latest" | "weighted_sum";
  readonly kind: "consumable" | "level";
}

export interface Limit {
  /** Undefined when unlimited. */
  readonly limit: Nanos | undefined;
  readonly isHard: boolean;
}

export interface Event {
  readonly mode: "usage" | "consumption" | "settlement";
  readonly metric: string;
  readonly amount: Nanos;
  /** Milliseconds; the organization's time when left out. */
  readonly timestamp?: number;
  /** Of a unique metric. */
  readonly value?: string;
}

interface Counted {
  readonly metric: string;
  readonly amount: Nanos;
  readonly at: number;
  /** The start of its period. */
  readonly period: number;
  readonly value?: string;
}

export interface Receipt {
  readonly status: number;
  readonly code?: string;
  readonly current: Nanos;
  readonly limit?: Nanos;
  readonly reserved: Nanos;
  readonly sequence?: number;
}

export interface Reservation {
  readonly metric: string;
  readonly amount: Nanos;
  readonly expiresAt: number;
  status: "active" | "settled" | "released";
}

export class Model {
  readonly events: Counted[] = [];
  readonly metrics: Readonly<Record<string, Metric>>;
  readonly limits = new Map<string, Limit>();
  readonly reservations = new Map<string, Reservation>();
  /** Metric, period and tenths of the limit. */
  readonly thresholds = new Set<string>();
  readonly start: number;
  now: number;

  constructor(metrics: Readonly<Record<string, Metric>>, start: number) {
    this.metrics = metrics;
    this.start = start;
    this.now = start;
  }

  /** The trial of 14 days, then months. Answers the start and the end of the period of an instant. */
  periodOf(at: number): [number, number] {
    let [start, end] = [this.start, this.start + 14 * 86_400_000];
    for (let month = 1; at >= end; month++) {
      const next = new Date(this.start + 14 * 86_400_000);
      next.setUTCMonth(next.getUTCMonth() + month);
      [start, end] = [end, next.getTime()];
    }
    return [start, end];
  }

  /** The count in the period that an instant lies in. */
  reading(metric: string, at: number): Nanos {
    const { aggregation, kind } = this.metrics[metric];
    const [start, end] = this.periodOf(at);
    const counts = this.events.filter((event) => event.metric === metric && (kind === "level" ? event.period <= start : event.period === start));
    const total = sum(counts.map(({ amount }) => amount));
    switch (aggregation) {
      case "max":
        return counts.reduce((highest, { amount }) => (amount > highest ? amount : highest), 0n);
      case "latest":
        return counts.reduce((latest, event) => (event.at >= latest.at ? event : latest), { at: -Infinity, amount: 0n }).amount;
      case "weighted_sum": {
        const own = counts.filter(({ period }) => period === start);
        const length = BigInt(end - start);
        const area = total * length - sum(own.map(({ amount, at }) => amount * BigInt(at - start)));
        return area < 0n ? 0n : (2n * area + length) / (2n * length);
      }
      default:
        return total;
    }
  }

  current(metric: string): Nanos {
    return this.reading(metric, this.now);
  }

  held(metric: string): Nanos {
    return sum([...this.reservations.values()].filter((each) => each.metric === metric && this.isActive(each)).map(({ amount }) => amount));
  }

  isActive({ status, expiresAt }: Reservation): boolean {
    return status === "active" && expiresAt > this.now;
  }

  /** What an event that is new is told; it is counted if that is good news. */
  count(event: Event): Receipt {
    const { mode, metric, value } = event;
    const { aggregation, kind } = this.metrics[metric];
    const { limit, isHard } = this.limits.get(metric) ?? { limit: undefined, isHard: true };
    const at = event.timestamp ?? this.now;
    const [period] = this.periodOf(at);
    const isCurrent = period === this.periodOf(this.now)[0];
    // A level goes on through all later periods, and with it what is held of it.
    const reserved = isCurrent || kind === "level" ? this.held(metric) : 0n;
    const isKnown = aggregation === "unique" && this.events.some((each) => each.metric === metric && each.period === period && each.value === value);
    const amount = isKnown ? 0n : event.amount;
    const before = this.reading(metric, at);
    this.events.push({ metric, amount, at, period, value });
    const refuse = (status: number, code: string, current: Nanos): Receipt => {
      this.events.pop();
      return { status, code, current, limit, reserved };
    };
    const isAdded = aggregation === "sum" || aggregation === "count";
    // A level's change is in every later period as well.
    const later = kind === "level" ? this.events.filter((each) => each.metric === metric && each.period > period).map((each) => each.period) : [];
    const readings = [period, ...later].map((start) => this.reading(metric, start));
    const levels = [period, ...later].map((start) => sum(this.events.filter((each) => each.metric === metric && each.period <= start).map((each) => each.amount)));
    if ((isAdded || aggregation === "weighted_sum") && kind === "level" && levels.some((level) => level < 0n)) return refuse(400, "level_below_zero", before);
    const highest = readings.reduce((one, other) => (other > one ? other : one));
    if (mode === "consumption" && isHard && limit !== undefined && amount >= 0n && highest + reserved > limit) {
      return refuse(kind === "level" ? 403 : 429, "quota_exceeded", isAdded ? highest - amount : before);
    }
    const [current] = readings;
    if (limit !== undefined && amount >= 0n && isCurrent) {
      for (const tenths of [8n, 9n, 10n]) {
        if (current * 10n >= limit * tenths) this.thresholds.add(`${metric} ${period} ${tenths}`);
      }
    }
    return { status: 200, current, limit, reserved, sequence: this.events.length };
  }

  reserve(id: string, metric: string, amount: Nanos, seconds: number): Receipt {
    const { limit, isHard } = this.limits.get(metric) ?? { limit: undefined, isHard: true };
    const [current, held] = [this.current(metric), this.held(metric)];
    if (isHard && limit !== undefined && current + held + amount > limit) {
      return { status: this.metrics[metric].kind === "level" ? 403 : 429, code: "quota_exceeded", current, limit, reserved: held };
    }
    this.reservations.set(id, { metric, amount, expiresAt: this.now + seconds * 1_000, status: "active" });
    return { status: 201, current, limit, reserved: held + amount };
  }

  /** Settles an active reservation with what is not 0. */
  settle(id: string, amount: Nanos): Receipt {
    const reservation = this.reservations.get(id)!;
    reservation.status = "settled";
    return this.count({ mode: "settlement", metric: reservation.metric, amount });
  }
}

/** How answers write a limit. */
export const shown = (limit: Nanos | undefined): Nanos => limit ?? units(-1);

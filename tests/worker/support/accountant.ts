// An accountant who knows the contract and not our code: what a company has to pay, from what it did. Whole cents and fractions of big integers.

const DAY = 86_400_000;
export const TRIAL_DAYS = 14;

/** What a plan costs: cents a month, calls that are included, millionths of a dollar for each call past them. */
export const PLANS = {
  starter: { cents: 4_900n, included: 10_000n, micros: 5_000n },
  professional: { cents: 19_900n, included: 100_000n, micros: 2_000n },
  enterprise: { cents: 99_900n, included: 1_000_000n, micros: 1_000n },
} as const;
export type PlanKey = keyof typeof PLANS;

export type Act =
  | { readonly at: number; readonly do: "use"; readonly calls: number }
  | { readonly at: number; readonly do: "change"; readonly to: PlanKey; readonly effective: "now" | "period_end" }
  | { readonly at: number; readonly do: "cancel"; readonly effective: "now" | "period_end" };

export interface Discount {
  /** Percent off, or cents off. */
  readonly percent?: number;
  readonly cents?: number;
  /** On how many bills; for ever when absent. */
  readonly bills?: number;
}

export interface Story {
  readonly plan: PlanKey;
  readonly signedUpAt: number;
  readonly until: number;
  readonly taxPercent: number;
  readonly discounts: readonly Discount[];
  /** In the order of time. */
  readonly acts: readonly Act[];
}

export interface Bill {
  readonly at: number;
  readonly subtotal: bigint;
  readonly discount: bigint;
  readonly tax: bigint;
  readonly total: bigint;
  readonly credit: bigint;
}

interface Line {
  readonly cents: bigint;
  /** Gives back what was billed: no discount on it. */
  readonly isBack?: boolean;
  /** A price that was charged ahead, of which a part may come back. */
  readonly ahead?: { readonly monthly: bigint };
}

interface Ahead {
  readonly charged: bigint;
  readonly net: bigint;
  readonly monthly: bigint;
}

/** Halves away from zero. */
function rounded(numerator: bigint, denominator: bigint): bigint {
  const magnitude = (2n * (numerator < 0n ? -numerator : numerator) + denominator) / (2n * denominator);
  return numerator < 0n ? -magnitude : magnitude;
}

/** Shares by weight; what is left over goes to those who lost most, the earlier one first. */
function shared(amount: bigint, weights: readonly bigint[]): bigint[] {
  const all = weights.reduce((sum, weight) => sum + weight, 0n);
  const shares = weights.map((weight, index) => ({ index, whole: (amount * weight) / all, rest: (amount * weight) % all }));
  let left = amount - shares.reduce((sum, share) => sum + share.whole, 0n);
  for (const share of [...shares].sort((a, b) => (a.rest === b.rest ? a.index - b.index : a.rest > b.rest ? -1 : 1))) {
    if (left-- <= 0n) break;
    share.whole += 1n;
  }
  return shares.map((share) => share.whole);
}

/** The n-th month from the anchor, on its day or the month's last. */
export function monthFrom(anchor: number, n: number): number {
  const date = new Date(anchor);
  const first = Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + n, 1);
  const days = new Date(Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + n + 1, 0)).getUTCDate();
  return first + (Math.min(date.getUTCDate(), days) - 1) * DAY + (anchor % DAY);
}

export const paidFrom = (signedUpAt: number): number => signedUpAt + TRIAL_DAYS * DAY;

class Books {
  readonly bills: Bill[] = [];
  readonly #story: Story;
  readonly #used: number[];
  #balance = 0n;
  ahead: Ahead[] = [];

  constructor(story: Story) {
    this.#story = story;
    this.#used = story.discounts.map(() => 0);
  }

  /** Bills the lines, unless there are none. */
  bill(at: number, lines: readonly Line[]): void {
    if (lines.length === 0) return;
    const left = lines.map((line) => line.cents);
    const discount = this.#discounted(lines, left);
    const taxes = left.map((cents) => rounded(cents * BigInt(Math.round(this.#story.taxPercent * 10)), 1_000n));
    const sum = (amounts: readonly bigint[]) => amounts.reduce((total, amount) => total + amount, 0n);
    const gross = sum(left) + sum(taxes);
    const total = gross > 0n ? gross : 0n;
    const credit = this.#balance < total ? this.#balance : total;
    this.#balance += (gross < 0n ? -gross : 0n) - credit;
    this.ahead.push(...lines.flatMap((line, index) => (line.ahead ? [{ charged: line.cents, net: left[index], monthly: line.ahead.monthly }] : [])));
    this.bills.push({ at, subtotal: sum(lines.map((line) => line.cents)), discount, tax: sum(taxes), total, credit });
  }

  /** Percentages first, then amounts, each off what is left. */
  #discounted(lines: readonly Line[], left: bigint[]): bigint {
    let all = 0n;
    for (const byPercent of [true, false]) {
      this.#story.discounts.forEach((discount, index) => {
        const isOver = discount.bills !== undefined && this.#used[index] >= discount.bills;
        if ((discount.percent !== undefined) !== byPercent || isOver) return;
        const weights = left.map((cents, line) => (lines[line].isBack || cents < 0n ? 0n : cents));
        const base = weights.reduce((sum, weight) => sum + weight, 0n);
        const wanted = byPercent ? rounded(base * BigInt(discount.percent!), 100n) : BigInt(discount.cents!);
        const taken = wanted < base ? wanted : base;
        if (taken === 0n) return;
        this.#used[index] += 1;
        all += taken;
        shared(taken, weights).forEach((share, line) => (left[line] -= share));
      });
    }
    return all;
  }

  /** What comes back of everything charged ahead, for the part of the period that is left. */
  back(at: number, start: number, end: number): bigint {
    const [unused, whole] = [BigInt(Math.floor(end / 1000) - Math.floor(at / 1000)), BigInt(Math.floor(end / 1000) - Math.floor(start / 1000))];
    return this.ahead.reduce((sum, { charged, net, monthly }) => {
      const computed = rounded(monthly * unused * net, whole * charged);
      return sum + (computed < net ? computed : net);
    }, 0n);
  }
}

const cost = (plan: PlanKey, calls: bigint): bigint => {
  const { included, micros } = PLANS[plan];
  return calls > included ? rounded((calls - included) * micros, 10_000n) : 0n;
};

/** Every bill that the story leads to, in order. */
export function bills(story: Story): Bill[] {
  const books = new Books(story);
  const anchor = paidFrom(story.signedUpAt);
  let { plan } = story;
  let scheduled: PlanKey | undefined;
  let ends = false;
  /** Usage of a month that is over, to be billed with the next one's base price. */
  const pending: Line[] = [];
  let acts = story.acts.filter((act) => act.at >= anchor);
  for (let month = 0; monthFrom(anchor, month) <= story.until; month++) {
    const [start, end] = [monthFrom(anchor, month), monthFrom(anchor, month + 1)];
    plan = scheduled ?? plan;
    scheduled = undefined;
    books.ahead = [];
    books.bill(start, [{ cents: PLANS[plan].cents, ahead: { monthly: PLANS[plan].cents } }, ...pending.splice(0)]);
    let [used, billed] = [0n, 0n];
    const usage = () => {
      const cents = cost(plan, used) - cost(plan, billed);
      billed = used;
      return cents === 0n ? [] : [{ cents }];
    };
    for (const act of acts.filter((act) => act.at < end)) {
      if (act.do === "use") used += BigInt(act.calls);
      else if (act.do === "change" && act.effective === "period_end") scheduled = act.to;
      else if (act.do === "cancel" && act.effective === "period_end") ends = true;
      else if (act.do === "change") {
        const back = books.back(act.at, start, end);
        const lines: Line[] = [...usage(), ...(back > 0n ? [{ cents: -back, isBack: true }] : [])];
        plan = act.to;
        books.ahead = [];
        const [left, whole] = [BigInt(Math.floor(end / 1000) - Math.floor(act.at / 1000)), BigInt(Math.floor(end / 1000) - Math.floor(start / 1000))];
        const charge = rounded(PLANS[plan].cents * left, whole);
        books.bill(act.at, [...lines, ...(charge > 0n ? [{ cents: charge, ahead: { monthly: PLANS[plan].cents } }] : [])]);
      } else {
        const back = books.back(act.at, start, end);
        books.bill(act.at, [...usage(), ...(back > 0n ? [{ cents: -back, isBack: true }] : [])]);
        return books.bills;
      }
    }
    acts = acts.filter((act) => act.at >= end);
    if (end > story.until) break;
    pending.push(...usage());
    if (ends) {
      books.bill(end, pending.splice(0));
      return books.bills;
    }
  }
  return books.bills;
}

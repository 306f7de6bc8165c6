// `npm run replay` and `npm run aggregations`: the independent counts, worked out by hand, and a small file streamed through the real Worker.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { aggregated, aggregations } from "../../scripts/aggregations.mjs";
import { countMonths } from "../../scripts/aggregations/count.mjs";
import { days, arrivals as monthlyArrivals } from "../../scripts/aggregations/plan.mjs";
import { wrongNumbers, wrongTotals } from "../../scripts/ledger.mjs";
import { fromRoot } from "../../scripts/lib.mjs";
import { replay } from "../../scripts/replay.mjs";
import { differing, differingAnswers, invoicedRows, paired } from "../../scripts/replay/compare.mjs";
import { boundary, count, periodOf } from "../../scripts/replay/count.mjs";
import { parseEvents, readEvents } from "../../scripts/replay/file.mjs";
import { arrivals, steps } from "../../scripts/replay/steps.mjs";
import { freshServer } from "./support/server.ts";

const SAMPLE = fromRoot("tests/data/sample-commits.ndjson");
const START = "2026-01-17T09:00:00Z";

type Event = { id?: string; time: string; arrived: string };

/** What the count makes of events of one organization that signed up at START. */
function counted(until: string, events: Event[]) {
  const deliveries = events.map(({ id, time, arrived }, index) => {
    return { organization: "acme", id: id ?? `event-${index}`, timeMs: Date.parse(time), arrivedMs: Date.parse(arrived) };
  });
  return count({ deliveries, signUps: new Map([["acme", Date.parse(START)]]) }, Date.parse(until)).get("acme");
}

/** Invoices as short texts: day of issue, then day of the period's start and count of each row, a late one marked. */
function shortly(invoices: { issuedMs: number; rows: { startMs: number; counted: number; late: boolean }[] }[]) {
  const day = (ms: number) => new Date(ms).toISOString().slice(5, 10);
  return invoices.map(({ issuedMs, rows }) => {
    const counts = rows.map(({ startMs, counted, late }) => `${day(startMs)}=${counted}${late ? " late" : ""}`);
    return `${day(issuedMs)}: ${counts.join(", ")}`;
  });
}

describe("the independent count", () => {
  test("periods are the trial, then months that clamp and go back to their day", () => {
    const starts = (start: string, periods: number) =>
      Array.from({ length: periods }, (_, index) => new Date(boundary(Date.parse(start), index)).toISOString());
    assert.deepEqual(starts(START, 6), [
      "2026-01-17T09:00:00.000Z",
      "2026-01-31T09:00:00.000Z",
      "2026-02-28T09:00:00.000Z",
      "2026-03-31T09:00:00.000Z",
      "2026-04-30T09:00:00.000Z",
      "2026-05-31T09:00:00.000Z",
    ]);
    assert.deepEqual(starts("2027-12-17T00:00:00Z", 4).slice(1), ["2027-12-31T00:00:00.000Z", "2028-01-31T00:00:00.000Z", "2028-02-29T00:00:00.000Z"]);
  });

  test("a period includes its start and excludes its end", () => {
    const period = (time: string) => periodOf(Date.parse(START), Date.parse(time));
    assert.deepEqual([period("2026-01-31T08:59:59Z"), period("2026-01-31T09:00:00Z"), period("2026-02-28T09:00:00Z")], [0, 1, 2]);
  });

  test("an event counts where it happened, and late ones on the invoice of the period in which they arrive", () => {
    const { accepted, invoices } = counted("2026-04-01T00:00:00Z", [
      { time: "2026-01-20T00:00:00Z", arrived: "2026-01-20T00:00:01Z" },
      { time: "2026-01-30T00:00:00Z", arrived: "2026-02-01T00:00:00Z" },
      { time: "2026-02-28T10:00:00+01:00", arrived: "2026-03-01T00:00:00Z" },
      { time: "2026-02-28T08:59:59Z", arrived: "2026-02-28T09:00:00Z" },
      { time: "2026-02-25T00:00:00Z", arrived: "2026-03-30T00:00:00Z" },
    ]);
    assert.equal(accepted, 5);
    assert.deepEqual(shortly(invoices), ["01-31: 01-17=1", "02-28: 01-31=0, 01-17=1 late", "03-31: 02-28=1, 01-31=2 late"]);
  });

  test("what happened too long ago, before the subscription or in the future is refused, in this order", () => {
    const refused = (time: string, arrived: string) => Object.keys(counted("2026-02-01T00:00:00Z", [{ time, arrived }]).refused);
    assert.deepEqual(refused("2026-01-17T09:06:00Z", "2026-01-17T09:01:00Z"), []);
    assert.deepEqual(refused("2026-01-17T09:06:01Z", "2026-01-17T09:01:00Z"), ["timestamp_in_future"]);
    assert.deepEqual(refused("2026-01-17T08:59:59Z", "2026-01-17T09:01:00Z"), ["timestamp_before_subscription"]);
    assert.deepEqual(refused("2025-12-01T00:00:00Z", "2026-01-17T09:01:00Z"), ["timestamp_too_old"]);
    assert.deepEqual(refused("2026-01-20T00:00:00Z", "2026-02-24T00:00:00Z"), []);
    assert.deepEqual(refused("2026-01-20T00:00:00Z", "2026-02-24T00:00:01Z"), ["timestamp_too_old"]);
  });

  test("an event counts once however often it is sent, also when it has become too old", () => {
    const event = { id: "a", time: "2026-01-20T00:00:00Z" };
    const { accepted, replayed, refused } = counted("2026-01-31T09:00:00Z", [
      { ...event, arrived: "2026-02-10T00:00:00Z" },
      { ...event, arrived: "2026-03-10T00:00:00Z" },
      { ...event, arrived: "2026-03-20T00:00:00Z" },
      { ...event, time: "2026-01-21T00:00:00Z", arrived: "2026-02-11T00:00:00Z" },
    ]);
    assert.deepEqual({ accepted, replayed, refused }, { accepted: 1, replayed: 1, refused: { timestamp_too_old: 1, idempotency_mismatch: 1 } });
  });

  test("a refused event may be sent again", () => {
    const { accepted } = counted("2026-01-31T09:00:00Z", [
      { id: "a", time: "2026-01-18T00:00:00Z", arrived: "2026-01-17T09:00:00Z" },
      { id: "a", time: "2026-01-18T00:00:00Z", arrived: "2026-01-18T00:00:00Z" },
    ]);
    assert.equal(accepted, 1);
  });
});

describe("the steps", () => {
  const event = (organization: string, sent: string) => ({ organization, id: sent, time: sent, timeMs: Date.parse(sent), sentMs: Date.parse(sent) });

  test("follow days, and whoever is new signs up where the first event was sent", () => {
    const all = steps([
      event("a", "2026-01-01T10:00:00Z"),
      event("a", "2026-01-01T11:00:00Z"),
      event("b", "2026-01-01T12:00:00Z"),
      event("a", "2026-01-01T23:00:00Z"),
      event("b", "2026-01-02T00:00:00Z"),
    ]);
    const shown = all.map(({ clockMs, signUps, events }) => [new Date(clockMs).toISOString().slice(8, 13), signUps.join(), events.length]);
    assert.deepEqual(shown, [["01T10", "a", 1], ["01T12", "b", 2], ["01T23", "", 1], ["02T00", "", 1]]);
    assert.deepEqual([...arrivals(all).signUps.keys()], ["a", "b"]);
    assert.equal(arrivals(all).deliveries[1].arrivedMs, Date.parse("2026-01-01T12:00:00Z"));
  });

  test("never hold more than a batch", () => {
    const all = steps(Array.from({ length: 2_502 }, () => event("a", "2026-01-01T10:00:00Z")));
    assert.deepEqual(all.map(({ events }) => events.length), [1, 1_000, 1_000, 501]);
  });
});

describe("the comparison", () => {
  const usage = (start: string, end: string, counted: number, late: boolean) => {
    return { metric: "apiCalls", counted, late, billingPeriod: { startDate: start, endDate: end } };
  };
  const invoice = (...entries: object[]) => ({
    identifier: "INV-000001",
    billingPeriod: { startDate: "2026-01-31T09:00:00Z", endDate: "2026-02-28T09:00:00Z" },
    usage: [...entries, { ...usage(START, "2026-01-31T09:00:00Z", 7, false), metric: "storage" }],
  });
  const { invoices: expected } = counted("2026-02-01T00:00:00Z", [{ time: START, arrived: START }]);
  const differences = (...entries: object[]) => differing(paired(expected, invoicedRows([invoice(...entries)], "apiCalls")));

  test("finds nothing where nothing differs", () => {
    assert.deepEqual(differences(usage(START, "2026-01-31T09:00:00Z", 1, false)), []);
  });

  test("finds a wrong count, a missing row, one too many and one twice", () => {
    const right = usage(START, "2026-01-31T09:00:00Z", 1, false);
    const found = (...entries: object[]) => differences(...entries).map(({ expected, invoiced }) => [expected, invoiced]);
    assert.deepEqual(found({ ...right, counted: 2 }), [[1, 2]]);
    assert.deepEqual(found(), [[1, undefined]]);
    assert.deepEqual(found(right, { ...right, late: true }), [[undefined, 1]]);
    assert.deepEqual(found(right, right), [[1, 2]]);
    assert.deepEqual(found({ ...right, billingPeriod: { ...right.billingPeriod, endDate: "2026-02-01T00:00:00Z" } }), [[1, undefined], [undefined, 1]]);
  });

  test("finds answers that were not expected", () => {
    const answer = { accepted: 1, replayed: 0, refused: { timestamp_too_old: 2 } };
    assert.deepEqual(differingAnswers("acme", answer, answer), []);
    assert.deepEqual(differingAnswers("acme", answer, { accepted: 2, replayed: 0, refused: { other: 1 } }), [
      "acme: accepted 2, expected 1",
      "acme: other 1, expected 0",
      "acme: timestamp_too_old 0, expected 2",
    ]);
  });
});

describe("the invoices", () => {
  const money = (amountMinor: number) => ({ amountMinor });
  /** An invoice of these lines, less a discount of 10, with 20 of tax on top and 5 contained, of which credit pays 60. */
  const invoice = (identifier: string | null, [subtotal, total, due]: readonly [number, number, number], ...lines: number[]) => ({
    $id: "inv_1",
    identifier,
    referencesOrder: lines.map((amountMinor) => ({ amount: money(amountMinor) })),
    discount: [{ amount: money(10) }],
    taxes: [{ inclusive: false, amount: money(20) }, { inclusive: true, amount: money(5) }],
    subtotal: money(subtotal),
    total: money(total),
    creditApplied: money(60),
    totalPaymentDue: money(due),
  });

  test("add up", () => {
    assert.deepEqual(wrongTotals([invoice("INV-000001", [300, 310, 250], 100, 200)]), []);
    for (const wrong of [[299, 310, 250], [300, 309, 250], [300, 310, 251]] as const) {
      assert.equal(wrongTotals([invoice("INV-000001", wrong, 100, 200)]).length, 1, String(wrong));
    }
  });

  test("misses numbers, and lets drafts have none", () => {
    const numbered = (...identifiers: (string | null)[]) => identifiers.map((identifier) => ({ identifier }));
    assert.deepEqual(wrongNumbers(numbered("INV-000002", "INV-000001", null)), []);
    const wrong = wrongNumbers(numbered("INV-000003", "INV-000001", "INV-000001"));
    assert.deepEqual(wrong, ["1 numbers are given twice", "number 2 is missing"]);
  });
});

describe("the independent count by aggregation", () => {
  const lines = (...members: object[]) =>
    members.map((member, index) => {
      const line = { organization: "acme", id: `line-${index}`, files: 1, author: "ada", time: "2026-01-05T10:00:00Z", sent: "2026-01-05T10:00:00Z", ...member };
      return { ...line, timeMs: Date.parse(line.time), sentMs: Date.parse(line.sent) };
    });
  const counted = (...members: object[]) => {
    const { accepted, replayed, refused, months } = countMonths(monthlyArrivals(days(lines(...members), 1))).get("acme");
    const used = [...months.values()].map(({ metric, startMs, used }) => [`${metric} ${new Date(startMs).toISOString().slice(0, 10)}`, used]);
    return { accepted, replayed, refused, used: Object.fromEntries(used) };
  };

  test("is of calendar months in which things happened, each line once", () => {
    const { accepted, replayed, refused, used } = counted(
      { files: 4 },
      { files: 2, author: "bob", time: "2026-01-09T10:00:00Z", sent: "2026-01-09T10:00:00Z" },
      { files: 3, time: "2026-01-31T23:59:59Z", sent: "2026-02-02T10:00:00Z" },
      { files: 9, time: "2026-02-01T00:00:00Z", sent: "2026-02-02T10:00:00Z" },
    );
    assert.deepEqual([accepted, replayed, refused], [24, 24, {}]);
    assert.deepEqual(used, {
      ...{ "apiCalls 2026-01-01": 3, "commits 2026-01-01": 3, "files 2026-01-01": 9, "authors 2026-01-01": 2, "filesMax 2026-01-01": 4, "filesLatest 2026-01-01": 3 },
      ...{ "apiCalls 2026-02-01": 1, "commits 2026-02-01": 1, "files 2026-02-01": 9, "authors 2026-02-01": 1, "filesMax 2026-02-01": 9, "filesLatest 2026-02-01": 9 },
    });
  });

  test("takes the trial for a period of its own, refuses what is old, and zero of all but the latest", () => {
    const { accepted, refused, used } = counted(
      { time: "2025-12-18T00:00:00Z" },
      { time: "2025-12-17T23:59:59Z" },
      { time: "2025-11-01T00:00:00Z" },
      { files: 0 },
    );
    assert.equal(accepted, 6 + 4);
    assert.deepEqual(refused, { timestamp_before_subscription: 12, timestamp_too_old: 12, amount_zero: 4 });
    assert.deepEqual([used["apiCalls 2025-12-18"], used["apiCalls 2026-01-01"], used["files 2026-01-01"]], [1, 1, undefined]);
  });

  test("takes of the latest at one instant the one that arrived last", () => {
    const deliveries = [5, 7, 6].map((amount, index) => ({
      ...{ organization: "acme", metric: "filesLatest", key: String(index), timeMs: index === 2 ? 1 : 2, arrivedMs: 3, amount, author: "ada" },
    }));
    const { months } = countMonths({ deliveries, signUps: new Map([["acme", 0]]) }).get("acme");
    assert.deepEqual([...months.values()].map(({ used }) => used), [7]);
  });
});

describe("the days", () => {
  const line = (id: string, sent: string) => ({ organization: "acme", id, files: 1, author: "ada", time: sent, timeMs: Date.parse(sent), sentMs: Date.parse(sent) });
  const two = [line("a", "2026-03-20T10:10:00Z"), line("b", "2026-03-20T10:50:00Z"), line("c", "2026-03-20T11:00:00Z")];
  const order = (seed: number) => days(two, seed).flatMap(({ events }) => events.map(({ key }: { key: string }) => key));

  test("begin with the sign-up 14 days before the month, and send each line twice within its hour", () => {
    const all = days(two, 5).map(({ startMs, signUps, events }) => [new Date(startMs).toISOString().slice(0, 10), signUps.join(), events.length]);
    assert.deepEqual(all, [["2026-02-15", "acme", 0], ["2026-03-20", "", 36]]);
    assert.ok(order(5).slice(24).every((key) => key.startsWith("c/")));
    assert.deepEqual(order(5).sort(), order(6).sort());
  });

  test("are shuffled alike by the same seed", () => {
    assert.deepEqual(order(5), order(5));
    assert.notDeepEqual(order(5), order(6));
  });
});

describe("the file", () => {
  const line = (members: object) => JSON.stringify({ organization: "a", id: "1", time: "2026-01-01T10:00:00+05:30", sent: "2026-01-01T04:30:00Z", ...members });

  test("may have any offset and other members", () => {
    const [event] = parseEvents(`${line({ author: "somebody" })}\n\n`);
    assert.deepEqual(event, { organization: "a", id: "1", time: "2026-01-01T10:00:00+05:30", timeMs: event.sentMs, sentMs: Date.parse("2026-01-01T04:30:00Z") });
  });

  test("is refused with the line that is wrong", () => {
    assert.throws(() => parseEvents(`${line({})}\n{`), /Line 2: not JSON/);
    assert.throws(() => parseEvents(line({ id: 7 })), /Line 1: `id`/);
    assert.throws(() => parseEvents(line({ time: "2026-01-01" })), /Line 1: `time`/);
    assert.throws(() => parseEvents(`${line({})}\n${line({ sent: "2026-01-01T04:29:59Z" })}`), /Line 2 was sent before/);
    assert.throws(() => parseEvents("\n"), /no events/);
    assert.throws(() => parseEvents(line({ files: -1, author: "ada" }), aggregated), /Line 1: `files`/);
    assert.throws(() => parseEvents(line({ files: 1 }), aggregated), /Line 1: `author`/);
  });
});

describe("on the real Worker", () => {
  const server = freshServer();

  test("each count that is answered and invoiced is the independent one", async () => {
    const { organizations, wrong } = await replay(server.current, readEvents(SAMPLE));
    assert.deepEqual(wrong, []);
    // The sample has to have everything that can go wrong, or the comparison above says little.
    const codes = new Set(organizations.flatMap(({ answered }) => Object.keys(answered.refused)));
    assert.deepEqual([...codes].sort(), ["idempotency_mismatch", "timestamp_before_subscription", "timestamp_too_old"]);
    assert.ok(organizations.some(({ answered }) => answered.replayed > 0), "an event is sent again");
    assert.ok(organizations.every(({ pairs }) => pairs.some(({ late, invoiced }) => late && invoiced > 0)), "each has late events");
    const numbers = organizations.flatMap(({ pairs }) => pairs.map(({ invoice }) => invoice));
    assert.equal(new Set(numbers).size, Math.max(...numbers.map((number) => Number(number.slice(4)))), "numbers have no gap");
  });

  test("each month is the independent one by each aggregation, by batch and by a CloudEvents client", async () => {
    const { organizations, wrong } = await aggregations(server.current, readEvents(SAMPLE, aggregated), 7);
    assert.deepEqual(wrong, []);
    assert.equal(organizations.length, 6);
    const codes = new Set(organizations.flatMap(({ answered }) => Object.keys(answered.refused)));
    assert.deepEqual([...codes].sort(), ["amount_zero", "idempotency_mismatch", "timestamp_before_subscription", "timestamp_too_old"]);
    assert.ok(organizations.every(({ answered, rows }) => answered.replayed > 0 && rows.length > 50));
    assert.ok(organizations.some(({ sent }) => sent.structured > 0 && sent.binary > 0), "some CloudEvents come alone");
  });
});

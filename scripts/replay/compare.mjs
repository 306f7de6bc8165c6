// Holds what the product answered and invoiced against the independent count. Pure.

/** What the invoices of an organization say was counted, in the form of the independent count's `invoices`. */
export function invoicedRows(invoices, metric) {
  const inOrder = [...invoices].sort((one, other) => ms(one.billingPeriod.startDate) - ms(other.billingPeriod.startDate));
  return inOrder.map(({ identifier, billingPeriod, usage }) => ({
    identifier,
    // An invoice is issued when one period ends and the next one, which it names, starts.
    issuedMs: ms(billingPeriod.startDate),
    rows: usage
      .filter((entry) => entry.metric === metric)
      .map((entry) => ({ startMs: ms(entry.billingPeriod.startDate), endMs: ms(entry.billingPeriod.endDate), counted: Number(entry.counted), late: entry.late })),
  }));
}

const ms = (time) => Date.parse(time);

/** Each count that is expected or invoiced, with both: `[{ invoice, issuedMs, startMs, endMs, late, expected, invoiced }]`. */
export function paired(expected, invoiced) {
  const pairs = new Map();
  const enter = (invoices, side) => {
    for (const { identifier, issuedMs, rows } of invoices) {
      for (const { startMs, endMs, late, counted } of rows) {
        const key = [issuedMs, startMs, endMs, late].join();
        const pair = pairs.get(key) ?? { issuedMs, startMs, endMs, late };
        // Two rows of one key would be a fault of the product, so they must not pass for one.
        pairs.set(key, { ...pair, ...(identifier ? { invoice: identifier } : {}), [side]: (pair[side] ?? 0) + counted });
      }
    }
  };
  enter(expected, "expected");
  enter(invoiced, "invoiced");
  return [...pairs.values()].sort((one, other) => one.startMs - other.startMs || one.issuedMs - other.issuedMs);
}

export const differing = (pairs) => pairs.filter(({ expected, invoiced }) => expected !== invoiced);

/** Sentences about answers that the independent count did not expect. */
export function differingAnswers(organization, expected, answered) {
  const codes = new Set([...Object.keys(expected.refused), ...Object.keys(answered.refused)]);
  const counts = [
    ["accepted", expected.accepted, answered.accepted],
    ["replayed", expected.replayed, answered.replayed],
    ...[...codes].sort().map((code) => [code, expected.refused[code] ?? 0, answered.refused[code] ?? 0]),
  ];
  return counts.filter(([, one, other]) => one !== other).map(([what, one, other]) => `${organization}: ${what} ${other}, expected ${one}`);
}

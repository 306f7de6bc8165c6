// What must hold of any set of invoices. Pure: it knows their JSON and nothing else, so that it can disagree with what made them.

/** Sentences about invoices whose figures do not add up: lines, discounts, taxes on top, credit; none when all do. */
export function wrongTotals(invoices) {
  const sum = (amounts) => amounts.reduce((minor, amount) => minor + amount.amountMinor, 0);
  return invoices.flatMap(({ identifier, $id, referencesOrder, discount, taxes, subtotal, total, creditApplied, totalPaymentDue }) => {
    const lines = sum(referencesOrder.map((line) => line.amount));
    const onTop = sum(taxes.filter((tax) => !tax.inclusive).map((tax) => tax.amount));
    const all = Math.max(0, lines - sum(discount.map((taken) => taken.amount)) + onTop);
    const wrong = [
      [lines, subtotal.amountMinor, "the lines", "subtotal"],
      [all, total.amountMinor, "lines, discounts and taxes", "total"],
      [all - creditApplied.amountMinor, totalPaymentDue.amountMinor, "the total less the credit", "payment due"],
    ].find(([computed, said]) => computed !== said);
    return wrong ? [`${identifier ?? $id}: ${wrong[2]} add up to ${wrong[0]}, but the ${wrong[3]} is ${wrong[1]} (in minor units)`] : [];
  });
}

/** Sentences about numbers that are missing or given twice, where `invoices` are all that the seller has issued. */
export function wrongNumbers(invoices) {
  const numbers = invoices.map(({ identifier }) => identifier).filter(Boolean).map((identifier) => Number(/(\d+)$/.exec(identifier)[1]));
  const given = new Set(numbers);
  const wrong = numbers.length === given.size ? [] : [`${numbers.length - given.size} numbers are given twice`];
  for (let number = 1; number <= Math.max(0, ...given); number += 1) {
    if (!given.has(number)) wrong.push(`number ${number} is missing`);
  }
  return wrong;
}

/** What the invoices say was counted of a metric, late corrections included. */
export function countedOnInvoices(invoices, metric) {
  const entries = invoices.flatMap((invoice) => invoice.usage).filter((entry) => entry.metric === metric);
  return entries.reduce((sum, entry) => sum + Number(entry.counted), 0);
}

/** All invoices of all organizations: numbers are the seller's, so only together they have no gap. */
export async function allInvoices(vendor) {
  const invoices = [];
  for (const { $id } of await vendor.all("/v1/organizations")) invoices.push(...(await vendor.tenant($id).all("/v1/invoices")));
  return invoices;
}

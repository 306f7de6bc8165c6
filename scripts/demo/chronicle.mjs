// Tells what happens, a line for each fact, in the order of the clock. Everything it says comes out of an answer of the API.

const NAME_WIDTH = 16;
const INDENT = " ".repeat(18 + NAME_WIDTH);

export class Chronicle {
  #print;
  #month;

  constructor(print) {
    this.#print = print;
  }

  /** `details` stand below the line, indented. */
  tell(at, who, text, details = []) {
    const moment = at.slice(0, 16).replace("T", " ");
    const month = at.slice(0, 7);
    if (this.#month !== undefined && month !== this.#month) this.#print("");
    this.#month = month;
    this.#print([`${moment}  ${who.padEnd(NAME_WIDTH)}${text}`, ...details.map((detail) => `${INDENT}${detail}`)].join("\n"));
  }

  /** What several companies have to report comes in the order in which it happened. */
  tellAll(news) {
    const inOrder = [...news].sort((one, other) => Date.parse(one.at) - Date.parse(other.at));
    for (const { at, who, text, details } of inOrder) this.tell(at, who, text, details);
  }
}

export const number = (amount) => Number(amount).toLocaleString("en-US");

export const money = ({ amountMinor, priceCurrency }) => (amountMinor / 100).toLocaleString("en-US", { style: "currency", currency: priceCurrency });

/** A period as the company's own calendar has it. */
export function localPeriod({ startDate, endDate }, timeZone) {
  const local = (time) => new Date(time).toLocaleString("sv-SE", { timeZone, dateStyle: "short", timeStyle: "short" });
  return `${local(startDate)} to ${local(endDate)} ${timeZone}`;
}

/** An invoice in one line, and a line for each of its lines. */
export function invoiceText({ identifier, totalPaymentDue, paymentDueDate, billingPeriod, referencesOrder }, timeZone) {
  const text = `invoice ${identifier} over ${money(totalPaymentDue)}, due ${paymentDueDate.slice(0, 10)}, opens ${localPeriod(billingPeriod, timeZone)}`;
  return { text, details: referencesOrder.map(lineText) };
}

function lineText({ kind, description, orderQuantity, price, amount }) {
  const what = kind === "overage" ? `${description}: ${number(orderQuantity)} × ${price}` : description;
  return `${money(amount).padStart(12)}  ${what}${kind === "lateUsage" ? " (a correction)" : ""}`;
}

/** Rows under headings; numbers stand to the right. */
export function table(headings, rows) {
  const texts = [headings, ...rows.map((row) => row.map(String))];
  const widths = headings.map((_, column) => Math.max(...texts.map((row) => row[column].length)));
  const line = (row) => row.map((cell, column) => (column === 0 ? cell.padEnd(widths[column]) : cell.padStart(widths[column]))).join("  ");
  return [line(texts[0]), widths.map((width) => "─".repeat(width)).join("  "), ...texts.slice(1).map(line)].join("\n");
}

// Tells what happens, a line for each fact, in the order of the clock. Everything it says comes out of an answer of the API.

import { paint } from "../terminal.mjs";

const NAME_WIDTH = 16;
const INDENT = " ".repeat(18 + NAME_WIDTH);
/** What stands out where there are colours. */
const REFUSAL = /: 4\d\d \w|answered 4\d\d/;
const INVOICE = /\binvoice \S+ over/;

/** Each company speaks in a colour of its own, where there are colours. */
const COLOURS = ["green", "cyan", "magenta", "blue", "yellow"];

export class Chronicle {
  #print;
  #colours;
  #month;

  constructor(print, names) {
    this.#print = print;
    this.#colours = new Map(names.map((name, index) => [name, COLOURS[index % COLOURS.length]]));
  }

  /** A name as wide as every name, in its colour. */
  name(who) {
    return paint(this.#colours.get(who), who.padEnd(NAME_WIDTH));
  }

  /** `details` stand below the line, indented. */
  tell(at, who, text, details = []) {
    const moment = at.slice(0, 16).replace("T", " ");
    const month = at.slice(0, 7);
    if (this.#month !== undefined && month !== this.#month) this.#print("");
    this.#month = month;
    const told = REFUSAL.test(text) ? paint("red", text) : INVOICE.test(text) ? paint("bold", text) : text;
    const below = details.map((detail) => paint("dim", `${INDENT}${detail}`));
    this.#print([`${paint("dim", moment)}  ${this.name(who)}${told}`, ...below].join("\n"));
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

/** A company's invoices, oldest first, as rows: number, day, period, total, status. */
export function invoiceRows(invoices, timeZone) {
  const inOrder = [...invoices].sort((one, other) => Date.parse(one.dateIssued) - Date.parse(other.dateIssued));
  return inOrder.map(({ identifier, dateIssued, billingPeriod, totalPaymentDue, paymentStatus }) => {
    const period = [billingPeriod.startDate, billingPeriod.endDate].map((time) => localDay(time, timeZone)).join(" to ");
    return [identifier, dateIssued.slice(0, 10), period, money(totalPaymentDue), paymentStatus];
  });
}

const localDay = (time, timeZone) => new Date(time).toLocaleDateString("sv-SE", { timeZone });

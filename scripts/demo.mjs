// `npm run demo`: a year in the life of five companies, on a test clock and through the public API of a running Worker.
// The cast says who does what; everything that is told comes out of the API's answers.

import { createClock, vendorOf } from "./client.mjs";
import { CAST, CLOSING, OPENING } from "./demo/cast.mjs";
import { Chronicle, invoiceRows, money, number } from "./demo/chronicle.mjs";
import { Company } from "./demo/company.mjs";
import { workingLink } from "./demo/link.mjs";
import { askBeforeFilling } from "./demo/stage.mjs";
import { allInvoices, countedOnInvoices, wrongNumbers, wrongTotals } from "./ledger.mjs";
import { main, readArguments, seconds } from "./lib.mjs";
import { useServer } from "./server.mjs";
import { isTerminal, paint, table } from "./terminal.mjs";

const USAGE = `npm run demo [-- --yes]

A year in the life of five companies. TENANTRY_URL names a server to play it on; else a running \`npm run dev\` is taken, or one is started.

  --yes  do not ask before the demo adds its companies to a server with data of yours`;

const ALL_RIGHT =
  "Lines add up to totals, numbers have no gap, and every call that was admitted is on an invoice or in the open period.";

await main(import.meta.url, async () => {
  const { yes } = readArguments(USAGE, { yes: { type: "boolean" } }).values;
  const server = await useServer();
  try {
    console.log(`Playing on ${paint("bold", server.url)}, ${server.own ? "a server of its own" : "which is running already"}.`);
    if (!server.own) await askBeforeFilling(server, { yes });
    console.log("");
    await perform(server);
    await lookAround(server);
  } finally {
    await server.stop();
  }
});

async function perform(server) {
  const started = Date.now();
  const vendor = vendorOf(server);
  const companies = await playYear(vendor, console.log);
  for (const company of companies) console.log(`\n${companyText(company)}`);
  console.log(`\n${summary(companies)}\n`);
  const wrong = await check(vendor, companies);
  for (const sentence of wrong) console.log(paint("red", `✘ ${sentence}`));
  if (wrong.length > 0) process.exitCode = 1;
  else console.log(`${paint("green", "✔")} ${ALL_RIGHT}`);
  console.log(`  ${CLOSING.slice(0, 10)} came after ${seconds(started)} on ${server.url}`);
}

/** Ends with a link that works: on a server of our own only as long as that runs, so a person decides how long that is. */
async function lookAround(server) {
  if (server.own && !isTerminal()) return console.log("\nTo look around afterwards, start `npm run dev` first: the demo then plays there.");
  console.log(`\n${await workingLink(server)}`);
  if (!server.own) return;
  console.log("Ctrl-C ends this server and removes its data.");
  await new Promise((resolve) => process.once("SIGINT", resolve).once("SIGTERM", resolve));
}

/** Plays all acts in the order of the clock, which they share. Answers the companies. */
export async function playYear(vendor, print) {
  const clock = await startClock(vendor);
  const chronicle = new Chronicle(print, CAST.map(({ name }) => name));
  const run = Date.now().toString(36);
  const companies = new Map(CAST.map(({ name }) => [name, new Company({ vendor, clock, chronicle, name, run })]));
  for (const { name, character } of CAST) print(`${chronicle.name(name)}${character}`);
  print("");
  for (const { at, name, act } of inOrder(CAST)) {
    await passUntil(at, clock, chronicle, companies.values());
    await act(companies.get(name));
  }
  await passUntil(CLOSING, clock, chronicle, companies.values());
  return [...companies.values()];
}

async function startClock(vendor) {
  const { id, advance } = await createClock(vendor, OPENING);
  const clock = { id, now: OPENING, advance: async (to) => void (clock.now = await advance(to)) };
  return clock;
}

function inOrder(cast) {
  const acts = cast.flatMap(({ name, acts }) => acts.map(([at, act]) => ({ at, name, act })));
  return acts.sort((one, other) => Date.parse(one.at) - Date.parse(other.at));
}

/** Time passes, and what the companies notice of it is told: first what followed from the acts before, then what fell due. */
async function passUntil(at, clock, chronicle, companies) {
  const before = clock.now;
  await clock.advance(at);
  const news = await Promise.all([...companies].map((company) => company.news(before)));
  chronicle.tellAll(news.flat());
}

/** What the year cost a company, invoice by invoice. */
function companyText({ name, invoices, timeZone }) {
  const rows = invoiceRows(invoices, timeZone);
  return `${paint("bold", name)}\n${table(["invoice", "issued", "opens the period", "total", "status"], rows, { left: [0, 1, 2, 4] })}`;
}

function summary(companies) {
  const headings = ["organization", "invoices", "billed", "mails", "calls admitted", "calls refused", "replays"];
  const rows = companies.map(({ name, invoices, mails, tally }) => {
    const minor = invoices.reduce((total, { totalPaymentDue }) => total + totalPaymentDue.amountMinor, 0);
    const billed = { amountMinor: minor, priceCurrency: invoices[0].totalPaymentDue.priceCurrency };
    return [name, invoices.length, money(billed), mails.length, number(tally.admitted), number(tally.refused), tally.replays];
  });
  return table(headings, rows);
}

/** Sentences about what does not add up. */
async function check(vendor, companies) {
  const wrong = [...companies.flatMap(({ invoices }) => wrongTotals(invoices)), ...(await wrongNumbersOf(vendor))];
  for (const company of companies) {
    const counted = countedOnInvoices(company.invoices, "apiCalls") + (await company.openCalls());
    if (counted !== company.tally.admitted) wrong.push(`${company.name}: ${company.tally.admitted} calls were admitted, but ${counted} are counted`);
  }
  return wrong;
}

/** On a server that others use, an invoice may be issued while we read the lists: a gap that is one is there the second time. */
async function wrongNumbersOf(vendor) {
  const wrong = wrongNumbers(await allInvoices(vendor));
  return wrong.length === 0 ? wrong : wrongNumbers(await allInvoices(vendor));
}

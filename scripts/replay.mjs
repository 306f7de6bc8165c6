// `npm run replay -- <file>`: streams a file of events through the public API of a running Worker while a test clock follows the file
// and each period is billed, then holds every count on every invoice against an independent count of the file.

import { main, readArguments, seconds } from "./lib.mjs";
import { wrongTotals } from "./ledger.mjs";
import { differing, differingAnswers, invoicedRows, paired } from "./replay/compare.mjs";
import { count } from "./replay/count.mjs";
import { USAGE, readEvents } from "./replay/file.mjs";
import { arrivals, steps } from "./replay/steps.mjs";
import { METRIC, stream } from "./replay/stream.mjs";
import { useServer } from "./server.mjs";
import { ProgressLine, bar, paint, table } from "./terminal.mjs";

const date = (ms) => new Date(ms).toISOString().slice(0, 10);

await main(import.meta.url, async () => {
  const { positionals, values } = readArguments(USAGE, { verbose: { type: "boolean" } }, [1, 1]);
  const [file] = positionals;
  const events = readEvents(file);
  const server = await useServer();
  try {
    const result = await replay(server, events, console.log);
    report(result, events.length, values);
    if (result.wrong.length > 0) process.exitCode = 1;
  } finally {
    await server.stop();
  }
});

function silent() {}

/** Plays the events and compares: `{ organizations: [{ name, expected, answered, pairs }], wrong, spent, elapsedMs }`. */
export async function replay(server, events, log = silent) {
  const plan = steps(events);
  const organizations = new Set(events.map(({ organization }) => organization));
  log(`Replaying ${events.length} events of ${organizations.size} organizations in ${plan.length} steps on ${server.url}`);
  const started = performance.now();
  const line = new ProgressLine();
  const { tenants, untilMs, spent } = await stream(server, plan, log === silent ? silent : progressBar(line));
  line.clear();
  const elapsedMs = performance.now() - started;
  const expected = count(arrivals(plan), untilMs);
  const compared = [...tenants.values()].map((tenant) => compare(tenant, expected.get(tenant.name)));
  return { organizations: compared, wrong: compared.flatMap(({ wrong }) => wrong), spent, elapsedMs };
}

function progressBar(line) {
  const started = Date.now();
  return ({ done, of, clockMs }) => line.show(`${bar(done, of)}  ${date(clockMs)}, ${seconds(started)}`);
}

function compare({ name, answered, invoices }, expected) {
  const pairs = paired(expected.invoices, invoicedRows(invoices, METRIC));
  const wrong = [
    ...differingAnswers(name, expected, answered),
    ...differing(pairs).map((pair) => `${name}: ${rowText(pair)}`),
    ...wrongTotals(invoices).map((sentence) => `${name}: ${sentence}`),
  ];
  return { name, expected, answered, pairs, wrong };
}

function rowText({ invoice = "no invoice", issuedMs, startMs, endMs, late, expected = "-", invoiced = "-" }) {
  const period = `${date(startMs)} to ${date(endMs)}`;
  const counts = `counted ${String(expected).padStart(6)}  invoiced ${String(invoiced).padStart(6)}`;
  return `${period}  ${counts}  on ${invoice} of ${date(issuedMs)}${late ? "  late" : ""}`;
}

/** A row for each organization; `verbose`: each of its counts as well, and not only those that differ. */
function report({ organizations, wrong, spent, elapsedMs }, events, { verbose = false }) {
  const headings = ["organization", "accepted", "replayed", "refused", "counts invoiced", "units invoiced", "differences"];
  console.log(`\n${table(headings, organizations.map(organizationRow))}`);
  if (verbose) {
    for (const { name, pairs } of organizations) console.log([`\n${name}`, ...pairs.map((pair) => `  ${rowText(pair)}`)].join("\n"));
  }
  console.log(`\n${closing(organizations)}\n${timings(spent, elapsedMs, events)}`);
  if (wrong.length === 0) {
    const verdict = "Everything that was answered and invoiced is what an independent count of the file gives.";
    return console.log(`\n${paint("green", "✔")} ${verdict}`);
  }
  const differences = wrong.map((line) => `  ${line}`).join("\n");
  console.log(`\n${paint("red", "✘")} ${wrong.length} differ from an independent count of the file:\n${differences}`);
}

function organizationRow({ name, answered, pairs, wrong }) {
  const refused = Object.values(answered.refused).reduce((sum, times) => sum + times, 0);
  const invoiced = pairs.reduce((sum, pair) => sum + (pair.invoiced ?? 0), 0);
  return [name, answered.accepted, answered.replayed, refused, pairs.length, invoiced, wrong.length];
}

function closing(organizations) {
  const sum = (of) => organizations.reduce((total, organization) => total + of(organization), 0);
  const refused = {};
  for (const { answered } of organizations) {
    for (const [code, times] of Object.entries(answered.refused)) refused[code] = (refused[code] ?? 0) + times;
  }
  const units = (late) => sum(({ pairs }) => pairs.filter((pair) => pair.late === late).reduce((total, pair) => total + (pair.invoiced ?? 0), 0));
  return [
    `accepted ${sum(({ answered }) => answered.accepted)}, replayed ${sum(({ answered }) => answered.replayed)}`,
    ...Object.entries(refused).map(([code, times]) => `refused ${times} ${code}`),
    `invoiced ${units(false)} with their period and ${units(true)} late, in ${sum(({ pairs }) => pairs.length)} rows`,
  ].join("\n");
}

function timings({ signUpMs, advanceMs, sendMs, batches, advances, longestAdvanceMs }, elapsedMs, events) {
  const s = (ms) => `${(ms / 1000).toFixed(1)} s`;
  const rate = (ms) => Math.round((events * 1000) / ms);
  return [
    `sending    ${s(sendMs)} for ${batches} batches: ${rate(sendMs)} events/s`,
    `the clock  ${s(advanceMs)} for ${advances} advances: ${(advanceMs / advances).toFixed(0)} ms each, ${s(longestAdvanceMs)} the longest`,
    `sign-ups   ${s(signUpMs)}`,
    `overall    ${s(elapsedMs)}: ${rate(elapsedMs)} events/s`,
  ].join("\n");
}

// `npm run aggregations -- <file>`: sends a file of events through both ways in, each line twice and shuffled, as a count, a sum, a
// unique count, a maximum and a latest value, then holds every month of every organization against an independent count of the file.

import { main, readArguments, readNumber, seconds } from "./lib.mjs";
import { booksOf } from "./aggregations/books.mjs";
import { countMonths } from "./aggregations/count.mjs";
import { METRICS } from "./aggregations/metrics.mjs";
import { arrivals, days } from "./aggregations/plan.mjs";
import { play } from "./aggregations/play.mjs";
import { WAYS } from "./aggregations/send.mjs";
import { differingAnswers } from "./replay/compare.mjs";
import { readEvents } from "./replay/file.mjs";
import { useServer } from "./server.mjs";
import { setUp } from "./setup.mjs";

const PROGRESS_PAUSE_MS = 5_000;
const USAGE = `npm run aggregations -- <file.ndjson[.gz]> [seed]

Sends each line of the file twice, shuffled within the hour, as an event of each of ${METRICS.map(({ key }) => key).join(", ")}:
once through POST /v1/usage/batch and, for other organizations, once through POST /v1/events with the SDK of CloudEvents. A test
clock follows the file. Then the counters, the invoices and the history of every organization and calendar month are compared with
an independent count of the file, and each proof is verified.

The file is that of \`npm run replay\`, with two more members a line:

  files          how many, a whole number of 0 or more
  author         who: a text

The same seed shuffles alike. tests/data/sample-commits.ndjson is a small file.`;

/** What this command reads of a line beside what every replay reads. */
export function aggregated({ files, author }) {
  if (!Number.isSafeInteger(files) || files < 0) return "`files` has to be a whole number of 0 or more";
  if (typeof author !== "string" || author === "") return "`author` has to be a text";
  return { files, author };
}

await main(import.meta.url, async () => {
  const [file, seed] = readArguments(USAGE, {}, [1, 2]).positionals;
  const lines = readEvents(file, aggregated, USAGE);
  // The SDK and the verifier are needed also where the server is another's.
  await setUp();
  const server = await useServer();
  try {
    const result = await aggregations(server, lines, readNumber(USAGE, "The seed", seed) ?? Date.now() % 2 ** 32, console.log);
    report(result);
    if (result.wrong.length > 0) process.exitCode = 1;
  } finally {
    await server.stop();
  }
});

/** Plays and compares: `{ organizations: [{ name, way, answered, sent, rows, events, verdict, wrong }], wrong, spent }`. */
export async function aggregations(server, lines, seed, log = () => {}) {
  const started = performance.now();
  const plan = days(lines, seed);
  const arrived = arrivals(plan);
  log(`${lines.length} lines are ${arrived.deliveries.length} events of ${arrived.signUps.size} organizations on ${plan.length} days, by ${Object.keys(WAYS).join(" and by ")}, seed ${seed}, on ${server.url}`);
  const { tenants, spent } = await play(server, plan, progressLog(log));
  const countStarted = performance.now();
  const expected = countMonths(arrived);
  spent.countMs = performance.now() - countStarted;
  const untilMs = plan.at(-1).clockMs + 1;
  const organizations = [];
  for (const tenant of tenants) {
    const books = await booksOf(tenant, server.platformKey, arrived.signUps.get(tenant.name), untilMs);
    organizations.push(compare(tenant, expected.get(tenant.name), books));
    log(`  … ${tenant.name} (${tenant.way}) compared`);
  }
  spent.readMs = performance.now() - countStarted - spent.countMs;
  spent.overallMs = performance.now() - started;
  return { organizations, wrong: organizations.flatMap(({ wrong }) => wrong), spent };
}

function progressLog(log) {
  const started = Date.now();
  let told = started;
  return ({ done, of, clockMs }) => {
    if (Date.now() - told < PROGRESS_PAUSE_MS) return;
    told = Date.now();
    log(`  … ${new Date(clockMs).toISOString().slice(0, 10)}, ${Math.floor((100 * done) / of)} %, ${seconds(started)}`);
  };
}

/** Every month that any side knows, by every source. What a source leaves out is 0 there. */
function compare({ name, way, answered, sent }, expected, { sources, verdict }) {
  const title = `${name} (${way})`;
  const rows = Object.entries(sources).flatMap(([source, counts]) => {
    const keys = new Set([...expected.months.keys(), ...counts.keys()]);
    return [...keys].map((key) => ({ source, key, expected: expected.months.get(key)?.used ?? 0, counted: counts.get(key) ?? 0 }));
  });
  const wrong = [
    ...differingAnswers(title, expected, answered),
    ...rows.filter(({ expected, counted }) => expected !== counted).map((row) => `${title}: ${rowText(row)}`),
    ...(verdict.holds ? [] : [`${title}: the proof does not hold: ${verdict.text}`]),
  ];
  return { name, way, answered, sent, rows, months: expected.months.size, verdict, wrong };
}

function rowText({ source, key, expected, counted }) {
  const [metric, startMs] = key.split(" ");
  return `${metric} from ${new Date(Number(startMs)).toISOString().slice(0, 10)} is ${counted} by the ${source}, expected ${expected}`;
}

function report({ organizations, wrong, spent }) {
  console.log("");
  for (const { name, way, answered, rows, wrong } of organizations) {
    console.log(`${wrong.length === 0 ? " " : "✘"} ${name} (${way}): ${answersText(answered)}; ${rows.length} rows compared`);
  }
  for (const way of Object.keys(WAYS)) console.log(`\n${wayText(way, organizations.filter((organization) => organization.way === way))}`);
  console.log(`\n${timings(spent)}`);
  if (wrong.length === 0) return console.log("\n✔ Every month of every organization is what an independent count of the file gives, and every proof holds.");
  console.log(`\n✘ ${wrong.length} differ from an independent count of the file:\n${wrong.map((line) => `  ${line}`).join("\n")}`);
}

function answersText({ accepted, replayed, refused }) {
  return [`${accepted} accepted`, `${replayed} replayed`, ...Object.entries(refused).sort().map(([code, times]) => `${times} ${code}`)].join(", ");
}

function wayText(way, organizations) {
  const total = { accepted: 0, replayed: 0, refused: {} };
  const sum = (of) => organizations.reduce((all, organization) => all + of(organization), 0);
  for (const { answered } of organizations) {
    total.accepted += answered.accepted;
    total.replayed += answered.replayed;
    for (const [code, times] of Object.entries(answered.refused)) total.refused[code] = (total.refused[code] ?? 0) + times;
  }
  const alone = way === "CloudEvents" ? `, ${sum(({ sent }) => sent.structured)} events in structured and ${sum(({ sent }) => sent.binary)} in binary mode` : "";
  return [
    `${way}: ${answersText(total)}`,
    `  in ${sum(({ sent }) => sent.batches)} batches${alone}`,
    `  ${sum(({ months }) => months)} counts of a metric and month expected, ${sum(({ rows }) => rows.length)} rows compared, ${sum(({ verdict }) => Number(verdict.holds))} of ${organizations.length} proofs hold`,
  ].join("\n");
}

function timings({ signUpMs, clockMs, sendMs, countMs, readMs, overallMs, advances }) {
  const s = (ms) => `${(ms / 1000).toFixed(1)} s`;
  return [
    `sending ${s(sendMs)}, the clock ${s(clockMs)} for ${advances} advances, sign-ups ${s(signUpMs)}`,
    `counting the file ${s(countMs)}, reading and verifying ${s(readMs)}, overall ${s(overallMs)}`,
  ].join("\n");
}

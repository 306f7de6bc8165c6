// The cases: what is sent, to whom, and what is aimed at. Each answers its findings: `{ title, value, aim, isMet }`.

import { Failure, delay, lastLines } from "../scripts/lib.mjs";
import { setUpOrganization, startOurs, tellLog, usedBy } from "./contenders.mjs";
import { measureBillingRun } from "./billing_run.mjs";
import { comparePostgres } from "./postgres.mjs";
import { bytes, count, finding, median, printTable, progress } from "./report.mjs";

const CONNECTIONS = 64;
const WARM_UP_MS = 1_000;
/** Between two rounds: what the one before left to be done is not charged to the next. */
const PAUSE_MS = 100;
const OPEN_LOOP = { rate: 200, ms: 10_000 };
const ORGANIZATIONS = 1_000;
const EVENTS_EACH = 100;
const NAIVE_EVENTS_EACH = 20;
const SET_UPS_AT_ONCE = 16;

/**
 * What keys look like decides how fast anything that keeps them in a tree on disk is: keys that sort as they come (UUIDv7, counters) touch
 * one page after the other, random ones (UUIDv4) a page each. Targets are for the former.
 */
const RANDOM = "random";
const SEQUENTIAL = "sequential";

/** What can be measured and profiled by sending one kind of request as fast as it is answered. */
export const THROUGHPUT = {
  consumption: {
    title: "POST /v1/usage/consumption, each with its own key",
    requests: { kind: "consumption", size: 1 },
    connections: CONNECTIONS,
    unit: "requests/s",
    against: { group_commit: 1.0, naive: 2.2, echo: undefined, hop: 0.55 },
  },
  credentials: {
    title: "POST /v1/usage/consumption: what the key and its permission cost",
    requests: { kind: "consumption", size: 1 },
    connections: CONNECTIONS,
    unit: "requests/s",
    against: { trusted: 0.95 },
  },
  "consumption-random": {
    title: "POST /v1/usage/consumption, each with its own key, random as UUIDv4",
    requests: { kind: "consumption", size: 1 },
    connections: CONNECTIONS,
    keys: RANDOM,
    unit: "requests/s",
    against: { group_commit: undefined, naive: undefined },
  },
  batch1000: {
    title: "POST /v1/usage/batch, 1,000 events with keys of their own",
    requests: { kind: "batch", size: 1_000 },
    connections: 4,
    unit: "events/s",
    atLeast: 250_000,
    against: { naive: 1.3 },
  },
  "batch1000-random": {
    title: "POST /v1/usage/batch, 1,000 events with keys of their own, random as UUIDv4",
    requests: { kind: "batch", size: 1_000 },
    connections: 4,
    keys: RANDOM,
    unit: "events/s",
    against: { naive: undefined },
  },
  batch100: {
    title: "POST /v1/usage/batch, 100 events with keys of their own",
    requests: { kind: "batch", size: 100 },
    connections: 8,
    unit: "events/s",
    atLeast: 100_000,
    against: { naive: undefined },
  },
  quotas: {
    title: "GET /v1/quotas/apiCalls",
    requests: { kind: "quota", size: 1 },
    connections: CONNECTIONS,
    unit: "requests/s",
    against: { echo: undefined, hop: 0.7 },
  },
};

export const CASES = {
  ...Object.fromEntries(Object.keys(THROUGHPUT).map((name) => [name, compareThroughput])),
  latency: measureLatency,
  organizations: measureOrganizations,
  postgres: comparePostgres,
  billing: measureBillingRun,
};

async function compareThroughput({ name, contenders, generator, options }) {
  const { title, requests, connections, keys, unit, atLeast, against } = THROUGHPUT[name];
  const names = ["ours", ...Object.keys(against)];
  progress(`${name}: starting ${names.join(", ")}`);
  const servers = await Promise.all(names.map((each) => contenders.get(each, keys)));
  const usedBefore = await usedBy(servers[0].port, servers[0].tokens[0]);
  const results = names.map(() => []);
  let answeredByUs = 0;
  for (let round = 0; round <= options.rounds; round += 1) {
    // Every other round goes the other way, so that nobody always follows the same one.
    const order = round % 2 ? [...servers.keys()] : [...servers.keys()].reverse();
    for (const index of order) {
      const result = await measure(generator, servers[index], { ...jobFor(servers[index], { requests, connections, keys }), ms: round ? options.seconds * 1000 : WARM_UP_MS });
      if (round > 0) results[index].push({ ...result, rate: result.rate * requests.size });
      if (index === 0) answeredByUs += result.answered * requests.size;
      await delay(PAUSE_MS);
    }
    if (round > 0) progress(`${name}: round ${round} of ${options.rounds}: ${names.map((each, index) => `${each} ${count(results[index].at(-1).rate)}`).join(", ")}`);
  }
  if (requests.kind !== "quota") await checkCount(servers[0], usedBefore + answeredByUs);
  return reportThroughput({ name, title, unit, atLeast, against, requests, connections, options, servers, results });
}

/**
 * Has the generator do a job; when it fails, what workerd printed says why. `processorUs`: what an answer cost workerd's process, in
 * microseconds of a core; it varies far less than the rate on a machine that others use as well.
 */
export async function measure(generator, server, job) {
  try {
    const before = server.usage();
    const measured = await generator.run(job);
    const after = server.usage();
    const seconds = after.user - before.user + after.system - before.system;
    return { ...measured, processorUs: (seconds * 1e6) / measured.answered };
  } catch (error) {
    throw new Failure(`${server.title}: ${error.message}\n${lastLines(server.log(), 20)}`);
  }
}

export const jobFor = ({ port, tokens, isEmpty }, { requests, connections, keys = SEQUENTIAL }) => ({
  port,
  connections,
  keys,
  requests: { ...requests, tokens },
  isEmpty,
});

/** A rate counts only when everything that was answered was counted, once. */
async function checkCount({ port, tokens }, expected) {
  const used = await usedBy(port, tokens[0]);
  if (used !== expected) throw new Failure(`${expected} events were answered, and ${used} counted.`);
}

function reportThroughput({ name, title, unit, atLeast, against, requests, connections, options, servers, results }) {
  const rates = results.map((each) => each.map(({ rate }) => rate));
  // Round by round, because the machine is not the same in each.
  const ratios = rates.map((each) => median(each.map((rate, round) => rates[0][round] / rate)));
  const aims = [undefined, ...Object.values(against)];
  printTable(
    `${title}\n${connections} connections, medians of ${options.rounds} alternating rounds of ${options.seconds} s`,
    ["", unit, "lowest – highest", "p50 ms", "p99 ms", "workerd µs each", "generator", "ours is", "aimed at"],
    servers.map((server, index) => [
      server.title,
      count(median(rates[index])),
      `${count(Math.min(...rates[index]))} – ${count(Math.max(...rates[index]))}`,
      median(results[index].map(({ p50 }) => p50)).toFixed(1),
      median(results[index].map(({ p99 }) => p99)).toFixed(1),
      median(results[index].map(({ processorUs }) => processorUs / requests.size)).toFixed(1),
      `${Math.round(median(results[index].map(({ cpu }) => cpu)) * 100)} %`,
      index === 0 ? "" : `${ratios[index].toFixed(2)} ×`,
      index === 0 ? (atLeast ? `≥ ${count(atLeast)}` : "") : aims[index] ? `≥ ${aims[index].toFixed(2)} ×` : "",
    ]),
  );
  const findings = Object.entries(against).map(([other, aim], index) => {
    const ratio = ratios[index + 1];
    return finding(`${name}: ours / ${other}`, `${ratio.toFixed(2)} ×`, aim && `≥ ${aim.toFixed(2)} ×`, aim && ratio >= aim);
  });
  const own = median(rates[0]);
  return [finding(`${name}: ${unit}`, count(own), atLeast && `≥ ${count(atLeast)}`, atLeast && own >= atLeast), ...findings];
}

async function measureLatency({ contenders, generator, options }) {
  const p99Max = 25;
  const rows = [];
  for (const name of ["ours", "naive"]) {
    const server = await contenders.get(name);
    const requests = { kind: "consumption", size: 1 };
    await measure(generator, server, { ...jobFor(server, { requests, connections: CONNECTIONS }), ms: WARM_UP_MS });
    progress(`latency: ${name}, ${OPEN_LOOP.rate} requests/s for ${OPEN_LOOP.ms / 1000} s`);
    rows.push({ title: server.title, ...(await measure(generator, server, { ...jobFor(server, { requests, connections: CONNECTIONS }), ...OPEN_LOOP })) });
  }
  printTable(
    `POST /v1/usage/consumption, ${OPEN_LOOP.rate} requests/s whatever the answers take; a latency counts from when its request was due`,
    ["", "requests", "p50 ms", "p99 ms"],
    rows.map(({ title, answered, p50, p99 }) => [title, count(answered), p50.toFixed(2), p99.toFixed(2)]),
  );
  const [{ p50, p99 }] = rows;
  return [finding("latency: p50", `${p50.toFixed(2)} ms`), finding("latency: p99", `${p99.toFixed(2)} ms`, `< ${p99Max} ms`, p99 < p99Max)];
}

/** On a workerd of its own, whose memory nobody else has used. */
async function measureOrganizations({ contenders, generator, options }) {
  const requests = { kind: "consumption", size: 1 };
  const aim = 0.7;
  const server = await startOurs();
  try {
    const job = jobFor(server, { requests, connections: CONNECTIONS });
    await measure(generator, server, { ...job, ms: WARM_UP_MS });
    const before = server.usage().rss;
    progress(`organizations: setting ${count(ORGANIZATIONS)} up`);
    const tokens = await setUpMany(server.port);
    const settled = server.usage().rss;
    const rounds = { one: [], many: [] };
    const events = Math.ceil(EVENTS_EACH / options.rounds);
    for (let round = 1; round <= options.rounds; round += 1) {
      const many = await measure(generator, server, { ...job, requests: { ...requests, tokens }, count: ORGANIZATIONS * events });
      const one = await measure(generator, server, { ...job, ms: options.seconds * 1000 });
      rounds.many.push(many);
      rounds.one.push(one);
      progress(`organizations: round ${round} of ${options.rounds}: ${count(many.rate)} requests/s over all, ${count(one.rate)} on one`);
    }
    const after = server.usage().rss;
    tellLog(server);
    const naive = await measureNaiveOrganizations({ contenders, generator, requests, options });
    return reportOrganizations({ rounds, naive, before, settled, after, aim, events: events * options.rounds });
  } finally {
    await server.stop();
  }
}

/** How many objects of plain JavaScript share one workerd, for comparison: each has a database and a disk to wait for as well. */
async function measureNaiveOrganizations({ contenders, generator, requests, options }) {
  const server = await contenders.get("naive", "organizations");
  const before = server.usage().rss;
  const tokens = Array.from({ length: ORGANIZATIONS }, (_, index) => `${server.tokens[0]}${index}`);
  const job = jobFor({ ...server, tokens }, { requests, connections: CONNECTIONS });
  progress("organizations: the same in plain JavaScript");
  await measure(generator, server, { ...job, count: ORGANIZATIONS });
  const many = await measure(generator, server, { ...job, count: ORGANIZATIONS * NAIVE_EVENTS_EACH });
  const each = (server.usage().rss - before) / ORGANIZATIONS;
  // It commits each request by itself, so this is how often one workerd commits, whoever it is for.
  const one = await measure(generator, server, { ...jobFor(server, { requests, connections: CONNECTIONS }), ms: options.seconds * 1000 });
  return { many, one, each };
}

async function setUpMany(port) {
  const tokens = [];
  const setUpNext = async () => {
    while (tokens.length < ORGANIZATIONS) {
      const place = tokens.push(undefined) - 1;
      tokens[place] = await setUpOrganization(port);
    }
  };
  await Promise.all(Array.from({ length: SET_UPS_AT_ONCE }, setUpNext));
  return tokens;
}

function reportOrganizations({ rounds, naive, before, settled, after, aim, events }) {
  const ratio = median(rounds.many.map(({ rate }, round) => rate / rounds.one[round].rate));
  const rateOf = (results) => median(results.map(({ rate }) => rate));
  const row = (title, results) => [title, count(rateOf(results)), count(median(results.map(({ processorUs }) => processorUs)))];
  printTable(
    `${count(ORGANIZATIONS)} organizations in turn, ${events} events each, ${CONNECTIONS} connections, against one organization on the same workerd`,
    ["", "requests/s", "workerd µs each"],
    [
      row(`${count(ORGANIZATIONS)} organizations`, rounds.many),
      row("one organization", rounds.one),
      row(`${count(ORGANIZATIONS)} organizations in plain JavaScript, ${NAIVE_EVENTS_EACH} events each`, [naive.many]),
      row("one organization in plain JavaScript, which commits each request by itself", [naive.one]),
    ],
  );
  console.log(`\nMemory of workerd: ${bytes(before)} before they were set up, ${bytes(settled)} with all of them, ${bytes(after)} after their events.`);
  const each = (after - before) / ORGANIZATIONS;
  const many = rateOf(rounds.many);
  return [
    finding("organizations: 1,000 / one", `${ratio.toFixed(2)} ×`, `≥ ${aim.toFixed(2)} ×`, ratio >= aim),
    finding("organizations: 1,000 / 1,000 in plain JavaScript", `${(many / naive.many.rate).toFixed(2)} ×`),
    finding("organizations: 1,000 / one that commits each request", `${(many / naive.one.rate).toFixed(2)} ×`),
    finding("organizations: memory of one", bytes(each)),
    finding("organizations: memory of one in plain JavaScript", bytes(naive.each)),
  ];
}

// `npm run bench`: the hot path against its baselines in one run on one machine; ratios and medians, no pass or fail.
//
// wrangler's local proxy stands in front of all of them alike and costs most of the time, so the ratios here are nearer to 1 than they
// are on Cloudflare's network.

import http from "node:http";
import { build } from "../scripts/build.mjs";
import { main } from "../scripts/lib.mjs";
import { seed } from "../scripts/seed.mjs";
import { startServer } from "../scripts/server.mjs";
import { setUp } from "../scripts/setup.mjs";

const CONNECTIONS = 32;
const ROUNDS = 5;
const ROUND_MS = 3_000;

await main(import.meta.url, async () => {
  await setUp();
  await build();
  const server = await startServer({});
  try {
    const { organizationKey } = await seed(server.url, server.platformKey);
    await compare(server.url, cases(organizationKey));
  } finally {
    await server.stop();
  }
});

/** Each case gives the next request: method, path, headers and body. */
function cases(key) {
  let sequence = 0;
  const consumption = (scheme) => () => ({
    method: "POST",
    path: "/v1/usage/consumption",
    headers: { authorization: `${scheme} ${key}`, "content-type": "application/json" },
    body: JSON.stringify({ metric: "apiCalls", amount: "0.000000001", idempotencyKey: `bench-${(sequence += 1)}` }),
  });
  return [
    { name: "consumption, the short way (shell → Meter)", next: consumption("Bearer") },
    // The shell knows `Bearer` only; the router takes any spelling. So this is the same request through axum, with its database reads.
    { name: "consumption, the long way (axum → D1 → Meter)", next: consumption("bearer") },
    { name: "nothing but axum (an unknown route)", next: () => ({ method: "GET", path: "/v1/nothing", headers: {} }) },
    { name: "quota, the short way", next: () => ({ method: "GET", path: "/v1/quotas/apiCalls", headers: { authorization: `Bearer ${key}` } }) },
  ];
}

async function compare(url, all) {
  const rates = all.map(() => []);
  for (let round = 0; round <= ROUNDS; round += 1) {
    for (const [index, { next }] of all.entries()) {
      const rate = await load(url, next);
      // The first round warms up.
      if (round > 0) rates[index].push(rate);
    }
  }
  const medians = rates.map(median);
  console.log(`\n${CONNECTIONS} connections, medians of ${ROUNDS} alternating rounds of ${ROUND_MS / 1000} s\n`);
  for (const [index, { name }] of all.entries()) {
    const ratio = (medians[index] / medians[0]).toFixed(2);
    console.log(`${name.padEnd(48)} ${medians[index].toFixed(0).padStart(6)}/s   ${ratio} × the first`);
  }
}

/** Answers a second, over as many connections as there are, for one round. */
async function load(url, next) {
  const agent = new http.Agent({ keepAlive: true, maxSockets: CONNECTIONS });
  const end = Date.now() + ROUND_MS;
  const started = performance.now();
  let answered = 0;
  const client = async () => {
    while (Date.now() < end) {
      await send(url, agent, next());
      answered += 1;
    }
  };
  await Promise.all(Array.from({ length: CONNECTIONS }, client));
  agent.destroy();
  return answered / ((performance.now() - started) / 1000);
}

function send(url, agent, { method, path, headers, body }) {
  return new Promise((resolve, reject) => {
    const length = body ? { "content-length": Buffer.byteLength(body) } : {};
    const request = http.request(url + path, { method, headers: { ...headers, ...length }, agent }, (response) => {
      response.resume();
      response.on("end", () => resolve(response.statusCode));
    });
    request.on("error", reject);
    request.end(body);
  });
}

function median(values) {
  const sorted = [...values].sort((left, right) => left - right);
  return sorted[Math.floor(sorted.length / 2)];
}

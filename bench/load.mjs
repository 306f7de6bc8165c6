// The load generator, in a process of its own: HTTP/1.1 over plain sockets, so that the generator is never what is measured.
//
// Closed loop: each connection sends its next request when it has its answer. Open loop: requests are due at fixed times, whatever the
// server does, and a latency counts from the time at which its request was due.

import { fork } from "node:child_process";
import net from "node:net";
import { performance } from "node:perf_hooks";
import { fileURLToPath } from "node:url";
import { Failure, atExit } from "../scripts/lib.mjs";

const JOB = "a job";
/** A request without an answer for so long ends the benchmark. */
const SILENCE_MS = 20_000;

/**
 * Starts the generator: `{ run(job), stop() }`. A job:
 *
 * - `port`, `connections`, `keys` (`random` or `sequential`: what idempotency keys look like)
 * - `requests`: `{ kind: "consumption" | "batch" | "quota", size, tokens }`; several tokens are used in turn
 * - `isEmpty`: answers say nothing, so that only their status is checked
 * - closed loop: `ms`, or `count` requests; open loop: `ms` and `rate` a second
 *
 * The answer: `{ rate, answered, cpu, p50, p99 }`: answers a second, all answers, the share of a core the generator took, and in
 * milliseconds what half and 99 of 100 requests took at most.
 */
export function startGenerator() {
  const child = fork(fileURLToPath(import.meta.url), [JOB], { serialization: "json" });
  const callOff = atExit(() => child.kill("SIGKILL"));
  return {
    run: (job) =>
      new Promise((resolve, reject) => {
        const ended = () => reject(new Failure("The load generator ended."));
        child.once("exit", ended);
        child.once("message", ({ result, error }) => {
          child.off("exit", ended);
          if (error) reject(new Failure(error));
          else resolve(result);
        });
        child.send(job);
      }),
    stop() {
      callOff();
      child.disconnect();
    },
  };
}

if (process.argv[2] === JOB) {
  process.on("message", async (job) => {
    try {
      process.send({ result: await run(job) });
    } catch (error) {
      process.send({ error: error.message });
    }
  });
}

async function run(job) {
  const next = requestsOf(job);
  const expected = { consumption: '"replayed":false', batch: `"accepted":${job.requests.size},`, quota: '"allowed":true' }[job.requests.kind];
  const connections = await Promise.all(Array.from({ length: job.connections }, () => connect(job.port, job.isEmpty ? "" : expected)));
  const cpuBefore = process.cpuUsage();
  const started = performance.now();
  const latencies = [];
  const silence = watchSilence(connections, latencies);
  try {
    const answered = await (job.rate ? openLoop(connections, job, next, latencies) : closedLoop(connections, job, next, latencies));
    const { user, system } = process.cpuUsage(cpuBefore);
    const cpu = (user + system) / 1000 / (performance.now() - started);
    latencies.sort((left, right) => left - right);
    const quantile = (share) => latencies[Math.min(latencies.length - 1, Math.ceil(latencies.length * share) - 1)];
    return { ...answered, cpu, p50: quantile(0.5), p99: quantile(0.99) };
  } finally {
    clearInterval(silence);
    for (const connection of connections) connection.close();
  }
}

function watchSilence(connections, latencies) {
  let before = -1;
  return setInterval(() => {
    if (latencies.length === before) for (const connection of connections) connection.fail(new Error(`no answer within ${SILENCE_MS / 1000} s`));
    before = latencies.length;
  }, SILENCE_MS);
}

async function closedLoop(connections, { ms = Infinity, count = Infinity }, next, latencies) {
  const started = performance.now();
  const end = started + ms;
  let sent = 0;
  let inTime = 0;
  let last = started;
  await Promise.all(
    connections.map(async (connection) => {
      for (let now = performance.now(); now < end && sent < count; ) {
        sent += 1;
        const before = now;
        await connection.ask(next());
        now = performance.now();
        latencies.push(now - before);
        if (now <= end) inTime += 1;
        last = now;
      }
    }),
  );
  return { answered: sent, rate: inTime / (((ms === Infinity ? last : end) - started) / 1000) };
}

async function openLoop(connections, { ms, rate }, next, latencies) {
  const idle = [...connections];
  const waiting = [];
  const started = performance.now();
  const total = Math.floor((ms * rate) / 1000);
  const due = (index) => started + (index * 1000) / rate;
  await new Promise((resolve, reject) => {
    let sent = 0;
    const ask = async (connection, at) => {
      await connection.ask(next());
      latencies.push(performance.now() - at);
      if (latencies.length === total) resolve();
      const late = waiting.shift();
      if (late === undefined) idle.push(connection);
      else ask(connection, late).catch(reject);
    };
    const tick = () => {
      while (sent < total && due(sent) <= performance.now()) {
        const connection = idle.pop();
        if (connection) ask(connection, due(sent)).catch(reject);
        else waiting.push(due(sent));
        sent += 1;
      }
      if (sent < total) setTimeout(tick, Math.max(0, due(sent) - performance.now()));
    };
    tick();
  });
  return { answered: total, rate: total / ((performance.now() - started) / 1000) };
}

/** A function that gives the next request's text. */
function requestsOf({ requests: { kind, size, tokens }, keys }) {
  const nextKey = keyMaker(keys);
  let turn = 0;
  const head = (method, path) => {
    const heads = tokens.map((token) => `${method} ${path} HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer ${token}\r\n`);
    return () => heads[turn++ % heads.length];
  };
  if (kind === "quota") {
    const nextHead = head("GET", "/v1/quotas/apiCalls");
    return () => `${nextHead()}\r\n`;
  }
  const event = () => `{"metric":"apiCalls","amount":1,"idempotencyKey":"${nextKey()}"}`;
  const nextHead = head("POST", kind === "batch" ? "/v1/usage/batch" : "/v1/usage/consumption");
  const nextBody = kind === "batch" ? () => `{"events":[${Array.from({ length: size }, event).join(",")}]}` : event;
  return () => {
    const body = nextBody();
    return `${nextHead()}Content-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
  };
}

/** Keys of 32 letters that no other run makes: as random as a UUID, or each after the one before. */
function keyMaker(keys) {
  const letters = () => Math.floor(Math.random() * 2 ** 48).toString(16).padStart(12, "0");
  const run = (letters() + letters()).slice(0, 20);
  let count = 0;
  if (keys === "sequential") return () => run + (count += 1).toString().padStart(12, "0");
  // The count makes a key unique, the letters before it put it anywhere.
  return () => letters() + run.slice(0, 11) + (count += 1).toString(16).padStart(9, "0");
}

/** A connection with one request at a time. */
async function connect(port, expected) {
  const socket = net.connect({ port, host: "127.0.0.1", noDelay: true });
  await new Promise((resolve, reject) => socket.once("connect", resolve).once("error", reject));
  let waiting;
  let received = "";
  const fail = (error) => {
    waiting?.reject(error);
    waiting = undefined;
  };
  socket.setEncoding("latin1").on("data", (chunk) => {
    received = received === "" ? chunk : received + chunk;
    const headEnd = received.indexOf("\r\n\r\n");
    if (headEnd < 0) return;
    const length = /\r\ncontent-length: (\d+)/i.exec(received);
    if (length === null || length.index > headEnd) return fail(new Error(`an answer without a length: ${received.slice(0, 500)}`));
    if (received.length < headEnd + 4 + Number(length[1])) return;
    const answer = received;
    received = "";
    if (!answer.startsWith("HTTP/1.1 200") || (expected && !answer.includes(expected, headEnd))) return fail(new Error(`an unexpected answer: ${answer.slice(0, 1_000)}`));
    const { resolve } = waiting;
    waiting = undefined;
    resolve();
  });
  socket.on("error", fail).on("close", () => fail(new Error("the server closed a connection")));
  return {
    ask: (text) =>
      new Promise((resolve, reject) => {
        waiting = { resolve, reject };
        socket.write(text, "latin1");
      }),
    fail,
    close() {
      socket.removeAllListeners("close");
      socket.destroy();
    },
  };
}

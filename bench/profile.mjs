// Where our Worker spends its time: V8's sampling profiler, through the inspector of workerd, over JavaScript and wasm alike.

import { Failure } from "../scripts/lib.mjs";
import { THROUGHPUT, jobFor, measure } from "./cases.mjs";
import { startOurs } from "./contenders.mjs";
import { count, printTable, progress } from "./report.mjs";

const FUNCTIONS_MAX = 25;
const SAMPLE_US = 200;
const WARM_UP_MS = 2_000;
const TITLE_CHARS_MAX = 100;
const ANSWER_WAIT_MS = 30_000;
/** What V8 says in place of a function. */
const PHASES = new Set(["(root)", "(program)", "(idle)", "(garbage collector)"]);

/** Profiles each chosen case that is a throughput, one after the other. */
export async function profile({ generator, options }) {
  if (typeof WebSocket === "undefined") throw new Failure("This Node has no WebSocket: start it with `npm run bench`, which brings Node 22.");
  const names = options.cases.filter((name) => name in THROUGHPUT);
  if (names.length === 0) throw new Failure(`Only these can be profiled: ${Object.keys(THROUGHPUT).join(" ")}.`);
  for (const name of names) {
    // A fresh one each time, so that the tables of one case are not searched in the next.
    const server = await startOurs({ inspect: true });
    try {
      await profileCase(name, server, generator, options);
    } finally {
      await server.stop();
    }
  }
}

async function profileCase(name, server, generator, options) {
  const job = jobFor(server, THROUGHPUT[name]);
  const inspector = await inspect(server.inspectorPort);
  try {
    progress(`${name}: warming up`);
    await measure(generator, server, { ...job, ms: WARM_UP_MS });
    await inspector.ask("Profiler.enable");
    await inspector.ask("Profiler.setSamplingInterval", { interval: SAMPLE_US });
    await inspector.ask("Profiler.start");
    progress(`${name}: profiling for ${options.rounds * options.seconds} s`);
    const { rate } = await measure(generator, server, { ...job, ms: options.rounds * options.seconds * 1000 });
    const { profile: recorded } = await inspector.ask("Profiler.stop");
    print(name, recorded, rate * job.requests.size);
  } finally {
    inspector.close();
  }
}

/** A conversation with the inspector of the one Worker that is there. */
async function inspect(port) {
  const targets = await (await fetch(`http://127.0.0.1:${port}/json`)).json();
  const target = targets.find(({ id }) => id.includes("main")) ?? targets[0];
  if (!target) throw new Failure("workerd's inspector names no Worker.");
  const socket = new WebSocket(target.webSocketDebuggerUrl ?? `ws://127.0.0.1:${port}/${target.id}`);
  await new Promise((resolve, reject) => {
    socket.addEventListener("open", resolve);
    socket.addEventListener("error", () => reject(new Failure("workerd's inspector refuses to talk.")));
  });
  const waiting = new Map();
  socket.addEventListener("message", ({ data }) => {
    const { id, result, error } = JSON.parse(data);
    const settle = waiting.get(id);
    waiting.delete(id);
    if (error) settle?.reject(new Failure(`The inspector refused: ${error.message}`));
    else settle?.resolve(result);
  });
  let last = 0;
  return {
    ask: (method, params = {}) =>
      new Promise((resolve, reject) => {
        last += 1;
        waiting.set(last, { resolve, reject });
        setTimeout(() => reject(new Failure(`The inspector does not answer to ${method}.`)), ANSWER_WAIT_MS).unref();
        socket.send(JSON.stringify({ id: last, method, params }));
      }),
    close: () => socket.close(),
  };
}

function print(name, { nodes, samples, timeDeltas }, rate) {
  const { selfOf, totalOf, all } = timesOf(nodes, samples, timeDeltas);
  const idle = selfOf.get("(idle)") ?? 0;
  const busy = all - idle;
  const share = (time) => `${((time / busy) * 100).toFixed(1)} %`;
  const perEvent = (time) => ((time / all / rate) * 1e6).toFixed(2);
  const functions = [...selfOf].filter(([title]) => title !== "(idle)").sort(([, left], [, right]) => right - left);
  printTable(
    `${name}: ${count(rate)} ${THROUGHPUT[name].unit} while profiled (that costs time); idle ${((idle / all) * 100).toFixed(0)} %, the rest is 100 %`,
    ["function", "self", "with what it calls", "self µs/event"],
    functions.slice(0, FUNCTIONS_MAX).map(([title, time]) => [title.slice(0, TITLE_CHARS_MAX), share(time), share(totalOf.get(title)), perEvent(time)]),
  );
  console.log('"(program)" and what is marked native is workerd itself, SQLite among it.');
}

/** Microseconds by function: alone, and with all that it called (each sample once, however often the function recurs in it). */
function timesOf(nodes, samples, timeDeltas) {
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const parents = new Map(nodes.flatMap((node) => (node.children ?? []).map((child) => [child, node.id])));
  const title = (id) => titleOf(byId.get(id), byId.get(parents.get(id)));
  const spent = new Map();
  for (const [index, id] of samples.entries()) spent.set(id, (spent.get(id) ?? 0) + Math.max(0, timeDeltas[index]));
  const selfOf = new Map();
  const totalOf = new Map();
  const add = (map, key, time) => map.set(key, (map.get(key) ?? 0) + time);
  let all = 0;
  for (const [id, time] of spent) {
    all += time;
    add(selfOf, title(id), time);
    const onStack = new Set();
    for (let at = id; at !== undefined; at = parents.get(at)) onStack.add(title(at));
    for (const each of onStack) add(totalOf, each, time);
  }
  return { selfOf, totalOf, all };
}

function titleOf(node, parent) {
  const { functionName, url, lineNumber, columnNumber } = node.callFrame;
  const name = functionName || "(anonymous)";
  if (PHASES.has(name)) return name;
  if (url.startsWith("wasm:")) return `${readable(name)} [wasm]`;
  // What has no address is workerd's own, called by something of ours.
  if (!url) return parent && !PHASES.has(parent.callFrame.functionName) ? `${name} [native, by ${readable(parent.callFrame.functionName || "(anonymous)")}]` : `${name} [native]`;
  // Names of the minified glue say nothing; its place in the bundle does.
  return name.length > 2 && functionName ? `${name} [js]` : `${name} [js, ${lineNumber + 1}:${columnNumber + 1} of the bundle]`;
}

/** The compiler's decoration of a Rust name taken off. */
const readable = (name) =>
  name
    .replace(/::h[0-9a-f]{16}$/, "")
    .replace(/\[[0-9a-f]{12,16}\]/g, "")
    .replace(/ externref shim multivalue shim| multivalue shim/, "");

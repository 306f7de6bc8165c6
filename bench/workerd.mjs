// Starts one Worker on plain workerd: no wrangler, no proxy, Durable Objects on the disk of a temporary folder.

import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, openSync, closeSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { processUsage } from "./processes.mjs";
import { Failure, atExit, fromRoot, lastLines, output } from "../scripts/lib.mjs";

const WORKERD = fromRoot("node_modules/workerd/bin/workerd");
const READY_WAIT_MS = 30_000;
const STOP_WAIT_MS = 5_000;
/** Every resident object keeps its database and its log open. */
const OPEN_FILES = 20_000;

/**
 * Answers when it listens: `{ name, port, inspectorPort, usage(), stop() }`.
 *
 * - `entry`: the Worker, bundled first.
 * - `classes`: its Durable Objects, `{ BINDING: "ClassName" }`.
 * - `vars`: its texts.
 * - `inspect`: whether a profiler may look in.
 */
export async function startWorkerd({ name, entry, classes, vars = {}, inspect = false }) {
  const folder = mkdtempSync(path.join(os.tmpdir(), `tenantry-bench-${name}-`));
  const removeFolder = () => rmSync(folder, { recursive: true, force: true });
  try {
    mkdirSync(path.join(folder, "objects"));
    await bundle(entry, folder);
    writeFileSync(path.join(folder, "config.capnp"), configuration({ folder, classes, vars }));
    return await listening(name, folder, inspect, removeFolder);
  } catch (error) {
    removeFolder();
    throw error;
  }
}

/** As wrangler does it: one module, and the wasm beside it. */
async function bundle(entry, folder) {
  // Only here, so that `--help` works before any package is installed.
  const esbuild = await import("esbuild");
  await esbuild.build({
    entryPoints: [fromRoot(entry)],
    outfile: path.join(folder, "worker.mjs"),
    bundle: true,
    format: "esm",
    target: "es2024",
    external: ["cloudflare:*"],
    loader: { ".wasm": "copy" },
    assetNames: "[name]",
    logLevel: "error",
  });
}

function configuration({ folder, classes, vars }) {
  const text = JSON.stringify;
  const wasm = output("ls", [path.join(folder, "index_bg.wasm")]) ? `(name = "index_bg.wasm", wasm = embed "index_bg.wasm"),` : "";
  const namespaces = Object.values(classes).map((name) => `(className = ${text(name)}, uniqueKey = ${text(name)}, enableSql = true)`);
  const bindings = [
    ...Object.entries(classes).map(([binding, name]) => `(name = ${text(binding)}, durableObjectNamespace = ${text(name)})`),
    ...Object.entries(vars).map(([name, value]) => `(name = ${text(name)}, text = ${text(value)})`),
  ];
  return `using Workerd = import "/workerd/workerd.capnp";

const config :Workerd.Config = (
  services = [
    (name = "main", worker = .worker),
    (name = "objects", disk = (path = ${text(path.join(folder, "objects"))}, writable = true)),
  ],
  sockets = [(name = "http", address = "127.0.0.1:0", http = (), service = "main")],
);

const worker :Workerd.Worker = (
  modules = [(name = "worker.mjs", esModule = embed "worker.mjs"), ${wasm}],
  compatibilityDate = ${text(compatibilityDate())},
  durableObjectNamespaces = [${namespaces.join(", ")}],
  durableObjectStorage = (localDisk = "objects"),
  bindings = [${bindings.join(", ")}],
);
`;
}

/** The one that is deployed. */
function compatibilityDate() {
  const date = /^compatibility_date = "([\d-]+)"/m.exec(readFileSync(fromRoot("wrangler.toml"), "utf8"))?.[1];
  if (!date) throw new Failure("wrangler.toml has no compatibility_date.");
  return date;
}

async function listening(name, folder, inspect, removeFolder) {
  const log = path.join(folder, "workerd.log");
  const file = openSync(log, "w");
  const inspector = inspect ? "--inspector-addr=127.0.0.1:0" : "";
  // The shell is there for the limit only; workerd takes its place, and its process id with it.
  const command = `ulimit -n ${OPEN_FILES} 2>/dev/null || ulimit -n "$(ulimit -H -n)"; exec "$0" serve --control-fd=3 ${inspector} config.capnp`;
  const child = spawn("/bin/sh", ["-c", command, WORKERD], { cwd: folder, stdio: ["ignore", file, file, "pipe"] });
  closeSync(file);
  const callOff = atExit(() => {
    child.kill("SIGKILL");
    removeFolder();
  });
  const ended = new Promise((resolve) => child.once("close", resolve));
  const ports = await portsOf(child.stdio[3], inspect, ended).catch((error) => {
    child.kill("SIGKILL");
    callOff();
    throw new Failure(`workerd did not start for ${name} (${error.message}):\n${lastLines(readFileSync(log, "utf8"), 20)}`);
  });
  return {
    name,
    ...ports,
    log: () => readFileSync(log, "utf8"),
    /** As `processUsage`. */
    usage: () => processUsage(child.pid),
    async stop() {
      child.kill("SIGTERM");
      const forced = setTimeout(() => child.kill("SIGKILL"), STOP_WAIT_MS);
      await ended;
      clearTimeout(forced);
      callOff();
      removeFolder();
    },
  };
}

/** workerd says on the control channel which ports it got, a JSON object a line. */
function portsOf(channel, inspect, ended) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error("it does not listen")), READY_WAIT_MS);
    const ports = {};
    let text = "";
    channel.setEncoding("utf8").on("data", (chunk) => {
      text += chunk;
      const lines = text.split("\n");
      text = lines.pop();
      for (const line of lines) {
        const said = JSON.parse(line);
        if (said.event === "listen") ports.port = said.port;
        if (said.event === "listen-inspector") ports.inspectorPort = said.port;
      }
      if (ports.port === undefined || (inspect && ports.inspectorPort === undefined)) return;
      clearTimeout(timer);
      resolve(ports);
    });
    ended.then(() => {
      clearTimeout(timer);
      reject(new Error("it ended"));
    });
  });
}

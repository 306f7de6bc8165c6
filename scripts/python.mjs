// Python for tests and tools: each set of pinned packages is a virtual environment of its own, in the cache of this machine, made once.

import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { takeLock } from "./build.mjs";
import { Failure, eventually, fromRoot, output, quietly } from "./lib.mjs";
import { CACHE } from "./setup.mjs";

/** Of openapi-python-client and FastAPI; schemathesis would take 3.10. */
const PYTHON_MINOR_MIN = 11;
const LOCK_WAIT_MS = 5 * 60_000;

/** The packages of each environment, all with their exact versions. */
const ENVIRONMENTS = {
  clients: () => ["openapi-python-client==0.29.1", "mypy==2.4.1", "httpx==0.28.1"],
  examples: () => readFileSync(fromRoot("examples/fastapi/requirements.txt"), "utf8").split("\n").filter(Boolean),
  fuzz: () => ["schemathesis==4.32.5"],
};

/** The folder of the programs of an environment (`python`, `mypy`, ...); it is made when it is missing. */
export async function pythonEnvironment(name) {
  const packages = ENVIRONMENTS[name]();
  const key = createHash("sha256").update(packages.join("\n")).digest("hex").slice(0, 12);
  const folder = path.join(CACHE, `python-${name}-${key}`);
  const isMade = () => existsSync(path.join(folder, "bin", "python")) && existsSync(path.join(folder, ".made"));
  if (!isMade()) await oneAtATime(`${folder}.lock`, () => isMade() || make(folder, name, packages));
  return path.join(folder, "bin");
}

/** The note is written last: an installation that was interrupted is made again. */
async function make(folder, name, packages) {
  const python = findPython();
  rmSync(folder, { recursive: true, force: true });
  await quietly(`Python environment for ${name}`, python, ["-m", "venv", folder]);
  const install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", ...packages];
  await quietly(`Python packages for ${name}`, path.join(folder, "bin", "python"), install);
  writeFileSync(path.join(folder, ".made"), packages.join("\n"));
}

function findPython() {
  const python = ["python3", "python"].find((name) => {
    const minor = /^Python 3\.(\d+)/.exec(output(name, ["--version"]) ?? "")?.[1];
    return Number(minor) >= PYTHON_MINOR_MIN;
  });
  if (python && output(python, ["-c", "import ensurepip, venv"]) !== undefined) return python;
  const remedy = "install it from https://www.python.org or with your package manager (Debian, Ubuntu: `sudo apt install python3-venv`)";
  throw new Failure(`Python 3.${PYTHON_MINOR_MIN} or newer with its module venv is missing: ${remedy}.`);
}

/** Two test runs on one machine share the cache. */
async function oneAtATime(lock, work) {
  mkdirSync(path.dirname(lock), { recursive: true });
  if (!(await eventually(LOCK_WAIT_MS, () => takeLock(lock), 200))) {
    throw new Failure(`Another installation has been running for ${LOCK_WAIT_MS / 60_000} minutes: stop it, or remove ${lock}.`);
  }
  try {
    await work();
  } finally {
    rmSync(lock, { force: true });
  }
}

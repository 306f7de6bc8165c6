// The shells in which people paste the blocks of README.md and docs/, for the test that pastes them: bash, and a zsh without settings.

import { mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { Failure, output } from "./lib.mjs";
import { CACHE } from "./setup.mjs";

const PACKAGES = ["zsh", "zsh-common"];

/** `{ bash, zsh }`: the command of each, interactive and without anybody's settings. Also sees to what the blocks call. */
export function pasteShells() {
  for (const [tool, packages] of [["jq", "jq"], ["curl", "curl"], ["bash", "bash"]]) {
    if (output(tool, ["--version"]) === undefined) throw missing(tool, packages);
  }
  return {
    bash: ["bash", "--noprofile", "--norc", "--noediting", "-i"],
    // Plain: interactive comments are off, and a word with ? or * that matches no file is an error.
    zsh: [zshCommand(), "-f", "-i"],
  };
}

/** The system's own, or one of our cache; on Debian and Ubuntu the cache is filled from the packages, which needs no root. */
function zshCommand() {
  if (isZsh("zsh")) return "zsh";
  const cached = cachedZsh() ?? unpackedZsh();
  if (cached === undefined) throw missing("zsh", "zsh");
  return cached;
}

const isZsh = (command) => output(command, ["--version"])?.startsWith("zsh ") ?? false;

function cachedZsh() {
  mkdirSync(CACHE, { recursive: true });
  const folders = readdirSync(CACHE).filter((name) => /^zsh-[\d.]+$/.test(name)).sort().reverse();
  return folders.map((name) => path.join(CACHE, name, "bin", "zsh")).find(isZsh);
}

/** Answers undefined where there is no apt, no network, or another reason. */
function unpackedZsh() {
  if (output("apt-get", ["--version"]) === undefined || output("dpkg", ["--version"]) === undefined) return undefined;
  const folder = mkdtempSync(path.join(os.tmpdir(), "tenantry-zsh-"));
  try {
    // apt writes to the folder in which it runs.
    output("sh", ["-c", `cd "$1" && shift && exec apt-get download -qq "$@"`, "sh", folder, ...PACKAGES]);
    const root = path.join(folder, "root");
    for (const name of readdirSync(folder).filter((name) => name.endsWith(".deb"))) output("dpkg", ["-x", path.join(folder, name), root]);
    const version = /^zsh ([\d.]+)/.exec(output(path.join(root, "bin", "zsh"), ["--version"]) ?? "")?.[1];
    if (!version) return undefined;
    const place = path.join(CACHE, `zsh-${version}`);
    rmSync(place, { recursive: true, force: true });
    renameOrCopy(root, place);
    return path.join(place, "bin", "zsh");
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The temporary folder may be on another disk than the cache. */
function renameOrCopy(from, to) {
  try {
    renameSync(from, to);
  } catch {
    output("cp", ["-a", from, to]);
  }
}

function missing(tool, name) {
  const remedy = `run \`sudo apt install ${name}\` (Debian, Ubuntu) or \`brew install ${name}\` (macOS)`;
  return new Failure(`${tool} is missing, and the examples of README.md are tested with it: ${remedy}.`);
}

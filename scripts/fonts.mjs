// The fonts of printed invoices, from npm packages to ./assets/fonts: TrueType, one weight, with an index of what each file can show.
//
// A browser has fonts; a PDF brings its own. The Worker reads them from its static files, only those that a document needs, so the big
// scripts stay in the slices in which they come: a Japanese name costs 60 KB and not 5 MB.

import { existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { fingerprint, fromRoot, readJson, reportDone } from "./lib.mjs";

const OUT = fromRoot("assets/fonts");
const WEIGHT = 400;
const VARIABLE = "@fontsource-variable";

/** Latin, Greek, Cyrillic and Devanagari, whole: what a name mixes freely must come from one file. */
const SANS = "@expo-google-fonts/noto-sans";

/** One file each, named like its slice. */
const SCRIPTS = [
  "arabic", "hebrew", "thai", "bengali", "tamil", "telugu", "gujarati", "gurmukhi", "kannada", "malayalam", "sinhala", "khmer", "lao",
  "myanmar", "georgian", "armenian", "ethiopic", "symbols",
];

/** Numbered slices of a few hundred characters each. */
const SLICED = ["noto-emoji", "noto-sans-jp", "noto-sans-sc", "noto-sans-kr"];

const INDEX = path.join(OUT, "index.json");
const inputsFingerprint = () => fingerprint("scripts/fonts.mjs", "package-lock.json");

export const fontsAreMade = () => existsSync(INDEX) && readJson(INDEX).made === inputsFingerprint();

/** Makes the fonts unless they are there already. */
export async function makeFonts() {
  if (fontsAreMade()) return;
  const started = Date.now();
  const scratch = `${OUT}.${process.pid}`;
  rmSync(scratch, { recursive: true, force: true });
  mkdirSync(scratch, { recursive: true });
  const fonts = [];
  for (const source of sources()) {
    const data = await converted(source);
    const ranges = asRanges(codepoints(data));
    if (ranges === "") continue;
    writeFileSync(path.join(scratch, source.file), data);
    fonts.push({ family: source.family, file: source.file, ranges });
  }
  writeFileSync(path.join(scratch, "LICENSE.txt"), readFileSync(installed(`${VARIABLE}/noto-sans-jp`, "LICENSE")));
  writeFileSync(path.join(scratch, "index.json"), JSON.stringify({ made: inputsFingerprint(), fonts }));
  rmSync(OUT, { recursive: true, force: true });
  renameSync(scratch, OUT);
  reportDone(`${fonts.length} font files for invoices`, started);
}

const installed = (...parts) => fromRoot("node_modules", ...parts);

/** What is converted, in the order in which a character looks for its font. */
function sources() {
  const sans = [["sans", "400Regular"], ["sans-bold", "700Bold"]].map(([family, name]) => ({
    family,
    file: `${family}.ttf`,
    from: installed(SANS, name, `NotoSans_${name}.ttf`),
  }));
  const scripts = SCRIPTS.map((script) => ({
    family: script,
    file: `${script}.ttf`,
    ...slice(`noto-sans-${script}`, script),
  }));
  const sliced = SLICED.flatMap((name) => {
    const family = name.replace(/^noto-(sans-)?/, "");
    return slices(name).map((part) => ({ family, file: `${family}-${part}.ttf`, ...slice(name, part) }));
  });
  return [...sans, ...scripts, ...sliced];
}

function slice(name, part) {
  const ranges = readJson(installed(VARIABLE, name, "unicode.json"));
  return {
    from: installed(VARIABLE, name, "files", `${name}-${part}-wght-normal.woff2`),
    characters: charactersOf(ranges[part] ?? ranges[`[${part}]`]),
  };
}

const slices = (name) =>
  readdirSync(installed(VARIABLE, name, "files"))
    .flatMap((file) => /-(\d+)-wght-normal\.woff2$/.exec(file)?.[1] ?? [])
    .sort((a, b) => Number(a) - Number(b));

/** `U+20,U+30-39` as the characters themselves. */
function charactersOf(ranges) {
  return ranges
    .split(",")
    .flatMap((range) => {
      const [first, last = first] = range.trim().replace(/^U\+/i, "").split("-").map((text) => parseInt(text, 16));
      return Array.from({ length: last - first + 1 }, (_, offset) => String.fromCodePoint(first + offset));
    })
    .join("");
}

/** A variable font becomes one of a single weight: what a PDF embeds has no axes. */
async function converted({ from, characters }) {
  const data = readFileSync(from);
  if (characters === undefined) return data;
  const subsetFont = createRequire(import.meta.url)("subset-font");
  return subsetFont(data, characters, { targetFormat: "sfnt", variationAxes: { wght: WEIGHT } });
}

/** The characters that a TrueType font has glyphs for, ascending, from its `cmap` (formats 4 and 12). */
function codepoints(font) {
  const tables = font.readUInt16BE(4);
  const entry = Array.from({ length: tables }, (_, index) => 12 + 16 * index).find((at) => font.toString("latin1", at, at + 4) === "cmap");
  const cmap = font.readUInt32BE(entry + 8);
  const found = new Set();
  for (let index = 0; index < font.readUInt16BE(cmap + 2); index += 1) {
    const table = cmap + font.readUInt32BE(cmap + 4 + 8 * index + 4);
    const format = font.readUInt16BE(table);
    if (format === 12) segments12(font, table, found);
    if (format === 4) segments4(font, table, found);
  }
  return [...found].sort((a, b) => a - b);
}

function segments12(font, table, found) {
  for (let group = 0; group < font.readUInt32BE(table + 12); group += 1) {
    const at = table + 16 + 12 * group;
    for (let code = font.readUInt32BE(at); code <= font.readUInt32BE(at + 4); code += 1) found.add(code);
  }
}

function segments4(font, table, found) {
  const doubled = font.readUInt16BE(table + 6);
  const field = (number, segment) => table + 14 + number * doubled + (number > 0 ? 2 : 0) + segment;
  for (let segment = 0; segment < doubled; segment += 2) {
    const [end, start] = [font.readUInt16BE(field(0, segment)), font.readUInt16BE(field(1, segment))];
    const [delta, offset] = [font.readUInt16BE(field(2, segment)), font.readUInt16BE(field(3, segment))];
    for (let code = start; code <= end && code !== 0xffff; code += 1) {
      const glyph = offset === 0 ? (code + delta) & 0xffff : font.readUInt16BE(field(3, segment) + offset + 2 * (code - start));
      if (glyph !== 0) found.add(code);
    }
  }
}

/** `20-7e,a0`: short, and read by the crate that prints. */
function asRanges(codes) {
  const ranges = [];
  for (const code of codes) {
    const last = ranges.at(-1);
    if (last && last[1] === code - 1) last[1] = code;
    else ranges.push([code, code]);
  }
  return ranges.map(([first, last]) => (first === last ? first.toString(16) : `${first.toString(16)}-${last.toString(16)}`)).join(",");
}

// Reads what the scripts need to know from wrangler.toml, so that nothing is listed twice.
// Understands the plain TOML that our file is written in: tables, arrays of tables, strings, numbers, booleans, arrays of strings.

import { readFileSync } from "node:fs";
import { fromRoot } from "./lib.mjs";

/** The tables of wrangler.toml in order: their name, their keys, and the comment that stands directly above. */
export function tables(text = readFileSync(fromRoot("wrangler.toml"), "utf8")) {
  const found = [];
  let comment = [];
  for (const line of joinArrays(text).split("\n")) {
    const header = /^\[\[?([\w.]+)\]\]?/.exec(line);
    const entry = /^(\w+)\s*=\s*(.+)$/.exec(line);
    if (line.startsWith("#")) comment.push(line.replace(/^#\s*/, ""));
    else {
      if (header) found.push({ name: header[1], comment: comment.join(" "), keys: {} });
      else if (entry && found.length > 0) found.at(-1).keys[entry[1]] = value(entry[2]);
      comment = [];
    }
  }
  return found;
}

/** An array over several lines becomes one line, without the comments behind its items. */
const joinArrays = (text) =>
  text.replace(/^(\w+ = \[)\n([\s\S]*?)^\]/gm, (_, head, items) => head + items.replace(/"\s*(,?)\s*#.*$/gm, '"$1').replace(/\n\s*/g, "") + "]");

function value(text) {
  if (text.startsWith("[")) return [...text.matchAll(/"([^"]*)"/g)].map((match) => match[1]);
  const string = /^"([^"]*)"/.exec(text);
  return string ? string[1] : JSON.parse(text.replace(/\s+#.*$/, ""));
}

const keysOf = (name) => tables().filter((table) => table.name === name).map((table) => table.keys);

/** Each D1 binding with the folder of its migrations. */
export const databases = () => keysOf("d1_databases");

export const crons = () => keysOf("triggers").flatMap((keys) => keys.crons);

/** Every binding through which the Worker reaches something, with the comment above it. */
export function bindings() {
  return tables()
    .map(({ name, keys, comment }) => ({ table: name, name: keys.binding ?? (name === "durable_objects.bindings" ? keys.name : undefined), comment }))
    .filter((binding) => binding.name);
}

const WEEKDAYS = { sun: "1", mon: "2", tue: "3", wed: "4", thu: "5", fri: "6", sat: "7" };

/**
 * Whether a cron expression names this minute (UTC), as Cloudflare reads it: weekdays are 1 to 7 and begin on Sunday.
 * Knows `*`, numbers, lists, ranges, steps and the names of weekdays.
 */
export function isDue(expression, date) {
  const fields = expression.toLowerCase().replace(/[a-z]{3}/g, (name) => WEEKDAYS[name]).split(" ");
  const now = [date.getUTCMinutes(), date.getUTCHours(), date.getUTCDate(), date.getUTCMonth() + 1, date.getUTCDay() + 1];
  return fields.every((field, index) => field.split(",").some((part) => matches(part, now[index])));
}

function matches(part, number) {
  const [range, step = "1"] = part.split("/");
  const [from, to = part.includes("/") ? Infinity : from] = range === "*" ? [0, Infinity] : range.split("-").map(Number);
  return number >= from && number <= to && (number - from) % Number(step) === 0;
}

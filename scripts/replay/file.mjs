// Reads a file of events: NDJSON, plain or gzipped, in the order in which they were sent.

import { existsSync, readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { Failure } from "../lib.mjs";

export const USAGE = `npm run replay -- <file.ndjson[.gz]> [--verbose]

Streams the events of a file through the public API of a running Worker, on a test clock that follows the file, bills each
period when it ends, and compares each count on each invoice with an independent count of the file.

Each line is a JSON object; other members are left alone:

  {"organization":"acme","id":"9f31c2","time":"2026-03-01T10:00:00+01:00","sent":"2026-03-01T09:00:04Z"}

  organization   whose event it is; each one signs up when its first event is sent
  id             names the event within its organization, so that one sent twice counts once
  time           when it happened, RFC 3339 with any offset: it counts in the period of this instant
  sent           when it was sent; the file is sorted by it

--verbose prints each count and not only those that differ. tests/data/sample-commits.ndjson is a small file.`;

const RFC_3339 = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?(Z|[+-]\d{2}:\d{2})$/;

/**
 * Answers `[{ organization, id, time, timeMs, sentMs }]`. `more` takes further members out of a line: it answers them, or the sentence
 * that says what is wrong with them.
 */
export function readEvents(file, more, usage = USAGE) {
  if (!file) throw new Failure(`Which file?\n\n${usage}`);
  if (!existsSync(file)) throw new Failure(`There is no file ${file}.`);
  const bytes = readFileSync(file);
  const isZipped = bytes[0] === 0x1f && bytes[1] === 0x8b;
  return parseEvents((isZipped ? gunzipSync(bytes) : bytes).toString("utf8"), more, usage);
}

export function parseEvents(text, more = () => ({}), usage = USAGE) {
  const events = [];
  for (const [index, line] of text.split("\n").entries()) {
    if (line.trim() === "") continue;
    const event = parseEvent(line, index + 1, more, usage);
    if (event.sentMs < (events.at(-1)?.sentMs ?? -Infinity)) throw new Failure(`Line ${index + 1} was sent before the line above it: sort the file by \`sent\`.`);
    events.push(event);
  }
  if (events.length === 0) throw new Failure("The file has no events.");
  return events;
}

function parseEvent(line, number, more, usage) {
  const wrong = (what) => new Failure(`Line ${number}: ${what}.\n\n${usage}`);
  let event;
  try {
    event = JSON.parse(line);
  } catch (error) {
    throw wrong(`not JSON (${error.message})`);
  }
  const { organization, id, time, sent } = event;
  for (const [name, value] of Object.entries({ organization, id })) {
    if (typeof value !== "string" || value === "") throw wrong(`\`${name}\` has to be a text`);
  }
  for (const [name, value] of Object.entries({ time, sent })) {
    if (!RFC_3339.test(value) || Number.isNaN(Date.parse(value))) throw wrong(`\`${name}\` has to be a time such as 2026-03-01T10:00:00+01:00`);
  }
  const others = more(event);
  if (typeof others === "string") throw wrong(others);
  return { organization, id, time, timeMs: Date.parse(time), sentMs: Date.parse(sent), ...others };
}

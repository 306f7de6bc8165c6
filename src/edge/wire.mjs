// A hot request and its answer as the texts that go to the Meter and come back: `HotRequest` and `HotReply` in src/meter/contract.rs.

import { EVENTS_PATH } from "./hot_paths.mjs";

/** The largest body that the Meter reads. Rust refuses a larger declared length unread; a longer body is truncated, and refused. */
export const BODY_BYTES_MAX = 1024 * 1024;
/** No type, no key, no attributes, no body. */
const NO_CONTENT = "\n\n\n";

/** As `HotRequest::to_wire`. `caller` is the verified caller, `bytes` are the body, if there is one. */
export function toWire(caller, method, target, headers, key, bytes) {
  return `${caller}\n${method}\n${target}\n${bytes === undefined ? NO_CONTENT : contentOf(target, headers, key, decoded(bytes))}`;
}

/** The wire form of a request with a body: its type, key and attributes, then the body, truncated just past the limit. */
function contentOf(target, headers, key, text) {
  const body = text.length > BODY_BYTES_MAX ? text.slice(0, BODY_BYTES_MAX + 1) : text;
  return `${headers.get("content-type") ?? ""}\n${key}\n${attributesOf(target, headers)}\n${body}`;
}

/** The headers with the attributes of a CloudEvent whose body is only its data. */
function attributesOf(target, headers) {
  if (!target.startsWith(EVENTS_PATH)) return "";
  let found;
  for (const [name, value] of headers) {
    if (name.startsWith("ce-")) (found ??= {})[name] = value;
  }
  return found === undefined ? "" : JSON.stringify(found);
}

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Bytes that are not UTF-8 are not JSON either: the Meter gets a text that it refuses, not a repaired one. */
function decoded(bytes) {
  try {
    return utf8.decode(bytes);
  } catch {
    return "\ufffd";
  }
}

/** As `HotReply::from_wire`. */
export function toResponse(wire) {
  const head = wire.indexOf("\n\n");
  let start = wire.indexOf("\n") + 1;
  const status = Number(wire.slice(0, start - 1));
  const headers = {};
  while (start <= head) {
    const colon = wire.indexOf(": ", start);
    const end = wire.indexOf("\n", colon);
    headers[wire.slice(start, colon)] = wire.slice(colon + 2, end);
    start = end + 1;
  }
  // Where a body is not allowed, an empty one is refused, too.
  return new Response(status === 204 ? null : wire.slice(head + 2), { status, headers });
}

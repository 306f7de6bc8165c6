// A hot request and its answer as the texts that go to the Meter and come back: `HotRequest` and `HotReply` in src/meter/contract.rs.

import { EVENTS_PATH } from "./hot_paths.mjs";

/** The largest body that the Meter reads. What says that it is longer, the Rust side refuses unread; what is longer is cut, and refused. */
export const BODY_BYTES_MAX = 1024 * 1024;
/** No type, no key, no attributes, no body. */
const NO_CONTENT = "\n\n\n";

/** As `HotRequest::to_wire`. `caller` says who asks, `bytes` are the body of a request that has one. */
export function toWire(caller, method, target, headers, key, bytes) {
  return `${caller}\n${method}\n${target}\n${bytes === undefined ? NO_CONTENT : contentOf(target, headers, key, decoded(bytes))}`;
}

/** What the wire says of a request with a body: its type, key and attributes, and at last the body, cut when it is too long anyway. */
function contentOf(target, headers, key, text) {
  const body = text.length > BODY_BYTES_MAX ? text.slice(0, BODY_BYTES_MAX + 1) : text;
  return `${headers.get("content-type") ?? ""}\n${key}\n${attributesOf(target, headers)}\n${body}`;
}

/** The headers that say what a CloudEvent is when its body is only its data. */
function attributesOf(target, headers) {
  if (!target.startsWith(EVENTS_PATH)) return "";
  let found;
  for (const [name, value] of headers) {
    if (name.startsWith("ce-")) (found ??= {})[name] = value;
  }
  return found === undefined ? "" : JSON.stringify(found);
}

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Bytes that are no UTF-8 are no JSON either: the Meter gets something it refuses, not something repaired. */
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
  // Where a body is not allowed, an empty one is refused as well.
  return new Response(status === 204 ? null : wire.slice(head + 2), { status, headers });
}

// Problem documents (RFC 9457) for refusals of the JavaScript shell. Rust makes all others, in the same form.

const ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz";

/** The id of a request that was refused before Rust gave it one. */
export function newRequestId() {
  const letters = Array.from(crypto.getRandomValues(new Uint8Array(26)), (byte, place) => ALPHABET[byte & (place ? 31 : 7)]);
  return `req_${letters.join("")}`;
}

/** `apiUrl` is the address of this Worker, which documents the code; `instance` is the path; `more` are further headers. */
export function problem(apiUrl, status, { code, title, detail }, instance, requestId, more = {}) {
  const type = `${apiUrl.replace(/\/+$/, "")}/docs/errors#${code}`;
  const body = JSON.stringify({ type, title, status, detail, code, instance, requestId });
  return new Response(body, { status, headers: { "content-type": "application/problem+json", "Request-Id": requestId, ...more } });
}

// A small client of the public API, for the scripts that play a vendor: they see only what any client sees.

import { Failure } from "./lib.mjs";

/** Advancing a clock over many due things takes its time; nothing else comes near. */
const REQUEST_LIMIT_MS = 120_000;
const PAGE_SIZE_MAX = 100;

export class Client {
  #url;
  #headers;

  /** `key`: a platform key or an organization's. `organization`: for whom a platform key speaks at tenant endpoints. */
  constructor({ url, key, organization }) {
    this.#url = url;
    this.#headers = { Authorization: `Bearer ${key}`, ...(organization ? { "Tenantry-Organization": organization } : {}) };
  }

  /** Sends one request and answers whatever came, a refusal as well: `{ status, headers, body }`. */
  async send(method, path, body, headers = {}) {
    const response = await this.#fetch(method, path, {
      method,
      headers: { ...this.#headers, ...headers, ...(body === undefined ? {} : { "Content-Type": "application/json" }) },
      body: body === undefined ? undefined : JSON.stringify(body),
      signal: AbortSignal.timeout(REQUEST_LIMIT_MS),
    });
    const text = await response.text();
    return { status: response.status, headers: response.headers, body: parsed(text) };
  }

  async #fetch(method, path, options) {
    try {
      return await fetch(`${this.#url}${path}`, options);
    } catch (error) {
      throw new Failure(`${method} ${path} had no answer: ${error.cause?.message ?? error.message}.`);
    }
  }

  get = (path) => this.#expect("GET", path);
  post = (path, body) => this.#expect("POST", path, body);
  put = (path, body) => this.#expect("PUT", path, body);
  patch = (path, body) => this.#expect("PATCH", path, body);
  delete = (path) => this.#expect("DELETE", path);

  /** Answers the body of a success; anything else ends the script. */
  async #expect(method, path, body) {
    const answer = await this.send(method, path, body);
    if (answer.status >= 200 && answer.status < 300) return answer.body;
    const { code, detail, requestId } = answer.body ?? {};
    throw new Failure(`${method} ${path} answered ${answer.status} ${code ?? ""}: ${detail ?? JSON.stringify(answer.body)} (request ${requestId ?? "?"})`);
  }

  /** Everything a list has, from all of its pages. */
  async all(path) {
    const rows = [];
    for (let cursor; ; ) {
      const query = new URLSearchParams({ limit: PAGE_SIZE_MAX, ...(cursor ? { cursor } : {}) });
      const page = await this.get(`${path}?${query}`);
      rows.push(...page.data);
      if (!page.hasMore) return rows;
      cursor = page.nextCursor;
    }
  }
}

/** What is not JSON did not come from our Worker, but its text says what went wrong. */
function parsed(text) {
  if (text === "") return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return { detail: text };
  }
}

/** The vendor's own client, and one for each of the tenants it speaks for. */
export function vendorOf({ url, platformKey }) {
  if (!platformKey) throw new Failure("The platform key is missing: set TENANTRY_PLATFORM_KEY along with TENANTRY_URL.");
  const vendor = new Client({ url, key: platformKey });
  return Object.assign(vendor, {
    tenant: (organization) => new Client({ url, key: platformKey, organization }),
    backend: (key) => new Client({ url, key }),
  });
}

/** A test clock with what has to be said to it. */
export async function createClock(vendor, now) {
  const { $id } = await vendor.post("/v1/test-clocks", { now });
  return { id: $id, advance: async (to) => (await vendor.put(`/v1/test-clocks/${$id}`, { now: to })).now };
}

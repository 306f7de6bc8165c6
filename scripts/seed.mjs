// A demo organization and a key for its backend, made through the public API as any vendor would make them.

import { Failure } from "./lib.mjs";

const REQUEST_LIMIT_MS = 30_000;
/** A key to try everything with; a real backend gets no more than it needs. */
const SCOPES = ["*"];

/** Answers `{ organization, organizationKey }`. Asked again, it finds the same organization by its idempotency key and makes another key. */
export async function seed(url, platformKey) {
  const organization = await create(`${url}/v1/organizations`, {
    headers: { Authorization: `Bearer ${platformKey}`, "Idempotency-Key": "dev-seed-organization" },
    body: { name: "Demo Company", email: "admin@demo.example" },
  });
  const key = await create(`${url}/v1/api-keys`, {
    headers: { Authorization: `Bearer ${platformKey}`, "Tenantry-Organization": organization.$id },
    body: { name: "demo key", scopes: SCOPES },
  });
  return { organization: organization.$id, organizationKey: key.secret };
}

async function create(url, { headers, body }) {
  const response = await fetch(url, {
    method: "POST",
    headers: { ...headers, "Content-Type": "application/json" },
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(REQUEST_LIMIT_MS),
  });
  const text = await response.text();
  if (response.status !== 201) throw new Failure(`POST ${url} answered ${response.status}, not 201: ${text}`);
  return JSON.parse(text);
}

// Your API with Express. Callers send a Tenantry credential: a program its API key, a member an access token. It is passed on, so that
// this program holds no key of its own.

import { randomUUID } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import express from "express";

const TENANTRY = process.env.TENANTRY_URL ?? "http://127.0.0.1:8787";
const PORT = Number(process.env.PORT ?? 3000);
const ATTEMPTS_MAX = 5;
const FIRST_PAUSE_MS = 100;
const ANSWER_WAIT_MS = 5_000;

/** An answer to the caller that ends the request. */
class Refusal extends Error {
  constructor(status, problem, retryAfter) {
    super(problem.detail);
    Object.assign(this, { status, problem, retryAfter });
  }
}

/** One attempt: the answer as JSON, or undefined where another attempt may succeed. */
async function attempt(url, request) {
  try {
    const response = await fetch(url, { ...request, signal: AbortSignal.timeout(ANSWER_WAIT_MS) });
    if (response.status >= 500) return undefined;
    const json = response.status === 204 ? null : await response.json();
    return { json, refusal: response.ok ? undefined : new Refusal(response.status, json, response.headers.get("retry-after")) };
  } catch {
    return undefined;
  }
}

/** Asks Tenantry as the caller. All attempts carry the same idempotency key, so that an answer that was lost is not counted twice. */
async function tenantry(req, method, path, body) {
  const headers = {
    authorization: req.get("authorization") ?? "",
    "content-type": "application/json",
    // A new key for each request of a caller: a caller who chose it could repeat it, and would be counted once.
    "idempotency-key": randomUUID(),
  };
  const request = { method, headers, ...(body && { body: JSON.stringify(body) }) };
  for (let pause = FIRST_PAUSE_MS, count = 1; count <= ATTEMPTS_MAX; pause *= 2, count += 1) {
    const answer = await attempt(TENANTRY + path, request);
    if (answer?.refusal) throw answer.refusal;
    if (answer) return answer.json;
    await delay(pause * (0.5 + Math.random()));
  }
  throw new Refusal(503, { code: "unavailable", detail: "Usage cannot be counted at the moment: try again." }, "1");
}

/** Counts a call before the handler runs. Over the quota, the handler does not run. */
async function metered(req, res, next) {
  await tenantry(req, "POST", "/v1/usage/consumption", { metric: "apiCalls", amount: 1 });
  next();
}

/** Lets members with a permission through, and gives others the reason. */
const requires = (permission) => async (req, res, next) => {
  const check = await tenantry(req, "GET", `/v1/permissions/check?permission=${permission}`);
  if (!check.allowed) throw new Refusal(403, { code: "forbidden", detail: check.missing?.detail ?? `You lack ${permission}.` });
  next();
};

/** Holds the most that a job may use, runs it, and counts the actual usage. A job that fails counts nothing. */
async function reserved(req, most, job) {
  const { $id } = await tenantry(req, "POST", "/v1/reservations", { metric: "apiCalls", amount: most, ttlSeconds: 600 });
  try {
    const { used, result } = await job();
    await tenantry(req, "POST", `/v1/reservations/${$id}/settlement`, { amount: used });
    return result;
  } catch (error) {
    // Without this release the reservation would end by itself, ten minutes later.
    await tenantry(req, "DELETE", `/v1/reservations/${$id}`).catch(() => undefined);
    throw error;
  }
}

/** The slow job: its usage, a call for each word, is known at its end. */
async function summarize(text) {
  await delay(200);
  const words = text.split(/\s+/).filter(Boolean);
  return { used: words.length, result: { summary: words.slice(0, 3).join(" "), words: words.length } };
}

const app = express();
app.use(express.json());
app.get("/greetings/:name", metered, (req, res) => res.json({ greeting: `Hello ${req.params.name}` }));
app.post("/summaries", async (req, res) => {
  const text = req.body?.text;
  if (typeof text !== "string" || text === "") throw new Refusal(400, { code: "invalid_request", detail: "Send a `text` to summarize." });
  res.json(await reserved(req, text.length, () => summarize(text)));
});
app.delete("/projects/:id", requires("organization.write"), (req, res) => res.status(204).end());

/** Passes a refusal of Tenantry on with its status, its `Retry-After` and its problem document. */
app.use((error, req, res, next) => {
  if (!(error instanceof Refusal)) return next(error);
  if (error.retryAfter) res.set("Retry-After", error.retryAfter);
  return res.status(error.status).type("application/problem+json").send(error.problem);
});

app.listen(PORT, "127.0.0.1", () => console.log(`http://127.0.0.1:${PORT}`));

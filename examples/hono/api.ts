// Your API with Hono. Callers send a Tenantry credential: a program its API key, a member an access token. It is passed on, so that this
// program holds no key of its own.

import { randomUUID } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { serve } from "@hono/node-server";
import { type Context, Hono, type MiddlewareHandler } from "hono";
import { HTTPException } from "hono/http-exception";

const TENANTRY = process.env.TENANTRY_URL ?? "http://127.0.0.1:8787";
const PORT = Number(process.env.PORT ?? 3000);
const ATTEMPTS_MAX = 5;
const FIRST_PAUSE_MS = 100;
const ANSWER_WAIT_MS = 5_000;

interface Problem {
  readonly code: string;
  readonly detail: string;
}

interface PermissionCheck {
  readonly allowed: boolean;
  readonly missing?: Problem | null;
}

interface Reservation {
  readonly $id: string;
}

/** One attempt: the answer as JSON, or undefined where another attempt may succeed. A refusal is thrown as the caller's answer. */
async function attempt(url: string, request: RequestInit): Promise<{ readonly json: unknown } | undefined> {
  try {
    const response = await fetch(url, { ...request, signal: AbortSignal.timeout(ANSWER_WAIT_MS) });
    if (response.ok) return { json: response.status === 204 ? null : await response.json() };
    if (response.status < 500) throw new HTTPException(400, { res: response });
  } catch (error) {
    if (error instanceof HTTPException) throw error;
  }
  return undefined;
}

/** Asks Tenantry as the caller. All attempts carry the same idempotency key, so that an answer that was lost is not counted twice. */
async function tenantry<T>(c: Context, method: string, path: string, body?: object): Promise<T> {
  const headers = {
    authorization: c.req.header("authorization") ?? "",
    "content-type": "application/json",
    // A new key for each request of a caller: a caller who chose it could repeat it, and would be counted once.
    "idempotency-key": randomUUID(),
  };
  const request: RequestInit = { method, headers, ...(body && { body: JSON.stringify(body) }) };
  for (let pause = FIRST_PAUSE_MS, count = 1; count <= ATTEMPTS_MAX; pause *= 2, count += 1) {
    const answer = await attempt(TENANTRY + path, request);
    if (answer) return answer.json as T;
    await delay(pause * (0.5 + Math.random()));
  }
  throw new HTTPException(503, { message: "Usage cannot be counted at the moment: try again." });
}

/** Counts a call before the handler runs. Over the quota, the handler does not run. */
const metered: MiddlewareHandler = async (c, next) => {
  await tenantry(c, "POST", "/v1/usage/consumption", { metric: "apiCalls", amount: 1 });
  await next();
};

/** Lets members with a permission through, and gives others the reason. */
const requires = (permission: string): MiddlewareHandler => async (c, next) => {
  const check = await tenantry<PermissionCheck>(c, "GET", `/v1/permissions/check?permission=${permission}`);
  if (check.allowed) return next();
  return c.json({ code: "forbidden", detail: check.missing?.detail ?? `You lack ${permission}.` }, 403);
};

/** Holds the most that a job may use, runs it, and counts the actual usage. A job that fails counts nothing. */
async function reserved<T>(c: Context, most: number, job: () => Promise<{ readonly used: number; readonly result: T }>): Promise<T> {
  const { $id } = await tenantry<Reservation>(c, "POST", "/v1/reservations", { metric: "apiCalls", amount: most, ttlSeconds: 600 });
  try {
    const { used, result } = await job();
    await tenantry(c, "POST", `/v1/reservations/${$id}/settlement`, { amount: used });
    return result;
  } catch (error) {
    // Without this release the reservation would end by itself, ten minutes later.
    await tenantry(c, "DELETE", `/v1/reservations/${$id}`).catch(() => undefined);
    throw error;
  }
}

/** The slow job: its usage, a call for each word, is known at its end. */
async function summarize(text: string) {
  await delay(200);
  const words = text.split(/\s+/).filter(Boolean);
  return { used: words.length, result: { summary: words.slice(0, 3).join(" "), words: words.length } };
}

const app = new Hono();
app.get("/greetings/:name", metered, (c) => c.json({ greeting: `Hello ${c.req.param("name")}` }));
app.post("/summaries", async (c) => {
  const { text } = await c.req.json<{ text?: unknown }>();
  if (typeof text !== "string" || text === "") return c.json({ code: "invalid_request", detail: "Send a `text` to summarize." }, 400);
  return c.json(await reserved(c, text.length, () => summarize(text)));
});
app.delete("/projects/:id", requires("organization.write"), (c) => c.body(null, 204));

/** Passes a refusal of Tenantry on with its status, its `Retry-After` and its problem document. */
app.onError(async (error, c) => {
  if (!(error instanceof HTTPException)) throw error;
  if (!error.res) return c.json({ code: "unavailable", detail: error.message }, error.status, { "Retry-After": "1" });
  const headers = new Headers({ "content-type": "application/problem+json" });
  const retryAfter = error.res.headers.get("retry-after");
  if (retryAfter) headers.set("retry-after", retryAfter);
  return new Response(error.res.body, { status: error.res.status, headers });
});

serve({ fetch: app.fetch, hostname: "127.0.0.1", port: PORT }, () => console.log(`http://127.0.0.1:${PORT}`));

// The two ways in: batches of our own form, and a CloudEvents client that is not ours (the SDK of the CloudEvents project).
//
// Each way answers how events fared as `{ accepted, replayed, refused: { code: count } }` and keeps their order.

import { Failure } from "../lib.mjs";

/** What one batch takes. */
const BATCH_MAX = 1_000;
/** Of so many of an organization's days, the first event is sent alone in structured mode and the last one in binary mode. */
const DAYS_PER_ALONE = 10;
const REQUEST_LIMIT_MS = 60_000;

export const WAYS = { batch: sendBatches, CloudEvents: sendCloudEvents };

async function sendBatches({ backend, sent, answered }, events) {
  for (const batch of slices(events, BATCH_MAX)) {
    const answer = await backend.post("/v1/usage/batch", {
      events: batch.map(({ metric, amount, key, time, author }) => ({ metric, amount, idempotencyKey: key, timestamp: time, metadata: { author } })),
    });
    noteBatch(answered, batch, answer);
    sent.batches += 1;
  }
}

async function sendCloudEvents(tenant, events) {
  const { sent } = tenant;
  sent.days += 1;
  // Not at the top: on a fresh clone packages are installed when this file is loaded already.
  const { CloudEvent, Mode, emitterFor } = await import("cloudevents");
  const all = events.map((event) => new CloudEvent(attributesOf(event)));
  const alone = (mode, event) => sendAlone(tenant, mode, emitterFor(({ headers, body }) => post(tenant, headers, body), { mode }), event);
  const isAlone = sent.days % DAYS_PER_ALONE === 1 && all.length > 1;
  if (isAlone) await alone(Mode.STRUCTURED, all[0]);
  for (const batch of slices(isAlone ? all.slice(1, -1) : all, BATCH_MAX)) {
    const { status, text } = await post(tenant, { "content-type": "application/cloudevents-batch+json; charset=utf-8" }, JSON.stringify(batch));
    if (status !== 200) throw new Failure(`A batch of CloudEvents was answered with ${status}: ${text}`);
    noteBatch(tenant.answered, batch, JSON.parse(text));
    sent.batches += 1;
  }
  if (isAlone) await alone(Mode.BINARY, all.at(-1));
}

function attributesOf({ organization, key, type, time, amount, author }) {
  return { id: key, source: `/repositories/${encodeURIComponent(organization)}`, type, time, data: { amount, author } };
}

async function sendAlone({ answered, sent }, mode, emit, event) {
  const { status, text } = await emit(event);
  const { replayed, code, errors } = JSON.parse(text);
  sent[mode] += 1;
  if (status === 200) answered[replayed ? "replayed" : "accepted"] += 1;
  else if (status === 400 || status === 422) refuse(answered, errors?.[0]?.code ?? code);
  else throw new Failure(`A CloudEvent in ${mode} mode was answered with ${status}: ${text}`);
}

/** The SDK makes the message, and the transport is ours. */
async function post({ url, secret }, headers, body) {
  const response = await fetch(`${url}/v1/events`, {
    method: "POST",
    headers: { ...headers, Authorization: `Bearer ${secret}` },
    body,
    signal: AbortSignal.timeout(REQUEST_LIMIT_MS),
  });
  return { status: response.status, text: await response.text() };
}

function noteBatch(answered, batch, { accepted, replayed, rejected }) {
  if (accepted + replayed + rejected.length !== batch.length) {
    throw new Failure(`${batch.length} events were sent, and the answer speaks of ${accepted} + ${replayed} + ${rejected.length}.`);
  }
  answered.accepted += accepted;
  answered.replayed += replayed;
  for (const { code } of rejected) refuse(answered, code);
}

const refuse = (answered, code) => void (answered.refused[code] = (answered.refused[code] ?? 0) + 1);

function* slices(items, size) {
  for (let start = 0; start < items.length; start += size) yield items.slice(start, start + size);
}

// A company that lives with the product: what it does, through the API as any client, and what it notices.

import { invoiceText, number } from "./chronicle.mjs";

const CALLS = "apiCalls";
const DAY_S = 86_400;
const BACKEND_SCOPES = ["usage.read", "usage.write"];
/** How many of a day's calls a backend reports at once. */
const EVENTS_PER_STREAM = 200;

export class Company {
  #vendor;
  #clock;
  #chronicle;
  #keys = [];
  #seen = new Set();
  #events = 0;
  invoices = [];
  mails = [];
  /** In calls, apart from `replays`. */
  tally = { admitted: 0, refused: 0, replays: 0 };

  constructor({ vendor, clock, chronicle, name, run }) {
    this.name = name;
    this.#vendor = vendor;
    this.#clock = clock;
    this.#chronicle = chronicle;
    // Mails are kept by address, and a server that others use has seen this company before.
    this.email = `office+${run}@${name.toLowerCase().replaceAll(" ", "-")}.example`;
  }

  #tell(text, details) {
    this.#chronicle.tell(this.#clock.now, this.name, text, details);
  }

  get hasSignedUp() {
    return this.api !== undefined;
  }

  async signsUp(details = {}) {
    const organization = await this.#vendor.post("/v1/organizations", { name: this.name, email: this.email, testClock: this.#clock.id, ...details });
    this.api = this.#vendor.tenant(organization.$id);
    this.timeZone = organization.settings.timezone;
    const { name, trialEndDate, plan } = await this.api.get("/v1/subscription");
    const limit = plan.limits[CALLS];
    this.#tell(`signs up: ${name} on trial until ${trialEndDate.slice(0, 10)}, ${number(limit)} calls a month included`);
    await this.makesKey("backend");
  }

  async makesKey(name) {
    const key = await this.api.post("/v1/api-keys", { name, scopes: BACKEND_SCOPES });
    this.#keys.push(key);
    this.backend = this.#vendor.backend(key.secret);
    this.#tell(`makes the key ${key.prefix}… "${key.name}" for ${key.scopes.join(", ")}`);
  }

  /** Makes another key, revokes the one before and tries it once more. */
  async replacesKey(name) {
    const [old, unguarded] = [this.#keys.at(-1), this.backend];
    await this.makesKey(name);
    await this.api.delete(`/v1/api-keys/${old.$id}`);
    const { status, body } = await unguarded.send("POST", "/v1/usage", { metric: CALLS });
    this.#tell(`revokes ${old.prefix}… "${old.name}"; a call with it is answered ${status} ${body.code}`, [body.detail]);
  }

  async configures(settings) {
    const organization = await this.api.patch("/v1/organization", { settings });
    this.timeZone = organization.settings.timezone;
  }

  async ticksOff(item) {
    await this.api.put(`/v1/onboarding/items/${item}`, { status: "completed" });
  }

  /** Takes up more of a level, unless the plan has no more. */
  async adds(metric, amount) {
    const { status, body } = await this.backend.send("POST", "/v1/usage/consumption", { metric, amount });
    if (status === 200) return this.#tell(`adds ${metric}, ${amount} more: ${number(body.current)} of ${body.limit < 0 ? "any number" : number(body.limit)}`);
    this.#tell(`may not add ${metric}, ${amount} more: ${status} ${body.code}`, [body.detail]);
  }

  /** Asks before it calls. What is refused it calls anyway when it is worth the overage. */
  async asksFor(calls, { paysForMore = false } = {}) {
    const { status, body, headers } = await this.backend.send("POST", "/v1/usage/consumption", { metric: CALLS, amount: calls });
    if (status === 200) {
      this.tally.admitted += calls;
      return this.#tell(`asks for ${number(calls)} calls: allowed, ${number(body.remaining)} of ${number(body.limit)} remain`);
    }
    this.tally.refused += calls;
    const wait = Math.ceil(Number(headers.get("Retry-After")) / DAY_S);
    this.#tell(`asks for ${number(calls)} calls: ${status} ${body.code}, again in ${wait} days`, [body.detail]);
    if (paysForMore) await this.records(calls);
  }

  /** Records calls that have happened, past the limit as well. */
  async records(calls) {
    const { current, limit } = await this.backend.post("/v1/usage", { metric: CALLS, amount: calls });
    this.tally.admitted += calls;
    this.#tell(`records ${number(calls)} calls: ${number(current)} of ${number(limit)}`);
  }

  /** Reports calls in one batch of many events; `when` they happened is now unless said otherwise. */
  async streams(calls, when) {
    const part = Math.floor(calls / EVENTS_PER_STREAM);
    const amounts = Array.from({ length: EVENTS_PER_STREAM }, (_, index) => (index === 0 ? calls - part * (EVENTS_PER_STREAM - 1) : part));
    const events = amounts.map((amount) => ({ metric: CALLS, amount, idempotencyKey: this.#eventKey(), ...(when ? { timestamp: when } : {}) }));
    const { accepted, rejected, current } = await this.backend.post("/v1/usage/batch", { events });
    const refused = rejected.reduce((sum, { index }) => sum + amounts[index], 0);
    this.tally.admitted += calls - refused;
    this.tally.refused += refused;
    const happened = when ? ` that happened on ${when.slice(0, 10)}` : "";
    this.#tell(`streams ${number(calls)} calls${happened}: ${accepted} events accepted, ${rejected.length} refused, ${number(current[CALLS])} in this period`);
  }

  #eventKey() {
    this.#events += 1;
    return `${this.email}-${this.#events}`;
  }

  /** Sends the same request twice, as a client does that has missed the answer. */
  async sendsTwice(calls) {
    const request = { metric: CALLS, amount: calls, idempotencyKey: this.#eventKey() };
    const first = await this.backend.post("/v1/usage", request);
    const second = await this.backend.send("POST", "/v1/usage", request);
    this.tally.admitted += calls;
    this.tally.replays += second.body.replayed ? 1 : 0;
    const header = second.headers.get("Idempotent-Replayed");
    this.#tell(`records ${number(calls)} calls twice under one key: ${number(first.current)}, then ${number(second.body.current)} (Idempotent-Replayed: ${header})`);
  }

  /** What has become true since it was last asked, as lines for the chronicle; `before` is where the clock stood then. */
  async news(before) {
    if (!this.hasSignedUp) return [];
    const [mails, invoices, checklist] = await Promise.all([this.#readMails(), this.api.all("/v1/invoices"), this.api.get("/v1/onboarding")]);
    this.mails = mails;
    this.invoices = invoices;
    const freshMails = this.#fresh([...mails].reverse());
    const mailed = new Set(freshMails.map(({ data }) => data.invoice?.$id));
    return [
      ...this.#checklistNews(checklist.itemListElement, before),
      ...this.#fresh([...invoices].reverse()).map((invoice) => this.#invoiceNews(invoice, mailed.has(invoice.$id))),
      ...freshMails.filter(({ data }) => !data.invoice).map(({ sentAt, subject }) => this.#line(sentAt, { text: `✉ ${subject}` })),
    ];
  }

  #invoiceNews(invoice, isMailed) {
    const { text, details } = invoiceText(invoice, this.timeZone);
    return this.#line(invoice.dateIssued, { text: `${isMailed ? "✉ " : ""}${text}`, details });
  }

  #line(at, { text, details }) {
    return { at, who: this.name, text, details };
  }

  #fresh(resources) {
    const fresh = resources.filter(({ $id }) => !this.#seen.has($id));
    fresh.forEach(({ $id }) => this.#seen.add($id));
    return fresh;
  }

  /** Only what the company does ticks off an item, so that happened before the clock moved on. */
  #checklistNews(items, before) {
    const done = items.filter(({ status }) => status === "completed");
    const fresh = this.#fresh(done.map((item) => ({ ...item, $id: item.key })));
    if (fresh.length === 0) return [];
    const text = `ticks off ${fresh.map(({ name }) => `"${name}"`).join(", ")}: ${done.length} of ${items.length} of the checklist`;
    return [this.#line(before, { text })];
  }

  /** Only a server for development shows its mails. */
  async #readMails() {
    const { status, body } = await this.#vendor.send("GET", `/dev/emails?${new URLSearchParams({ to: this.email })}`);
    return status === 200 ? body : [];
  }

  /** Counted since the last invoice. */
  async openCalls() {
    const { metrics } = await this.api.get("/v1/usage");
    return Number(metrics[CALLS].current);
  }
}

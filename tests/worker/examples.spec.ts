// The programs in examples/, each started as its README says and driven as its callers would: the quota, retries, reservations and
// permissions are the Worker's, the answers the example's.

import assert from "node:assert/strict";
import { execFile, spawn, type ChildProcess } from "node:child_process";
import { readFileSync } from "node:fs";
import { after, before, describe, test } from "node:test";
import { promisify } from "node:util";
import { NODE_22, atExit, environment, fromRoot, signalGroup } from "../../scripts/lib.mjs";
import { pythonEnvironment } from "../../scripts/python.mjs";
import { freePort } from "../../scripts/server.mjs";
import { bearer, counted, eventually, expect, signUp, vendor } from "./support/client.ts";
import type { Answer, Company } from "./support/client.ts";
import { found, joined } from "./support/people.ts";
import { Proxy } from "./support/proxy.ts";
import { freshServer } from "./support/server.ts";

const LINES_MAX = 150;
const START_WAIT_MS = 30_000;
const CHECK_WAIT_MS = 60_000;
const CALLS_WAIT_MS = 30_000;
const CONSUMPTION = "/v1/usage/consumption";

const server = freshServer();

interface Example {
  readonly folder: string;
  readonly code: string;
  /** The start command of its README, as it runs here. */
  readonly command: (inReadme: string) => Promise<string>;
}

const EXAMPLES: readonly Example[] = [
  { folder: "examples/hono", code: "api.ts", command: async (inReadme) => inReadme },
  { folder: "examples/express", code: "api.mjs", command: async (inReadme) => inReadme },
  {
    folder: "examples/fastapi",
    code: "api.py",
    // The environment that the README makes is in the cache of this machine.
    command: async (inReadme) => inReadme.split("\n").at(-1)!.replace(".dev/fastapi/bin", await pythonEnvironment("examples")),
  },
];

/** What a reader pastes: how the example starts, and how it is called. */
function blocks({ folder }: Example): readonly [string, string] {
  const readme = readFileSync(fromRoot(folder, "README.md"), "utf8");
  const [start, calls, ...more] = [...readme.matchAll(/^```sh\n([\s\S]*?)\n```$/gm)].map(([, text]) => text);
  assert.ok(start && calls && more.length === 0, `${folder}/README.md has two blocks`);
  return [start, calls];
}

/** An example that runs, behind it a proxy before the Worker. */
class Running {
  readonly proxy: Proxy;
  readonly url: string;
  readonly #child: ChildProcess;

  private constructor(proxy: Proxy, url: string, child: ChildProcess) {
    this.proxy = proxy;
    this.url = url;
    this.#child = child;
  }

  static async start(example: Example): Promise<Running> {
    const proxy = await Proxy.before(server.current.url);
    const command = await example.command(blocks(example)[0]);
    const port = await freePort();
    const child = spawn("bash", ["-ec", command], {
      cwd: fromRoot(),
      detached: true,
      env: environment({ PORT: String(port), TENANTRY_URL: proxy.url }),
      stdio: ["ignore", "pipe", "pipe"],
    });
    // A run that is interrupted leaves nothing behind.
    const callOff = atExit(() => child.pid && signalGroup(child.pid, "SIGTERM"));
    child.once("exit", callOff);
    let printed = "";
    for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", (text) => (printed += text));
    const running = new Running(proxy, `http://127.0.0.1:${port}`, child);
    try {
      await eventually(`${example.folder} answers`, START_WAIT_MS, async () => {
        assert.equal(child.exitCode, null, printed);
        return fetch(running.url, { signal: AbortSignal.timeout(START_WAIT_MS) }).then(() => true, () => false);
      });
      return running;
    } catch (error) {
      await running.stop();
      throw error;
    }
  }

  /** A caller of the example with a credential of Tenantry. */
  as(credential: string) {
    return bearer({ ...server.current, url: this.url } as typeof server.current, credential);
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode === null) {
      const ended = new Promise((resolve) => this.#child.once("close", resolve));
      signalGroup(this.#child.pid, "SIGTERM");
      await ended;
    }
    await this.proxy.close();
  }
}

/** A company with its key, as a text. */
async function customer(name: string): Promise<{ readonly company: Company; readonly key: string }> {
  const company = await signUp(server.current, name);
  const { secret } = expect(await company.desk.post("/v1/api-keys", { name: "program", scopes: ["usage.read", "usage.write"] }), 201);
  return { company, key: secret };
}

const limited = async ({ id }: Company, limit: number): Promise<void> => {
  expect(await vendor(server.current).put(`/v1/organizations/${id}/limits/apiCalls`, { limit }), 200);
};

/** Passed on as Tenantry wrote it. */
function assertQuotaExceeded(answer: Answer): void {
  assert.deepEqual([answer.status, answer.body?.code], [429, "quota_exceeded"], answer.text);
  assert.match(answer.headers.get("content-type") ?? "", /^application\/problem\+json/);
  assert.ok(Number(answer.headers.get("retry-after")) > 0, "Retry-After is passed on");
}

for (const example of EXAMPLES) {
  describe(example.folder, () => {
    let running: Running | undefined;
    const current = (): Running => running ?? assert.fail("the example was not started");
    before(async () => {
      running = await Running.start(example);
    });
    after(async () => running?.stop());

    test("the calls of its README answer", async () => {
      const { key } = await customer("Pasted");
      const [first, ...rest] = blocks(example)[1].split("\n");
      assert.equal(first, 'eval "$(npm run -s dev -- --keys)"');
      const calls = rest.join("\n").replaceAll("http://127.0.0.1:3000", current().url);
      const options = { env: environment({ TENANTRY_ORGANIZATION_KEY: key }), timeout: CALLS_WAIT_MS };
      const { stdout } = await promisify(execFile)("bash", ["-euc", calls], options);
      assert.deepEqual(stdout.match(/HTTP\/1\.1 \d+/g), ["HTTP/1.1 200", "HTTP/1.1 200"], stdout);
      assert.match(stdout, /"words":\s*5/);
    });

    test(`its code has less than ${LINES_MAX} lines`, () => {
      const lines = readFileSync(fromRoot(example.folder, example.code), "utf8").trimEnd().split("\n");
      assert.ok(lines.length < LINES_MAX, `${lines.length} lines`);
    });

    test("a call is counted and served; over the quota it is refused, and the handler does not run", async () => {
      const { company, key } = await customer("Metered");
      await limited(company, 1);
      const caller = current().as(key);
      assert.deepEqual(expect(await caller.get("/greetings/Ada"), 200), { greeting: "Hello Ada" });
      assertQuotaExceeded(await caller.get("/greetings/Ada"));
      assert.equal(await counted(bearer(server.current, key), "apiCalls"), 1);
    });

    test("a call with an unknown key is refused as Tenantry refuses it", async () => {
      const answer = await current().as("tk_org_unknown").get("/greetings/Ada");
      assert.deepEqual([answer.status, answer.body?.code], [401, "unauthenticated"], answer.text);
    });

    test("an answer that is lost is asked for again under the same key, and the call counts once", async () => {
      const { key } = await customer("Lost");
      const { proxy } = current();
      const known = proxy.requests(CONSUMPTION).length;
      proxy.loseAnswerOf(CONSUMPTION);
      expect(await current().as(key).get("/greetings/Ada"), 200);
      const [first, second, ...more] = proxy.requests(CONSUMPTION).slice(known);
      assert.deepEqual([first.isLost, first.status, second.isLost, second.status, more], [true, 200, false, 200, []]);
      assert.ok(first.idempotencyKey && first.idempotencyKey === second.idempotencyKey, "both attempts have one key");
      assert.equal(await counted(bearer(server.current, key), "apiCalls"), 1);
    });

    test("a slow job is held at its most and counted by its usage; above the quota it does not begin", async () => {
      const { company, key } = await customer("Slow");
      const text = "one two three four five";
      await limited(company, text.length);
      const caller = current().as(key);
      const { proxy } = current();
      const known = proxy.noted.length;
      assert.deepEqual(expect(await caller.post("/summaries", { text }), 200), { summary: "one two three", words: 5 });
      const paths = proxy.noted.slice(known).map((each) => each.path.replace(/res_\w+/, "{id}"));
      assert.deepEqual(paths, ["/v1/reservations", "/v1/reservations/{id}/settlement"]);
      const quota = expect(await bearer(server.current, key).get("/v1/quotas/apiCalls"), 200);
      assert.deepEqual([quota.current, quota.reserved].map(Number), [5, 0]);
      assertQuotaExceeded(await caller.post("/summaries", { text }));
    });

    test("a member without the permission is refused with the reason, the owner is not", async () => {
      const { owner } = await found(server.current, "Roles");
      const viewer = await joined(server.current, owner.client, "Vera", "viewer");
      assert.equal((await current().as(owner.session.accessToken).delete("/projects/1")).status, 204);
      const refused = await current().as(viewer.session.accessToken).delete("/projects/1");
      const check = expect(await viewer.client.get("/v1/permissions/check?permission=organization.write"), 200);
      assert.deepEqual([refused.status, refused.body], [403, { code: "forbidden", detail: check.missing.detail }]);
    });
  });
}

test("the example in TypeScript passes the strict compiler", async () => {
  const options = ["--strict", "--exactOptionalPropertyTypes", "--noUncheckedIndexedAccess", "--noEmit", "--skipLibCheck"];
  const modules = ["--module", "nodenext", "--target", "es2023", "--types", "node"];
  const args = [fromRoot("node_modules/typescript/bin/tsc"), ...options, ...modules, fromRoot("examples/hono/api.ts")];
  const run = promisify(execFile)(NODE_22, args, { cwd: fromRoot(), timeout: CHECK_WAIT_MS });
  await run.catch((error) => assert.fail(error.stdout));
});

// Every shell block of README.md and docs/ works when it is pasted into bash and into a zsh without settings, one document after the other,
// and shows what the document says it shows.

import assert from "node:assert/strict";
import { readFileSync, rmSync } from "node:fs";
import { after, before, describe, test } from "node:test";
import { filesUnder, fromRoot, writePrivateJson } from "../../scripts/lib.mjs";
import { seed } from "../../scripts/seed.mjs";
import { pasteShells } from "../../scripts/shells.mjs";
import { credentialsFile } from "../../scripts/state.mjs";
import { Session } from "./support/paste.ts";
import { recorderOf } from "./support/recorder.ts";
import type { Recorded, Recorder } from "./support/recorder.ts";
import { startServer } from "./support/server.ts";
import type { Server } from "./support/server.ts";

const DOCUMENTS = ["README.md", ...filesUnder("docs").filter((name) => name.endsWith(".md"))];
/** What the documents have the reader write; the folder is no part of the repository. */
const WRITTEN = ["proof.ndjson", "audit.ndjson", "proof.json", "usage.ndjson"].map((name) => fromRoot(".dev", name));

/** Blocks that cannot run here, by their whole text. An entry that no document has any more is a failure. */
const NOT_RUN = [
  { document: "README.md", text: "npm run dev", reason: "does not end; the server of this file takes its place" },
  { document: "README.md", text: "npm test", reason: "runs this file" },
  {
    document: "docs/DEVELOPMENT.md",
    text: [
      "npm run test:watch -- src/catalog/plans/plan.rs",
      "npm run test:watch -- tests/worker/slice.spec.ts",
      "npm test -- proration",
    ].join("\n"),
    reason: "does not end, and runs other tests",
  },
];

interface Block {
  readonly document: string;
  readonly line: number;
  readonly text: string;
  /** The statuses of refusals that the prose above the block announces. */
  readonly refusals: readonly number[];
  /** Lines that the document says the block prints. */
  readonly shows: readonly string[];
}

const FENCE = /^```(\w*)\n([\s\S]*?)^```$/gm;
/** A status of a refusal, which "1,400" and "4.42" are not. */
const REFUSAL = /(?<![\d,.])[45]\d\d(?![\d,]|\.\d)/g;

function blocksOf(document: string): Block[] {
  const source = readFileSync(fromRoot(document), "utf8");
  const fences = [...source.matchAll(FENCE)];
  return fences.flatMap(({ 0: whole, 1: language, 2: content, index }, position) => {
    if (language !== "sh") return [];
    const above = fences[position - 1];
    const prose = source.slice(above ? above.index + above[0].length : 0, index);
    const below = fences[position + 1];
    const isShown = below?.[1] === "text" && source.slice(index + whole.length, below.index).trim() === "";
    return [{
      document,
      line: source.slice(0, index).split("\n").length,
      text: content.trimEnd(),
      refusals: [...prose.split("\n\n").slice(-2).join(" ").matchAll(REFUSAL)].map(([status]) => Number(status)),
      shows: isShown ? below[2].trimEnd().split("\n") : [],
    }];
  });
}

const BLOCKS = DOCUMENTS.map(blocksOf).filter((blocks) => blocks.length > 0);
const isRun = ({ document, text }: Block) => !NOT_RUN.some((entry) => entry.document === document && entry.text === text);

test("every block is tagged as what it is, and the list of those that are not run is current", () => {
  const all = BLOCKS.flat();
  assert.ok(all.filter(isRun).length >= 12, `only ${all.filter(isRun).length} blocks were found`);
  for (const { document, text, reason } of NOT_RUN) {
    const isThere = all.some((block) => block.document === document && block.text === text);
    assert.ok(isThere, `${document} no longer has the block that ${reason}`);
  }
  for (const { document, line, text } of all) {
    assert.doesNotMatch(text, /^\s*#|\s#\s/m, `${document}:${line}: a comment, which a zsh without settings does not read`);
  }
  for (const document of DOCUMENTS) {
    const prose = readFileSync(fromRoot(document), "utf8").replace(FENCE, "");
    assert.equal(/^ {4}(?:curl|npm|cargo|export|jq) .*$/m.exec(prose)?.[0], undefined, `${document} has a command outside of a block`);
  }
});

test("README.md shows a refusal, invoices, a preview, a login, a reservation, a metric and a plan", () => {
  const [readme] = BLOCKS;
  const shown = readme.flatMap(({ shows }) => shows).join("\n");
  assert.deepEqual(readme.flatMap(({ refusals }) => refusals), [429]);
  assert.match(shown, /^HTTP\/1\.1 429 .*\nRetry-After: \d+$/m);
  const invoices = shown.match(/^INV-\d+\t\d{4}-\d\d-\d\d\t\d+\.\d\d\t\w+$/gm) ?? [];
  assert.ok(invoices.length >= 3, "number, day, total and status of three invoices");
  assert.match(shown, /^-\d+\.\d\d\tUnused time .*\n\d+\.\d\d\tRemaining time .*\n\d+\.\d\d\tto pay$/m);
  const pasted = readme.map(({ text }) => text).join("\n");
  for (const part of ["/dev/emails", "/settlement", "/v1/metrics", "/v1/plans", "testClock", "/v1/permissions/check"]) {
    assert.ok(pasted.includes(part), `${part} is missing`);
  }
});

/** A server with the keys where `npm run dev` puts them; each of its answers is recorded. */
async function prepared(): Promise<{ server: Server; recorder: Recorder }> {
  const server = await startServer();
  const recorder = await recorderOf(server);
  const { organization, organizationKey } = await seed(server.url, server.platformKey);
  writePrivateJson(credentialsFile(server.state), { url: recorder.url, platformKey: server.platformKey, organization, organizationKey });
  return { server, recorder };
}

function assertAnswers(answers: readonly Recorded[], { refusals }: Block, place: string): void {
  for (const { ask, status, contentType, text } of answers) {
    if (refusals.includes(status)) continue;
    const isRefusal = status >= 400 || contentType === "application/problem+json";
    assert.ok(!isRefusal, `${place}: ${ask} answers ${status}, which is not announced: ${text}`);
  }
  for (const refusal of refusals) {
    assert.ok(answers.some(({ status }) => status === refusal), `${place}: ${refusal} is announced, and does not come`);
  }
}

/** In this order; other lines may stand between them. */
function assertShown(output: string, { shows }: Block, place: string): void {
  const printed = output.replaceAll("\r", "").split("\n");
  let from = 0;
  for (const line of shows) {
    const found = printed.indexOf(line, from);
    assert.ok(found >= 0, `${place}: the line ${JSON.stringify(line)} is announced, and is not in:\n${output}`);
    from = found + 1;
  }
}

for (const shell of ["bash", "zsh"] as const) {
  describe(`pasted into ${shell}`, () => {
    let command: readonly string[];
    let server: Server;
    let recorder: Recorder;
    before(async () => {
      command = pasteShells()[shell];
      ({ server, recorder } = await prepared());
    });
    after(async () => {
      await recorder?.stop();
      await server?.stop();
      for (const file of WRITTEN) rmSync(file, { force: true });
    });

    test("what fails is noticed, and only bash reads comments", async () => {
      const session = await Session.begin(command);
      try {
        const failures = async (text: string) => (await session.paste(text)).failures.length;
        assert.equal(await failures("echo fine"), 0);
        assert.ok((await failures("echo fine\nfalse\necho fine")) > 0);
        assert.ok((await failures("false | cat")) > 0);
        assert.ok((await failures('echo "$never_set"')) > 0);
        assert.ok((await failures("no_such_command")) > 0);
        assert.equal((await failures("echo 'fine' # with a comment (is it)")) > 0, shell === "zsh");
        assert.equal((await failures("# Does a comment pass?")) > 0, shell === "zsh");
      } finally {
        await session.end();
      }
    });

    for (const blocks of BLOCKS) {
      const run = blocks.filter(isRun);
      if (run.length === 0) continue;
      test(`${run[0].document}: ${run.length} blocks`, async () => {
        const given = { TENANTRY_STATE: server.state, ...(run[0].document === "README.md" ? {} : variables(server, recorder)) };
        const session = await Session.begin(command, given);
        try {
          for (const block of run) await assertWorks(session, block);
        } finally {
          await session.end();
        }
      });
    }

    async function assertWorks(session: Session, block: Block): Promise<void> {
      const place = `${block.document}:${block.line} in ${shell}`;
      const { output, failures } = await session.paste(block.text);
      const answers = recorder.taken();
      const told = answers.map(({ ask, status, text }) => `${ask} ${status} ${text}`).join("\n");
      assert.deepEqual(failures, [], `${place}\n${output}\n${told}`);
      assertAnswers(answers, block, place);
      assertShown(output, block, place);
    }
  });
}

/** What the first block of README.md gives a reader, for the other documents. */
function variables(server: Server, recorder: Recorder): Record<string, string> {
  const { organization, organizationKey } = JSON.parse(readFileSync(credentialsFile(server.state), "utf8"));
  return {
    TENANTRY_URL: recorder.url,
    TENANTRY_PLATFORM_KEY: server.platformKey,
    TENANTRY_ORGANIZATION: organization,
    TENANTRY_ORGANIZATION_KEY: organizationKey,
  };
}

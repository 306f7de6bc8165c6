// Printed invoices on the real Worker: its own static files hold the fonts, and its wasm shapes the text.

import assert from "node:assert/strict";
import { test } from "node:test";
import { inflateSync } from "node:zlib";
import { advance, expect, invoices, makeClock, signUp, vendor } from "./support/client.ts";
import { freshServer } from "./support/server.ts";

const server = freshServer();
const SELLER = "Нордвинд & Söhne";
const CUSTOMER = "さくらソフトウェア שלום";

/** As bytes: the client of the other specs reads text. */
async function print(organization: string, invoice: string, accept: string): Promise<{ headers: Headers; bytes: Buffer }> {
  const { url, platformKey } = server.current;
  const headers = { authorization: `Bearer ${platformKey}`, "tenantry-organization": organization, accept };
  const response = await fetch(`${url}/v1/invoices/${invoice}`, { headers, signal: AbortSignal.timeout(60_000) });
  const bytes = Buffer.from(await response.arrayBuffer());
  assert.equal(response.status, 200, bytes.toString());
  return { headers: response.headers, bytes };
}

/** Every letter that the file's fonts say they show, from their tables of what each code stands for. */
function letters(pdf: Buffer): Set<string> {
  const shown = new Set<string>();
  for (const stream of streams(pdf)) {
    for (const [, text] of stream.matchAll(/^<[0-9a-f]{4}> <((?:[0-9a-f]{4})+)>$/gim)) {
      for (const letter of Buffer.from(text, "hex").swap16().toString("utf16le")) shown.add(letter);
    }
  }
  return shown;
}

function* streams(pdf: Buffer): Generator<string> {
  for (let at = 0; (at = pdf.indexOf("\nstream\n", at)) !== -1; ) {
    const end = pdf.indexOf("\nendstream", at);
    try {
      yield inflateSync(pdf.subarray(at + 8, end)).toString("latin1");
    } catch {
      // Not a compressed one.
    }
    at = end;
  }
}

test("an invoice is a page and a PDF, the same bytes each time, and both name both sides", async () => {
  const logo = Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"><path d="M0 0h9v9z" fill="#15c"/></svg>').toString("base64");
  const seller = { name: SELLER, taxId: "DE811907980", invoicePrefix: "NW-", logo: `data:image/svg+xml;base64,${logo}` };
  expect(await vendor(server.current).put("/v1/seller", seller), 200);
  const clock = await makeClock(server.current, "2026-01-01T00:00:00Z");
  const acme = await signUp(server.current, CUSTOMER, { testClock: clock, taxId: "T1234567890123" });
  await advance(server.current, clock, "2026-02-20T00:00:00Z");
  const [invoice] = await invoices(acme);
  assert.match(invoice.identifier, /^NW-\d{6}$/);

  for (const [accept, type] of [["text/html,*/*;q=0.8", "text/html; charset=utf-8"], ["application/pdf", "application/pdf"]]) {
    const [first, second] = [await print(acme.id, invoice.$id, accept), await print(acme.id, invoice.$id, accept)];
    assert.deepEqual([first.headers.get("content-type"), first.headers.get("vary")], [type, "Accept"]);
    assert.ok(first.bytes.equals(second.bytes), `${accept}: the bytes differ`);
    assert.equal(first.headers.get("etag"), second.headers.get("etag"));
  }
  const page = (await print(acme.id, invoice.$id, "text/html")).bytes.toString();
  for (const text of ["Нордвинд &amp; Söhne", CUSTOMER, invoice.identifier, "T1234567890123", invoice.total.price]) assert.ok(page.includes(text), text);

  const pdf = (await print(acme.id, invoice.$id, "application/pdf")).bytes;
  assert.equal(pdf.subarray(0, 5).toString(), "%PDF-");
  const shown = letters(pdf);
  for (const letter of `${SELLER}${CUSTOMER}`.replaceAll(" ", "")) assert.ok(shown.has(letter), `${letter} is not in the PDF`);
});

test("what is no form of an invoice is refused", async () => {
  const acme = await signUp(server.current, "Refused");
  const answer = await acme.desk.get("/v1/invoices/inv_00000000000000000000000001", { headers: { accept: "image/png" } });
  assert.deepEqual([answer.status, answer.body.code], [406, "not_acceptable"]);
});

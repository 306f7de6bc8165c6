// The script of the interactive page, without a browser: what it tells Swagger UI, and that it draws every operation.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import vm from "node:vm";
import { fromRoot, readJson } from "../../scripts/lib.mjs";

/** The page's script with a Swagger UI that keeps what it is told. */
function loaded(kept: Map<string, string> = new Map()) {
  const getItem = (name: string) => kept.get(name) ?? null;
  const sessionStorage = { getItem, setItem: (name: string, text: string) => kept.set(name, text) };
  const restored: unknown[] = [];
  let told: any;
  const SwaggerUIBundle = (configuration: any) => {
    told = configuration;
    return { authActions: { restoreAuthorization: (payload: unknown) => restored.push(payload) } };
  };
  vm.runInNewContext(readFileSync(fromRoot("assets/docs/docs.js"), "utf8"), { SwaggerUIBundle, sessionStorage });
  return { told, kept, restored };
}

test("the page lists all operations, asks no other host, and keeps no credential beyond the session", () => {
  const { told } = loaded();
  const { url, docExpansion, filter, persistAuthorization, validatorUrl, tryItOutEnabled } = told;
  assert.deepEqual([url, docExpansion, filter, tryItOutEnabled], ["/openapi.json", "list", true, true]);
  assert.deepEqual([persistAuthorization, validatorUrl], [false, null]);
});

test("a pasted key is kept in the tab and is there after a reload", () => {
  const first = loaded();
  first.told.onComplete();
  assert.deepEqual(first.restored, [], "nothing was kept yet");
  const authorized = { organizationKey: { value: "tk_org_example" } };
  const wrap = first.told.plugins[0].statePlugins.auth.wrapActions.persistAuthorizationIfNeeded;
  wrap(undefined, { authSelectors: { authorized: () => ({ toJS: () => authorized }) } })();
  const again = loaded(first.kept);
  again.told.onComplete();
  assert.deepEqual(JSON.parse(JSON.stringify(again.restored)), [{ authorized }]);
});

test("every operation of the description is drawn, however many there are", () => {
  const { paths, tags } = readJson(fromRoot("openapi.json"));
  const all = Object.entries<any>(paths).flatMap(([path, methods]) =>
    Object.entries<any>(methods).map(([method, operation]) => ({ path, method, tag: operation.tags[0] })));
  assert.ok(all.length > 150, "as many as Swagger UI itself would no longer draw at once");
  const drawn: string[] = [];
  const React = {
    createElement(component: string, properties: any) {
      if (component === "OperationContainer") drawn.push(`${properties.tag} ${properties.method} ${properties.path}`);
      return null;
    },
  };
  const record = (members: any) => ({ get: (name: string) => members[name] });
  const list = (items: any[]) => ({ map: (draw: any) => ({ toArray: () => items.map(draw) }) });
  const tagged = {
    size: tags.length,
    map: (draw: any) => ({ valueSeq: () => ({ toArray: () => tags.map(({ name }: any) =>
      draw(record({ operations: list(all.filter(({ tag }) => tag === name).map(record)) }), name)) }) }),
  };
  const specSelectors = { taggedOperations: () => tagged, url: () => "/openapi.json" };
  const { operations } = loaded().told.plugins[1]({ React }).components;
  operations({ getComponent: (name: string) => name, specSelectors });
  assert.deepEqual(drawn.sort(), all.map(({ tag, method, path }) => `${tag} ${method} ${path}`).sort());
});

// In a file of its own, so that the page needs no inline script and can forbid them.

/** Where the credentials are kept: in this tab, until it is closed. */
const KEPT = "tenantry.authorized";

/** Keeps credentials in the session of the tab. Swagger UI itself would keep them in the browser, beyond the session. */
const keepForTheSession = {
  statePlugins: {
    auth: {
      wrapActions: {
        persistAuthorizationIfNeeded: (_original, { authSelectors }) => () => {
          sessionStorage.setItem(KEPT, JSON.stringify(authSelectors.authorized().toJS()));
        },
      },
    },
  },
};

/**
 * Puts every operation into the page, so that the browser's own search finds it. From 150 rows on, Swagger UI itself keeps only those in
 * the page that are on the screen.
 */
const showAllOperations = ({ React }) => {
  const Operations = ({ getComponent, specSelectors, ...system }) => {
    const OperationTag = getComponent("OperationTag");
    const OperationContainer = getComponent("OperationContainer", true);
    const operation = (tag) => (op) => {
      const [path, method, specPath] = ["path", "method", "specPath"].map((name) => op.get(name));
      return React.createElement(OperationContainer, { key: `${method} ${path}`, op, path, method, specPath, tag });
    };
    const operationsOf = (tagged, tag) => tagged.get("operations").map(operation(tag)).toArray();
    const section = (tagObj, tag) => {
      const about = { ...system, key: tag, getComponent, tag, tagObj, specUrl: specSelectors.url() };
      const content = React.createElement("div", { className: "operation-tag-content" }, operationsOf(tagObj, tag));
      return React.createElement(OperationTag, about, content);
    };
    const tags = specSelectors.taggedOperations();
    if (tags.size === 0) return React.createElement("p", null, "No operation has this tag or path.");
    return React.createElement("div", null, tags.map(section).valueSeq().toArray());
  };
  return { components: { operations: Operations } };
};

const page = SwaggerUIBundle({
  url: "/openapi.json",
  dom_id: "#docs",
  deepLinking: true,
  // All operations are in the page, so that the browser's own search finds them.
  docExpansion: "list",
  defaultModelsExpandDepth: 0,
  filter: true,
  persistAuthorization: false,
  tryItOutEnabled: true,
  displayRequestDuration: true,
  // The default would ask a public validator about the description.
  validatorUrl: null,
  plugins: [keepForTheSession, showAllOperations],
  onComplete: () => {
    const kept = sessionStorage.getItem(KEPT);
    if (kept !== null) page.authActions.restoreAuthorization({ authorized: JSON.parse(kept) });
  },
});

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
  plugins: [keepForTheSession],
  onComplete: () => {
    const kept = sessionStorage.getItem(KEPT);
    if (kept !== null) page.authActions.restoreAuthorization(JSON.parse(kept));
  },
});

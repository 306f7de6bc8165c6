// In a file of its own, so that the page needs no inline script and can forbid them.
SwaggerUIBundle({
  url: "/openapi.json",
  dom_id: "#docs",
  deepLinking: true,
  docExpansion: "list",
  filter: true,
  persistAuthorization: true,
  tryItOutEnabled: true,
  // The default would ask a public validator about the description.
  validatorUrl: null,
});

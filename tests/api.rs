//! Every endpoint, asked rightly and wrongly. A refusal is a problem document that says what to do, and it changes nothing.
//!
//! The cast: Acme, on a clock of its own and with two paid months behind it; Globex, a stranger to Acme; the vendor of both.
//! Every answer that is accepted must look as `openapi.json` says.

mod support;

#[path = "api/cast.rs"]
mod cast;
#[path = "api/check.rs"]
mod check;
#[path = "api/document.rs"]
mod document;
#[path = "api/edges.rs"]
mod edges;

#[path = "api/amounts.rs"]
mod amounts;
#[path = "api/audit.rs"]
mod audit;
#[path = "api/bodies.rs"]
mod bodies;
#[path = "api/credentials.rs"]
mod credentials;
#[path = "api/fields.rs"]
mod fields;
#[path = "api/history.rs"]
mod history;
#[path = "api/idempotency.rs"]
mod idempotency;
#[path = "api/limits.rs"]
mod limits;
#[path = "api/lists.rs"]
mod lists;
#[path = "api/metrics.rs"]
mod metrics;
#[path = "api/money.rs"]
mod money;
#[path = "api/people.rs"]
mod people;
#[path = "api/printing.rs"]
mod printing;
#[path = "api/roles.rs"]
mod roles;
#[path = "api/routes.rs"]
mod routes;
#[path = "api/seats.rs"]
mod seats;
#[path = "api/seller.rs"]
mod seller;
#[path = "api/subscriptions.rs"]
mod subscriptions;
#[path = "api/team_members.rs"]
mod team_members;
#[path = "api/teams.rs"]
mod teams;
#[path = "api/timestamps.rs"]
mod timestamps;

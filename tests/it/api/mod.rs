//! Every endpoint, asked rightly and wrongly. A refusal is a problem document that says what to do, and it changes nothing.
//!
//! The cast: Acme, on a clock of its own and with two paid months behind it; Globex, a stranger to Acme; the vendor of both.
//! Every answer that is accepted must look as `openapi.json` says.

pub mod cast;
pub mod check;
pub mod document;
mod edges;
pub mod rows;

mod allowed_origins;
mod amounts;
mod audit;
mod bodies;
mod credentials;
mod cross_origin;
mod fields;
mod history;
mod home;
mod idempotency;
mod limits;
mod lists;
mod metrics;
mod money;
mod people;
mod printing;
mod roles;
mod routes;
mod seats;
mod seller;
mod subscriptions;
mod team_members;
mod teams;
mod timestamps;

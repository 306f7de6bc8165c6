//! All tests of the product on this computer, in one program: `cargo test --test it` runs them, `cargo test --test it billing_run` some.
//!
//! What only the real runtime does is tested in `tests/worker/`.

mod support;

mod api;
mod audit_coverage;
mod billing_run;
mod catalogue;
mod credentials;
mod drift;
mod examples;
mod isolation;
mod kernel;
mod ledger;
mod logins;
mod meter;
mod openapi;
mod problems;
mod scenarios;
mod simulation;
mod teams;
mod tidy;

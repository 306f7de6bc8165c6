//! Stories over weeks and months of virtual time, told through the public API.

mod support;

#[path = "scenarios/endings.rs"]
mod endings;
#[path = "scenarios/exports.rs"]
mod exports;
#[path = "scenarios/first_year.rs"]
mod first_year;
#[path = "scenarios/interrupted.rs"]
mod interrupted;
#[path = "scenarios/invoice_proofs.rs"]
mod invoice_proofs;
#[path = "scenarios/limits.rs"]
mod limits;
#[path = "scenarios/mails.rs"]
mod mails;
#[path = "scenarios/metrics.rs"]
mod metrics;
#[path = "scenarios/money.rs"]
mod money;
#[path = "scenarios/moves.rs"]
mod moves;
#[path = "scenarios/pauses_and_ends.rs"]
mod pauses_and_ends;
#[path = "scenarios/previews.rs"]
mod previews;
#[path = "scenarios/simulations.rs"]
mod simulations;
#[path = "scenarios/subscription_changes.rs"]
mod subscription_changes;

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
#[path = "scenarios/limits.rs"]
mod limits;
#[path = "scenarios/metrics.rs"]
mod metrics;
#[path = "scenarios/money.rs"]
mod money;
#[path = "scenarios/moves.rs"]
mod moves;

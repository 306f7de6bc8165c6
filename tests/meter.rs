//! The Meter as the Worker and the shell see it, natively: groups of requests in, answers out, over SQLite.
//!
//! The cast: Acme, an organization on the professional plan with 1,000 `apiCalls` a month and 10 `users`; `tokens` are unlimited.
//! The time is 10 January 2026, noon, in the period of January, unless a test says otherwise.

#[path = "support/local_sqlite.rs"]
mod local_sqlite;
#[path = "meter/world.rs"]
mod world;

#[path = "meter/aggregations.rs"]
mod aggregations;
#[path = "meter/answers.rs"]
mod answers;
#[path = "meter/batches.rs"]
mod batches;
#[path = "meter/closings.rs"]
mod closings;
#[path = "meter/concurrency.rs"]
mod concurrency;
#[path = "meter/exports.rs"]
mod exports;
#[path = "meter/facts.rs"]
mod facts;
#[path = "meter/failures.rs"]
mod failures;
#[path = "meter/idempotency.rs"]
mod idempotency;
#[path = "meter/invoice_numbers.rs"]
mod invoice_numbers;
#[path = "meter/keys.rs"]
mod keys;
#[path = "meter/levels.rs"]
mod levels;
#[path = "meter/limits.rs"]
mod limits;
#[path = "meter/model.rs"]
mod model;
#[path = "meter/periods.rs"]
mod periods;
#[path = "meter/proofs.rs"]
mod proofs;
#[path = "meter/pruning.rs"]
mod pruning;
#[path = "meter/rates.rs"]
mod rates;
#[path = "meter/refusals.rs"]
mod refusals;
#[path = "meter/reservations.rs"]
mod reservations;
#[path = "meter/roll_up.rs"]
mod roll_up;
#[path = "meter/seats.rs"]
mod seats;
#[path = "meter/upgrade.rs"]
mod upgrade;

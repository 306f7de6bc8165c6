//! The Meter as the Worker and the shell see it, natively: groups of requests in, answers out, over SQLite.
//!
//! The cast: Acme, an organization on the professional plan with 1,000 `apiCalls` a month and 10 `users`; `tokens` are unlimited.
//! The time is 10 January 2026, noon, in the period of January, unless a test says otherwise.

mod world;

mod aggregations;
mod answers;
mod batches;
mod closings;
mod concurrency;
mod end;
mod exports;
mod facts;
mod failures;
mod idempotency;
mod invoice_numbers;
mod keys;
mod levels;
mod limits;
mod model;
mod periods;
mod proofs;
mod pruning;
mod rates;
mod refusals;
mod reservations;
mod roll_up;
mod seats;
mod upgrade;

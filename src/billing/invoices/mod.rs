//! Invoices: what a billing period costs, and that it is asked for once.
//!
//! Owns: the lines of an invoice, its number, its status; the billing run of one subscription. Does not own: prices (`crates/rating`,
//! `catalog/`), counts (the Meter), when a run happens (`jobs/calendar.rs`), mails (`business/billing.rs`).
//! Words: *base price* is charged in advance for the period that begins, *overage* in arrears for the one that ended; *late usage* came
//! after the invoice of its period and is a correction line on the next one; a *draft* has no number, *finalizing* gives it one.
//! Invariants: one invoice a subscription and period, however often a run is repeated or cut off; numbers have no gaps; lines sum to
//! the total; nothing is rounded but once a line.
//! One way leads to every bill, made or shown: `lines.rs` (what is charged for), then `compose.rs` (discounts, taxes, credits).

pub mod bill;
pub mod books;
pub mod endings;
pub mod invoice;
pub mod lifecycle;
pub mod line;
pub mod print;
pub mod proof;
pub mod routes;
pub mod rules;
pub mod store;

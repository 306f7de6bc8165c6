//! Stories over weeks and months of virtual time, told through the public API.

mod endings;
mod exports;
mod first_year;
mod interrupted;
mod invoice_proofs;
mod limits;
mod mails;
mod metrics;
mod money;
mod moves;
mod pauses_and_ends;
mod previews;
mod simulations;
mod subscription_changes;

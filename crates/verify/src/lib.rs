//! Checks a usage proof (`docs/PROOF.md`), an invoice proof (`docs/INVOICE-PROOF.md`) or an exported audit log (`docs/AUDIT.md`) without
//! asking anybody. Of a proof: that no commit was changed, dropped, added or moved, and that every
//! count follows from the events before it.
//!
//! Owns: the proof's form, its hash chain, and the counting rules once more, written from their definition. Does not own: how the Meter
//! counts. This crate shares no code with it, so that one mistake is not made twice.
//! Words: as in `docs/PROOF.md`. A metric is *complete* when the file holds all its events; of one that isn't, the first event that the
//! file has of a period is believed, and said to be.
//!
//! Invariants:
//! - The file is read line by line. Kept are the counters, and of each idempotency key of the last 35 days its hash.
//! - The first thing that is wrong ends it, with the number of its line. Nothing panics, whatever the file holds.

#![forbid(unsafe_code)]
#![deny(missing_docs, clippy::float_arithmetic)]
#![cfg_attr(
    not(test),
    deny(clippy::arithmetic_side_effects, clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::unwrap_used)
)]

mod account;
mod audit;
mod canonical;
mod chain;
mod closings;
mod counters;
mod entry;
mod instant;
mod invoice;
mod keys;
mod lines;
mod proof;
mod state;
mod summary;
mod weighted;

pub use audit::{AuditVerification, Kept, verify_audit};
pub use invoice::{InvoiceVerification, is_invoice_proof, verify_invoice};
pub use proof::{Broken, Verification, verify};

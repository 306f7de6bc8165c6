//! Accounting: what every money fact is posted to.
//!
//! Owns: the ledger and credit. Does not own: invoices (`billing/`) and payments (`receivables/`).

pub mod credits;
pub mod ledger;

//! Accounting: the ledger and credit.
//!
//! Owns: journal entries, balances, credits. Does not own: invoices (`billing/`) and payments (`receivables/`), whose facts are posted.

pub mod credits;
pub mod ledger;

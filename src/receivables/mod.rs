//! Receivables: payments, credit notes and revenue of finalized invoices.
//!
//! Owns: payments, refunds, credit notes, revenue recognition. Does not own: invoices (`billing/invoices/`), the ledger
//! (`accounting/ledger/`).

pub mod credit_notes;
pub mod payments;
pub mod revenue;

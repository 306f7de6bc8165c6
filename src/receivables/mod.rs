//! Receivables: what becomes of an invoice after it was issued.
//!
//! Owns: payments, refunds, credit notes, revenue. Does not own: invoices (`billing/`).

pub mod credit_notes;
pub mod payments;
pub mod revenue;

//! Invoices: the document that charges an organization, from draft to void.
//!
//! Owns: invoices, their lines, numbers and statuses, their journal entries, the printed document and the proof. Does not own: the
//! computation of the amounts (`billing/charging/`), payments and credit notes (`receivables/`), mails (`business/billing.rs`).
//! Words: the *base price* is charged in advance for the next period, *overage* in arrears for the last one; *late usage* arrives after
//! the invoice of its period and is a correction on the next one; a *draft* has no number, *finalizing* gives it one.
//! Invariants: a subscription has one invoice per period and reason, however often a run repeats; numbers have no gaps; the lines sum to
//! the total; an invoice keeps the names and addresses of the moment when it was finalized.

pub mod bill;
pub mod document;
pub mod endings;
pub mod form;
pub mod invoice;
pub mod journal;
pub mod lifecycle;
pub mod line;
pub mod numbers;
pub mod print;
pub mod proof;
pub mod proof_views;
pub mod routes;
pub mod rules;
pub mod store;
pub mod views;

//! Payments: money received for invoices, and refunds.
//!
//! Owns: the records of payments and refunds. Does not own: the amount to pay (`billing/invoices/`), the transfer of money: the vendor
//! records payments made outside of a provider.
//! Words: a payment was *paid* when the money arrived, and *recorded* when it was reported.
//! Invariants: the payments of an invoice never exceed its outstanding amount; a payment and its effect on the invoice are one commit.

pub mod payment;
pub mod routes;
pub mod rules;
pub mod store;

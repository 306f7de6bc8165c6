//! Payments: money that came in for invoices.
//!
//! Owns: the record of each payment, and refunds: money that went back. Does not own: what is to be paid (`invoices/`), nor how money is
//! moved: here the vendor records what came by other ways than a provider.
//! Words: a payment is *recorded* when we hear of it and was *paid* when the money came.
//! Invariants: no more comes in for an invoice than is open; a payment and what it does to the invoice are one commit.

pub mod payment;
pub mod routes;
pub mod rules;
pub mod store;

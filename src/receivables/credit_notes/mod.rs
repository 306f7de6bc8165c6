//! Credit notes: the credited parts of finalized invoices.
//!
//! Owns: credit notes, their lines and numbers, and the split of each into reduction, credit and refund. Does not own: crediting a line
//! in parts (`rating::credit_note`), credit (`accounting/credits/`), payouts (`receivables/payments/`).
//! Words: a credit note *reduces* the outstanding amount; paid money becomes *credit* or a *refund*; the *rest* of a line has not been
//! credited.
//! Invariants: the credit notes of an invoice never exceed it, and those of a line sum to it to the cent, with discount and tax; only
//! paid money is returned, and only money is refunded; numbers have no gaps.

pub mod credit_note;
pub mod numbers;
pub mod parts;
pub mod routes;
pub mod rules;
pub mod store;

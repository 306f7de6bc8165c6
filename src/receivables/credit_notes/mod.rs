//! Credit notes: what is taken back of an invoice that has its number.
//!
//! Owns: credit notes, their lines and numbers, and how each is settled. Does not own: how a line is credited in parts (`rating::credit_note`),
//! credit (`credits/`), refunds (`payments/`).
//! Words: what need not be paid any more *reduces* the invoice; what was paid becomes *credit* or is *refunded*; the *rest* of a line is what
//! no credit note has taken back yet.
//! Invariants: the notes of an invoice never come to more than it, and those of a line sum back to it to the cent, with discount and tax;
//! nothing is given back that was not paid, and no money for what credit paid; numbers have no gaps.

pub mod credit_note;
pub mod numbers;
pub mod parts;
pub mod routes;
pub mod rules;
pub mod store;

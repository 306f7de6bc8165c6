//! The seller: the vendor as its invoices name it.
//!
//! Owns: the vendor's name, address, tax id, logo and small print, and the prefix of its invoice numbers. Does not own: invoices
//! (`invoices/`), how they are printed (`crates/documents`), the numbers themselves (the `InvoiceNumbers` object).
//! Words: the *logo* is a data URI; the *prefix* stands before every invoice's number.
//! Invariants: there is one seller. Before it is set, its name is null and the prefix is the default. A logo that is kept can be printed: what
//! could not is refused when it is brought.

pub mod party;
pub mod routes;
pub mod rules;
pub mod store;

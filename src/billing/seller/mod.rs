//! The seller: the vendor as its invoices name it.
//!
//! Owns: the name, address, tax id, logo and footer of the vendor, and the prefix of its invoice numbers. Does not own: invoices
//! (`billing/invoices/`), printing (`crates/documents`), the numbers (the `InvoiceNumbers` object).
//! Words: the *logo* is a data URI; the *prefix* stands before the number of every invoice.
//! Invariants: there is one seller. Until it is set, its name is null and the prefix is the default. A stored logo can be printed: any
//! other is refused.

pub mod party;
pub mod routes;
pub mod rules;
pub mod store;

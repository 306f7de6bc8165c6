//! All tests that use the crate and its command as others do, in one program.

mod audit;
mod invoices;
mod proofs;

//! Exports: all data of an organization as text, to keep or to move elsewhere.
//!
//! Owns: exports, the text they consist of, and how it is made. Does not own: the tables (every one the database lists is exported), the
//! usage events (the Meter's log).
//! Words: an export is made in *steps*, each a bounded number of pages; its text is kept in *chunks*. The text is NDJSON:
//! `{"table":"...","row":{...}}` a line, referenced tables first, rows by their key; then the usage events, in the order of their
//! recording, as rows of `usageEvents`; at last `{"summary":{...}}` with the number of rows of each table and the SHA-256 of all bytes
//! before that line.
//! Invariants: written text never changes, so repeated and partial downloads agree; a step and its chunks are one commit; secrets are
//! masked. Each table is as it was when it was read, not all of them at one instant.

pub mod export;
pub mod routes;
pub mod rules;
pub mod steps;
pub mod store;

//! Proofs that hold, proofs that were tampered with, and proofs of a Meter that lies.

mod command;
mod lies;
mod support;
mod tampering;

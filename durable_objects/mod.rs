//! The Durable Objects, one file per class: a pure actor on top, a thin shell under it.
//!
//! Owns: what must be strongly consistent and fast for one organization or one seller. Does not own: anything that D1 holds.
//! Invariant: nothing in here panics. A panic would reset the WebAssembly instance, and with it every object that shares it.

#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing,
        clippy::arithmetic_side_effects,
        clippy::float_arithmetic
    )
)]
// A refusal is the rare case and a value of ours; boxing it everywhere would only hide it.
#![allow(clippy::result_large_err)]

pub mod invoice_numbers;
pub mod meter;

#[cfg(target_arch = "wasm32")]
mod storage;

//! Tenantry: the backend that every B2B SaaS company would otherwise write itself. This file is the table of contents.
//!
//! One idea: **a pure core that decides; one commit that records; a thin edge that does.** Every request and every reaction is
//! *load → decide → commit → view*.
//!
//! Invariants:
//! - A tenant's rows are reached through its [`kernel::tenant::Tenant`] only, and its statements name the tenant when they compile.
//! - The rows, facts, mails and the answer of a decision are one batch: all or nothing.
//! - No message is sent before its commit; the minute's sweep replaces lost messages.
//! - The time, ids and randomness are arguments. Money is never a float.
//! - The core knows no Cloudflare: only [`edge`] and the glue of [`durable_objects`] do, and they exist on wasm32 only.

#![forbid(unsafe_code)]
#![deny(clippy::disallowed_methods)]
// A panic on a request path resets every tenant in the isolate, so what could panic does not compile.
#![cfg_attr(
    not(test),
    deny(
        clippy::arithmetic_side_effects,
        clippy::await_holding_refcell_ref,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::panic,
        clippy::unreachable,
        clippy::unwrap_used
    )
)]

// The groups, from the ground up: each imports its own group and those above it in this list.
pub mod events;
pub mod kernel;

pub mod meter;
pub mod sealing;

pub mod http;

pub mod identity;

pub mod catalog;

pub mod tenancy;

pub mod metering;

pub mod accounting;

pub mod billing;

pub mod receivables;

pub mod delivery;

// The business, readable without knowing Rust.
pub mod business;

pub mod operations;

pub mod jobs;

pub mod api;

// Cloudflare.
#[path = "../durable_objects/mod.rs"]
pub mod durable_objects;
#[cfg(target_arch = "wasm32")]
pub mod edge;

//! The catalogue of problems: every code, its status, its cause and remedy, and the operations that answer with it.
//!
//! `openapi.json`, `docs/ERRORS.md` and the page `/docs/errors` are made from it. It is not in the Worker: a problem is built where the
//! rule is that refuses, and `tests/it/problems.rs` reads from the sources that each of them is in this list, and each of this list in the
//! sources.
//!
//! Words: an *operation* is named by its `operationId`; a *form* (upper case, `forms.rs`) is what operations have in common.

#[macro_use]
mod kind;

mod billing;
mod common;
mod fields;
mod organizations;
mod people;
mod plans;
mod usage;

pub use kind::{FieldKind, Kind};

/// All problems, ordered by code and status.
pub fn kinds() -> Vec<Kind> {
    let parts = [common::PROBLEMS, usage::PROBLEMS, organizations::PROBLEMS, people::PROBLEMS, plans::PROBLEMS, billing::PROBLEMS];
    let mut kinds: Vec<Kind> = parts.concat();
    kinds.sort_by_key(|kind| (kind.code, kind.status));
    kinds
}

/// The codes of `errors` that are not the code of a problem as well.
pub fn field_kinds() -> &'static [FieldKind] {
    fields::FIELDS
}

/// The chapters of the documentation, in the order of a reader's needs.
pub fn chapters() -> [(&'static str, Vec<Kind>); 6] {
    [
        ("Every request", common::PROBLEMS.to_vec()),
        ("Usage and quotas", usage::PROBLEMS.to_vec()),
        ("Organizations", organizations::PROBLEMS.to_vec()),
        ("People, teams and keys", people::PROBLEMS.to_vec()),
        ("Metrics and plans", plans::PROBLEMS.to_vec()),
        ("Subscriptions and invoices", billing::PROBLEMS.to_vec()),
    ]
}

/// The members that a problem of this code adds to those of every problem.
pub fn members(code: &str) -> &'static [&'static str] {
    match code {
        "quota_exceeded" => &["metric", "current", "reserved", "limit", "required"],
        "usage_above_new_limit" => &["metric", "current", "limit"],
        "forbidden" => &["missingPermission"],
        "organization_required" => &["organizations"],
        _ => &[],
    }
}

/// The headers that a problem of this status always has, beside `Request-Id`.
pub fn headers(status: u16) -> &'static [&'static str] {
    match status {
        401 => &["WWW-Authenticate"],
        405 => &["Allow"],
        416 => &["Content-Range"],
        429 | 503 => &["Retry-After"],
        _ => &[],
    }
}

//! Problems: how a refusal reads outside (RFC 9457), without knowing HTTP libraries, so that the Meter can answer with them too.
//!
//! `code` is stable and for programs; `detail` is for people and states the cause and the remedy. Internal text is never part of it.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// The page of all codes, with an anchor for each. `src/edge/problems.mjs` names the same.
const DOCUMENTED_AT: &str = "/docs/errors#";

/// One invalid place of the input.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldError {
    /// JSON pointer into the body (`/amount`), or the name of a query parameter or header.
    pub pointer: String,
    pub code: String,
    pub detail: String,
}

/// A refusal, as a problem document.
#[derive(Clone, Debug, PartialEq)]
pub struct Problem {
    pub status: u16,
    pub code: &'static str,
    pub title: &'static str,
    pub detail: String,
    pub errors: Vec<FieldError>,
    /// Further members of the document, such as `limit` of `quota_exceeded`.
    pub members: Map<String, Value>,
    /// Further response headers, such as `Retry-After`.
    pub headers: Vec<(&'static str, String)>,
}

impl Problem {
    pub fn new(status: u16, code: &'static str, title: &'static str, detail: impl Into<String>) -> Self {
        Self { status, code, title, detail: detail.into(), errors: Vec::new(), members: Map::new(), headers: Vec::new() }
    }

    /// 400: the input is invalid at `pointer`.
    pub fn invalid(pointer: impl Into<String>, code: &'static str, detail: impl Into<String>) -> Self {
        let detail = detail.into();
        let error = FieldError { pointer: pointer.into(), code: code.to_owned(), detail: detail.clone() };
        Self { errors: vec![error], ..Self::new(400, "invalid_request", "The request is not valid", detail) }
    }

    /// 400 with a code of its own that clients may branch on.
    pub fn refused(pointer: impl Into<String>, code: &'static str, detail: impl Into<String>) -> Self {
        Self { code, ..Self::invalid(pointer, code, detail) }
    }

    /// 400: a range of time that is empty or reversed.
    pub fn invalid_range() -> Self {
        Self::refused("from", "invalid_range", "Send a `from` that is earlier than `to`.")
    }

    /// 404, the same for an unknown id and for a resource of another organization.
    pub fn not_found(what: &str) -> Self {
        Self::new(
            404,
            "not_found",
            "Not found",
            format!("There is no such {what} here. Check the id and that your key belongs to its organization."),
        )
    }

    pub fn conflict(code: &'static str, detail: impl Into<String>) -> Self {
        Self::new(409, code, "The request conflicts with the present state", detail)
    }

    pub fn unauthenticated(detail: impl Into<String>) -> Self {
        Self::new(401, "unauthenticated", "Credentials are missing or not valid", detail)
            .with_header("WWW-Authenticate", "Bearer realm=\"tenantry\"")
    }

    pub fn forbidden(detail: impl Into<String>) -> Self {
        Self::new(403, "forbidden", "The credential may not do this", detail)
    }

    /// 403 that names the missing permission.
    pub fn lacks_permission(permission: &str) -> Self {
        Self::forbidden(format!(
            "The credential lacks the permission {permission}. Use a key whose scopes include it, or ask for a role that does."
        ))
        .with_member("missingPermission", permission)
    }

    pub fn unavailable(detail: impl Into<String>) -> Self {
        Self::new(503, "unavailable", "Not available right now", detail).with_header("Retry-After", "1")
    }

    /// 503: writes of the organization are refused for a moment during its move.
    pub fn moving() -> Self {
        let detail =
            "This organization is being moved to another database. Nothing was changed. Retry in a second with the same Idempotency-Key.";
        Self::new(503, "organization_moving", "Not available right now", detail).with_header("Retry-After", "1")
    }

    /// 500: an internal error. The log has its cause under the request id.
    pub fn internal() -> Self {
        Self::new(
            500,
            "internal_error",
            "Something went wrong on our side",
            "Nothing was changed. Retry with the same Idempotency-Key; if it stays, report the request id.",
        )
    }

    #[must_use]
    pub fn with_header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    #[must_use]
    pub fn with_member(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.members.insert(name.to_owned(), value.into());
        self
    }

    /// The RFC 9457 document; `api_url` is the address of this Worker, which documents the code.
    pub fn document(&self, api_url: &str, instance: &str, request_id: &str) -> Value {
        let mut document = self.members.clone();
        document.insert("type".into(), format!("{api_url}{DOCUMENTED_AT}{}", self.code).into());
        document.insert("title".into(), self.title.into());
        document.insert("status".into(), self.status.into());
        document.insert("detail".into(), self.detail.clone().into());
        document.insert("code".into(), self.code.into());
        document.insert("instance".into(), instance.into());
        document.insert("requestId".into(), request_id.into());
        if !self.errors.is_empty() {
            document.insert("errors".into(), serde_json::to_value(&self.errors).unwrap_or(Value::Null));
        }
        Value::Object(document)
    }
}

//! The replies to calls, written.

use serde::Serialize;
use serde_json::Value;

use crate::kernel::sql::SqlError;
use crate::meter::contract::CallRefused;

pub(super) fn reply<T: Serialize>(document: &T) -> Result<Value, SqlError> {
    serde_json::to_value(document).map_err(|error| SqlError::Broken(format!("a reply cannot be written: {error}")))
}

/// A refusal is a reply: nothing was changed, and nothing has to be rolled back.
pub(super) fn refused(code: &str, detail: &str) -> Result<Value, SqlError> {
    reply(&CallRefused { refused: code.to_owned(), detail: detail.to_owned() })
}

//! The storage of a Durable Object as the SQL port.
//!
//! Owns: bindings in which nothing can throw past us: an exception that crosses WebAssembly unseen resets the whole instance.
//! Does not own: transactions, which the shell opens and closes around whole calls.

use js_sys::Array;
use serde_json::Value as Json;
use wasm_bindgen::prelude::*;

use crate::kernel::sql::{INTEGER_MAX, LocalSql, Row, SqlError, Value};

#[wasm_bindgen]
extern "C" {
    /// `ctx.storage`.
    #[derive(Clone)]
    pub type ObjectStorage;
    #[wasm_bindgen(method, getter)]
    fn sql(this: &ObjectStorage) -> SqlStorage;

    #[derive(Clone)]
    type SqlStorage;
    #[wasm_bindgen(method, catch, variadic)]
    fn exec(this: &SqlStorage, text: &str, params: Array) -> Result<Cursor, JsValue>;

    type Cursor;
    #[wasm_bindgen(method, catch)]
    fn raw(this: &Cursor) -> Result<JsValue, JsValue>;
    #[wasm_bindgen(method, catch, getter, js_name = columnNames)]
    fn column_names(this: &Cursor) -> Result<Array, JsValue>;

    /// Drains an iterator, so that no cursor stays open.
    #[wasm_bindgen(catch, js_namespace = Array, js_name = from)]
    fn drained(iterator: &JsValue) -> Result<Array, JsValue>;
}

pub struct ObjectSql {
    sql: SqlStorage,
}

impl ObjectSql {
    pub fn new(storage: &ObjectStorage) -> Self {
        Self { sql: storage.sql() }
    }
}

impl LocalSql for ObjectSql {
    fn run(&self, text: &'static str, params: &[Value]) -> Result<Vec<Row>, SqlError> {
        let bound = Array::new();
        for param in params {
            bound.push(&to_js(param)?);
        }
        let cursor = self.sql.exec(text, bound).map_err(failed)?;
        // Whatever else we run has no rows and is over when `exec` returns.
        if !text.starts_with("SELECT") {
            return Ok(Vec::new());
        }
        let names: Vec<String> = cursor.column_names().map_err(failed)?.iter().filter_map(|name| name.as_string()).collect();
        let rows = drained(&cursor.raw().map_err(failed)?).map_err(failed)?;
        rows.iter().map(|row| to_row(&names, &row)).collect()
    }
}

fn to_row(names: &[String], row: &JsValue) -> Result<Row, SqlError> {
    let values = row.dyn_ref::<Array>().ok_or_else(|| SqlError::Broken("a row is not an array".to_owned()))?;
    names.iter().cloned().zip(values.iter()).map(|(name, value)| Ok((name, from_js(&value)?))).collect()
}

/// Numbers are bound as doubles, so they have to fit into 53 bits.
fn to_js(value: &Value) -> Result<JsValue, SqlError> {
    match value {
        Value::Null => Ok(JsValue::NULL),
        Value::Text(text) => Ok(JsValue::from_str(text)),
        Value::Integer(number) if number.unsigned_abs() <= INTEGER_MAX.unsigned_abs() => Ok(JsValue::from_f64(*number as f64)),
        Value::Integer(number) => Err(SqlError::Broken(format!("{number} does not fit into 53 bits"))),
    }
}

fn from_js(value: &JsValue) -> Result<Json, SqlError> {
    if let Some(text) = value.as_string() {
        return Ok(Json::String(text));
    }
    if value.is_null() {
        return Ok(Json::Null);
    }
    match value.as_f64() {
        Some(_) if js_sys::Number::is_safe_integer(value) => Ok(Json::from(value.as_f64().unwrap_or_default() as i64)),
        _ => Err(SqlError::Broken("a column holds what we never store".to_owned())),
    }
}

fn failed(error: JsValue) -> SqlError {
    let message = error.dyn_ref::<js_sys::Error>().map(|error| String::from(error.message())).or_else(|| error.as_string());
    SqlError::from_message(&message.unwrap_or_else(|| "the storage failed without a word".to_owned()))
}

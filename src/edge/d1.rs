//! D1 as the SQL port: one batch is one call, one transaction, and one string back.

use futures::future::BoxFuture;
use serde::Deserialize;
use wasm_bindgen::JsCast;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use worker::Env;
use worker::send::SendFuture;

use crate::kernel::error::{Error, Result};
use crate::kernel::sql::{INTEGER_MAX, Outcome, Row, Sql, SqlError, Statement, Value};

#[wasm_bindgen]
extern "C" {
    /// A D1 binding. Bound here, because the `worker` crate decodes results field by field.
    #[wasm_bindgen(extends = js_sys::Object)]
    type RawDatabase;
    #[wasm_bindgen(method, catch)]
    fn prepare(this: &RawDatabase, text: &str) -> std::result::Result<RawStatement, JsValue>;
    #[wasm_bindgen(method, catch)]
    fn batch(this: &RawDatabase, statements: js_sys::Array) -> std::result::Result<js_sys::Promise, JsValue>;

    #[wasm_bindgen(extends = js_sys::Object)]
    type RawStatement;
    #[wasm_bindgen(method, catch, variadic)]
    fn bind(this: &RawStatement, params: js_sys::Array) -> std::result::Result<RawStatement, JsValue>;
}

pub struct Database(RawDatabase);

/// Retries of a read-only batch after an interruption of D1; writes are never repeated here.
const READ_TRIES_MAX: usize = 3;

impl Database {
    pub fn bind(env: &Env, name: &str) -> Result<Self> {
        let missing = |error| Error::internal(format!("the D1 binding {name} is missing in wrangler.toml: {error}"));
        let database = env.d1(name).map_err(missing)?;
        Ok(Self(JsValue::from(database).unchecked_into()))
    }

    async fn run(&self, statements: &[Statement]) -> std::result::Result<Vec<Outcome>, SqlError> {
        let prepared = js_sys::Array::new();
        for statement in statements {
            let params = statement.params.iter().map(to_js).collect::<std::result::Result<js_sys::Array, _>>()?;
            let bound = self.0.prepare(statement.text).and_then(|raw| raw.bind(params));
            prepared.push(bound.map_err(|error| failure(&error))?.as_ref());
        }
        let batch = self.0.batch(prepared).map_err(|error| failure(&error))?;
        outcomes(&JsFuture::from(batch).await.map_err(|error| failure(&error))?)
    }
}

impl Sql for Database {
    fn batch(&self, statements: Vec<Statement>) -> BoxFuture<'_, std::result::Result<Vec<Outcome>, SqlError>> {
        Box::pin(SendFuture::new(async move {
            let reads_only = statements.iter().all(|statement| statement.text.starts_with("SELECT"));
            let tries = if reads_only { READ_TRIES_MAX } else { 1 };
            for _ in 1..tries {
                match self.run(&statements).await {
                    Err(SqlError::Unavailable(_)) => {}
                    other => return other,
                }
            }
            self.run(&statements).await
        }))
    }
}

/// Integers that a JavaScript number can't represent exactly would be silently changed, so they are refused.
#[allow(clippy::cast_precision_loss, reason = "exact within the range checked before")]
fn to_js(value: &Value) -> std::result::Result<JsValue, SqlError> {
    match value {
        Value::Null => Ok(JsValue::NULL),
        Value::Text(text) => Ok(JsValue::from_str(text)),
        Value::Integer(number) if number.unsigned_abs() <= INTEGER_MAX.unsigned_abs() => Ok(JsValue::from_f64(*number as f64)),
        Value::Integer(number) => Err(SqlError::Broken(format!("{number} is too large for D1"))),
    }
}

#[derive(Deserialize)]
struct RawResult {
    #[serde(default)]
    results: Vec<Row>,
    #[serde(default)]
    meta: RawMeta,
}

#[derive(Default, Deserialize)]
struct RawMeta {
    #[serde(default)]
    changes: u64,
}

/// One string for all rows of the batch is far cheaper than one call into JavaScript for each field.
fn outcomes(results: &JsValue) -> std::result::Result<Vec<Outcome>, SqlError> {
    let broken = |what: &str| SqlError::Broken(format!("a D1 result {what}"));
    let text = js_sys::JSON::stringify(results).map_err(|_| broken("is not JSON"))?;
    let text = text.as_string().ok_or_else(|| broken("has no text"))?;
    let raw: Vec<RawResult> = serde_json::from_str(&text).map_err(|error| broken(&format!("can't be read: {error}")))?;
    Ok(raw.into_iter().map(|raw| Outcome { rows: raw.results, changes: raw.meta.changes }).collect())
}

/// SQLite's message is in the error's message, or in its cause's.
fn failure(error: &JsValue) -> SqlError {
    let message = |error: &JsValue| error.dyn_ref::<js_sys::Error>().map(|error| String::from(error.message()));
    let cause = error.dyn_ref::<js_sys::Error>().and_then(|error| message(&error.cause()));
    let text = message(error).unwrap_or_else(|| format!("{error:?}"));
    SqlError::from_message(&format!("{text} {}", cause.unwrap_or_default()))
}

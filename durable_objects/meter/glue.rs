//! The Meter as JavaScript sees it: texts in, texts out. The shell (`src/edge/meter.mjs`) holds one of these per object.

use js_sys::{Array, Date, JsString, Uint8Array};
use wasm_bindgen::prelude::*;

use super::{Meter, MeterSettings};
use crate::durable_objects::storage::{ObjectSql, ObjectStorage};
use crate::identity::api_keys::token::OrganizationToken;
use crate::kernel::ids::Entropy;
use crate::kernel::sql::SqlError;
use crate::kernel::time::Timestamp;

#[wasm_bindgen]
pub struct MeterCore {
    /// None for an object whose name is no organization. A constructor that throws would reset the instance, so the calls throw instead.
    meter: Option<Meter<ObjectSql>>,
}

#[wasm_bindgen]
impl MeterCore {
    /// `storage` is `ctx.storage`, `secret` the MAC key, `api_url` the address of the Worker, `organization` its id as text, which is the
    /// object's name.
    #[wasm_bindgen(constructor)]
    pub fn new(storage: &ObjectStorage, secret: &str, api_url: &str, organization: &str) -> MeterCore {
        let organization = organization.parse().ok();
        let settings = MeterSettings { secret: secret_bytes(secret), api_url: api_url.trim_end_matches('/').to_owned() };
        Self { meter: organization.map(|organization| Meter::new(ObjectSql::new(storage), settings, organization)) }
    }

    /// Answers a group of hot requests. Throws when nothing was decided: roll back and make a new core.
    pub fn serve(&mut self, group: &Array) -> Result<Array, JsError> {
        let encoder = TextEncoder::new();
        let group: Vec<String> = group.iter().map(|wire| text_of(wire, &encoder)).collect();
        let replies = self.meter()?.serve(&group, now(), &Random).map_err(thrown)?;
        Ok(replies.iter().map(|reply| JsValue::from_str(reply)).collect())
    }

    /// Runs a call of the Worker: JSON in, JSON out. Throws as `serve` does.
    pub fn call(&mut self, text: &str) -> Result<String, JsError> {
        let call = serde_json::from_str(text).map_err(|error| JsError::new(&format!("not a call of the Meter: {error}")))?;
        Ok(self.meter()?.call(call, now()).map_err(thrown)?.to_string())
    }

    /// The time of the next alarm, in milliseconds since 1970; undefined when none is needed.
    pub fn alarm_at(&self) -> Option<f64> {
        self.meter.as_ref()?.alarm_at().map(|instant| instant.as_millis() as f64)
    }

    fn meter(&mut self) -> Result<&mut Meter<ObjectSql>, JsError> {
        self.meter.as_mut().ok_or_else(|| JsError::new("a Meter is named after its organization"))
    }
}

/// Whether a key is one of ours, before any object is addressed: a made-up organization must not bring an object into being.
#[wasm_bindgen]
pub struct KeyGate {
    secret: Vec<u8>,
}

#[wasm_bindgen]
impl KeyGate {
    #[wasm_bindgen(constructor)]
    pub fn new(secret: &str) -> KeyGate {
        Self { secret: secret_bytes(secret) }
    }

    /// `header` is `Bearer tk_org_...`. The Meter checks that the key is known, active and permitted.
    pub fn is_genuine(&self, header: &str) -> bool {
        header.strip_prefix("Bearer ").is_some_and(|text| OrganizationToken::verify(text, &self.secret).is_some())
    }
}

#[wasm_bindgen]
extern "C" {
    type TextEncoder;
    #[wasm_bindgen(constructor)]
    fn new() -> TextEncoder;
    #[wasm_bindgen(method)]
    fn encode(this: &TextEncoder, text: &JsString) -> Uint8Array;
}

/// From this length on, encoding a text at once is faster than what the glue does, letter by letter; below, its call costs more.
const LONG: u32 = 2_048;

/// A text of JavaScript, empty where it is none.
fn text_of(value: JsValue, encoder: &TextEncoder) -> String {
    match value.dyn_into::<JsString>() {
        Ok(text) if text.length() >= LONG => String::from_utf8(encoder.encode(&text).to_vec()).unwrap_or_default(),
        Ok(text) => String::from(text),
        Err(_) => String::new(),
    }
}

/// The secret as it is configured: its text is the key, as in `edge::settings`.
fn secret_bytes(text: &str) -> Vec<u8> {
    text.as_bytes().to_vec()
}

fn now() -> Timestamp {
    Timestamp::from_millis(Date::now() as i64)
}

fn thrown(error: SqlError) -> JsError {
    JsError::new(&format!("{error:?}"))
}

struct Random;

impl Entropy for Random {
    fn bytes(&self) -> [u8; 16] {
        let mut bytes = [0; 16];
        // Without randomness an id still has its time; the platform always has some.
        let _ = getrandom::fill(&mut bytes);
        bytes
    }
}

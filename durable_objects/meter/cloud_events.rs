//! CloudEvents 1.0 over HTTP, read: one event in its structured or its binary form, or a batch of them.
//!
//! Owns: the standard's forms, attributes and header encoding, and what of an event is counted. Does not own: which metric a type
//! means, and the checks that all events share (`bodies.rs`, `counting.rs`).
//!
//! Invariants:
//! - Source and id identify an event, as the standard says: they make its key. No ordinary idempotency key equals it, because
//!   those are printable ASCII in one line.
//! - Attributes that are allowed and not used (`subject`, `dataschema`, extensions) are ignored, never refused.

use rating::Quantity;
use serde::Deserialize;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use super::cloud_event_headers::header_text;
use crate::kernel::json;
use crate::kernel::problem::Problem;
use crate::kernel::time::Timestamp;
use crate::kernel::wording::sentence;

/// Events of one batch, as in `POST /v1/usage/batch`.
const EVENTS_MAX: usize = 1_000;
/// A longer key is kept as its hash, because keys are stored for weeks.
const KEY_BYTES_MAX: usize = 512;

const STRUCTURED: &str = "application/cloudevents+json";
const BATCH: &str = "application/cloudevents-batch+json";

/// What is counted of an event.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct CloudEvent {
    /// The attribute `type`.
    pub kind: String,
    /// The same for the same source and id, and for no other.
    pub key: String,
    pub timestamp: Option<Timestamp>,
    pub amount: Quantity,
    pub metadata: Option<Map<String, Value>>,
}

#[derive(Debug)]
pub(super) enum CloudEvents {
    One(CloudEvent),
    /// In the order of the batch, with the invalid ones in their places.
    Many(Vec<Result<CloudEvent, Problem>>),
}

/// Reads a request whose body has an acceptable size. `attributes` are its `ce-` headers as a JSON object of texts, empty when there
/// are none; the content type decides the form, as in the standard's HTTP binding.
pub(super) fn read(content_type: &str, attributes: &str, body: &str) -> Result<CloudEvents, Problem> {
    let media_type = media_type(content_type);
    match media_type.as_str() {
        STRUCTURED => structured(parse(body)?).map(CloudEvents::One),
        BATCH => batch(parse(body)?).map(CloudEvents::Many),
        _ if !attributes.is_empty() && (is_json(&media_type) || body.trim().is_empty()) => binary(attributes, body).map(CloudEvents::One),
        _ => Err(unsupported_media_type()),
    }
}

fn unsupported_media_type() -> Problem {
    let detail = format!(
        "Send one event with Content-Type: {STRUCTURED}, several with Content-Type: {BATCH}, or one with its attributes in ce- headers \
         and a body with Content-Type: application/json or none."
    );
    Problem::new(415, "unsupported_media_type", "The body is not a CloudEvent", detail)
}

/// Without parameters such as the charset, in lower case.
fn media_type(content_type: &str) -> String {
    content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

/// JSON by the standard's own test. Another form of CloudEvents is no data.
fn is_json(media_type: &str) -> bool {
    let subtype = media_type.split_once('/').map(|(_, subtype)| subtype).unwrap_or_default();
    (subtype == "json" || subtype.ends_with("+json")) && !media_type.starts_with("application/cloudevents")
}

fn parse(body: &str) -> Result<Value, Problem> {
    serde_json::from_str(body).map_err(|error| json::malformed(&error))
}

/// An event whose attributes and data are members of one JSON object.
fn structured(event: Value) -> Result<CloudEvent, Problem> {
    let Value::Object(mut members) = event else {
        return Err(Problem::invalid("", "invalid_value", "Send an event as a JSON object, with its attributes by name."));
    };
    let data = members.remove("data");
    let attributes = Attributes { form: Form::Structured, values: members };
    if attributes.values.get("data_base64").is_some_and(|data| !data.is_null()) {
        return Err(unsupported_data("/data_base64"));
    }
    if let Some(content_type) = attributes.text("datacontenttype")?
        && !is_json(&media_type(content_type))
    {
        return Err(unsupported_data("/datacontenttype"));
    }
    attributes.event(data)
}

fn batch(events: Value) -> Result<Vec<Result<CloudEvent, Problem>>, Problem> {
    let Value::Array(events) = events else {
        return Err(Problem::invalid("", "invalid_value", "Send a batch as a JSON array of events."));
    };
    if events.is_empty() || events.len() > EVENTS_MAX {
        let code = if events.is_empty() { "no_events" } else { "too_many_events" };
        return Err(Problem::refused("", code, format!("Send 1 to {EVENTS_MAX} events in one batch.")));
    }
    Ok(events.into_iter().map(structured).collect())
}

/// An event whose attributes are headers and whose data is the body.
fn binary(attributes: &str, body: &str) -> Result<CloudEvent, Problem> {
    let lost = |_| Problem::invalid("", "malformed_request", "The request did not reach the Meter in one piece. Send it again.");
    let headers: Map<String, Value> = serde_json::from_str(attributes).map_err(lost)?;
    let mut values = Map::new();
    for (header, value) in headers {
        let name = header.strip_prefix("ce-").unwrap_or(&header);
        let value = value.as_str().and_then(header_text).ok_or_else(|| {
            let detail = "A ce- header holds percent-encoded bytes that are not UTF-8. Encode its text as UTF-8.";
            Problem::refused(Form::Binary.pointer(name), "invalid_attribute", detail)
        })?;
        values.insert(name.to_owned(), Value::String(value));
    }
    let data = if body.trim().is_empty() { None } else { Some(parse(body)?) };
    Attributes { form: Form::Binary, values }.event(data)
}

/// Where an event keeps its attributes, so that a refusal can point at one.
#[derive(Clone, Copy)]
enum Form {
    Structured,
    Binary,
}

impl Form {
    fn pointer(self, name: &str) -> String {
        match self {
            Self::Structured => format!("/{name}"),
            Self::Binary => format!("ce-{name}"),
        }
    }

    fn pointer_in_data(self, rest: &str) -> String {
        match self {
            Self::Structured => format!("/data{rest}"),
            Self::Binary => rest.to_owned(),
        }
    }
}

struct Attributes {
    form: Form,
    values: Map<String, Value>,
}

impl Attributes {
    fn event(&self, data: Option<Value>) -> Result<CloudEvent, Problem> {
        self.check_version()?;
        let id = self.required("id")?;
        let source = self.required("source")?;
        if source.chars().any(|letter| letter.is_control() || letter.is_whitespace()) {
            let detail = "The attribute source is a URI reference: send it without blanks and control characters.";
            return Err(self.refused("source", "invalid_attribute", detail));
        }
        let kind = self.required("type")?.to_owned();
        let timestamp = self.text("time")?.map(Timestamp::parse).transpose().map_err(|_| {
            self.refused("time", "invalid_attribute", "The attribute time is an RFC 3339 instant such as 2026-11-22T10:00:00Z.")
        })?;
        let (amount, metadata) = self.counted(data)?;
        Ok(CloudEvent { kind, key: key(source, id), timestamp, amount, metadata })
    }

    fn check_version(&self) -> Result<(), Problem> {
        match self.required("specversion")? {
            "1.0" => Ok(()),
            _ => Err(self.refused("specversion", "unsupported_specversion", "Send CloudEvents of version 1.0 with specversion \"1.0\".")),
        }
    }

    /// Null is absent, as in the standard.
    fn text(&self, name: &str) -> Result<Option<&str>, Problem> {
        match self.values.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(self.refused(name, "invalid_attribute", format!("The attribute {name} is a text: send a JSON string."))),
        }
    }

    fn required(&self, name: &str) -> Result<&str, Problem> {
        let missing = || self.refused(name, "missing_attribute", format!("An event needs the attribute {name}, which is not empty."));
        self.text(name)?.filter(|text| !text.is_empty()).ok_or_else(missing)
    }

    /// The amount, and the rest of the data.
    fn counted(&self, data: Option<Value>) -> Result<(Quantity, Option<Map<String, Value>>), Problem> {
        let mut members = match data {
            None | Some(Value::Null) => return Ok((Quantity::ONE, None)),
            Some(Value::Object(members)) => members,
            Some(_) => return Err(unsupported_data(self.form.pointer_in_data(""))),
        };
        let amount = members.remove("amount").map_or(Ok(Quantity::ONE), Quantity::deserialize).map_err(|error| {
            let pointer = self.form.pointer_in_data("/amount");
            Problem::invalid(pointer, "invalid_value", sentence(&error.to_string(), "field"))
        })?;
        Ok((amount, Some(members).filter(|members| !members.is_empty())))
    }

    fn refused(&self, name: &str, code: &'static str, detail: impl Into<String>) -> Problem {
        Problem::refused(self.form.pointer(name), code, detail)
    }
}

fn unsupported_data(pointer: impl Into<String>) -> Problem {
    let detail = "Send data as a JSON object, such as {\"amount\":5}, or none at all to count 1.";
    Problem::refused(pointer, "unsupported_data", detail)
}

/// The line feed is in no source and in no ordinary key.
fn key(source: &str, id: &str) -> String {
    let key = format!("{source}\n{id}");
    if key.len() <= KEY_BYTES_MAX {
        return key;
    }
    let digest = Sha256::digest(key.as_bytes());
    digest.iter().fold("sha256:".to_owned(), |hex, byte| format!("{hex}{byte:02x}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn one(content_type: &str, attributes: &str, body: &str) -> CloudEvent {
        match read(content_type, attributes, body) {
            Ok(CloudEvents::One(event)) => event,
            other => panic!("{other:?}"),
        }
    }

    /// Status, code and pointer.
    fn refusal(content_type: &str, attributes: &str, body: &str) -> (u16, String, String) {
        let problem = read(content_type, attributes, body).unwrap_err();
        let error = problem.errors.first();
        let code = error.map_or(problem.code.to_owned(), |error| error.code.clone());
        (problem.status, code, error.map(|error| error.pointer.clone()).unwrap_or_default())
    }

    /// The standard's example with members set or, when null, as good as removed.
    fn example(members: Value) -> String {
        let mut event = json!({
            "specversion": "1.0", "type": "com.example.someevent", "source": "/mycontext", "subject": null, "id": "C234-1234-1234",
            "time": "2018-04-05T17:31:00Z", "comexampleextension1": "value", "comexampleothervalue": 5,
            "datacontenttype": "application/json", "data": { "appinfoA": "abc", "appinfoB": 123, "appinfoC": true },
        });
        event.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
        event.to_string()
    }

    fn headers(more: Value) -> String {
        let mut headers = json!({
            "ce-specversion": "1.0", "ce-type": "com.example.someevent", "ce-time": "2018-04-05T03:56:24Z",
            "ce-id": "1234-1234-1234", "ce-source": "/mycontext/subcontext", "ce-comexampleextension1": "value",
        });
        headers.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        headers.to_string()
    }

    #[test]
    fn the_standards_structured_example_is_read() {
        for content_type in [STRUCTURED, "application/cloudevents+json; charset=UTF-8", "Application/CloudEvents+JSON;charset=utf-8"] {
            let event = one(content_type, "", &example(json!({})));
            assert_eq!(event.kind, "com.example.someevent");
            assert_eq!(event.key, "/mycontext\nC234-1234-1234");
            assert_eq!(event.timestamp, Timestamp::parse("2018-04-05T17:31:00Z").ok());
            assert_eq!(event.amount, Quantity::ONE);
            assert_eq!(event.metadata.map(Value::Object), Some(json!({ "appinfoA": "abc", "appinfoB": 123, "appinfoC": true })));
        }
    }

    #[test]
    fn the_standards_binary_example_is_read() {
        let event = one("application/json; charset=utf-8", &headers(json!({})), r#"{"amount":"2.5","region":"eu"}"#);
        assert_eq!((event.kind.as_str(), event.key.as_str()), ("com.example.someevent", "/mycontext/subcontext\n1234-1234-1234"));
        assert_eq!(event.timestamp.unwrap().to_string(), "2018-04-05T03:56:24Z");
        assert_eq!(event.amount, Quantity::parse("2.5").unwrap());
        assert_eq!(event.metadata.map(Value::Object), Some(json!({ "region": "eu" })));
        for content_type in ["", "text/plain"] {
            let event = one(content_type, &headers(json!({})), "");
            assert_eq!((event.amount, event.metadata), (Quantity::ONE, None));
        }
    }

    #[test]
    fn the_standards_header_encoding_is_read() {
        for (sent, meant) in [
            ("Euro%20%E2%82%AC%20%F0%9F%98%80", "Euro € 😀"),
            ("\"quoted \\\"and\\\" escaped\"", "quoted \"and\" escaped"),
            ("\"%41\"", "A"),
            ("%2541", "%41"),
            ("100%", "100%"),
            ("50%+1", "50%+1"),
            ("%e2%82%ac", "€"),
        ] {
            let event = one("", &headers(json!({ "ce-id": sent })), "");
            assert_eq!(event.key, format!("/mycontext/subcontext\n{meant}"), "{sent}");
        }
        let overlong = headers(json!({ "ce-subject": "%C0%A0" }));
        assert_eq!(refusal("", &overlong, ""), (400, "invalid_attribute".into(), "ce-subject".into()));
    }

    #[test]
    fn a_batch_keeps_its_bad_events_in_their_places() {
        let body = format!("[{},{},7,{}]", example(json!({ "id": "a" })), example(json!({ "id": "" })), example(json!({ "id": "b" })));
        let Ok(CloudEvents::Many(events)) = read("application/cloudevents-batch+json; charset=utf-8", "", &body) else { panic!() };
        let keys: Vec<Result<&str, &str>> =
            events.iter().map(|event| event.as_ref().map(|event| event.key.as_str()).map_err(|problem| problem.code)).collect();
        assert_eq!(keys, [Ok("/mycontext\na"), Err("missing_attribute"), Err("invalid_request"), Ok("/mycontext\nb")]);
        assert_eq!(refusal(BATCH, "", "[]").1, "no_events");
        assert_eq!(refusal(BATCH, "", &format!("[{}1]", "1,".repeat(1_000))).1, "too_many_events");
        assert_eq!(refusal(BATCH, "", &example(json!({}))).1, "invalid_value");
        assert_eq!(refusal(BATCH, "", "[").1, "malformed_json");
        assert!(read(BATCH, "", &format!("[{}1]", "1,".repeat(999))).is_ok());
    }

    #[test]
    fn every_refusal_says_where_and_why() {
        for (members, code, pointer) in [
            (json!({ "specversion": null }), "missing_attribute", "/specversion"),
            (json!({ "specversion": "0.3" }), "unsupported_specversion", "/specversion"),
            (json!({ "specversion": 1 }), "invalid_attribute", "/specversion"),
            (json!({ "id": "" }), "missing_attribute", "/id"),
            (json!({ "id": 5 }), "invalid_attribute", "/id"),
            (json!({ "source": null }), "missing_attribute", "/source"),
            (json!({ "source": "a b" }), "invalid_attribute", "/source"),
            (json!({ "source": "a\nb" }), "invalid_attribute", "/source"),
            (json!({ "source": "a\u{85}" }), "invalid_attribute", "/source"),
            (json!({ "type": "" }), "missing_attribute", "/type"),
            (json!({ "time": "yesterday" }), "invalid_attribute", "/time"),
            (json!({ "datacontenttype": "text/xml", "data": "<a/>" }), "unsupported_data", "/datacontenttype"),
            (json!({ "data": null, "data_base64": "AAAA" }), "unsupported_data", "/data_base64"),
            (json!({ "data": "5" }), "unsupported_data", "/data"),
            (json!({ "data": [1] }), "unsupported_data", "/data"),
            (json!({ "data": { "amount": 1.5 } }), "invalid_value", "/data/amount"),
            (json!({ "data": { "amount": null } }), "invalid_value", "/data/amount"),
        ] {
            assert_eq!(refusal(STRUCTURED, "", &example(members.clone())), (400, code.into(), pointer.into()), "{members}");
        }
        assert_eq!(refusal(STRUCTURED, "", "[1]").1, "invalid_value");
        assert_eq!(refusal(STRUCTURED, "", "{").1, "malformed_json");
        assert_eq!(refusal("", &headers(json!({ "ce-id": "" })), ""), (400, "missing_attribute".into(), "ce-id".into()));
        assert_eq!(refusal("application/json", &headers(json!({})), "5"), (400, "unsupported_data".into(), "".into()));
        assert_eq!(refusal("application/json", &headers(json!({})), r#"{"amount":true}"#).2, "/amount");
        assert_eq!(refusal("application/json", "not json", "").1, "malformed_request");
    }

    #[test]
    fn other_media_types_are_answered_with_what_to_send() {
        for (content_type, attributes) in [
            ("application/json", String::new()),
            ("", String::new()),
            ("application/cloudevents", headers(json!({}))),
            ("application/cloudevents+xml", headers(json!({}))),
            ("application/cloudevents-batch+avro", headers(json!({}))),
            ("text/plain", headers(json!({}))),
            ("", headers(json!({}))),
        ] {
            assert_eq!(refusal(content_type, &attributes, "{}").0, 415, "{content_type}");
        }
    }

    #[test]
    fn data_may_be_absent_null_or_empty() {
        for data in [json!({ "data": null }), json!({ "data": {} }), json!({ "data": null, "datacontenttype": null })] {
            let event = one(STRUCTURED, "", &example(data));
            assert_eq!((event.amount, event.metadata), (Quantity::ONE, None));
        }
        let event =
            one(STRUCTURED, "", &example(json!({ "data": { "amount": -3 }, "datacontenttype": "application/vnd.a+json", "time": null })));
        assert_eq!((event.amount, event.metadata, event.timestamp), (Quantity::try_from(-3_i64).unwrap(), None, None));
    }

    #[test]
    fn long_keys_are_kept_as_their_hash() {
        let event = |id: &str| one(STRUCTURED, "", &example(json!({ "id": id, "source": "/s" })));
        let longest = "x".repeat(KEY_BYTES_MAX - 3);
        assert_eq!(event(&longest).key, format!("/s\n{longest}"));
        let hashed = event(&format!("{longest}y")).key;
        assert!(hashed.starts_with("sha256:") && hashed.len() == 71, "{hashed}");
        assert_ne!(hashed, event(&format!("{longest}z")).key);
    }
}

//! Hot requests, read: which of the five questions is asked, by whom, and whether it is well formed.
//!
//! Owns: routes, credentials, bodies, queries and keys. Does not own: what depends on the counts (`decisions.rs`).

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::access::permissions::Permission;
use crate::kernel::idempotency::KEY_LENGTH_MAX;
use crate::kernel::ids::{OrganizationId, derive_bytes, encode_base32};
use crate::kernel::json;
use crate::kernel::problem::Problem;
use crate::kernel::time::Timestamp;
use crate::usage::meter::HotRequest;
use rating::Quantity;

use super::answers::Reply;
use super::keys::Keys;

/// Events of one batch.
const EVENTS_MAX: usize = 1_000;
/// What a refused event of a batch says of itself at most, so that a stored answer stays small.
const DETAIL_BYTES_MAX: usize = 160;

pub(super) struct Request {
    /// Without the query.
    pub path: String,
    pub ask: Result<Ask, Problem>,
}

pub(super) enum Ask {
    Event(Mode, Event),
    Batch(Batch),
    Quota { metric: String, required: Quantity, explain: bool },
    Summary,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    /// Always recorded, also past the limit.
    Usage,
    /// Recorded within the limit only.
    Consumption,
}

pub(super) struct Event {
    pub metric: String,
    pub amount: Quantity,
    pub timestamp: Option<Timestamp>,
    pub claim: Option<Claim>,
}

pub(super) struct Batch {
    pub events: Vec<Result<Event, Problem>>,
    pub claim: Option<Claim>,
}

/// An idempotency key and a fingerprint of what is asked under it.
#[derive(Clone)]
pub(super) struct Claim {
    pub key: String,
    pub fingerprint: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct EventBody {
    metric: String,
    #[serde(default = "one")]
    amount: Quantity,
    idempotency_key: Option<String>,
    timestamp: Option<Timestamp>,
    metadata: Option<Map<String, Value>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct BatchBody<E> {
    events: Vec<E>,
}

fn one() -> Quantity {
    Quantity::ONE
}

impl Request {
    pub fn read(wire: &str, keys: &mut Keys, secret: &[u8], organization: OrganizationId, wall: Timestamp) -> Self {
        let Some(hot) = HotRequest::from_wire(wire) else {
            let problem = Problem::invalid("", "malformed_request", "The request did not reach the Meter in one piece. Send it again.");
            return Self { path: String::new(), ask: Err(problem) };
        };
        let (path, query) = hot.target.split_once('?').unwrap_or((&hot.target, ""));
        let ask = Route::of(&hot.method, path).and_then(|route| {
            keys.authorize(&hot.caller, route.permission(), secret, organization, wall)?;
            route.ask(&hot, path, query)
        });
        Self { path: path.to_owned(), ask }
    }

    /// Every idempotency key that the request carries.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        let (event, batch) = match &self.ask {
            Ok(Ask::Event(_, event)) => (Some(event), None),
            Ok(Ask::Batch(batch)) => (None, Some(batch)),
            _ => (None, None),
        };
        let own = event.and_then(|event| event.claim.as_ref()).or(batch.and_then(|batch| batch.claim.as_ref()));
        let events = batch.into_iter().flat_map(|batch| &batch.events).flatten();
        own.into_iter().chain(events.filter_map(|event| event.claim.as_ref())).map(|claim| claim.key.as_str())
    }

    /// The refusal of a request that cannot be decided; its own fault comes first.
    pub fn refused(self, problem: Problem) -> Reply {
        let problem = self.ask.err().unwrap_or(problem);
        Reply::problem(self.path, problem)
    }
}

enum Route<'a> {
    Event(Mode),
    Batch,
    Quota(&'a str),
    Summary,
}

impl<'a> Route<'a> {
    fn of(method: &str, path: &'a str) -> Result<Self, Problem> {
        let quota = path.strip_prefix("/v1/quotas/").filter(|metric| !metric.is_empty() && !metric.contains('/'));
        match (method, path, quota) {
            ("POST", "/v1/usage", _) => Ok(Self::Event(Mode::Usage)),
            ("POST", "/v1/usage/consumption", _) => Ok(Self::Event(Mode::Consumption)),
            ("POST", "/v1/usage/batch", _) => Ok(Self::Batch),
            ("GET", "/v1/usage", _) => Ok(Self::Summary),
            ("GET", _, Some(metric)) => Ok(Self::Quota(metric)),
            (_, "/v1/usage", _) => Err(method_not_allowed("GET, POST")),
            (_, "/v1/usage/consumption" | "/v1/usage/batch", _) => Err(method_not_allowed("POST")),
            (_, _, Some(_)) => Err(method_not_allowed("GET")),
            _ => Err(Problem::not_found("resource")),
        }
    }

    fn permission(&self) -> Permission {
        match self {
            Self::Event(_) | Self::Batch => Permission::UsageWrite,
            Self::Quota(_) | Self::Summary => Permission::UsageRead,
        }
    }

    fn ask(&self, hot: &HotRequest, path: &str, query: &str) -> Result<Ask, Problem> {
        match self {
            Self::Event(mode) => {
                let body: EventBody = read(hot, json::BODY_BYTES_MAX)?;
                let key = header_key(&hot.idempotency_key)?;
                Ok(Ask::Event(*mode, body.event(*mode, key)?))
            }
            Self::Batch => read_batch(hot, path).map(Ask::Batch),
            Self::Quota(metric) => read_quota(metric, query),
            Self::Summary => parameters(query, &[]).map(|_| Ask::Summary),
        }
    }
}

fn method_not_allowed(allow: &'static str) -> Problem {
    Problem::new(405, "method_not_allowed", "The method is not allowed here", format!("Use one of: {allow}.")).with_header("Allow", allow)
}

/// The fast reader first; the one that can name the place of a mistake only when there is one.
fn read<T: serde::de::DeserializeOwned>(hot: &HotRequest, bytes_max: usize) -> Result<T, Problem> {
    json::check_size(hot.body.len(), bytes_max)?;
    json::check_content_type(&hot.content_type)?;
    json::check_is_object(hot.body.as_bytes())?;
    serde_json::from_str(&hot.body).or_else(|_| json::read(&hot.content_type, hot.body.as_bytes(), bytes_max))
}

fn read_batch(hot: &HotRequest, path: &str) -> Result<Batch, Problem> {
    json::check_size(hot.body.len(), json::BATCH_BYTES_MAX)?;
    json::check_content_type(&hot.content_type)?;
    json::check_is_object(hot.body.as_bytes())?;
    let events: Vec<Result<EventBody, Problem>> = match serde_json::from_str::<BatchBody<EventBody>>(&hot.body) {
        Ok(batch) => batch.events.into_iter().map(Ok).collect(),
        // Something is wrong somewhere: the events are read one by one, so that only the bad ones are refused.
        Err(_) => read::<BatchBody<Value>>(hot, json::BATCH_BYTES_MAX)?.events.into_iter().map(read_alone).collect(),
    };
    if events.is_empty() || events.len() > EVENTS_MAX {
        let code = if events.is_empty() { "no_events" } else { "too_many_events" };
        return Err(Problem::refused("/events", code, format!("Send 1 to {EVENTS_MAX} events in one batch.")));
    }
    let claim = header_key(&hot.idempotency_key)?
        .map(|key| Claim { key, fingerprint: encode_base32(derive_bytes(&["batch", &hot.method, path, &hot.body])) });
    let events = events.into_iter().map(|event| event.and_then(|body| body.event(Mode::Usage, None))).collect();
    Ok(Batch { events, claim })
}

/// Reads one event of a batch that holds a bad one, and says what is wrong in few words.
fn read_alone(event: Value) -> Result<EventBody, Problem> {
    json::read("application/json", event.to_string().as_bytes(), json::BATCH_BYTES_MAX).map_err(|mut problem| {
        if let Some(error) = problem.errors.first().filter(|error| !error.pointer.is_empty()) {
            problem.detail = format!("{}: {}", error.pointer, error.detail);
        }
        problem.detail = shortened(&problem.detail);
        problem
    })
}

/// At most a line of a text that may repeat what the client sent.
pub(super) fn shortened(text: &str) -> String {
    let mut end = text.len().min(DETAIL_BYTES_MAX);
    while !text.is_char_boundary(end) {
        end = end.saturating_sub(1);
    }
    let line: String = text.get(..end).unwrap_or_default().chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect();
    if end < text.len() { line + "…" } else { line }
}

impl EventBody {
    fn event(self, mode: Mode, header_key: Option<String>) -> Result<Event, Problem> {
        if self.amount.is_zero() {
            return Err(Problem::refused("/amount", "amount_zero", "An amount of 0 counts nothing. Send a positive amount."));
        }
        let key = match (self.idempotency_key.as_deref().map(|key| checked_key("/idempotencyKey", key)).transpose()?, header_key) {
            (Some(body), Some(header)) if body != header => {
                let detail = "The header Idempotency-Key and idempotencyKey in the body differ. Send one of them.";
                return Err(Problem::refused("/idempotencyKey", "idempotency_keys_differ", detail));
            }
            (body, header) => body.or(header),
        };
        let claim = key.map(|key| Claim { key, fingerprint: self.fingerprint(mode) });
        Ok(Event { metric: self.metric, amount: self.amount, timestamp: self.timestamp, claim })
    }

    /// What is asked, not how it is spelled: an event of a batch and the same event alone are one request.
    fn fingerprint(&self, mode: Mode) -> String {
        let mode = match mode {
            Mode::Usage => "usage",
            Mode::Consumption => "consumption",
        };
        let timestamp = self.timestamp.map(|instant| instant.as_millis().to_string()).unwrap_or_default();
        let metadata = self.metadata.as_ref().and_then(|metadata| serde_json::to_string(metadata).ok()).unwrap_or_default();
        encode_base32(derive_bytes(&[mode, &self.metric, &self.amount.to_string(), &timestamp, &metadata]))
    }
}

/// The header's key, bare or quoted.
fn header_key(header: &str) -> Result<Option<String>, Problem> {
    if header.is_empty() {
        return Ok(None);
    }
    let bare = header.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(header);
    checked_key("Idempotency-Key", bare).map(Some)
}

fn checked_key(pointer: &str, key: &str) -> Result<String, Problem> {
    let is_printable = key.bytes().all(|byte| (0x20..0x7f).contains(&byte));
    if key.is_empty() || key.len() > KEY_LENGTH_MAX || !is_printable {
        let detail = format!("Send an idempotency key of 1 to {KEY_LENGTH_MAX} printable ASCII characters.");
        return Err(Problem::refused(pointer, "invalid_idempotency_key", detail));
    }
    Ok(key.to_owned())
}

fn read_quota(metric: &str, query: &str) -> Result<Ask, Problem> {
    let mut required = Quantity::ONE;
    let mut explain = false;
    for (name, value) in parameters(query, &["required", "explain"])? {
        if name == "required" {
            required = Quantity::parse(&value)
                .map_err(|error| Problem::invalid("required", "invalid_value", format!("required is not an amount: {error}.")))?;
        } else {
            explain = match value.as_str() {
                "true" => true,
                "false" => false,
                _ => return Err(Problem::invalid("explain", "invalid_value", "Send explain=true or explain=false.")),
            };
        }
    }
    if required.is_zero() || required.is_negative() {
        let code = if required.is_zero() { "amount_zero" } else { "amount_negative" };
        return Err(Problem::refused("required", code, "Ask for a positive amount."));
    }
    Ok(Ask::Quota { metric: decoded(metric), required, explain })
}

/// The parameters of a query, each of which must be known: a typo is never silently ignored.
fn parameters(query: &str, known: &[&str]) -> Result<Vec<(String, String)>, Problem> {
    let pairs = query.split('&').filter(|pair| !pair.is_empty()).map(|pair| pair.split_once('=').unwrap_or((pair, "")));
    pairs
        .map(|(name, value)| (decoded(name), decoded(value)))
        .map(|(name, value)| {
            if known.contains(&name.as_str()) {
                return Ok((name, value));
            }
            let detail =
                if known.is_empty() { "This request takes no parameters.".to_owned() } else { format!("Use only: {}.", known.join(", ")) };
            Err(Problem::invalid(shortened(&name), "unknown_parameter", detail))
        })
        .collect()
}

/// Percent-decoding; what is not well formed stays as it is.
fn decoded(text: &str) -> String {
    if !text.contains('%') {
        return text.to_owned();
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        let escaped =
            tail.get(..2).and_then(|digits| std::str::from_utf8(digits).ok()).and_then(|digits| u8::from_str_radix(digits, 16).ok());
        match escaped {
            Some(byte) if *first == b'%' => {
                bytes.push(byte);
                rest = tail.get(2..).unwrap_or_default();
            }
            _ => {
                bytes.push(*first);
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

//! Hot requests, read: which question is asked, by whom, and whether it is well formed.
//!
//! Owns: routes, credentials, rates, bodies, queries and keys. Does not own: what depends on the counts (`decisions.rs`).
//! Nothing is copied that need not be: texts are borrowed from the request wherever they hold no escapes.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{self, Deserializer, Visitor};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::cloud_events;
use super::cloud_events::{CloudEvent, CloudEvents};
use super::outcome::Mode;
use super::plan::Plan;
use crate::identity::permissions::Permission;
use crate::kernel::idempotency::KEY_LENGTH_MAX;
use crate::kernel::ids::{ReservationId, derive_bytes, encode_base32};
use crate::kernel::json;
use crate::kernel::problem::Problem;
use crate::kernel::time::{Timestamp, seconds};
use crate::meter::contract::HotRequest;
use rating::Quantity;

/// Events of one batch.
const EVENTS_MAX: usize = 1_000;
/// What a refused event of a batch says of itself at most, so that a stored answer stays small.
const DETAIL_BYTES_MAX: usize = 160;
/// Seconds that a reservation may hold, and holds when none are named.
const TTL_MAX: u64 = 86_400;
const TTL: u64 = 300;

pub(super) enum Ask<'a> {
    Event(Event<'a>),
    Batch(Batch<'a>),
    Quota { metric: String, required: Quantity, explain: bool },
    Summary,
    Reserve(Reserve<'a>),
    Settle(Settle<'a>),
    Release(ReservationId),
    Reservation(ReservationId),
}

pub(super) struct Event<'a> {
    pub mode: Mode,
    pub metric: Cow<'a, str>,
    pub amount: Quantity,
    pub timestamp: Option<Timestamp>,
    pub key: Option<Cow<'a, str>>,
    pub metadata: Option<Metadata>,
}

/// What the client says of an event, with its members in order.
pub(super) struct Metadata {
    pub members: Map<String, Value>,
    pub text: String,
}

pub(super) struct Batch<'a> {
    pub events: Vec<Result<Event<'a>, Problem>>,
    pub claim: Option<Claim<'a>>,
}

pub(super) struct Reserve<'a> {
    pub metric: Cow<'a, str>,
    pub amount: Quantity,
    pub ttl: std::time::Duration,
    pub claim: Option<Claim<'a>>,
}

pub(super) struct Settle<'a> {
    pub id: ReservationId,
    pub amount: Quantity,
    pub allow_overage: bool,
    pub claim: Option<Claim<'a>>,
}

/// An idempotency key of a request whose whole answer is kept, and a fingerprint of what is asked under it.
#[derive(Clone)]
pub(super) struct Claim<'a> {
    pub key: Cow<'a, str>,
    pub fingerprint: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct EventBody<'a> {
    #[serde(borrow)]
    metric: Text<'a>,
    #[serde(default = "one")]
    amount: Quantity,
    #[serde(borrow)]
    idempotency_key: Option<Text<'a>>,
    timestamp: Option<Timestamp>,
    metadata: Option<Map<String, Value>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct BatchBody<E> {
    events: Vec<E>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ReserveBody<'a> {
    #[serde(borrow)]
    metric: Text<'a>,
    #[serde(default = "one")]
    amount: Quantity,
    ttl_seconds: Option<u64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct SettleBody {
    amount: Quantity,
    #[serde(default)]
    allow_overage: bool,
}

fn one() -> Quantity {
    Quantity::ONE
}

/// A text, borrowed where it holds no escapes.
struct Text<'a>(Cow<'a, str>);

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(TextVisitor)
    }
}

struct TextVisitor;

impl<'de> Visitor<'de> for TextVisitor {
    type Value = Text<'de>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a string")
    }

    fn visit_borrowed_str<E: de::Error>(self, text: &'de str) -> Result<Text<'de>, E> {
        Ok(Text(Cow::Borrowed(text)))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Text<'de>, E> {
        Ok(Text(Cow::Owned(text.to_owned())))
    }
}

impl<'a> Ask<'a> {
    /// Every idempotency key that the request carries.
    pub fn keys<'r>(&'r self, into: &mut Vec<&'r str>) {
        let claim = match self {
            Self::Event(event) => {
                into.extend(event.key.as_deref());
                None
            }
            Self::Batch(batch) => {
                into.extend(batch.events.iter().flatten().filter_map(|event| event.key.as_deref()));
                batch.claim.as_ref()
            }
            Self::Reserve(reserve) => reserve.claim.as_ref(),
            Self::Settle(settle) => settle.claim.as_ref(),
            _ => None,
        };
        into.extend(claim.map(|claim| claim.key.as_ref()));
    }

    /// The reservation that is asked for.
    pub fn reservation(&self) -> Option<ReservationId> {
        match self {
            Self::Settle(Settle { id, .. }) | Self::Release(id) | Self::Reservation(id) => Some(*id),
            _ => None,
        }
    }

    /// Whether a metric is named that the Meter was never told of.
    pub fn names_unknown(&self, plan: &Plan) -> bool {
        match self {
            Self::Event(event) => plan.rule(&event.metric).is_none(),
            Self::Reserve(reserve) => plan.rule(&reserve.metric).is_none(),
            Self::Quota { metric, .. } => plan.rule(metric).is_none(),
            Self::Batch(batch) => {
                // Events of a batch are mostly of one metric.
                let mut known = "";
                batch.events.iter().flatten().any(|event| {
                    let is_known = known == event.metric || plan.rule(&event.metric).is_some();
                    known = &event.metric;
                    !is_known
                })
            }
            _ => false,
        }
    }
}

pub(super) enum Route<'a> {
    Event(Mode),
    Batch,
    CloudEvents,
    Quota(&'a str),
    Summary,
    Reserve,
    Settle(&'a str),
    Release(&'a str),
    Reservation(&'a str),
}

impl<'a> Route<'a> {
    pub fn of(method: &str, path: &'a str) -> Result<Self, Problem> {
        let rest = path.strip_prefix("/v1/").unwrap_or_default();
        let name = |prefix: &str| rest.strip_prefix(prefix).filter(|name| !name.is_empty() && !name.contains('/'));
        match (method, rest) {
            ("POST", "usage/consumption") => return Ok(Self::Event(Mode::Consumption)),
            ("POST", "usage") => return Ok(Self::Event(Mode::Usage)),
            ("POST", "usage/batch") => return Ok(Self::Batch),
            ("POST", "events") => return Ok(Self::CloudEvents),
            ("POST", "reservations") => return Ok(Self::Reserve),
            ("GET", "usage") => return Ok(Self::Summary),
            (_, "usage") => return Err(method_not_allowed("GET, POST")),
            (_, "usage/consumption" | "usage/batch" | "events" | "reservations") => return Err(method_not_allowed("POST")),
            _ => {}
        }
        let settled = rest
            .strip_suffix("/settlement")
            .and_then(|rest| rest.strip_prefix("reservations/"))
            .filter(|id| !id.is_empty() && !id.contains('/'));
        match (method, name("quotas/"), name("reservations/"), settled) {
            ("GET", Some(metric), _, _) => Ok(Self::Quota(metric)),
            ("GET", _, Some(id), _) => Ok(Self::Reservation(id)),
            ("DELETE", _, Some(id), _) => Ok(Self::Release(id)),
            ("POST", _, _, Some(id)) => Ok(Self::Settle(id)),
            (_, Some(_), _, _) => Err(method_not_allowed("GET")),
            (_, _, Some(_), _) => Err(method_not_allowed("GET, DELETE")),
            (_, _, _, Some(_)) => Err(method_not_allowed("POST")),
            _ => Err(Problem::not_found("resource")),
        }
    }

    pub fn permission(&self) -> Permission {
        match self {
            Self::Quota(_) | Self::Summary | Self::Reservation(_) => Permission::UsageRead,
            _ => Permission::UsageWrite,
        }
    }

    /// Reads what is asked. A CloudEvents type is already the metric that it counts as in `plan`.
    pub fn ask<'b>(&self, hot: &'b HotRequest<'b>, path: &str, query: &str, plan: &Plan) -> Result<Ask<'b>, Problem> {
        match self {
            Self::Event(mode) => {
                let body: EventBody<'_> = read(hot, json::BODY_BYTES_MAX)?;
                let key = header_key(&hot.idempotency_key)?;
                Ok(Ask::Event(body.event(*mode, key)?))
            }
            Self::Batch => read_batch(hot, path).map(Ask::Batch),
            Self::CloudEvents => read_cloud_events(hot, path, plan),
            Self::Quota(metric) => read_quota(metric, query),
            Self::Summary => parameters(query, &[]).map(|_| Ask::Summary),
            Self::Reserve => read_reserve(hot, path).map(Ask::Reserve),
            Self::Settle(id) => read_settle(hot, path, id).map(Ask::Settle),
            Self::Release(id) => reservation_id(id).map(Ask::Release),
            Self::Reservation(id) => reservation_id(id).map(Ask::Reservation),
        }
    }
}

fn method_not_allowed(allow: &'static str) -> Problem {
    Problem::new(405, "method_not_allowed", "The method is not allowed here", format!("Use one of: {allow}.")).with_header("Allow", allow)
}

fn reservation_id(text: &str) -> Result<ReservationId, Problem> {
    text.parse().map_err(|_| Problem::not_found("reservation"))
}

/// The claim of a request whose whole answer is kept under its key.
fn claim<'a>(hot: &'a HotRequest<'a>, path: &str) -> Result<Option<Claim<'a>>, Problem> {
    let fingerprint = || encode_base32(derive_bytes(&["request", &hot.method, path, &hot.body]));
    Ok(header_key(&hot.idempotency_key)?.map(|key| Claim { key, fingerprint: fingerprint() }))
}

fn read_reserve<'a>(hot: &'a HotRequest<'a>, path: &str) -> Result<Reserve<'a>, Problem> {
    let ReserveBody { metric, amount, ttl_seconds } = read(hot, json::BODY_BYTES_MAX)?;
    if amount.is_zero() || amount.is_negative() {
        let code = if amount.is_zero() { "amount_zero" } else { "amount_negative" };
        return Err(Problem::refused("/amount", code, "Reserve a positive amount."));
    }
    let ttl = ttl_seconds.unwrap_or(TTL);
    if ttl == 0 || ttl > TTL_MAX {
        return Err(Problem::refused("/ttlSeconds", "ttl_out_of_range", format!("Reserve for 1 to {TTL_MAX} seconds.")));
    }
    Ok(Reserve { metric: metric.0, amount, ttl: seconds(ttl), claim: claim(hot, path)? })
}

fn read_settle<'a>(hot: &'a HotRequest<'a>, path: &str, id: &str) -> Result<Settle<'a>, Problem> {
    let SettleBody { amount, allow_overage } = read(hot, json::BODY_BYTES_MAX)?;
    if amount.is_negative() {
        return Err(Problem::refused("/amount", "amount_negative", "Settle with what was used: 0 or more."));
    }
    Ok(Settle { id: reservation_id(id)?, amount, allow_overage, claim: claim(hot, path)? })
}

fn read_cloud_events<'a>(hot: &'a HotRequest<'a>, path: &str, plan: &Plan) -> Result<Ask<'a>, Problem> {
    json::check_size(hot.body.len(), json::BATCH_BYTES_MAX)?;
    let event = |event: CloudEvent| {
        let CloudEvent { kind, key, timestamp, amount, metadata } = event;
        let metric = Cow::Owned(plan.metric_of(&kind).to_owned());
        Event { mode: Mode::Usage, metric, amount, timestamp, key: Some(Cow::Owned(key)), metadata: metadata.map(Metadata::of) }
    };
    match cloud_events::read(&hot.content_type, &hot.attributes, &hot.body)? {
        CloudEvents::One(one) => Ok(Ask::Event(event(one))),
        CloudEvents::Many(many) => {
            let events = many.into_iter().map(|one| one.map(event)).collect();
            Ok(Ask::Batch(Batch { events, claim: claim(hot, path)? }))
        }
    }
}

/// The fast reader first; the one that can name the place of a mistake only when there is one.
fn read<'a, T: Deserialize<'a>>(hot: &'a HotRequest<'a>, bytes_max: usize) -> Result<T, Problem> {
    json::check_size(hot.body.len(), bytes_max)?;
    json::check_content_type(&hot.content_type)?;
    json::check_is_object(hot.body.as_bytes())?;
    serde_json::from_str(&hot.body).or_else(|_| json::read(&hot.content_type, hot.body.as_bytes(), bytes_max))
}

fn read_batch<'a>(hot: &'a HotRequest<'a>, path: &str) -> Result<Batch<'a>, Problem> {
    json::check_size(hot.body.len(), json::BATCH_BYTES_MAX)?;
    json::check_content_type(&hot.content_type)?;
    json::check_is_object(hot.body.as_bytes())?;
    let events: Vec<Result<EventBody<'a>, Problem>> = match serde_json::from_str::<BatchBody<EventBody<'a>>>(&hot.body) {
        Ok(batch) => batch.events.into_iter().map(Ok).collect(),
        // Something is wrong somewhere: the events are read one by one, so that only the bad ones are refused.
        Err(_) => read::<BatchBody<&'a RawValue>>(hot, json::BATCH_BYTES_MAX)?.events.into_iter().map(read_alone).collect(),
    };
    if events.is_empty() || events.len() > EVENTS_MAX {
        let code = if events.is_empty() { "no_events" } else { "too_many_events" };
        return Err(Problem::refused("/events", code, format!("Send 1 to {EVENTS_MAX} events in one batch.")));
    }
    let claim = claim(hot, path)?;
    let events = events.into_iter().map(|event| event.and_then(|body| body.event(Mode::Usage, None))).collect();
    Ok(Batch { events, claim })
}

/// Reads one event of a batch that holds a bad one, and says what is wrong in few words.
fn read_alone(event: &RawValue) -> Result<EventBody<'_>, Problem> {
    json::read("application/json", event.get().as_bytes(), json::BATCH_BYTES_MAX).map_err(|mut problem| {
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

impl<'a> EventBody<'a> {
    fn event(self, mode: Mode, header_key: Option<Cow<'a, str>>) -> Result<Event<'a>, Problem> {
        let Self { metric, amount, idempotency_key, timestamp, metadata } = self;
        let body_key = idempotency_key.map(|key| checked_key("/idempotencyKey", key.0)).transpose()?;
        if let (Some(body), Some(header)) = (&body_key, &header_key)
            && body != header
        {
            let detail = "The header Idempotency-Key and idempotencyKey in the body differ. Send one of them.";
            return Err(Problem::refused("/idempotencyKey", "idempotency_keys_differ", detail));
        }
        Ok(Event { mode, metric: metric.0, amount, timestamp, key: body_key.or(header_key), metadata: metadata.map(Metadata::of) })
    }
}

impl Metadata {
    /// Members are kept in order, so that the same metadata is the same text.
    pub fn of(members: Map<String, Value>) -> Self {
        let text = serde_json::to_string(&members).unwrap_or_default();
        Self { members, text }
    }
}

/// The header's key, bare or quoted.
fn header_key(header: &str) -> Result<Option<Cow<'_, str>>, Problem> {
    if header.is_empty() {
        return Ok(None);
    }
    let bare = header.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(header);
    checked_key("Idempotency-Key", Cow::Borrowed(bare)).map(Some)
}

fn checked_key<'a>(pointer: &str, key: Cow<'a, str>) -> Result<Cow<'a, str>, Problem> {
    let is_printable = key.bytes().all(|byte| (0x20..0x7f).contains(&byte));
    if key.is_empty() || key.len() > KEY_LENGTH_MAX || !is_printable {
        let detail = format!("Send an idempotency key of 1 to {KEY_LENGTH_MAX} printable ASCII characters.");
        return Err(Problem::refused(pointer, "invalid_idempotency_key", detail));
    }
    Ok(key)
}

fn read_quota(metric: &str, query: &str) -> Result<Ask<'static>, Problem> {
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

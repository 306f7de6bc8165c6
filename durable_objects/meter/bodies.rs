//! The bodies of hot requests, read and checked: events alone, in batches and as CloudEvents, reservations and settlements.
//!
//! Owns: the members of each body, idempotency keys and fingerprints. Does not own: what depends on the counts (`decisions.rs`).

use std::borrow::Cow;
use std::fmt;

use rating::Quantity;
use serde::Deserialize;
use serde::de::{self, Deserializer, Visitor};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::cloud_events;
use super::cloud_events::{CloudEvent, CloudEvents};
use super::outcome::Mode;
use super::refusals::shortened;
use super::requests::{Batch, Claim, Event, Metadata, Operation, Reserve, Settle};
use super::rules::Rules;
use crate::kernel::idempotency::KEY_LENGTH_MAX;
use crate::kernel::ids::{ReservationId, derive_bytes, encode_base32};
use crate::kernel::json;
use crate::kernel::problem::Problem;
use crate::kernel::time::{Timestamp, seconds};
use crate::meter::wire::HotRequest;

/// Events of one batch.
const EVENTS_MAX: usize = 1_000;
/// The longest lifetime of a reservation and its default, in seconds.
const TTL_MAX: u64 = 86_400;
const TTL: u64 = 300;

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

pub(super) fn read_event<'a>(hot: &'a HotRequest<'a>, mode: Mode) -> Result<Event<'a>, Problem> {
    let body: EventBody<'_> = read(hot, json::BODY_BYTES_MAX)?;
    let key = header_key(&hot.idempotency_key)?;
    body.event(mode, key)
}

pub(super) fn read_batch<'a>(hot: &'a HotRequest<'a>, path: &str) -> Result<Batch<'a>, Problem> {
    json::check_size(hot.body.len(), json::BATCH_BYTES_MAX)?;
    json::check_content_type(&hot.content_type)?;
    json::check_is_object(hot.body.as_bytes())?;
    let events: Vec<Result<EventBody<'a>, Problem>> = match serde_json::from_str::<BatchBody<EventBody<'a>>>(&hot.body) {
        Ok(batch) => batch.events.into_iter().map(Ok).collect(),
        // An event is invalid: the events are read one by one, so that only the invalid ones are refused.
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

/// Reads one event of a batch that holds an invalid one, with a short reason where it is invalid.
fn read_alone(event: &RawValue) -> Result<EventBody<'_>, Problem> {
    json::read("application/json", event.get().as_bytes(), json::BATCH_BYTES_MAX).map_err(|mut problem| {
        if let Some(error) = problem.errors.first().filter(|error| !error.pointer.is_empty()) {
            problem.detail = format!("{}: {}", error.pointer, error.detail);
        }
        problem.detail = shortened(&problem.detail);
        problem
    })
}

pub(super) fn read_cloud_events<'a>(hot: &'a HotRequest<'a>, path: &str, rules: &Rules) -> Result<Operation<'a>, Problem> {
    json::check_size(hot.body.len(), json::BATCH_BYTES_MAX)?;
    let event = |event: CloudEvent| {
        let CloudEvent { kind, key, timestamp, amount, metadata } = event;
        let metric = Cow::Owned(rules.metric_of(&kind).to_owned());
        Event { mode: Mode::Usage, metric, amount, timestamp, key: Some(Cow::Owned(key)), metadata: metadata.map(Metadata::of) }
    };
    match cloud_events::read(&hot.content_type, &hot.attributes, &hot.body)? {
        CloudEvents::One(one) => Ok(Operation::Event(event(one))),
        CloudEvents::Many(many) => {
            let events = many.into_iter().map(|one| one.map(event)).collect();
            Ok(Operation::Batch(Batch { events, claim: claim(hot, path)? }))
        }
    }
}

pub(super) fn read_reserve<'a>(hot: &'a HotRequest<'a>, path: &str) -> Result<Reserve<'a>, Problem> {
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

pub(super) fn read_settle<'a>(hot: &'a HotRequest<'a>, path: &str, id: &str) -> Result<Settle<'a>, Problem> {
    let SettleBody { amount, allow_overage } = read(hot, json::BODY_BYTES_MAX)?;
    if amount.is_negative() {
        return Err(Problem::refused("/amount", "amount_negative", "Settle with what was used: 0 or more."));
    }
    Ok(Settle { id: reservation_id(id)?, amount, allow_overage, claim: claim(hot, path)? })
}

pub(super) fn reservation_id(text: &str) -> Result<ReservationId, Problem> {
    text.parse().map_err(|_| Problem::not_found("reservation"))
}

/// The claim of a request whose whole answer is kept under its key.
fn claim<'a>(hot: &'a HotRequest<'a>, path: &str) -> Result<Option<Claim<'a>>, Problem> {
    let fingerprint = || encode_base32(derive_bytes(&["request", &hot.method, path, &hot.body]));
    Ok(header_key(&hot.idempotency_key)?.map(|key| Claim { key, fingerprint: fingerprint() }))
}

/// The fast reader first; the one that names the place of a mistake only when there is a mistake.
fn read<'a, T: Deserialize<'a>>(hot: &'a HotRequest<'a>, bytes_max: usize) -> Result<T, Problem> {
    json::check_size(hot.body.len(), bytes_max)?;
    json::check_content_type(&hot.content_type)?;
    json::check_is_object(hot.body.as_bytes())?;
    serde_json::from_str(&hot.body).or_else(|_| json::read(&hot.content_type, hot.body.as_bytes(), bytes_max))
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

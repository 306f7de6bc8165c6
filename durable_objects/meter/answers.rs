//! The Meter's answers: the documents of the API, their members in the order of the API.

use std::collections::BTreeMap;
use std::fmt::Write;

use rating::Quantity;
use serde::{Serialize, Serializer};

use super::lists::push_text;
use super::log::push_quantity;
use super::outcome::{Mode, Outcome, Status};
use super::rates::RateState;
use super::rules::{PeriodText, Rules, Source};
use crate::kernel::ids::ReservationId;
use crate::kernel::problem::Problem;
use crate::kernel::time::Timestamp;
use crate::meter::vocabulary::{Aggregation, Enforcement, Grant, MetricKind};
use crate::meter::wire::METRICS_NEEDED;

/// The answer to one hot request.
pub(super) enum Reply {
    Answered(Answered),
    Refused {
        path: String,
        problem: Box<Problem>,
    },
    /// The request names an unknown metric: the Worker sends the platform's metrics, then the request again.
    NeedsMetrics,
}

pub(super) struct Answered {
    pub status: u16,
    /// JSON; empty with 204.
    pub body: String,
    pub replayed: bool,
}

impl Answered {
    pub fn ok(body: String) -> Self {
        Self { status: 200, body, replayed: false }
    }
}

impl Reply {
    pub fn problem(path: &str, problem: Problem) -> Self {
        Self::Refused { path: path.to_owned(), problem: Box::new(problem) }
    }

    /// `api_url` is the address of the Worker, for the `type` of problems.
    pub fn to_wire(&self, api_url: &str, request_id: &str, rate: Option<&RateState>) -> String {
        let rate = rate.map(RateState::headers).unwrap_or_default();
        match self {
            Self::Answered(Answered { status, body, replayed }) => {
                let replayed = if *replayed { "Idempotent-Replayed: true\n" } else { "" };
                let content_type = if body.is_empty() { "" } else { "content-type: application/json\n" };
                format!("{status}\n{content_type}Request-Id: {request_id}\n{rate}{replayed}\n{body}")
            }
            Self::Refused { path, problem } => {
                let mut head = format!("{}\ncontent-type: application/problem+json\nRequest-Id: {request_id}\n{rate}", problem.status);
                for (name, value) in &problem.headers {
                    head.push_str(name);
                    head.push_str(": ");
                    head.push_str(value);
                    head.push('\n');
                }
                format!("{head}\n{}", problem.document(api_url, path, request_id))
            }
            Self::NeedsMetrics => METRICS_NEEDED.to_owned(),
        }
    }
}

/// The usage of a metric against its limit.
#[derive(Clone, Copy, Serialize)]
pub(super) struct MetricUsage {
    current: Quantity,
    #[serde(serialize_with = "limit_or_minus_one")]
    limit: Option<Quantity>,
    pub remaining: Option<Quantity>,
    /// Null where there is no limit.
    #[serde(serialize_with = "decimal")]
    percentage: Option<Hundredths>,
}

impl MetricUsage {
    /// An amount held by reservations is not used, but it is not free either.
    pub fn of(current: Quantity, limit: Option<Quantity>, reserved: Quantity) -> Self {
        let taken = current.checked_add(reserved).unwrap_or(current);
        let remaining = limit.map(|limit| limit.above(taken).unwrap_or(Quantity::ZERO));
        Self { current, limit, remaining, percentage: limit.map(|limit| percentage(current, limit)) }
    }
}

/// The API says -1 where there is no limit.
fn limit_or_minus_one<S: Serializer>(limit: &Option<Quantity>, serializer: S) -> Result<S::Ok, S::Error> {
    limit.unwrap_or(-Quantity::ONE).serialize(serializer)
}

/// Hundredths of a percent.
type Hundredths = i128;

/// `current / limit` in percent, cut off and not rounded, so that it is 100 only once the limit is reached. A limit of 0 is used up.
fn percentage(current: Quantity, limit: Quantity) -> Hundredths {
    current.nanos().saturating_mul(10_000).checked_div(limit.nanos()).unwrap_or(10_000)
}

/// A decimal such as 80.1 with at most two decimals, written without floats and without an allocation.
fn push_percentage(out: &mut String, percentage: Hundredths) {
    let sign = if percentage < 0 { "-" } else { "" };
    let (whole, rest) = (percentage.unsigned_abs() / 100, percentage.unsigned_abs() % 100);
    let _ = match rest {
        0 => write!(out, "{sign}{whole}"),
        _ if rest % 10 == 0 => write!(out, "{sign}{whole}.{}", rest / 10),
        _ => write!(out, "{sign}{whole}.{rest:02}"),
    };
}

fn decimal<S: Serializer>(percentage: &Option<Hundredths>, serializer: S) -> Result<S::Ok, S::Error> {
    let Some(percentage) = percentage else { return serializer.serialize_none() };
    let mut text = String::new();
    push_percentage(&mut text, *percentage);
    serializer.serialize_str(&text)
}

/// The receipt of an event, or of the settlement of a reservation. Written piece by piece: it is what most requests are answered with.
pub(super) fn receipt(
    rules: &Rules,
    mode: Mode,
    metric: &str,
    outcome: &Outcome,
    reservation: Option<ReservationId>,
    replayed: bool,
) -> Answered {
    let MetricUsage { current, limit, remaining, percentage } = MetricUsage::of(outcome.current, outcome.limit, outcome.reserved);
    let mut body = String::with_capacity(320);
    body.push_str("{\"$type\":\"UsageReceipt\",\"metric\":");
    push_text(&mut body, metric);
    body.push_str(",\"current\":");
    push_quantity(&mut body, current);
    body.push_str(",\"limit\":");
    push_quantity(&mut body, limit.unwrap_or(-Quantity::ONE));
    body.push_str(",\"remaining\":");
    match remaining {
        Some(remaining) => push_quantity(&mut body, remaining),
        None => body.push_str("null"),
    }
    body.push_str(",\"percentage\":");
    match percentage {
        Some(percentage) => {
            body.push('"');
            push_percentage(&mut body, percentage);
            body.push('"');
        }
        None => body.push_str("null"),
    }
    let period = rules.text_of(outcome.period);
    let (start, end, sequence) = (&period.start, &period.end, outcome.sequence);
    let _ = write!(body, ",\"period\":{{\"start\":\"{start}\",\"end\":\"{end}\"}},\"sequence\":{sequence},\"replayed\":{replayed}");
    if mode == Mode::Consumption {
        body.push_str(",\"allowed\":true");
    }
    if let Some(reservation) = reservation {
        let _ = write!(body, ",\"reservation\":\"{reservation}\"");
    }
    body.push('}');
    Answered { status: 200, body, replayed }
}

#[derive(Serialize)]
pub(super) struct BatchAnswer<'a> {
    pub accepted: u64,
    pub replayed: u64,
    pub rejected: Vec<Rejected>,
    /// The counts, in the current period, of the metrics that the batch counted.
    pub current: BTreeMap<&'a str, Quantity>,
}

#[derive(Serialize)]
pub(super) struct Rejected {
    pub index: usize,
    pub code: String,
    pub detail: String,
}

#[derive(Serialize)]
pub(super) struct QuotaAnswer<'a> {
    #[serde(rename = "$type")]
    pub type_name: &'static str,
    pub allowed: bool,
    pub metric: &'a str,
    pub current: Quantity,
    #[serde(serialize_with = "limit_or_minus_one")]
    pub limit: Option<Quantity>,
    pub remaining: Option<Quantity>,
    pub reserved: Quantity,
    pub period: &'a PeriodText,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub explanation: Option<Explanation<'a>>,
}

/// What decided a quota, in the period of the answer.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Explanation<'a> {
    pub plan: &'a str,
    pub plan_version: u32,
    pub source: Source,
    pub enforcement: Enforcement,
    pub kind: MetricKind,
    pub aggregation: Aggregation,
    pub amount: Quantity,
    /// The limit of the plan or the override, without grants.
    #[serde(serialize_with = "limit_or_minus_one")]
    pub limit: Option<Quantity>,
    pub grants: Vec<GrantText<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct GrantText<'a> {
    #[serde(rename = "$id")]
    pub id: &'a str,
    pub amount: Quantity,
    pub starts_at: Timestamp,
    pub ends_at: Option<Timestamp>,
}

impl<'a> From<&'a Grant> for GrantText<'a> {
    fn from(grant: &'a Grant) -> Self {
        Self { id: &grant.id, amount: grant.amount, starts_at: grant.starts_at, ends_at: grant.ends_at }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ReservationAnswer<'a> {
    #[serde(rename = "$type")]
    pub kind: &'static str,
    #[serde(rename = "$id")]
    pub id: ReservationId,
    pub metric: &'a str,
    pub amount: Quantity,
    pub status: Status,
    pub created_at: Timestamp,
    pub expires_at: Timestamp,
    pub settled_amount: Option<Quantity>,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub held: Option<Held>,
}

/// A metric with everything that reservations hold of it.
#[derive(Serialize)]
pub(super) struct Held {
    pub reserved: Quantity,
    pub current: Quantity,
    #[serde(serialize_with = "limit_or_minus_one")]
    pub limit: Option<Quantity>,
    pub remaining: Option<Quantity>,
}

/// One metric of a summary.
#[derive(Serialize)]
pub(super) struct MetricAnswer {
    #[serde(flatten)]
    pub usage: MetricUsage,
    pub reserved: Quantity,
}

#[derive(Serialize)]
pub(super) struct Summary<'a> {
    #[serde(rename = "$type")]
    pub kind: &'static str,
    pub period: &'a PeriodText,
    pub metrics: BTreeMap<&'a str, MetricAnswer>,
}

/// None of these documents can fail to be written: their keys are texts.
pub(super) fn body<T: Serialize>(document: &T) -> String {
    serde_json::to_string(document).unwrap_or_default()
}

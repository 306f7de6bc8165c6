//! How the Meter's answers read: the documents of the API, in the order of its keys.

use std::collections::BTreeMap;

use rating::Quantity;
use serde::{Serialize, Serializer};

use crate::kernel::problem::Problem;
use crate::kernel::time::Timestamp;
use crate::usage::meter::{HotReply, MetricKind};

use super::plan::{Period, PeriodText, Plan};
use super::requests::Mode;

/// What a request comes to.
pub(super) enum Reply {
    Answered(Answered),
    Refused { path: String, problem: Box<Problem> },
}

pub(super) struct Answered {
    pub body: String,
    pub replayed: bool,
}

impl Reply {
    pub fn answered(answered: Answered) -> Self {
        Self::Answered(answered)
    }

    pub fn problem(path: String, problem: Problem) -> Self {
        Self::Refused { path, problem: Box::new(problem) }
    }

    pub fn to_wire(&self, request_id: &str) -> String {
        match self {
            Self::Answered(Answered { body, replayed }) => {
                let replayed = if *replayed { "Idempotent-Replayed: true\n" } else { "" };
                format!("200\ncontent-type: application/json\nRequest-Id: {request_id}\n{replayed}\n{body}")
            }
            Self::Refused { path, problem } => {
                let mut headers = vec![
                    ("content-type".to_owned(), "application/problem+json".to_owned()),
                    ("Request-Id".to_owned(), request_id.to_owned()),
                ];
                headers.extend(problem.headers.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
                HotReply { status: problem.status, headers, body: problem.document(path, request_id).to_string() }.to_wire()
            }
        }
    }
}

/// What was counted: enough to give the same receipt again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Outcome {
    pub sequence: u64,
    pub current: Quantity,
    pub limit: Option<Quantity>,
    pub period: Period,
}

impl Outcome {
    /// Words: sequence, current, limit (`-` when unlimited), start and end of the period.
    pub fn to_record(self) -> String {
        let limit = self.limit.map_or_else(|| "-".to_owned(), |limit| limit.to_string());
        let Period { starts_at, ends_at } = self.period;
        format!("{} {} {limit} {} {}", self.sequence, self.current, starts_at.as_millis(), ends_at.as_millis())
    }

    pub fn from_record(record: &str) -> Option<Self> {
        let mut words = record.split(' ');
        let sequence = words.next()?.parse().ok()?;
        let current = Quantity::parse(words.next()?).ok()?;
        let limit = match words.next()? {
            "-" => None,
            limit => Some(Quantity::parse(limit).ok()?),
        };
        let mut instant = || words.next()?.parse().ok().map(Timestamp::from_millis);
        Some(Self { sequence, current, limit, period: Period { starts_at: instant()?, ends_at: instant()? } })
    }
}

#[derive(Serialize)]
struct Receipt<'a> {
    #[serde(rename = "$type")]
    kind: &'static str,
    metric: &'a str,
    #[serde(flatten)]
    standing: Standing,
    period: &'a PeriodText,
    sequence: u64,
    replayed: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    allowed: Option<bool>,
}

/// Where a metric stands against its limit.
#[derive(Clone, Copy, Serialize)]
pub(super) struct Standing {
    current: Quantity,
    #[serde(serialize_with = "limit_or_minus_one")]
    limit: Option<Quantity>,
    remaining: Option<Quantity>,
    /// Null where there is no limit.
    #[serde(serialize_with = "number")]
    percentage: Option<TenThousandths>,
}

impl Standing {
    pub fn of(current: Quantity, limit: Option<Quantity>) -> Self {
        let remaining = limit.map(|limit| limit.above(current).unwrap_or(Quantity::ZERO));
        Self { current, limit, remaining, percentage: limit.map(|limit| share(current, limit)) }
    }
}

/// The API says -1 where there is no limit.
fn limit_or_minus_one<S: Serializer>(limit: &Option<Quantity>, serializer: S) -> Result<S::Ok, S::Error> {
    limit.unwrap_or(-Quantity::ONE).serialize(serializer)
}

type TenThousandths = i128;

/// `current / limit`, cut off and not rounded, so that 1 is never said before the limit is reached. Of a limit of 0 all is used.
fn share(current: Quantity, limit: Quantity) -> TenThousandths {
    current.nanos().saturating_mul(10_000).checked_div(limit.nanos()).unwrap_or(10_000)
}

/// A JSON number such as 0.801, made from its decimal text: no arithmetic is done in floats.
fn number<S: Serializer>(share: &Option<TenThousandths>, serializer: S) -> Result<S::Ok, S::Error> {
    let Some(share) = share else { return serializer.serialize_none() };
    let whole = share.checked_div(10_000).unwrap_or(0);
    let rest = share.checked_rem(10_000).unwrap_or(0);
    match (i64::try_from(whole), rest) {
        (Ok(whole), 0) => serializer.serialize_i64(whole),
        _ => serializer.serialize_f64(format!("{whole}.{rest:04}").parse().unwrap_or(0.0)),
    }
}

pub(super) fn receipt(plan: &Plan, mode: Mode, metric: &str, outcome: &Outcome, replayed: bool) -> Answered {
    let receipt = Receipt {
        kind: "UsageReceipt",
        metric,
        standing: Standing::of(outcome.current, outcome.limit),
        period: &plan.text_of(outcome.period),
        sequence: outcome.sequence,
        replayed,
        allowed: (mode == Mode::Consumption).then_some(true),
    };
    Answered { body: body(&receipt), replayed }
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
    /// `plan`: the limit is the plan's. Overrides and grants are named here once there are any.
    pub source: &'static str,
    pub kind: MetricKind,
    pub required: Quantity,
}

impl QuotaAnswer<'_> {
    pub fn remaining(current: Quantity, limit: Option<Quantity>) -> Option<Quantity> {
        Standing::of(current, limit).remaining
    }
}

#[derive(Serialize)]
pub(super) struct Summary<'a> {
    #[serde(rename = "$type")]
    pub kind: &'static str,
    pub period: &'a PeriodText,
    pub metrics: BTreeMap<&'a str, Standing>,
}

/// None of these documents can fail to be written: their keys are texts.
pub(super) fn body<T: Serialize>(document: &T) -> String {
    serde_json::to_string(document).unwrap_or_default()
}

//! What the Worker and a Meter say to each other: the one contract between both.

use std::collections::BTreeMap;

use rating::Quantity;
use serde::{Deserialize, Serialize};

use crate::kernel::ids::KeyId;
use crate::kernel::time::Timestamp;

/// Whether a metric starts anew each period.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum MetricKind {
    /// Resets each period: `apiCalls`.
    Consumable,
    /// Carried over: `users`, `projects`, `storage`. Amounts may be negative.
    Level,
}

/// One metric of an organization's plan. `limit` is None when unlimited.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MetricRule {
    pub kind: MetricKind,
    pub limit: Option<Quantity>,
}

/// What an organization may use, as its Meter knows it. A lower `version` never replaces a higher one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Entitlements {
    pub version: i64,
    pub plan: String,
    pub plan_version: u32,
    pub subscription_started_at: Timestamp,
    /// Starts of the periods in order, at least two; each period ends where the next starts, the last entry only ends one.
    /// Reaches back to the subscription's start or 36 days, and about a year ahead.
    pub boundaries: Vec<Timestamp>,
    pub metrics: BTreeMap<String, MetricRule>,
    /// The test clock's time; None when the organization lives in real time. Only ever moves forward.
    pub clock: Option<Timestamp>,
}

/// A call of the Worker to a Meter. Hot requests go another way, see [`HotRequest`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "call", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Call {
    /// Replaces the entitlements, unless they are newer already. Reply: [`Done`].
    Configure { entitlements: Entitlements },
    /// Moves the test clock forward, once there are entitlements (which bring their clock along). Reply: [`Done`].
    SetClock { now: Timestamp },
    /// Makes a key known, so that hot requests may use it. Reply: [`Done`].
    PutKey { key: KeyId, scopes: Vec<String>, expires_at: Option<Timestamp> },
    /// Revokes a key at once. Reply: [`Done`].
    RemoveKey { key: KeyId },
    /// Freezes a period as it is billed. The same period gives the same closing, however often it is asked. Reply: [`Closing`].
    ClosePeriod { starts_at: Timestamp, ends_at: Timestamp },
    /// The facts not yet acknowledged, oldest first, at most 100. Reply: [`PendingFacts`].
    PendingFacts,
    /// These facts are committed elsewhere. Reply: [`Done`].
    AcknowledgeFacts { through: u64 },
    /// Every counter of the current period. Reply: [`CurrentUsage`].
    CurrentUsage,
    /// Forgets old idempotency keys, as many as one alarm should. Sent by the alarm. Reply: [`Done`].
    Prune,
}

/// The reply to a call that can't be done, whatever reply it would have had. Nothing was changed.
/// `refused` is `not_configured`, `invalid_entitlements` or `later_period_closed`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallRefused {
    pub refused: String,
    pub detail: String,
}

/// Nothing but this: a [`CallRefused`] never passes for it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Done {}

/// A fact that the Meter raised: a threshold crossed, a metric used for the first time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Fact {
    /// Grows by one from fact to fact of this Meter; with the organization it identifies the fact.
    pub sequence: u64,
    /// `wire_name`, `version` and `data` of an `events::Event`.
    pub name: String,
    pub version: u32,
    pub data: serde_json::Value,
    pub occurred_at: Timestamp,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PendingFacts {
    pub facts: Vec<Fact>,
}

/// A period as it is billed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Closing {
    /// Used in the period, by metric; for a level its highest value in the period.
    pub used: BTreeMap<String, Quantity>,
    /// What arrived for earlier, already closed periods since the closing before this one.
    pub late: Vec<LateUsage>,
}

/// Usage of a closed period that arrived after its closing: the count went from `before` to `after`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LateUsage {
    pub metric: String,
    pub period_starts_at: Timestamp,
    pub period_ends_at: Timestamp,
    pub before: Quantity,
    pub after: Quantity,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CurrentUsage {
    pub metrics: BTreeMap<String, Quantity>,
}

/// Who sends a hot request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HotCaller {
    /// The `Authorization` header as sent (empty when absent); the Meter verifies it.
    Header(String),
    /// The Worker has verified the caller and its permission.
    Trusted,
}

/// A request of the hot path as it crosses to the Meter: one string, so that crossing is cheap.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HotRequest {
    pub caller: HotCaller,
    pub method: String,
    /// Path and query.
    pub target: String,
    pub content_type: String,
    /// The `Idempotency-Key` header; empty when absent.
    pub idempotency_key: String,
    pub body: String,
}

/// The Meter's answer to a hot request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HotReply {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl HotRequest {
    /// Lines: caller (`=` trusted, or `:` and the header), method, target, content type, idempotency key; the rest is the body.
    /// The shell in `src/edge/shell.mjs` writes the same.
    pub fn to_wire(&self) -> String {
        let caller = match &self.caller {
            HotCaller::Trusted => "=".to_owned(),
            HotCaller::Header(value) => format!(":{value}"),
        };
        format!("{caller}\n{}\n{}\n{}\n{}\n{}", self.method, self.target, self.content_type, self.idempotency_key, self.body)
    }

    /// The inverse of [`HotRequest::to_wire`]; header values can't hold line breaks.
    pub fn from_wire(text: &str) -> Option<Self> {
        let mut lines = text.splitn(6, '\n');
        let caller = match lines.next()? {
            "=" => HotCaller::Trusted,
            header => HotCaller::Header(header.strip_prefix(':')?.to_owned()),
        };
        let mut line = || lines.next().map(str::to_owned);
        Some(Self { caller, method: line()?, target: line()?, content_type: line()?, idempotency_key: line()?, body: line()? })
    }
}

impl HotReply {
    /// Lines: status, then `name: value` each, an empty line, the body.
    pub fn to_wire(&self) -> String {
        let mut text = format!("{}\n", self.status);
        for (name, value) in &self.headers {
            text.push_str(&format!("{name}: {value}\n"));
        }
        text.push('\n');
        text.push_str(&self.body);
        text
    }

    pub fn from_wire(text: &str) -> Option<Self> {
        let (head, body) = text.split_once("\n\n")?;
        let mut lines = head.lines();
        let status = lines.next()?.parse().ok()?;
        let headers =
            lines.map(|line| line.split_once(": ").map(|(name, value)| (name.to_owned(), value.to_owned()))).collect::<Option<_>>()?;
        Some(Self { status, headers, body: body.to_owned() })
    }
}

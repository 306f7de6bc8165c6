//! What the Worker and a Meter say to each other: the one contract between both.

use std::borrow::Cow;
use std::collections::BTreeMap;

use rating::Quantity;
use serde::{Deserialize, Serialize};

use crate::kernel::ids::{KeyId, ReservationId};
use crate::kernel::organization::Status;
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

/// What a metric makes of its events.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Aggregation {
    /// How many events; their amount is always 1.
    Count,
    /// The sum of the amounts.
    #[default]
    Sum,
    /// The highest amount.
    Max,
    /// The amount of the event with the latest timestamp; of several at the same instant, of the one that arrived last.
    Latest,
    /// How many different values `metadata.<uniqueProperty>` had in the period; the amount is always 1.
    Unique,
    /// The time-weighted average of a level over the whole period, as it comes out if nothing changes any more:
    /// the sum of each amount times the share of the period that was left at its timestamp, plus what was carried over.
    WeightedSum,
}

/// Whether `POST /v1/usage/consumption` stops at the limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum Enforcement {
    #[default]
    Hard,
    /// Admits past the limit; the limit still counts for thresholds, percentages and overage.
    Soft,
}

/// One metric as the Meter counts and limits it. `limit` is None when unlimited.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MetricRule {
    pub kind: MetricKind,
    pub limit: Option<Quantity>,
    #[serde(default)]
    pub aggregation: Aggregation,
    /// The member of `metadata` that a unique metric counts; None for every other.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unique_property: Option<String>,
    #[serde(default)]
    pub enforcement: Enforcement,
}

impl MetricRule {
    /// A summed metric with a hard limit: what the built-in metrics are.
    pub fn of(kind: MetricKind, limit: Option<Quantity>) -> Self {
        Self { kind, limit, aggregation: Aggregation::Sum, unique_property: None, enforcement: Enforcement::Hard }
    }
}

/// A limit of one organization that replaces its plan's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LimitOverride {
    /// None when unlimited.
    pub limit: Option<Quantity>,
    pub enforcement: Enforcement,
}

/// Extra allowance: raises the limit by `amount` from `starts_at` up to, not including, `ends_at` (None: for good).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Grant {
    pub id: String,
    pub metric: String,
    pub amount: Quantity,
    pub starts_at: Timestamp,
    pub ends_at: Option<Timestamp>,
}

/// A token bucket: `burst` requests at once, refilled by `per_second`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Rate {
    pub per_second: u32,
    pub burst: u32,
}

/// Requests an organization may send, all its keys together, and one of its keys alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RateLimits {
    pub organization: Rate,
    pub key: Rate,
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
    /// None: not limited.
    #[serde(default)]
    pub rate_limits: Option<RateLimits>,
    /// The subscription is paused or over: consumption is refused, whatever own limits and grants say, but for `users`. What is
    /// recorded still counts.
    #[serde(default)]
    pub admits_nothing: bool,
}

/// A call of the Worker to a Meter. Hot requests go another way, see [`HotRequest`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "call", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Call {
    /// Replaces the entitlements, unless they are newer already. Reply: [`Done`].
    Configure { entitlements: Entitlements },
    /// The metrics that the platform has defined, beside those of the plan (which win). A lower `version` never replaces a higher one.
    /// `event_types` maps a CloudEvents `type` to a metric; a type that is a metric's key needs no entry. Reply: [`Done`].
    PutMetrics { version: i64, metrics: BTreeMap<String, MetricRule>, event_types: BTreeMap<String, String> },
    /// The organization's own limits, all of them. A lower `version` never replaces a higher one. Reply: [`Done`].
    PutLimits { version: i64, overrides: BTreeMap<String, LimitOverride>, grants: Vec<Grant> },
    /// Moves the test clock forward, once there are entitlements (which bring their clock along). Reply: [`Done`].
    SetClock { now: Timestamp },
    /// Where the organization stands with the vendor: whether its keys may write. A lower `version` never replaces a higher one.
    /// Reply: [`Done`].
    PutStatus { version: i64, status: Status },
    /// Forgets everything for good: from then on this Meter answers as one that was never configured, whatever it is told.
    /// Reply: [`Erased`].
    Erase,
    /// Makes a key known, so that hot requests may use it. Reply: [`Done`].
    PutKey { key: KeyId, scopes: Vec<String>, expires_at: Option<Timestamp> },
    /// Revokes a key at once. Reply: [`Done`].
    RemoveKey { key: KeyId },
    /// When these keys were last used in hot requests. Reply: [`KeyUses`].
    KeyUses { keys: Vec<KeyId> },
    /// Freezes a period as it is billed. The same period gives the same closing, however often it is asked. Reply: [`Closing`].
    ClosePeriod { starts_at: Timestamp, ends_at: Timestamp },
    /// What [`Call::ClosePeriod`] would give now, without closing anything. Reply: [`Closing`].
    PeekPeriod { starts_at: Timestamp, ends_at: Timestamp },
    /// The closings of periods that start in [from, to), oldest first, at most 400. Reply: [`Closings`].
    Closings { from: Timestamp, to: Timestamp },
    /// The commit of the log that closed the period which starts there. It is kept when the log is pruned. Reply: [`ClosingCommit`].
    ClosingCommit { starts_at: Timestamp },
    /// The facts not yet acknowledged, oldest first, at most 100. Reply: [`PendingFacts`].
    PendingFacts,
    /// These facts are committed elsewhere. Reply: [`Done`].
    AcknowledgeFacts { through: u64 },
    /// Every counter of the current period. Reply: [`CurrentUsage`].
    CurrentUsage,
    /// Forgets old idempotency keys and events, as many as one alarm should. Sent by the alarm. Reply: [`Done`].
    Prune,
    /// Counts what was recorded since the last roll-up into hourly buckets, a bounded slice of it, and gives the buckets that were not
    /// acknowledged since they changed, oldest change first, at most 500. Sent by the alarm and before history is read. Reply: [`RolledUp`].
    RollUp,
    /// These buckets are stored elsewhere, up to this version. Reply: [`Done`].
    AcknowledgeBuckets { through: u64 },
    /// Raw events whose timestamp lies in [from, to), in the order in which they were recorded, after the commit `after` (0 at first).
    /// Reply: [`ExportPage`], a line an event.
    ExportEvents { from: Timestamp, to: Timestamp, after: u64 },
    /// The commits of [from, to) by the time at which they were recorded, after the commit `after` (0 at first).
    /// Reply: [`ExportPage`], lines of a proof, see `docs/PROOF.md`.
    ExportProof { from: Timestamp, to: Timestamp, after: u64 },
    /// Holds one of `users` for somebody who is about to be invited, unless it is held already. It lapses after an hour if no
    /// [`Call::PutSeats`] confirms it. Reply: [`SeatAnswer`].
    HoldSeat { seat: ReservationId },
    /// How many members there are, and every seat that is held for an invitation; other seats are free again. A lower `version` never
    /// replaces a higher one. From the first member on `users` is what is said here, and can't be recorded otherwise. Reply: [`Done`].
    PutSeats { version: i64, members: u32, held: Vec<ReservationId> },
    /// Where the seats stand. Reply: [`SeatStanding`].
    Seats,
    /// The counters of the current period that changed after the event `since` (0: all). Reply: [`UsageChange`].
    Changes { since: u64 },
}

/// Buckets to be stored; asking again gives them again until they are acknowledged.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RolledUp {
    pub buckets: Vec<Bucket>,
    /// More is waiting: acknowledge these and ask again.
    pub has_more: bool,
}

/// What was recorded of one metric in one period with timestamps within one hour.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Bucket {
    pub metric: String,
    /// The period that it counts in: an hour in which a period ends has a bucket for each of both.
    pub period_starts_at: Timestamp,
    /// The hour's start.
    pub hour: Timestamp,
    /// How many events.
    pub count: u64,
    /// The sum of their amounts; of a unique metric, how many values were new in their period.
    pub sum: Quantity,
    pub max: Quantity,
    /// The amount of the event with the latest timestamp.
    pub last: Quantity,
    pub last_at: Timestamp,
    /// Values that a unique metric counted as new in their period; 0 for every other.
    pub uniques: u64,
    /// Grows with each change of any bucket of this Meter: what has a higher version replaces what has a lower one.
    pub version: u64,
}

/// Lines of a streamed answer.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ExportPage {
    /// Each ends with a line feed.
    pub lines: String,
    /// What to ask `after` for the next page; None after the last.
    pub next: Option<u64>,
}

/// What the live feed tells: where metrics stand that changed. The document clients see.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct UsageChange {
    /// `"UsageChange"`.
    #[serde(rename = "$type")]
    pub kind: String,
    pub period: serde_json::Value,
    /// By metric, as in the answer to `GET /v1/usage`.
    pub metrics: serde_json::Map<String, serde_json::Value>,
    /// Of the last event recorded; ask for what changed since with it.
    pub sequence: u64,
}

/// The reply to a call that can't be done, whatever reply it would have had. Nothing was changed.
/// `refused` is `not_configured`, `invalid_entitlements` or `later_period_closed`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallRefused {
    pub refused: String,
    pub detail: String,
}

/// What was forgotten: rows by table. Nothing when it was done before.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Erased {
    pub rows: BTreeMap<String, u64>,
}

/// Whether a seat is held now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SeatHold {
    pub is_held: bool,
    /// Members.
    pub taken: Quantity,
    /// Held by all invitations, also by this one where it is.
    pub held: Quantity,
    /// None when unlimited.
    pub limit: Option<Quantity>,
}

/// The reply to [`Call::HoldSeat`]; it is refused where nothing can be counted yet (`not_configured`), or too many invitations are pending
/// (`too_many_seats_held`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum SeatAnswer {
    Hold(SeatHold),
    Refused(CallRefused),
}

/// The seats as the Meter has them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SeatStanding {
    /// Of the last [`Call::PutSeats`]; 0 before the first.
    pub version: i64,
    /// Whether `users` is the number of members.
    pub is_counted: bool,
    /// The level of `users`.
    pub taken: Quantity,
    /// Confirmed ones, in order.
    pub held: Vec<ReservationId>,
    /// None when unlimited.
    pub limit: Option<Quantity>,
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

/// The last use of each key that was used at all.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyUses {
    pub uses: BTreeMap<KeyId, Timestamp>,
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

/// Closed periods, oldest first.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Closings {
    pub closings: Vec<ClosedPeriod>,
}

/// A period that was closed, and its closing as it was billed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ClosedPeriod {
    pub starts_at: Timestamp,
    pub ends_at: Timestamp,
    pub closing: Closing,
}

/// How a closing stands in the log; None of a period that is not closed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ClosingCommit {
    pub commit: Option<ChainedCommit>,
}

/// A commit of the log and what it is chained to; see `docs/PROOF.md`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ChainedCommit {
    pub number: u64,
    /// The hash of the commit before it.
    pub previous: String,
    pub hash: String,
    /// The exact text that the hash is of.
    pub body: String,
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
pub enum HotCaller<'a> {
    /// The `Authorization` header as sent (empty when absent); the Meter verifies it.
    Header(Cow<'a, str>),
    /// The Worker has verified the caller and its permission.
    Trusted,
}

/// A request of the hot path as it crosses to the Meter: one string, so that crossing is cheap.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HotRequest<'a> {
    pub caller: HotCaller<'a>,
    pub method: Cow<'a, str>,
    /// Path and query.
    pub target: Cow<'a, str>,
    pub content_type: Cow<'a, str>,
    /// The `Idempotency-Key` header; empty when absent.
    pub idempotency_key: Cow<'a, str>,
    /// The `ce-` headers of `POST /v1/events` as a JSON object of texts, names in lower case; empty when there are none.
    pub attributes: Cow<'a, str>,
    /// The platform's metrics were told just now: what is unknown still is unknown for good.
    pub is_told: bool,
    pub body: Cow<'a, str>,
}

/// The Meter's answer in place of a reply when a request names a metric that it doesn't know. Nothing was counted.
/// Tell it the platform's metrics with [`Call::PutMetrics`] and send the request again with `is_told`.
pub const TELL_METRICS: &str = "?metrics";

/// The Meter's answer to a hot request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HotReply {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl<'a> HotRequest<'a> {
    /// Lines: caller (`=` trusted, `!` trusted and told the metrics, or `:` and the header), method, target, content type, idempotency
    /// key, attributes; the rest is the body. The shell in `src/edge/shell.mjs` writes the same.
    pub fn to_wire(&self) -> String {
        let caller = match &self.caller {
            HotCaller::Trusted if self.is_told => "!".to_owned(),
            HotCaller::Trusted => "=".to_owned(),
            HotCaller::Header(value) => format!(":{value}"),
        };
        let Self { method, target, content_type, idempotency_key, attributes, body, .. } = self;
        format!("{caller}\n{method}\n{target}\n{content_type}\n{idempotency_key}\n{attributes}\n{body}")
    }

    /// The inverse of [`HotRequest::to_wire`]; header values can't hold line breaks.
    pub fn from_wire(text: &'a str) -> Option<Self> {
        let mut lines = text.splitn(7, '\n');
        let caller = match lines.next()? {
            "=" | "!" => HotCaller::Trusted,
            header => HotCaller::Header(Cow::Borrowed(header.strip_prefix(':')?)),
        };
        let is_told = text.starts_with('!');
        let mut line = || lines.next().map(Cow::Borrowed);
        Some(Self {
            caller,
            method: line()?,
            target: line()?,
            content_type: line()?,
            idempotency_key: line()?,
            attributes: line()?,
            is_told,
            body: line()?,
        })
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

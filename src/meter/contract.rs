//! The calls of the Worker to a Meter, and their replies.

use std::collections::BTreeMap;

use rating::Quantity;
use serde::{Deserialize, Serialize};

use super::vocabulary::{Entitlements, Grant, LimitOverride, MetricRule};
use crate::kernel::ids::{KeyId, ReservationId};
use crate::kernel::organization::Status;
use crate::kernel::time::Timestamp;

/// A call of the Worker to a Meter. Hot requests go another way, see [`HotRequest`](super::wire::HotRequest).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "call", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Call {
    /// Replaces the entitlements, unless the known ones are newer. Reply: [`Done`].
    Configure { entitlements: Entitlements },
    /// Sets the metrics that the platform has defined, beside those of the plan, which take precedence. A lower `version` never replaces a higher one.
    /// `event_types` maps a CloudEvents `type` to a metric; a type that is a metric's key needs no entry. Reply: [`Done`].
    PutMetrics { version: i64, metrics: BTreeMap<String, MetricRule>, event_types: BTreeMap<String, String> },
    /// Sets the organization's own limits, all of them. A lower `version` never replaces a higher one. Reply: [`Done`].
    PutLimits { version: i64, overrides: BTreeMap<String, LimitOverride>, grants: Vec<Grant> },
    /// Moves the test clock forward, once there are entitlements (which contain the clock). Reply: [`Done`].
    SetClock { now: Timestamp },
    /// Sets the organization's status, which decides whether its keys may write. A lower `version` never replaces a higher one.
    /// Reply: [`Done`].
    PutStatus { version: i64, status: Status },
    /// Deletes everything for good: from then on this Meter answers as one that was never configured, whatever call it gets.
    /// Reply: [`Erased`].
    Erase,
    /// Adds a key, so that hot requests may use it. Reply: [`Done`].
    PutKey { key: KeyId, scopes: Vec<String>, expires_at: Option<Timestamp> },
    /// Revokes a key at once. Reply: [`Done`].
    RemoveKey { key: KeyId },
    /// Gives the last use of each of these keys in hot requests. Reply: [`KeyUses`].
    KeyUses { keys: Vec<KeyId> },
    /// Freezes a period as it is billed. Repeated, it gives the same closing. Reply: [`Closing`].
    ClosePeriod { starts_at: Timestamp, ends_at: Timestamp },
    /// Gives what [`Call::ClosePeriod`] would give now, without closing anything. Reply: [`Closing`].
    PeekPeriod { starts_at: Timestamp, ends_at: Timestamp },
    /// Gives the closings of periods that start in [from, to), oldest first, at most 400. Reply: [`Closings`].
    Closings { from: Timestamp, to: Timestamp },
    /// Gives the commit of the log that closed the period which starts there. It is kept when the log is pruned. Reply: [`ClosingCommit`].
    ClosingCommit { starts_at: Timestamp },
    /// Gives the facts that are not yet acknowledged, oldest first, at most 100. Reply: [`PendingFacts`].
    PendingFacts,
    /// Acknowledges facts that are committed elsewhere. Reply: [`Done`].
    AcknowledgeFacts { through: u64 },
    /// Gives every counter of the current period. Reply: [`CurrentUsage`].
    CurrentUsage,
    /// Deletes old idempotency keys and events, as many as one alarm should. Sent by the alarm. Reply: [`Done`].
    Prune,
    /// Counts the events since the last roll-up into hourly buckets, a bounded slice of them, and gives the buckets that were not
    /// acknowledged since they changed, oldest change first, at most 500. Sent by the alarm and before history is read.
    /// Reply: [`RolledUp`].
    RollUp,
    /// Acknowledges buckets that are stored elsewhere, up to this version. Reply: [`Done`].
    AcknowledgeBuckets { through: u64 },
    /// Exports raw events whose timestamp lies in [from, to), in the order in which they were recorded, after the commit `after` (0 at first).
    /// Reply: [`ExportPage`], a line an event.
    ExportEvents { from: Timestamp, to: Timestamp, after: u64 },
    /// Exports the commits of [from, to) by the time at which they were recorded, after the commit `after` (0 at first).
    /// Reply: [`ExportPage`], lines of a proof, see `docs/PROOF.md`.
    ExportProof { from: Timestamp, to: Timestamp, after: u64 },
    /// Holds one of `users` for somebody who is about to be invited, unless it is held already. It lapses after an hour if no
    /// [`Call::PutSeats`] confirms it. Reply: [`SeatAnswer`].
    HoldSeat { seat: ReservationId },
    /// Sets the number of members, and every seat that is held for an invitation; other seats are free again. A lower `version` never
    /// replaces a higher one. From the first member on `users` is the number sent here, and can't be recorded otherwise. Reply: [`Done`].
    PutSeats { version: i64, members: u32, held: Vec<ReservationId> },
    /// Gives the number of taken and held seats. Reply: [`SeatUsage`].
    Seats,
    /// Gives the counters of the current period that changed after the event `since` (0: all). Reply: [`UsageChange`].
    Changes { since: u64 },
}

/// Buckets to be stored; each roll-up gives them again until they are acknowledged.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RolledUp {
    pub buckets: Vec<Bucket>,
    /// Whether there are more: acknowledge these and roll up again.
    pub has_more: bool,
}

/// The events of one metric in one period with timestamps within one hour.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Bucket {
    pub metric: String,
    /// The period that it counts in: an hour in which a period ends has a bucket for each of the two.
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
    /// The `after` of the next page; None after the last.
    pub next: Option<u64>,
}

/// A message of the live feed: the usage of metrics that changed. Clients read this document.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct UsageChange {
    /// `"UsageChange"`.
    #[serde(rename = "$type")]
    pub kind: String,
    pub period: serde_json::Value,
    /// By metric, as in the answer to `GET /v1/usage`.
    pub metrics: serde_json::Map<String, serde_json::Value>,
    /// Of the last event recorded; the `since` of the next change.
    pub sequence: u64,
}

/// The reply to a call that is refused, in place of its own reply. Nothing was changed.
/// `refused` is `not_configured`, `invalid_entitlements` or `later_period_closed`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallRefused {
    pub refused: String,
    pub detail: String,
}

/// The deleted rows by table. Empty when the Meter was erased before.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Erased {
    pub rows: BTreeMap<String, u64>,
}

/// Whether a seat is held now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SeatHold {
    pub is_held: bool,
    /// The number of members.
    pub taken: Quantity,
    /// The number of seats held by all invitations, including this one where it is held.
    pub held: Quantity,
    /// None when unlimited.
    pub limit: Option<Quantity>,
}

/// The reply to [`Call::HoldSeat`]; it is refused where the Meter is not configured (`not_configured`), or too many invitations are
/// pending (`too_many_seats_held`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum SeatAnswer {
    Hold(SeatHold),
    Refused(CallRefused),
}

/// The seats of an organization: taken by members, and held for invitations.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SeatUsage {
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

/// The reply of a call that gives nothing. A [`CallRefused`] never reads as one.
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

/// The last use of each key that was ever used.
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
    /// Usage that arrived for earlier, already closed periods since the closing before this one.
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

/// The log's commit of a closing; None of a period that is not closed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ClosingCommit {
    pub commit: Option<ChainedCommit>,
}

/// A commit of the log and the hash that it is chained to; see `docs/PROOF.md`.
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

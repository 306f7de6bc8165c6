//! Hot requests, read: the operation that each asks for, and its idempotency keys.
//!
//! Owns: the operations that the Meter decides. Does not own: reading them (`routes.rs`, `bodies.rs`, `queries.rs`), and everything that
//! depends on the counts (`decisions.rs`).
//! Nothing is copied that need not be: texts are borrowed from the request wherever they hold no escapes.

use std::borrow::Cow;

use rating::Quantity;
use serde_json::{Map, Value};

use super::outcome::Mode;
use super::rules::Rules;
use crate::kernel::ids::ReservationId;
use crate::kernel::problem::Problem;
use crate::kernel::time::Timestamp;

pub(super) enum Operation<'a> {
    Event(Event<'a>),
    Batch(Batch<'a>),
    Quota { metric: String, amount: Quantity, explain: bool },
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

/// The client's own data of an event, with its members in order.
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

/// An idempotency key of a request whose whole answer is kept, and a fingerprint of the request.
#[derive(Clone)]
pub(super) struct Claim<'a> {
    pub key: Cow<'a, str>,
    pub fingerprint: String,
}

impl<'a> Operation<'a> {
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

    /// The reservation that the operation names.
    pub fn reservation(&self) -> Option<ReservationId> {
        match self {
            Self::Settle(Settle { id, .. }) | Self::Release(id) | Self::Reservation(id) => Some(*id),
            _ => None,
        }
    }

    /// Whether the operation names a metric that the Meter does not know.
    pub fn names_unknown(&self, rules: &Rules) -> bool {
        match self {
            Self::Event(event) => rules.rule(&event.metric).is_none(),
            Self::Reserve(reserve) => rules.rule(&reserve.metric).is_none(),
            Self::Quota { metric, .. } => rules.rule(metric).is_none(),
            Self::Batch(batch) => {
                // Events of a batch are mostly of one metric.
                let mut known = "";
                batch.events.iter().flatten().any(|event| {
                    let is_known = known == event.metric || rules.rule(&event.metric).is_some();
                    known = &event.metric;
                    !is_known
                })
            }
            _ => false,
        }
    }
}

impl Metadata {
    /// Members are kept in order, so that the same metadata is the same text.
    pub fn of(members: Map<String, Value>) -> Self {
        let text = serde_json::to_string(&members).unwrap_or_default();
        Self { members, text }
    }
}

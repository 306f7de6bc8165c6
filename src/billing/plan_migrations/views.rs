//! Plan migrations as clients read them.

use rating::Quantity;
use serde::Serialize;
use utoipa::ToSchema;

use super::comparison::{Comparison, Fate, LimitChange, Obstacle, Skip};
use crate::http::money::MoneyView;
use crate::http::quantity::QuantityDocument;
use crate::kernel::ids::{OrganizationId, SubscriptionId};
use crate::kernel::time::Timestamp;

/// The result of a migration for one subscription.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = MigratedSubscription)]
pub struct SubscriberView {
    /// The organization that subscribes.
    pub organization: OrganizationId,
    /// The subscription.
    pub subscription: SubscriptionId,
    /// `moves`: can be scheduled (preview only). `scheduled`: changes at `effectiveAt`. `skipped`: stays, because of another pending
    /// change. `refused`: cannot change.
    #[schema(example = "moves")]
    pub status: &'static str,
    /// Skipped: `change_scheduled`, `ends` or `paused`. Refused: `not_sold` in its currency and billing period, or `add_on_gone`. Null
    /// otherwise.
    #[schema(example = "change_scheduled")]
    pub reason: Option<&'static str>,
    /// Refused as `add_on_gone`: the key of the add-on. Null otherwise.
    #[schema(example = "extra-users")]
    pub add_on: Option<String>,
    /// The end of the current billing period, at which the change takes effect.
    pub effective_at: Timestamp,
    /// The price of a billing period now, with add-ons.
    pub price_before: MoneyView,
    /// The price of a billing period after the change, with add-ons. Null where it cannot change.
    pub price_after: Option<MoneyView>,
    /// The limits that differ.
    pub limits: Vec<LimitChangeView>,
    /// The keys of features that the subscription loses.
    #[schema(example = json!(["sso"]))]
    pub features_lost: Vec<String>,
}

/// A limit that differs between two versions.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = LimitChange)]
pub struct LimitChangeView {
    /// The key of the metric.
    #[schema(example = "users")]
    pub metric: String,
    /// The limit now; -1 is unlimited.
    #[schema(value_type = QuantityDocument)]
    pub before: Quantity,
    /// The limit after the change; -1 is unlimited.
    #[schema(value_type = QuantityDocument)]
    pub after: Quantity,
    /// Whether the limit decreases.
    #[schema(example = true)]
    pub is_lower: bool,
}

impl From<LimitChange> for LimitChangeView {
    fn from(change: LimitChange) -> Self {
        let shown = |limit: Option<Quantity>| limit.unwrap_or_else(|| Quantity::from(-1));
        Self { is_lower: change.is_lower(), before: shown(change.before), after: shown(change.after), metric: change.metric }
    }
}

impl SubscriberView {
    pub fn is_scheduled(&self) -> bool {
        self.status == "scheduled"
    }

    pub(super) fn new(organization: OrganizationId, subscription: SubscriptionId, comparison: Comparison) -> Self {
        let (status, reason, add_on) = match comparison.fate {
            Fate::Moves => ("moves", None, None),
            Fate::Scheduled => ("scheduled", None, None),
            Fate::Skipped(Skip::ChangeScheduled) => ("skipped", Some("change_scheduled"), None),
            Fate::Skipped(Skip::Ends) => ("skipped", Some("ends"), None),
            Fate::Skipped(Skip::Paused) => ("skipped", Some("paused"), None),
            Fate::Refused(Obstacle::NotSold) => ("refused", Some("not_sold"), None),
            Fate::Refused(Obstacle::AddOnGone(key)) => ("refused", Some("add_on_gone"), Some(key)),
        };
        Self {
            organization,
            subscription,
            status,
            reason,
            add_on,
            effective_at: comparison.effective_at,
            price_before: comparison.price_before.into(),
            price_after: comparison.price_after.map(MoneyView::from),
            limits: comparison.limits.into_iter().map(LimitChangeView::from).collect(),
            features_lost: comparison.features_lost,
        }
    }
}

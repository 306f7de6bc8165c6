//! Plan migrations as clients read them.

use rating::Quantity;
use serde::Serialize;
use utoipa::ToSchema;

use super::comparison::{Comparison, Fate, LimitChange, Obstacle, Skip};
use crate::http::money::MoneyView;
use crate::http::quantity::QuantityDocument;
use crate::kernel::ids::{OrganizationId, SubscriptionId};
use crate::kernel::time::Timestamp;

/// What a migration means for one subscription.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = MigratedSubscription)]
pub struct SubscriberView {
    pub organization: OrganizationId,
    pub subscription: SubscriptionId,
    /// `moves`: would change (preview only). `scheduled`: will. `skipped`: is left alone. `refused`: can't.
    #[schema(example = "moves")]
    pub status: &'static str,
    /// Of skipped: `change_scheduled`, `ends`, `paused`. Of refused: `not_sold` in its currency at its interval, `add_on_gone`.
    pub reason: Option<&'static str>,
    /// The add-on that is gone.
    pub add_on: Option<String>,
    pub effective_at: Timestamp,
    /// What a billing period costs it, add-ons among it.
    pub price_before: MoneyView,
    pub price_after: Option<MoneyView>,
    /// Those that differ.
    pub limits: Vec<LimitChangeView>,
    /// Keys of features that it would no longer have.
    pub features_lost: Vec<String>,
}

/// A limit that differs; -1 is unlimited.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = LimitChange)]
pub struct LimitChangeView {
    pub metric: String,
    #[schema(value_type = QuantityDocument)]
    pub before: Quantity,
    #[schema(value_type = QuantityDocument)]
    pub after: Quantity,
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

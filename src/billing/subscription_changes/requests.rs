//! The request bodies of the subscription endpoints.

use std::collections::BTreeMap;

use rating::{BillingInterval, Currency, ProrationPolicy};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::billing::subscriptions::subscription::PausePolicy;
use crate::kernel::json::given;
use crate::kernel::time::Timestamp;

/// The instant of a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = ChangeTime)]
pub enum Effective {
    /// At once; what differs is prorated.
    Now,
    /// At the end of the billing period; nothing is billed until then.
    PeriodEnd,
}

/// The change of a subscription. An absent field keeps its value.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewChange {
    /// The key of another plan; its newest version unless `planVersion` is sent.
    #[schema(example = "enterprise")]
    pub plan: Option<String>,
    /// The version of the plan.
    #[schema(example = 2)]
    pub plan_version: Option<u32>,
    /// The length of the billing period: `month` or `year`.
    #[schema(value_type = Option<String>, example = "year")]
    pub billing_period: Option<BillingInterval>,
    /// The number of units of the plan that are sold, such as seats.
    #[schema(minimum = 1, maximum = 1_000_000, example = 10)]
    pub quantity: Option<u32>,
    /// The quantity of each named add-on, by its key; 0 removes it. Other add-ons stay.
    #[schema(example = json!({"extra-users": 2}))]
    pub add_ons: Option<BTreeMap<String, u32>>,
    /// The instant of the change. Defaults to `period_end` for a shorter billing period or a lower base price per month, and to `now`
    /// otherwise.
    pub effective: Option<Effective>,
    /// The proration of a change `now`. Defaults to the policy of the plan.
    #[schema(value_type = Option<String>, example = "day")]
    pub proration_policy: Option<ProrationPolicy>,
}

/// The subscription to create.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewSubscriptionBody {
    /// The key of the plan; its newest version is subscribed to.
    #[schema(example = "professional")]
    pub plan: String,
    /// The ISO 4217 code of the currency of all charges. Defaults to the currency of the organization.
    #[schema(value_type = Option<String>, example = "USD")]
    pub currency: Option<Currency>,
    /// The length of the billing period. Defaults to `month`.
    #[schema(value_type = Option<String>, example = "month")]
    pub billing_period: Option<BillingInterval>,
    /// The number of units of the plan that are sold, such as seats. Defaults to 1.
    #[schema(minimum = 1, maximum = 1_000_000, example = 10)]
    pub quantity: Option<u32>,
    /// The quantity of each add-on, by its key.
    #[schema(example = json!({"extra-users": 2}))]
    pub add_ons: Option<BTreeMap<String, u32>>,
    /// Whether the subscription starts with the trial of the plan. An organization has one trial, unless the vendor requests another.
    #[serde(default)]
    #[schema(required = false, example = false)]
    pub trial: bool,
}

/// The cancellation of a subscription.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewSubscriptionCancellation {
    /// The instant of the cancellation. Defaults to `period_end`: paid time is kept.
    pub effective: Option<Effective>,
    /// The reason, for your own records.
    #[schema(min_length = 1, max_length = 2000, example = "We stop the project")]
    pub reason: Option<String>,
    /// The proration of the credit for unused time, for a cancellation `now`. Defaults to the policy of the plan.
    #[schema(value_type = Option<String>, example = "second")]
    pub proration_policy: Option<ProrationPolicy>,
}

/// The pause of a subscription.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewPause {
    /// The treatment of paid time: `credit_unused` (default) credits it, `keep_time` keeps it for later.
    #[serde(default)]
    #[schema(required = false)]
    pub policy: PausePolicy,
    /// The instant at which the subscription resumes by itself. Absent: it stays paused until it is resumed.
    pub resumes_at: Option<Timestamp>,
}

/// Settings of a subscription that change no amount. An absent field keeps its value, `null` clears it (JSON merge patch, RFC 7396).
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SubscriptionSettings {
    /// Whether another billing period follows the current one; otherwise the subscription expires.
    #[serde(default, deserialize_with = "given")]
    #[schema(nullable = false, example = true)]
    pub auto_renew: Option<bool>,
    /// The payment method, as your payment provider names it. Null: none.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 200, example = "pm_1Nf2xT")]
    pub payment_method: Option<Option<String>>,
}

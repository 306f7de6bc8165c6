//! The request bodies of the subscription endpoints.

use std::collections::BTreeMap;

use rating::{BillingInterval, Currency, ProrationPolicy};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::billing::subscriptions::subscription::PausePolicy;
use crate::kernel::json::given;
use crate::kernel::time::Timestamp;

/// When a change takes effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = ChangeTime)]
pub enum Effective {
    /// At once; what differs is prorated.
    Now,
    /// When the billing period ends; nothing is billed until then.
    PeriodEnd,
}

/// What is to be different. What is absent stays as it is.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewChange {
    /// Another plan, in its newest version.
    #[schema(example = "enterprise")]
    pub plan: Option<String>,
    /// A certain version of the plan.
    pub plan_version: Option<u32>,
    /// `month` or `year`.
    #[schema(value_type = Option<String>, example = "year")]
    pub billing_period: Option<BillingInterval>,
    /// How many of the plan.
    #[schema(minimum = 1, maximum = 1_000_000)]
    pub quantity: Option<u32>,
    /// How many of each add-on named; 0 ends one, others stay.
    pub add_ons: Option<BTreeMap<String, u32>>,
    /// When absent: `period_end` for a shorter interval or a lower base price a month, `now` otherwise.
    pub effective: Option<Effective>,
    /// For a change now, instead of the plan's.
    #[schema(value_type = Option<String>, example = "day")]
    pub proration_policy: Option<ProrationPolicy>,
}

/// What is to be subscribed to.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewSubscriptionBody {
    #[schema(example = "professional")]
    pub plan: String,
    /// What it is charged in; the organization's currency when absent.
    #[schema(value_type = Option<String>, example = "USD")]
    pub currency: Option<Currency>,
    /// `month` when absent.
    #[schema(value_type = Option<String>, example = "month")]
    pub billing_period: Option<BillingInterval>,
    /// 1 when absent.
    #[schema(minimum = 1, maximum = 1_000_000)]
    pub quantity: Option<u32>,
    pub add_ons: Option<BTreeMap<String, u32>>,
    /// Whether it begins with the plan's trial: once an organization, unless the vendor asks.
    #[serde(default)]
    #[schema(required = false)]
    pub trial: bool,
}

/// When it is to end, and why.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewSubscriptionCancellation {
    /// The end of the billing period when absent: what is paid for is not taken away.
    pub effective: Option<Effective>,
    #[schema(example = "we stop the project", min_length = 1, max_length = 2000)]
    pub reason: Option<String>,
    /// For an end now, instead of the plan's: what comes back of what was paid in advance.
    #[schema(value_type = Option<String>, example = "second")]
    pub proration_policy: Option<ProrationPolicy>,
}

/// How it is to rest.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewPause {
    /// `credit_unused` when absent.
    #[serde(default)]
    #[schema(required = false)]
    pub policy: PausePolicy,
    /// When it ends by itself; until somebody ends it when absent.
    pub resumes_at: Option<Timestamp>,
}

/// What may be changed without another bill: what is absent stays, `null` clears what may be absent (JSON merge patch, RFC 7396).
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SubscriptionSettings {
    /// Whether another billing period begins when this one ends; it expires otherwise.
    #[serde(default, deserialize_with = "given")]
    #[schema(nullable = false)]
    pub auto_renew: Option<bool>,
    /// What pays, as your payment provider names it; null for none.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 200)]
    pub payment_method: Option<Option<String>>,
}

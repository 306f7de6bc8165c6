//! The proof of an invoice as clients read it.

use std::collections::BTreeMap;

use rating::BillingInterval;
use serde::Serialize;
use utoipa::ToSchema;

use super::bill::{DrawnCredit, TakenDiscount};
use super::line::Proration;
use super::views::InvoiceView;
use crate::billing::subscriptions::subscription::{Phase, Shape};
use crate::catalog::plans::plan::Plan;
use crate::kernel::ids::{OrganizationId, SubscriptionId};
use crate::kernel::time::Timestamp;
use crate::meter::contract::ChainedCommit;

/// An invoice with all data that its amounts are computed from. An offline verifier computes it again; see docs/INVOICE-PROOF.md.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = InvoiceProof)]
pub struct ProofView {
    /// The type of the resource.
    #[serde(rename = "$type")]
    #[schema(example = "InvoiceProof")]
    pub type_name: &'static str,
    /// The version of the format.
    #[schema(example = 1)]
    pub version: u32,
    /// The organization that is charged.
    pub organization: OrganizationId,
    /// The invoice, as `GET /v1/invoices/{id}` shows it.
    pub invoice: InvoiceView,
    /// The basis of each line of the invoice, in the same order.
    pub lines: Vec<BasisView>,
    /// The discounts of the invoice with their percentage or amount, in the same order.
    #[schema(value_type = Vec<Object>,
        example = json!([{
            "id": "disc_01kaz3h8v5e0m9r6y2q4t7wxzb", "name": "Launch offer", "off": {"percentage": "10"}, "amountMinor": 1990
        }]))]
    pub discounts: Vec<TakenDiscount>,
    /// The amounts drawn of each credit, in minor units.
    #[schema(value_type = Vec<Object>, example = json!([{"id": "credit_01kaz3h8v5e0m9r6y2q4t7wxzb", "amountMinor": 500, "version": 1}]))]
    pub credits: Vec<DrawnCredit>,
    /// The amount below zero that became credit, in minor units.
    #[schema(example = 0)]
    pub carried_minor: i64,
    /// The subscription with its phases.
    pub subscription: PinnedView,
    /// Every plan version that the invoice charges by, in full.
    #[schema(value_type = Vec<Object>, example = json!([{"key": "professional", "version": 1}]))]
    pub plans: Vec<Plan>,
    /// The closings of the Meter that the usage lines rest on.
    pub closings: Vec<ClosingView>,
}

/// The basis of a line.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = InvoiceProofLine)]
pub struct BasisView {
    /// The key of the plan.
    #[schema(example = "professional")]
    pub plan: String,
    /// The version of the plan.
    #[schema(example = 1)]
    pub plan_version: u32,
    /// The subscribed plan, quantity and add-ons. Null on invoices from before it was recorded.
    #[schema(value_type = Option<Object>)]
    pub shape: Option<Shape>,
    /// Usage lines: the number of the closing in `closings` that proves the count. Null for other lines and for a period that is not
    /// closed.
    #[schema(example = 12)]
    pub closing: Option<u64>,
    /// Lines of unused and remaining time: the share of the period. Null for other lines.
    #[schema(value_type = Option<Object>)]
    pub proration: Option<Proration>,
}

/// The subscription of the invoice.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = InvoiceProofSubscription)]
pub struct PinnedView {
    /// The id of the subscription.
    #[serde(rename = "$id")]
    pub id: SubscriptionId,
    /// The IANA time zone of its periods.
    #[schema(example = "Europe/Berlin")]
    pub time_zone: String,
    /// The instant at which the subscription started.
    pub started_at: Timestamp,
    /// The end of the trial. Null without a trial.
    pub trial_ends_at: Option<Timestamp>,
    /// The instant from which paid periods are counted. Null while on trial.
    pub anchored_at: Option<Timestamp>,
    /// The phases of the subscription, oldest first.
    pub phases: Vec<PhaseView>,
}

/// The plan, quantity and add-ons of a subscription from an instant up to the next phase.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = SubscriptionPhase)]
pub struct PhaseView {
    /// The start of the phase.
    pub starts_at: Timestamp,
    /// The key of the plan.
    #[schema(example = "professional")]
    pub plan: String,
    /// The version of the plan.
    #[schema(example = 1)]
    pub plan_version: u32,
    /// The length of the billing period.
    #[schema(value_type = String, example = "month")]
    pub interval: BillingInterval,
    /// The number of units of the plan that are sold, such as seats.
    #[schema(example = 1)]
    pub quantity: u32,
    /// The quantity of each add-on, by its key.
    #[schema(example = json!({"extra-users": 2}))]
    pub add_ons: BTreeMap<String, u32>,
}

impl From<Phase> for PhaseView {
    fn from(phase: Phase) -> Self {
        let Shape { plan, plan_version, interval, quantity, add_ons } = phase.shape;
        Self { starts_at: phase.starts_at, plan, plan_version, interval, quantity, add_ons }
    }
}

/// A commit of the Meter's chain that closed a period.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = InvoiceProofClosing)]
pub struct ClosingView {
    /// The number of the commit.
    #[schema(example = 12)]
    pub number: u64,
    /// The hash of the previous commit.
    #[schema(example = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08")]
    pub previous: String,
    /// The hash of `body` and `previous`.
    #[schema(example = "60303ae22b998861bce3b28f33eec1be758a213c86c93c076dbe9f558c11c752")]
    pub hash: String,
    /// The hashed text.
    #[schema(example = "{\"number\":12}")]
    pub body: String,
    /// The path of the export of the chain from this period on, with the counted events.
    #[schema(example = "/v1/usage/proof?from=2026-01-31T09:00:00Z")]
    pub usage_proof: String,
}

impl ClosingView {
    /// Of the period that starts then.
    pub fn new(starts_at: Timestamp, commit: ChainedCommit) -> Self {
        let ChainedCommit { number, previous, hash, body } = commit;
        Self { number, previous, hash, body, usage_proof: format!("/v1/usage/proof?from={starts_at}") }
    }
}

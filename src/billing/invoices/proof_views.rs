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

/// An invoice with all that it is computed from. Save it and run the verifier on it; see docs/INVOICE-PROOF.md.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = InvoiceProof)]
pub struct ProofView {
    #[serde(rename = "$type")]
    pub type_name: &'static str,
    pub version: u32,
    pub organization: OrganizationId,
    /// As `GET /v1/invoices/{id}` shows it.
    pub invoice: InvoiceView,
    /// What each of the invoice's lines rests on, in their order.
    pub lines: Vec<BasisView>,
    /// The invoice's discounts with what they are off, in their order.
    #[schema(value_type = Vec<Object>)]
    pub discounts: Vec<TakenDiscount>,
    /// What was drawn of which credit.
    #[schema(value_type = Vec<Object>)]
    pub credits: Vec<DrawnCredit>,
    /// What was below zero and became credit.
    pub carried_minor: i64,
    pub subscription: PinnedView,
    /// Every plan version that was charged by, whole.
    #[schema(value_type = Vec<Object>)]
    pub plans: Vec<Plan>,
    /// The Meter's closings that the usage lines rest on.
    pub closings: Vec<ClosingView>,
}

/// What a line rests on.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = InvoiceProofLine)]
pub struct BasisView {
    pub plan: String,
    pub plan_version: u32,
    /// What was subscribed to.
    #[schema(value_type = Option<Object>)]
    pub shape: Option<Shape>,
    /// Usage: the number of the closing in `closings` that says the count; null while the period is not closed.
    pub closing: Option<u64>,
    /// Unused and remaining time: the share of what the line is.
    #[schema(value_type = Option<Object>)]
    pub proration: Option<Proration>,
}

/// What places the periods, and what was subscribed to from when on.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = InvoiceProofSubscription)]
pub struct PinnedView {
    #[serde(rename = "$id")]
    pub id: SubscriptionId,
    pub time_zone: String,
    pub started_at: Timestamp,
    pub trial_ends_at: Option<Timestamp>,
    /// Where paid periods are counted from now.
    pub anchored_at: Option<Timestamp>,
    /// Oldest first.
    pub phases: Vec<PhaseView>,
}

/// What it was from an instant on, up to the next phase.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = SubscriptionPhase)]
pub struct PhaseView {
    pub starts_at: Timestamp,
    pub plan: String,
    pub plan_version: u32,
    #[schema(value_type = String, example = "month")]
    pub interval: BillingInterval,
    pub quantity: u32,
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
    pub number: u64,
    /// The hash of the commit before it.
    pub previous: String,
    pub hash: String,
    /// The exact text that the hash is of.
    pub body: String,
    /// Where the chain is exported that this commit stands in, with the events that it counts.
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

//! The proof of an invoice: the data from which an offline verifier computes it again. `docs/INVOICE-PROOF.md` describes it. All of it was
//! stored when the invoice was created, except plan versions and closings, which never change.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::invoice::{BillingReason, Invoice};
use super::line::{Line, LineKind};
use super::proof_views::{BasisView, ClosingView, PhaseView, PinnedView, ProofView};
use super::store;
use super::views::InvoiceView;
use crate::billing::subscriptions::store as subscriptions;
use crate::billing::subscriptions::subscription::{Phase, Subscription};
use crate::catalog::plans;
use crate::catalog::plans::plan::Plan;
use crate::http::reply::Reply;
use crate::http::request::IdInPath;
use crate::identity::callers::actors::Authorized;
use crate::identity::permissions::needs;
use crate::kernel::error::{Error, Result};
use crate::kernel::ids::InvoiceId;
use crate::kernel::problem::Problem;
use crate::kernel::tenant::Tenant;
use crate::kernel::time::Timestamp;
use crate::meter::client;
use crate::meter::contract::ChainedCommit;

/// The version of the format.
const VERSION: u32 = 1;

/// Get the proof of an invoice
///
/// The invoice with all data that its amounts are computed from: plan versions, phases of the subscription, discounts, taxes, credit, and
/// the commits of the Meter's chain that prove the usage. `cargo run -p verify -- proof.json` computes it again, offline.
#[utoipa::path(get, path = "/v1/invoices/{id}/proof", operation_id = "getInvoiceProof",
    params(("id" = String, Path, description = "`inv_...`")),
    responses((status = 200, description = "The proof", body = ProofView)))]
pub async fn proof(caller: Authorized<needs::InvoicesRead>, IdInPath(id): IdInPath<InvoiceId>) -> Result<Reply> {
    let tenant = &caller.tenant;
    let invoice = store::find(tenant, id).await?.ok_or_else(|| Problem::not_found("invoice"))?;
    let missing = || Error::internal(format!("{id} is of {}, which is not there", invoice.subscription));
    let subscription = subscriptions::find(tenant, invoice.subscription).await?.ok_or_else(missing)?;
    let phases = subscriptions::phases(tenant, invoice.subscription).await?;
    let plans = plans(tenant, &invoice, &phases).await?;
    let closings = closings(tenant, &invoice).await?;
    Reply::ok(&view(tenant, invoice, (subscription, phases), plans, closings))
}

/// The plan versions of the lines, and of phases that may have been charged: a missing line has a price, too.
async fn plans(tenant: &Tenant, invoice: &Invoice, phases: &[Phase]) -> Result<Vec<Arc<Plan>>> {
    let mut versions: BTreeSet<(&str, u32)> = invoice.lines.iter().map(|line| (line.plan.as_str(), line.plan_version)).collect();
    // Unused time credits the charge of a whole period, perhaps of the phase at its start.
    let shared = invoice.lines.iter().filter_map(|line| line.proration.as_ref()).map(|proration| proration.period.starts_at);
    let lines = invoice.lines.iter().map(|line| line.period_starts_at);
    let starts = lines.chain(invoice.usage.iter().map(|usage| usage.period_starts_at)).chain(shared);
    let earliest = starts.min().unwrap_or(invoice.period.starts_at);
    let begun = phases.iter().rposition(|phase| phase.starts_at <= earliest).unwrap_or(0);
    let charged = phases.iter().skip(begun).filter(|phase| phase.starts_at <= invoice.created_at);
    versions.extend(charged.map(|phase| (phase.shape.plan.as_str(), phase.shape.plan_version)));
    let mut plans = Vec::new();
    for (key, version) in versions.into_iter().filter(|(key, _)| !key.is_empty()) {
        plans.push(plans::store::pinned(tenant.app(), key, version).await?);
    }
    Ok(plans)
}

/// A closing commit, and the start of the earliest period it bills.
struct Closed {
    starts_at: Timestamp,
    commit: ChainedCommit,
}

/// The closings of all periods whose usage the invoice bills. A running period has none.
async fn closings(tenant: &Tenant, invoice: &Invoice) -> Result<Vec<Closed>> {
    let usage = invoice.usage.iter().filter(|usage| !usage.late).map(|usage| usage.period_starts_at);
    let overage = invoice.lines.iter().filter(|line| line.kind == LineKind::Overage).map(|line| line.period_starts_at);
    // Late usage after the end is proven by the closing of the time since then.
    let late = (invoice.reason == BillingReason::LateUsage).then_some(invoice.period.ends_at);
    let starts: BTreeSet<Timestamp> = usage.chain(overage).chain(late).collect();
    let mut closings = Vec::new();
    for starts_at in starts {
        if let Some(commit) = client::closing_commit(tenant, starts_at).await? {
            closings.push(Closed { starts_at, commit });
        }
    }
    Ok(closings)
}

fn view(
    tenant: &Tenant,
    invoice: Invoice,
    (subscription, phases): (Subscription, Vec<Phase>),
    plans: Vec<Arc<Plan>>,
    closings: Vec<Closed>,
) -> ProofView {
    ProofView {
        type_name: "InvoiceProof",
        version: VERSION,
        organization: tenant.organization(),
        lines: invoice.lines.iter().map(|line| basis(line, &invoice, &closings)).collect(),
        discounts: invoice.discounts.clone(),
        credits: invoice.credits.clone(),
        carried_minor: invoice.carried_minor,
        subscription: PinnedView {
            id: subscription.id,
            time_zone: subscription.time_zone,
            started_at: subscription.started_at,
            trial_ends_at: subscription.trial_ends_at,
            anchored_at: subscription.anchored_at,
            phases: phases.into_iter().map(PhaseView::from).collect(),
        },
        plans: plans.iter().map(|plan| plan.as_ref().clone()).collect(),
        closings: closings.into_iter().map(|closed| ClosingView::new(closed.starts_at, closed.commit)).collect(),
        invoice: InvoiceView::from(invoice),
    }
}

fn basis(line: &Line, invoice: &Invoice, closings: &[Closed]) -> BasisView {
    let of_period = |starts_at: Timestamp| closings.iter().find(|closed| closed.starts_at == starts_at);
    let closed = match line.kind {
        LineKind::Overage => of_period(line.period_starts_at),
        // Late usage is proven by the closing after it: that of the billed period.
        LineKind::LateUsage => {
            let billed = invoice.usage.iter().find(|usage| !usage.late).map(|usage| usage.period_starts_at);
            of_period(billed.unwrap_or(invoice.period.ends_at))
        }
        LineKind::BasePrice | LineKind::AddOn | LineKind::UnusedTime | LineKind::RemainingTime | LineKind::MinimumCommitment => None,
    };
    BasisView {
        plan: line.plan.clone(),
        plan_version: line.plan_version,
        shape: line.shape.clone(),
        closing: closed.map(|closed| closed.commit.number),
        proration: line.proration.clone(),
    }
}

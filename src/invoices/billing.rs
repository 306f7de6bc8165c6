//! The billing run of one subscription: close its period, invoice the next one. Safe to repeat and to cut off anywhere.

use super::rules::{self, Invoice};
use super::store;
use crate::kernel::decision::Decision;
use crate::kernel::error::{Error, Result};
use crate::kernel::ids::{InvoiceId, SubscriptionId};
use crate::kernel::tenant::{Tenant, until_fresh};
use crate::usage::meters;
use crate::{billing_run, subscriptions};

/// Whose numbers the invoices bear: one seller, the vendor, until there are several legal entities.
pub const SELLER: &str = "default";

/// Bills what is due, one period, and answers with its invoice; None when nothing is due.
///
/// The closing is the Meter's and stays the same when asked again; the commit is guarded by the subscription's version and by
/// `UNIQUE (organization_id, subscription_id, period_starts_at)`. So whoever comes second finds it done. The caller goes on to run the facts
/// that it raises.
pub async fn bill_one_period(tenant: &Tenant, id: SubscriptionId) -> Result<Option<Invoice>> {
    let invoice = until_fresh(|| draft(tenant, id)).await?;
    if let Some(invoice) = &invoice {
        // What fails here is the draft's own step to try again, and to be parked with: the period is billed.
        let _numbered = number(tenant, invoice).await;
    }
    Ok(invoice)
}

async fn draft(tenant: &Tenant, id: SubscriptionId) -> Result<Option<Invoice>> {
    let Some(subscription) = subscriptions::store::find(tenant, id).await? else { return Ok(None) };
    if !subscription.is_due(tenant.moment().now) {
        return Ok(None);
    }
    let plan = subscription.pinned_plan()?;
    // The Meter must know the periods before it closes one.
    meters::configure(tenant, &subscription).await?;
    let closing = meters::close_period(tenant, subscription.period).await?;
    let (invoice, decision) = rules::bill(&subscription, &plan, &closing, tenant.moment())?;
    tenant.commit_to_run(decision.write(billing_run::store::forget_failure(id))).await?;
    Ok(Some(invoice))
}

/// Only what is committed gets a number, so that none is lost with a draft that never was.
async fn number(tenant: &Tenant, committed: &Invoice) -> Result<()> {
    let number = tenant.app().invoice_numbers.number(SELLER, committed.id).await?;
    tenant.commit_to_run(rules::finalize(committed, number, tenant.moment())).await
}

/// What gives a draft invoice its number. The number belongs to the invoice's id, so that asking again leaves no gap.
pub async fn finalize(tenant: &Tenant, id: InvoiceId) -> Result<Decision> {
    let invoice = store::find(tenant, id).await?.ok_or_else(|| Error::internal(format!("{id} is to be finalized and is not there")))?;
    if invoice.status != rules::Status::Draft {
        return Ok(Decision::new());
    }
    let number = tenant.app().invoice_numbers.number(SELLER, id).await?;
    Ok(rules::finalize(&invoice, number, tenant.moment()))
}

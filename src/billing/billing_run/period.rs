//! The bill of one period of one subscription: close it, invoice it, number the invoice. Safe to repeat and to cut off anywhere.

use crate::billing::billing_run;
use crate::billing::charging::account::Account;
use crate::billing::charging::cycle::{Billed, bill};
use crate::billing::invoices::invoice::Invoice;
use crate::billing::invoices::numbers;
use crate::kernel::error::Result;
use crate::kernel::ids::SubscriptionId;
use crate::kernel::tenant::{Tenant, until_fresh};
use crate::meter::client;
use crate::tenancy::organizations::organization::Organization;

/// Whether a billing run found something to do.
#[derive(Clone, Debug, PartialEq)]
pub enum Run {
    NothingDue,
    /// A period was closed; it may have cost nothing. `is_behind`: the next one is over, too.
    Closed {
        is_behind: bool,
    },
}

struct Closed {
    customer: Organization,
    invoice: Option<Invoice>,
    is_behind: bool,
}

/// Bills what is due, one usage period.
///
/// The closing is the Meter's and stays the same when asked again; the commit is guarded by the subscription's version and by
/// `UNIQUE (organization_id, subscription_id, reason_key)`. So whoever comes second finds it done. The caller goes on to run the facts
/// that it raises.
pub async fn bill_one_period(tenant: &Tenant, id: SubscriptionId) -> Result<Run> {
    let Some(Closed { customer, invoice, is_behind }) = until_fresh(|| close(tenant, id)).await? else { return Ok(Run::NothingDue) };
    if let Some(invoice) = invoice {
        // What fails here is the draft's own step to try again, and to be parked with: the period is billed.
        let _numbered = commit_number(tenant, &invoice, &customer).await;
    }
    Ok(Run::Closed { is_behind })
}

/// None where nothing is due.
async fn close(tenant: &Tenant, id: SubscriptionId) -> Result<Option<Closed>> {
    let now = tenant.moment().now;
    let Some(account) = Account::load(tenant, id).await?.filter(|account| account.subscription.is_due(now)) else { return Ok(None) };
    let subscription = &account.subscription;
    // The Meter must know the periods before it closes one.
    crate::billing::subscriptions::meter::configure(tenant, subscription).await?;
    let closing = client::close_period(tenant, subscription.period).await?;
    let Billed { invoice, subscription: next, decision } = bill(&account.billing(&closing), tenant.moment())?;
    tenant.commit_to_run(decision.write(billing_run::store::forget_failure(id))).await?;
    let is_behind = next.is_due(now);
    Ok(Some(Closed { customer: account.customer, invoice, is_behind }))
}

async fn commit_number(tenant: &Tenant, committed: &Invoice, customer: &Organization) -> Result<()> {
    tenant.commit_to_run(numbers::number(tenant, committed, customer).await?).await
}

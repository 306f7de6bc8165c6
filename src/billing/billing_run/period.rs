//! Bills one period of one subscription: closes it, invoices it, numbers the invoice. Safe to repeat and to interrupt anywhere.

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

/// The result of billing one period.
#[derive(Clone, Debug, PartialEq)]
pub enum Run {
    NothingDue,
    /// A period was closed, with or without charges. `is_behind`: the next one has ended, too.
    Closed {
        is_behind: bool,
    },
}

struct Closed {
    customer: Organization,
    invoice: Option<Invoice>,
    is_behind: bool,
}

/// Bills one usage period that is due. The closing of the Meter stays the same when requested again; the commit is guarded by the version
/// of the subscription and by `UNIQUE (organization_id, subscription_id, reason_key)`, so a concurrent run finds it done. The caller runs
/// the facts that the commit raises.
pub async fn bill_one_period(tenant: &Tenant, id: SubscriptionId) -> Result<Run> {
    let Some(Closed { customer, invoice, is_behind }) = until_fresh(|| close(tenant, id)).await? else { return Ok(Run::NothingDue) };
    if let Some(invoice) = invoice {
        // The period is billed. A failure here is retried by the step of the draft itself, up to its dead letter.
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

//! The upcoming invoice: the invoice of the running period, if it ended with the usage counted so far.

use super::account::Account;
use super::cycle;
use crate::billing::invoices::invoice::Invoice;
use crate::billing::subscriptions::store as subscriptions;
use crate::kernel::error::Result;
use crate::kernel::ids::Moment;
use crate::kernel::tenant::Tenant;
use crate::meter::client;

/// The invoice of the running period without further usage; None where its end charges nothing.
pub async fn upcoming(tenant: &Tenant) -> Result<Option<Invoice>> {
    let Some(subscription) = subscriptions::current(tenant).await? else { return Ok(None) };
    let Some(account) = Account::load(tenant, subscription.id).await? else { return Ok(None) };
    let Some(due) = account.subscription.next_billing_at else { return Ok(None) };
    let closing = client::peek_period(tenant, account.subscription.period).await?;
    let moment = tenant.moment();
    cycle::upcoming(&account.billing(&closing), Moment { now: moment.now.max(due), ..moment })
}

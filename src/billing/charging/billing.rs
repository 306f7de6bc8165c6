//! The billing run of one subscription: close its period, invoice the next one. Safe to repeat and to cut off anywhere.

use super::account::Account;
use super::cycle;
use crate::billing::invoices::invoice::Invoice;
use crate::billing::invoices::{rules, store};
use crate::billing::seller;
use crate::billing::subscriptions::store as subscriptions;
use crate::kernel::decision::Decision;
use crate::kernel::error::{Error, Result};
use crate::kernel::ids::{InvoiceId, Moment};
use crate::kernel::sql::decode;
use crate::kernel::tenant::Tenant;
use crate::meter::client;
use crate::tenancy::organizations;
use crate::tenancy::organizations::organization::Organization;
use crate::tenancy::organizations::store::OrganizationRow;

/// Whose numbers the invoices bear: one seller, the vendor, until there are several legal entities.
pub const SELLER: &str = "default";
/// The series of its credit notes.
pub const CREDIT_NOTES: &str = "default:credit-notes";

/// What gives a draft invoice its number. The number belongs to the invoice's id, so that asking again leaves no gap.
pub async fn finalize(tenant: &Tenant, id: InvoiceId) -> Result<Decision> {
    let mut read =
        tenant.run(vec![store::select(id), organizations::store::select()]).await?.into_iter().map(|rows| rows.into_iter().next());
    let mut row = || read.next().flatten().ok_or_else(|| Error::internal(format!("{id} is to be finalized and is not there")));
    let invoice = store::read(row()?)?;
    if invoice.status != crate::billing::invoices::lifecycle::Status::Draft {
        return Ok(Decision::new());
    }
    let customer = Organization::from(decode::<OrganizationRow>(row()?)?);
    let number = tenant.app().invoice_numbers.number(SELLER, &id.to_string()).await?;
    let seller = seller::store::remembered(tenant.app()).await?;
    rules::finalize(&invoice, number, rules::parties(&seller, &customer), tenant.moment())
}

/// The invoice of the running period, if nothing more happened; None when nothing is to come with its end.
pub async fn upcoming(tenant: &Tenant) -> Result<Option<Invoice>> {
    let Some(subscription) = subscriptions::current(tenant).await? else { return Ok(None) };
    let Some(account) = Account::load(tenant, subscription.id).await? else { return Ok(None) };
    let Some(due) = account.subscription.next_billing_at else { return Ok(None) };
    let closing = client::peek_period(tenant, account.subscription.period).await?;
    let moment = tenant.moment();
    cycle::upcoming(&account.billing(&closing), Moment { now: moment.now.max(due), ..moment })
}

//! Numbers of invoices. A number belongs to the id of its invoice, so that a repeated request leaves no gap.

use super::invoice::Invoice;
use super::{rules, store};
use crate::billing::seller;
use crate::kernel::decision::Decision;
use crate::kernel::error::{Error, Result};
use crate::kernel::ids::InvoiceId;
use crate::kernel::sql::decode;
use crate::kernel::tenant::Tenant;
use crate::tenancy::organizations;
use crate::tenancy::organizations::organization::Organization;
use crate::tenancy::organizations::store::OrganizationRow;

/// The series of invoice numbers: one seller, the vendor, until there are several legal entities.
pub const SELLER: &str = "default";

/// Gives a draft its number; nothing where it has one.
pub async fn finalize(tenant: &Tenant, id: InvoiceId) -> Result<Decision> {
    let mut read =
        tenant.run(vec![store::select(id), organizations::store::select()]).await?.into_iter().map(|rows| rows.into_iter().next());
    let mut row = || read.next().flatten().ok_or_else(|| Error::internal(format!("{id} is to be finalized and is not there")));
    let invoice = store::read(row()?)?;
    if invoice.status != super::lifecycle::Status::Draft {
        return Ok(Decision::new());
    }
    number(tenant, &invoice, &Organization::from(decode::<OrganizationRow>(row()?)?)).await
}

/// Gives a committed draft of this customer its number. Only a committed draft may get one: the number of a lost draft would be a gap.
pub async fn number(tenant: &Tenant, draft: &Invoice, customer: &Organization) -> Result<Decision> {
    let number = tenant.app().invoice_numbers.number(SELLER, &draft.id.to_string()).await?;
    let seller = seller::store::remembered(tenant.app()).await?;
    rules::finalize(draft, number, rules::parties(&seller, customer), tenant.moment())
}

//! Numbers of credit notes. A number belongs to the id of its credit note, so that a repeated request leaves no gap.

use super::{rules, store};
use crate::kernel::decision::Decision;
use crate::kernel::error::{Error, Result};
use crate::kernel::ids::CreditNoteId;
use crate::kernel::tenant::Tenant;

/// The series of the numbers of credit notes: one seller, the vendor, until there are several legal entities.
pub const CREDIT_NOTES: &str = "default:credit-notes";

/// Gives a credit note its number; nothing where it has one.
pub async fn give(tenant: &Tenant, id: CreditNoteId) -> Result<Decision> {
    let note = store::find(tenant, id).await?.ok_or_else(|| Error::internal(format!("{id} is to be numbered and is not there")))?;
    if note.number.is_some() {
        return Ok(Decision::new());
    }
    let number = tenant.app().invoice_numbers.number(CREDIT_NOTES, &id.to_string()).await?;
    Ok(rules::number(&note, number, tenant.moment()))
}

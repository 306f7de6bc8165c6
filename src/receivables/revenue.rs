//! Revenue recognition: deferred revenue of an invoice is earned when its periods end.

use crate::accounting::ledger::entry::{Account, Entry, EntryKind, Fact, Posting};
use crate::accounting::ledger::store::post;
use crate::billing::invoices::endings::changed;
use crate::billing::invoices::invoice::{Invoice, is_deferred};
use crate::billing::invoices::journal::net_minor;
use crate::billing::invoices::lifecycle::Status;
use crate::billing::invoices::line::Line;
use crate::billing::invoices::store;
use crate::kernel::decision::Decision;
use crate::kernel::error::Result;
use crate::kernel::ids::{InvoiceId, Moment};
use crate::kernel::tenant::Tenant;
use crate::kernel::time::Timestamp;
use crate::receivables::credit_notes;
use crate::receivables::credit_notes::credit_note::CreditNote;

/// The entry at the end of a period: the revenue deferred until then, less credit notes, is earned. Below zero where the invoice credits
/// revenue that another invoice deferred.
pub fn recognized(invoice: &Invoice, notes: &[CreditNote], ends_at: Timestamp, moment: Moment<'_>) -> Result<Entry> {
    let is_meant = |line: &&Line| is_deferred(line, invoice.created_at) && line.period_ends_at == ends_at;
    let billed = invoice.lines.iter().filter(is_meant).fold(0_i64, |sum, line| sum.saturating_add(net_minor(line, invoice)));
    let credited = notes.iter().flat_map(|note| &note.lines).filter(|part| part.deferred);
    let credited = credited.filter(|part| invoice.lines.get(part.line).as_ref().is_some_and(is_meant));
    let credited = credited.fold(0_i64, |sum, part| sum.saturating_add(part.net_minor(invoice)));
    let earned = billed.saturating_sub(credited);
    let source = format!("{}/{}", invoice.id, ends_at.as_millis());
    let fact =
        Fact { kind: EntryKind::RevenueRecognized, source: &source, invoice: Some(invoice.id), currency: invoice.currency, at: moment.now };
    let posting = |account, amount_minor| Posting { account, amount_minor };
    Entry::new(fact, [posting(Account::Deferred, earned), posting(Account::Revenue, earned.saturating_neg())])
}

/// Recognizes the revenue of a period that ended. The invoice counts as changed, so that no concurrent credit note takes the same amount as
/// deferred.
pub async fn recognize(tenant: &Tenant, id: InvoiceId, ends_at: Timestamp) -> Result<Decision> {
    let Some(invoice) = store::find(tenant, id).await? else { return Ok(Decision::new()) };
    if invoice.status == Status::Void {
        return Ok(Decision::new());
    }
    let notes = credit_notes::store::of_invoice(tenant, id).await?;
    let entry = super::revenue::recognized(&invoice, &notes, ends_at, tenant.moment())?;
    Ok(changed(&invoice, &invoice).write_all(post(&[entry])))
}

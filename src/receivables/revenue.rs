//! Revenue: what is recognized of an invoice as time passes.

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

/// A period is over: what was deferred until then, and not credited before, is earned. Below zero where the invoice gives back what another
/// one deferred.
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

/// A period is over for which the invoice charged in advance: what of it was not taken back is earned. The invoice counts as changed, so
/// that nobody takes back at the same time what is deferred no more.
pub async fn recognize(tenant: &Tenant, id: InvoiceId, ends_at: Timestamp) -> Result<Decision> {
    let Some(invoice) = store::find(tenant, id).await? else { return Ok(Decision::new()) };
    if invoice.status == Status::Void {
        return Ok(Decision::new());
    }
    let notes = credit_notes::store::of_invoice(tenant, id).await?;
    let entry = super::revenue::recognized(&invoice, &notes, ends_at, tenant.moment())?;
    Ok(changed(&invoice, &invoice).write_all(post(&[entry])))
}

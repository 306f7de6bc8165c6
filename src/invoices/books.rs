//! What an invoice is in the ledger: what is earned with it, what is deferred until its periods end, and what it owes the tax office. Pure.

use std::collections::BTreeSet;

use rating::Money;

use super::lines::Line;
use super::rules::{Invoice, is_deferred};
use crate::credit_notes::rules::CreditNote;
use crate::kernel::error::{OrInternal, Result};
use crate::kernel::ids::Moment;
use crate::kernel::time::Timestamp;
use crate::ledger::audit::Balance;
use crate::ledger::rules::{self as ledger, Account, Entry, EntryKind, Fact, InvoiceParts, Posting};

/// It got its number: the customer owes it.
pub fn finalized(invoice: &Invoice, moment: Moment<'_>) -> Result<Entry> {
    let net = |deferred: bool| {
        let meant = invoice.lines.iter().filter(|line| is_deferred(line, invoice.created_at) == deferred);
        invoice.money(meant.fold(0_i64, |sum, line| sum.saturating_add(net_minor(line, invoice))))
    };
    let parts = InvoiceParts {
        due: invoice.payment_due(),
        paid_by_credit: invoice.money(invoice.credit_minor),
        credited: invoice.money(invoice.carried_minor),
        revenue: net(false),
        deferred: net(true),
        tax: invoice.money(invoice.tax_minor),
    };
    ledger::invoice_finalized(invoice.id, &parts, moment)
}

/// It never was: what the accounts hold of it goes.
pub fn voided(invoice: &Invoice, held: &[Balance], moment: Moment<'_>) -> Result<Entry> {
    let held = |account: Account| {
        let balance = held.iter().find(|balance| balance.account == account && balance.amount.currency() == invoice.currency);
        balance.map_or(Money::zero(invoice.currency), |balance| balance.amount)
    };
    let owed = |account: Account| held(account).checked_neg().or_internal();
    let parts = InvoiceParts {
        due: held(Account::Receivable),
        paid_by_credit: held(Account::Credit),
        credited: Money::zero(invoice.currency),
        revenue: owed(Account::Revenue)?,
        deferred: owed(Account::Deferred)?,
        tax: owed(Account::Tax)?,
    };
    ledger::invoice_voided(invoice.id, &parts, moment)
}

/// When what it defers is earned: the ends of the periods that its lines charge in advance.
pub fn period_ends(invoice: &Invoice) -> BTreeSet<Timestamp> {
    invoice.lines.iter().filter(|line| is_deferred(line, invoice.created_at)).map(|line| line.period_ends_at).collect()
}

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

/// A line after its discount and without any tax.
fn net_minor(line: &Line, invoice: &Invoice) -> i64 {
    let inclusive = invoice.taxes.iter().zip(&line.taxes_minor).filter(|(tax, _)| tax.rate.inclusive);
    let inclusive = inclusive.fold(0_i64, |sum, (_, minor)| sum.saturating_add(*minor));
    line.amount_minor.saturating_sub(line.discount_minor).saturating_sub(inclusive)
}

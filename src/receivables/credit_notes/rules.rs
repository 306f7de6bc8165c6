//! How a credit note is created, and its effect on the invoice, the credit of the customer and the subscription.

use serde_json::json;

use super::credit_note::{CreditNote, Resolution};
use super::parts::{NoteLine, Part, lines};
use super::store;
use crate::accounting::credits::grant::Source;
use crate::accounting::credits::rules as credits;
use crate::accounting::ledger::entry::Entry;
use crate::accounting::ledger::rules::{CreditNoteParts, credit_note_issued};
use crate::accounting::ledger::store::post;
use crate::billing::invoices::invoice::Invoice;
use crate::billing::invoices::lifecycle::{Status, Trigger, refusal, step};
use crate::billing::invoices::store as invoices;
use crate::billing::subscriptions::store as subscriptions;
use crate::billing::subscriptions::subscription::Subscription;
use crate::events::{CreditNoteCreated, CreditNoteIssued, InvoicePaid};
use crate::kernel::decision::Decision;
use crate::kernel::error::Result;
use crate::kernel::ids::{CreditNoteId, Moment};
use crate::kernel::problem::Problem;

const REASON_LENGTH_MAX: usize = 2_000;
/// Credit notes of one invoice, at most: each is computed from all earlier ones.
pub const NOTES_MAX: usize = 100;

/// A credit note to create.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    pub part: Part,
    pub reason: String,
    pub resolution: Resolution,
}

/// The context of a credit note.
pub struct About<'a> {
    pub invoice: &'a Invoice,
    /// All earlier credit notes of the invoice.
    pub notes: &'a [CreditNote],
    /// The subscription that was charged.
    pub subscription: &'a Subscription,
}

/// Creates a credit note for a part of an invoice.
pub fn issue(about: &About<'_>, wanted: &Wanted, moment: Moment<'_>) -> Result<(CreditNote, Decision)> {
    let invoice = about.invoice;
    let reason = checked_reason(&wanted.reason)?;
    match invoice.status {
        Status::Due | Status::Overdue | Status::Paid => {}
        Status::Draft | Status::Void | Status::Uncollectible => return Err(refusal(invoice.status).into()),
    }
    if about.notes.len() >= NOTES_MAX {
        return Err(Problem::conflict(
            "too_many_credit_notes",
            format!("This invoice has {NOTES_MAX} credit notes, the most possible. Credit its lines in larger amounts."),
        )
        .into());
    }
    let earlier: Vec<NoteLine> = about.notes.iter().flat_map(|note| note.lines.iter().cloned()).collect();
    let lines = lines(invoice, &earlier, &wanted.part, moment.now)?;
    let note = apportioned(about, lines, reason, wanted.resolution, moment)?;
    let decision = committed(about, &note, moment)?;
    Ok((note, decision))
}

fn checked_reason(reason: &str) -> std::result::Result<String, Problem> {
    let reason = reason.trim();
    if reason.is_empty() || reason.chars().count() > REASON_LENGTH_MAX {
        let detail = format!("Send a reason of 1 to {REASON_LENGTH_MAX} characters. It is printed on the credit note.");
        return Err(Problem::invalid("/reason", "invalid_value", detail));
    }
    Ok(reason.to_owned())
}

/// Computes the total and splits it: the outstanding amount is reduced first, then paid money is returned, as a refund only where money was
/// paid.
fn apportioned(about: &About<'_>, lines: Vec<NoteLine>, reason: String, resolution: Resolution, moment: Moment<'_>) -> Result<CreditNote> {
    let invoice = about.invoice;
    let sum = |of: &dyn Fn(&NoteLine) -> i64| lines.iter().fold(0_i64, |sum, line| sum.saturating_add(of(line)));
    let subtotal_minor = sum(&NoteLine::subtotal_minor);
    let tax_minor = sum(&|line| line.tax_minor(invoice, false).saturating_add(line.tax_minor(invoice, true)));
    let total_minor = sum(&|line| line.total_minor(invoice));
    let total_of = |notes: &[CreditNote], of: fn(&CreditNote) -> i64| notes.iter().fold(0_i64, |sum, note| sum.saturating_add(of(note)));
    let left = invoice.total_minor.saturating_sub(total_of(about.notes, |note| note.total_minor));
    if total_minor <= 0 {
        return Err(Problem::conflict("nothing_to_credit", "The whole invoice is credited. There is nothing left to credit.").into());
    }
    if total_minor > left {
        let detail = format!(
            "With taxes the credit note amounts to {}, more than the remaining {} of the invoice. Send a lower amount.",
            invoice.money(total_minor),
            invoice.money(left)
        );
        return Err(Problem::conflict("more_than_invoiced", detail).into());
    }
    let reduced_minor = total_minor.min(invoice.outstanding().minor());
    let paid = total_minor.saturating_sub(reduced_minor);
    let money = invoice.paid_minor.saturating_sub(total_of(about.notes, |note| note.refunded_minor));
    let refunded_minor = match resolution {
        Resolution::Credit => 0,
        Resolution::Refund => paid.min(money),
    };
    Ok(CreditNote {
        id: CreditNoteId::new(moment),
        invoice: invoice.id,
        number: None,
        currency: invoice.currency,
        reason,
        lines,
        subtotal_minor,
        tax_minor,
        total_minor,
        reduced_minor,
        credited_minor: paid.saturating_sub(refunded_minor),
        refunded_minor,
        created_at: moment.now,
        issued_at: None,
    })
}

fn committed(about: &About<'_>, note: &CreditNote, moment: Moment<'_>) -> Result<Decision> {
    let invoice = about.invoice;
    let mut after = Invoice { reduced_minor: invoice.reduced_minor.saturating_add(note.reduced_minor), ..invoice.clone() };
    after.credit_notes.push(note.id);
    let is_paid_in_full = invoice.status != Status::Paid && after.outstanding().is_zero();
    if is_paid_in_full {
        after.status = step(invoice.status, Trigger::PayInFull)?;
        after.paid_at = Some(moment.now);
    }
    let mut decision = Decision::new()
        .guard(invoices::unchanged(invoice))
        .write(invoices::update(&after))
        .write(store::insert(note))
        .write_all(post(&[entry(invoice, note, moment)?]))
        .and(uncharge(about, note))
        .raise(CreditNoteCreated { credit_note: note.id, invoice: invoice.id })
        .audit("creditNote.created", note.id.to_string(), None, Some(note.facts()));
    let credited = invoice.money(note.credited_minor);
    if let Some(grant) = credits::carried(Source::CreditNote, note.id.to_string(), credited, moment.now) {
        decision = decision.and(credits::granted(&grant));
    }
    if note.refunded_minor > 0 {
        decision = decision.write(crate::receivables::payments::store::insert_refund(&note.refund(moment)));
    }
    Ok(if is_paid_in_full { decision.raise(InvoicePaid { invoice: invoice.id }) } else { decision })
}

/// The credited amounts of earned revenue, deferred revenue and tax.
fn entry(invoice: &Invoice, note: &CreditNote, moment: Moment<'_>) -> Result<Entry> {
    let net = |deferred: bool| {
        let meant = note.lines.iter().filter(|line| line.deferred == deferred);
        invoice.money(meant.fold(0_i64, |sum, line| sum.saturating_add(line.net_minor(invoice))))
    };
    let parts = CreditNoteParts {
        credit_note: &note.id.to_string(),
        invoice: invoice.id,
        revenue: net(false),
        deferred: net(true),
        tax: invoice.money(note.tax_minor),
        against_receivable: invoice.money(note.reduced_minor),
        to_credit: invoice.money(note.credited_minor),
        to_refund: invoice.money(note.refunded_minor),
    };
    credit_note_issued(&parts, moment)
}

/// Lowers the amounts charged in advance by the credited amounts, so that no later change credits them again.
fn uncharge(about: &About<'_>, note: &CreditNote) -> Decision {
    let mut after = about.subscription.clone();
    for part in &note.lines {
        let Some(line) = about.invoice.lines.get(part.line) else { continue };
        let mut taken = part.subtotal_minor();
        let same = after
            .advance
            .iter_mut()
            .filter(|advance| advance.invoice == about.invoice.id && advance.item == line.item && advance.period == line.period());
        for advance in same {
            let share = taken.min(advance.left_minor).max(0);
            advance.left_minor = advance.left_minor.saturating_sub(share);
            taken = taken.saturating_sub(share);
        }
    }
    if after.advance == about.subscription.advance {
        return Decision::new();
    }
    Decision::new().guard(subscriptions::unchanged(about.subscription)).write(subscriptions::update(&after))
}

/// Gives a credit note its number; nothing where it has one.
pub fn number(note: &CreditNote, number: u64, moment: Moment<'_>) -> Decision {
    if note.number.is_some() {
        return Decision::new();
    }
    Decision::new()
        .guard(store::is_unnumbered(note.id))
        .write(store::number(note.id, number, moment.now))
        .raise(CreditNoteIssued { credit_note: note.id, invoice: note.invoice, identifier: identifier(number) })
        .audit("creditNote.issued", note.id.to_string(), None, Some(json!({"number": number})))
}

/// The printed number.
pub fn identifier(number: u64) -> String {
    format!("CN-{number:06}")
}

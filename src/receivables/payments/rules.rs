//! Rules of payments and refunds.

use rating::Money;

use super::payment::{Payment, Refund};
use super::store;
use crate::accounting::ledger::rules::{invoice_recovered, payment_received, refund_paid};
use crate::accounting::ledger::store::post;
use crate::billing::invoices::invoice::Invoice;
use crate::billing::invoices::lifecycle::{Status, Trigger, step};
use crate::billing::invoices::store as invoices;
use crate::events::{InvoicePaid, PaymentRecorded, RefundPaid};
use crate::kernel::decision::Decision;
use crate::kernel::error::Result;
use crate::kernel::ids::{Moment, PaymentId};
use crate::kernel::problem::Problem;
use crate::kernel::time::Timestamp;

const TEXT_LENGTH_MAX: usize = 200;

/// The method, reference and date of a payment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Way {
    pub method: Option<String>,
    pub reference: Option<String>,
    /// Now when absent.
    pub paid_at: Option<Timestamp>,
}

/// Records a payment of `amount`, or of the outstanding amount.
pub fn pay(invoice: &Invoice, amount: Option<Money>, way: &Way, moment: Moment<'_>) -> Result<(Payment, Decision)> {
    let paid = step(invoice.status, Trigger::PayInFull)?;
    let open = invoice.outstanding();
    let amount = amount.unwrap_or(open);
    if amount.minor() > open.minor() {
        return Err(more_than_due(open).into());
    }
    if invoice.status == Status::Uncollectible && amount != open {
        let detail = format!("This invoice was written off and can only be paid in full. Send {open}.");
        return Err(Problem::invalid("/amount", "invalid_value", detail).into());
    }
    let paid_at = checked(way, moment)?;
    let payment = Payment {
        id: PaymentId::new(moment),
        invoice: invoice.id,
        amount,
        method: way.method.clone(),
        reference: way.reference.clone(),
        paid_at,
        recorded_at: moment.now,
    };
    let is_last = amount == open;
    let after = Invoice {
        paid_minor: invoice.paid_minor.saturating_add(amount.minor()),
        status: if is_last { paid } else { invoice.status },
        paid_at: if is_last { Some(paid_at) } else { None },
        ..invoice.clone()
    };
    let mut entries = vec![payment_received(&payment.id.to_string(), invoice.id, amount, moment)?];
    if invoice.status == Status::Uncollectible {
        entries.push(invoice_recovered(invoice.id, amount, moment)?);
    }
    let decision = Decision::new()
        .guard(invoices::unchanged(invoice))
        .write(invoices::update(&after))
        .write(store::insert(&payment))
        .write_all(post(&entries))
        .raise(PaymentRecorded { payment: payment.id, invoice: invoice.id })
        .audit("payment.recorded", payment.id.to_string(), None, Some(payment.facts()));
    Ok((payment, if is_last { decision.raise(InvoicePaid { invoice: invoice.id }) } else { decision }))
}

fn more_than_due(open: Money) -> Problem {
    let detail = format!("Only {open} is outstanding. Send at most that amount, and grant the rest as credit with the source `purchased`.");
    Problem::conflict("more_than_due", detail)
}

/// Records that a refund was paid out; nothing changes when it was.
pub fn pay_out(refund: &Refund, way: &Way, moment: Moment<'_>) -> Result<(Refund, Decision)> {
    if refund.paid_at.is_some() {
        return Err(Problem::conflict("refund_paid", "This refund is already paid out. GET /v1/refunds shows its payout.").into());
    }
    let paid_at = checked(way, moment)?;
    let paid = Refund { method: way.method.clone(), reference: way.reference.clone(), paid_at: Some(paid_at), ..refund.clone() };
    let decision = Decision::new()
        .guard(store::is_pending(refund.id))
        .write(store::pay_out(&paid))
        .write_all(post(&[refund_paid(&refund.id.to_string(), refund.invoice, refund.amount, moment)?]))
        .raise(RefundPaid { refund: refund.id })
        .audit("refund.paid", refund.id.to_string(), None, Some(paid.facts()));
    Ok((paid, decision))
}

fn checked(way: &Way, moment: Moment<'_>) -> std::result::Result<Timestamp, Problem> {
    for (pointer, text) in [("/method", &way.method), ("/reference", &way.reference)] {
        if text.as_ref().is_some_and(|text| text.trim().is_empty() || text.chars().count() > TEXT_LENGTH_MAX) {
            let detail = format!("Send 1 to {TEXT_LENGTH_MAX} characters, or leave it out.");
            return Err(Problem::invalid(pointer, "invalid_value", detail));
        }
    }
    match way.paid_at {
        Some(at) if at > moment.now => {
            Err(Problem::invalid("/paidAt", "invalid_value", "Send an instant that is not in the future, or leave it out."))
        }
        at => Ok(at.unwrap_or(moment.now)),
    }
}

//! How an invoice is created and finalized. Its amounts are computed by `billing/charging/`.

use std::collections::BTreeMap;

use rating::Quantity;

use super::bill::Composed;
use super::invoice::{BillingReason, CountedUsage, Invoice};
use super::lifecycle::{Status, Trigger, step};
use super::{journal, store};
use crate::accounting::credits::grant::Source;
use crate::accounting::credits::rules as credits;
use crate::accounting::credits::rules::Taken;
use crate::accounting::ledger::store::post;
use crate::billing::discounts::rules as discounts;
use crate::billing::seller::party::Seller;
use crate::billing::subscriptions::subscription::Subscription;
use crate::events::{InvoiceCreated, InvoiceDueDatePassed, InvoiceFinalized, InvoicePaid, InvoicePeriodEnded};
use crate::kernel::decision::Decision;
use crate::kernel::error::{OrInternal, Result};
use crate::kernel::ids::{InvoiceId, Moment};
use crate::kernel::period::Period;
use crate::kernel::time::days;
use crate::meter::contract::Closing;
use crate::tenancy::organizations::organization::Organization;

/// The payment term.
pub const DUE_AFTER: std::time::Duration = days(30);

/// The occasion of an invoice.
pub struct Occasion<'a> {
    pub subscription: &'a Subscription,
    pub reason: BillingReason,
    pub reason_key: String,
    pub period: Period,
    pub usage: Vec<CountedUsage>,
}

/// The draft of an invoice. The same occasion has the same id, so that two runs never create two invoices.
pub fn draft(occasion: Occasion<'_>, composed: Composed, moment: Moment<'_>) -> Invoice {
    let Occasion { subscription, reason, reason_key, period, usage } = occasion;
    let totals = composed.totals;
    Invoice {
        id: InvoiceId::derived(&[&subscription.id.to_string(), &reason_key]),
        subscription: subscription.id,
        reason,
        reason_key,
        number: None,
        status: Status::Draft,
        currency: subscription.currency,
        subtotal_minor: composed.subtotal.minor(),
        discount_minor: totals.discount.minor(),
        tax_minor: totals.tax.minor(),
        total_minor: totals.total.minor(),
        carried_minor: totals.carried.minor(),
        credit_minor: totals.credit.minor(),
        paid_minor: 0,
        reduced_minor: 0,
        lines: composed.lines,
        usage,
        discounts: composed.discounts,
        taxes: composed.taxes,
        credits: composed.credits,
        credit_notes: Vec::new(),
        parties: None,
        period,
        created_at: moment.now,
        issued_at: None,
        due_at: None,
        paid_at: None,
        voided_at: None,
        version: 1,
    }
}

/// The commit of a draft: redeems its discounts, draws its credit, and grants the carried amount as credit.
pub fn create(invoice: &Invoice) -> Decision {
    let taken = invoice.credits.iter().map(|drawn| Taken { credit: drawn.id, amount_minor: drawn.amount_minor, version: drawn.version });
    let carried = credits::carried(Source::Invoice, invoice.id.to_string(), invoice.money(invoice.carried_minor), invoice.created_at);
    Decision::new()
        .write(store::insert(invoice))
        .and(discounts::redeem(invoice.discounts.iter().map(|taken| taken.id), invoice.id))
        .and(credits::draw(taken))
        .and(carried.as_ref().map_or_else(Decision::new, credits::granted))
        .raise(InvoiceCreated { invoice: invoice.id })
        .audit(
            "invoice.created",
            invoice.id.to_string(),
            None,
            Some(serde_json::json!({"totalMinor": invoice.total_minor, "billingReason": invoice.reason})),
        )
}

/// All usage of a closing: the period that ended, with the part that was billed before, and late usage of earlier periods.
pub fn counted_usage(period: Period, closing: &Closing, billed: &BTreeMap<String, Quantity>) -> Result<Vec<CountedUsage>> {
    let before = |metric: &String| billed.get(metric).copied().filter(|billed| !billed.is_zero());
    let counted = |metric: &String, counted, period: Period, late| CountedUsage {
        metric: metric.clone(),
        counted,
        billed_before: if late { None } else { before(metric) },
        period_starts_at: period.starts_at,
        period_ends_at: period.ends_at,
        late,
    };
    let mut usage: Vec<_> = closing.used.iter().map(|(metric, used)| counted(metric, *used, period, false)).collect();
    for late in &closing.late {
        let came = late.after.checked_sub(late.before).or_internal()?;
        usage.push(counted(&late.metric, came, Period { starts_at: late.period_starts_at, ends_at: late.period_ends_at }, true));
    }
    Ok(usage)
}

/// Finalizes a draft: it gets its number and is due, or paid where nothing is outstanding. Nothing where it has a number.
pub fn finalize(invoice: &Invoice, number: u64, parties: serde_json::Value, moment: Moment<'_>) -> Result<Decision> {
    if invoice.status != Status::Draft {
        return Ok(Decision::new());
    }
    let due_at = moment.now.plus(DUE_AFTER);
    let due = step(invoice.status, Trigger::Finalize)?;
    let is_paid_in_full = invoice.outstanding().is_zero();
    let finalized = Invoice {
        status: if is_paid_in_full { step(due, Trigger::PayInFull)? } else { due },
        number: Some(number),
        parties: Some(parties),
        issued_at: Some(moment.now),
        due_at: Some(due_at),
        paid_at: Some(moment.now).filter(|_| is_paid_in_full),
        ..invoice.clone()
    };
    let decision = Decision::new()
        .guard(store::unchanged(invoice))
        .write(store::finalize(&finalized))
        .write_all(post(&[journal::finalized(&finalized, moment)?]))
        .raise(InvoiceFinalized {
            invoice: invoice.id,
            identifier: finalized.identifier().unwrap_or_default(),
            total: invoice.payment_due().to_decimal_string(),
            currency: invoice.currency.code().to_owned(),
            due_at,
        })
        .audit("invoice.finalized", invoice.id.to_string(), None, Some(serde_json::json!({"number": number})));
    let ended = |decision: Decision, ends_at| decision.later(ends_at, InvoicePeriodEnded { invoice: invoice.id, ends_at });
    let decision = journal::period_ends(invoice).into_iter().fold(decision, ended);
    Ok(if is_paid_in_full {
        decision.raise(InvoicePaid { invoice: invoice.id })
    } else {
        decision.later(due_at, InvoiceDueDatePassed { invoice: invoice.id })
    })
}

/// Seller and customer as the invoice keeps them, without the logo: a row of 48 KiB per invoice would be too much.
pub fn parties(seller: &Seller, customer: &Organization) -> serde_json::Value {
    let Organization { id, name, email, details, .. } = customer;
    serde_json::json!({
        "seller": Seller { logo: None, ..seller.clone() },
        "customer": {"$id": id, "name": name, "email": email, "address": details.address, "taxId": details.tax_id},
    })
}

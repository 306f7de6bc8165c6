//! What becomes of an invoice that has its number: it falls due, is voided or written off. Payments and credit notes are in their slices.

use serde_json::json;

use super::books;
use super::lifecycle::{Trigger, step};
use super::rules::{Invoice, Status};
use super::store;
use crate::credits::rules::{Grant, give_back};
use crate::events::{InvoiceOverdue, InvoiceUncollectible, InvoiceVoided};
use crate::kernel::decision::Decision;
use crate::kernel::error::{Error, Result};
use crate::kernel::ids::{InvoiceId, Moment};
use crate::kernel::problem::Problem;
use crate::kernel::tenant::Tenant;
use crate::kernel::time::Timestamp;
use crate::ledger::audit::Balance;
use crate::ledger::rules::invoice_uncollectible;
use crate::ledger::store::{held, post};
use crate::subscriptions::rules::Subscription;
use crate::subscriptions::store as subscriptions;
use crate::{credit_notes, credits, discounts};

const REASON_LENGTH_MAX: usize = 2_000;

/// The day on which it was due is over: it is overdue if it is due still.
pub fn fall_due(invoice: &Invoice, moment: Moment<'_>) -> Result<Decision> {
    if invoice.status != Status::Due || invoice.due_at.is_none_or(|due_at| moment.now < due_at) {
        return Ok(Decision::new());
    }
    let after = Invoice { status: step(invoice.status, Trigger::FallDue)?, ..invoice.clone() };
    Ok(changed(invoice, &after)
        .raise(InvoiceOverdue {
            invoice: invoice.id,
            identifier: invoice.identifier().unwrap_or_default(),
            remaining: invoice.unsettled().to_decimal_string(),
            currency: invoice.currency.code().to_owned(),
        })
        .audit("invoice.overdue", invoice.id.to_string(), None, None))
}

/// What voiding an invoice takes back with it.
pub struct Traces {
    /// The credits that it drew, with what it took of each.
    pub drawn: Vec<(Grant, i64)>,
    pub subscription: Subscription,
    /// What the ledger holds of it.
    pub held: Vec<Balance>,
}

impl Traces {
    pub async fn load(tenant: &Tenant, invoice: &Invoice) -> Result<Self> {
        let mut drawn = Vec::new();
        for taken in &invoice.credits {
            let grant = credits::store::find(tenant, taken.id).await?;
            drawn.push((grant.ok_or_else(|| Error::internal(format!("{} was drawn and is not there", taken.id)))?, taken.amount_minor));
        }
        let subscription = subscriptions::find(tenant, invoice.subscription).await?;
        let subscription = subscription.ok_or_else(|| Error::internal(format!("{} has no subscription", invoice.id)))?;
        Ok(Self { drawn, subscription, held: held(tenant, invoice.id).await? })
    }
}

/// The invoice was a mistake: what it drew is given back, its discounts may be redeemed by another bill, and what it charged in advance
/// can't be credited any more.
pub fn void(invoice: &Invoice, reason: Option<&str>, traces: &Traces, moment: Moment<'_>) -> Result<(Invoice, Decision)> {
    let reason = reason.map(str::trim);
    if reason.is_some_and(|reason| reason.is_empty() || reason.chars().count() > REASON_LENGTH_MAX) {
        let detail = format!("Send a reason of 1 to {REASON_LENGTH_MAX} characters; it is in the audit log.");
        return Err(Problem::invalid("/reason", "invalid_value", detail).into());
    }
    let status = step(invoice.status, Trigger::Void)?;
    if invoice.paid_minor > 0 {
        let detail = "A part of this invoice is paid. Give money back with a credit note: POST /v1/credit-notes.";
        return Err(Problem::conflict("invoice_paid", detail).into());
    }
    if !invoice.credit_notes.is_empty() {
        let detail = "There are credit notes on this invoice. Credit what is left of it: POST /v1/credit-notes.";
        return Err(Problem::conflict("invoice_credited", detail).into());
    }
    let after = Invoice { status, voided_at: Some(moment.now), ..invoice.clone() };
    let decision = changed(invoice, &after)
        .write(discounts::store::delete_redemptions(invoice.id))
        .write_all(post(&[books::voided(invoice, &traces.held, moment)?]))
        .and(give_back(invoice.id, &traces.drawn, moment))
        .and(forget_advances(invoice.id, &traces.subscription))
        .raise(InvoiceVoided { invoice: invoice.id, reason: reason.map(str::to_owned) })
        .audit("invoice.voided", invoice.id.to_string(), None, Some(json!({"reason": reason})));
    Ok((after, decision))
}

/// It will never be paid. If it is after all, a payment can be recorded.
pub fn write_off(invoice: &Invoice, moment: Moment<'_>) -> Result<(Invoice, Decision)> {
    let after = Invoice { status: step(invoice.status, Trigger::WriteOff)?, ..invoice.clone() };
    let lost = invoice_uncollectible(invoice.id, invoice.unsettled(), moment)?;
    let decision = changed(invoice, &after).write_all(post(&[lost])).raise(InvoiceUncollectible { invoice: invoice.id }).audit(
        "invoice.writtenOff",
        invoice.id.to_string(),
        None,
        Some(json!({"unsettledMinor": invoice.unsettled().minor()})),
    );
    Ok((after, decision))
}

/// A period is over for which the invoice charged in advance: what of it was not taken back is earned. The invoice counts as changed, so
/// that nobody takes back at the same time what is deferred no more.
pub async fn recognize(tenant: &Tenant, id: InvoiceId, ends_at: Timestamp) -> Result<Decision> {
    let Some(invoice) = store::find(tenant, id).await? else { return Ok(Decision::new()) };
    if invoice.status == Status::Void {
        return Ok(Decision::new());
    }
    let notes = credit_notes::store::of_invoice(tenant, id).await?;
    let entry = books::recognized(&invoice, &notes, ends_at, tenant.moment())?;
    Ok(changed(&invoice, &invoice).write_all(post(&[entry])))
}

/// What an invoice charged in advance can't be given back once more by a change.
fn forget_advances(invoice: InvoiceId, subscription: &Subscription) -> Decision {
    if !subscription.advance.iter().any(|advance| advance.invoice == invoice) {
        return Decision::new();
    }
    let mut after = subscription.clone();
    after.advance.retain(|advance| advance.invoice != invoice);
    Decision::new().guard(subscriptions::unchanged(subscription)).write(subscriptions::update(&after))
}

fn changed(invoice: &Invoice, after: &Invoice) -> Decision {
    Decision::new().guard(store::unchanged(invoice)).write(store::update(after))
}

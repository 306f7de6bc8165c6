//! A finalized invoice becomes overdue, void or uncollectible. Payments and credit notes are slices of their own.

use serde_json::json;

use super::invoice::Invoice;
use super::lifecycle::{Status, Trigger, step};
use super::{journal, store};
use crate::accounting::credits;
use crate::accounting::credits::grant::Grant;
use crate::accounting::credits::rules::give_back;
use crate::accounting::ledger::audit::Balance;
use crate::accounting::ledger::rules::invoice_uncollectible;
use crate::accounting::ledger::store::{held, post};
use crate::billing::discounts;
use crate::billing::subscriptions::store as subscriptions;
use crate::billing::subscriptions::subscription::Subscription;
use crate::events::{InvoiceOverdue, InvoiceUncollectible, InvoiceVoided};
use crate::kernel::decision::Decision;
use crate::kernel::error::{Error, Result};
use crate::kernel::ids::{InvoiceId, Moment};
use crate::kernel::problem::Problem;
use crate::kernel::tenant::Tenant;

const REASON_LENGTH_MAX: usize = 2_000;

/// The due date has passed: marks the invoice overdue if it is still due.
pub fn mark_overdue(invoice: &Invoice, moment: Moment<'_>) -> Result<Decision> {
    if invoice.status != Status::Due || invoice.due_at.is_none_or(|due_at| moment.now < due_at) {
        return Ok(Decision::new());
    }
    let after = Invoice { status: step(invoice.status, Trigger::PassDueDate)?, ..invoice.clone() };
    Ok(changed(invoice, &after)
        .raise(InvoiceOverdue {
            invoice: invoice.id,
            identifier: invoice.identifier().unwrap_or_default(),
            remaining: invoice.outstanding().to_decimal_string(),
            currency: invoice.currency.code().to_owned(),
        })
        .audit("invoice.overdue", invoice.id.to_string(), None, None))
}

/// The data that voiding an invoice reverses.
pub struct Reversals {
    /// The drawn credits, with the amount drawn of each.
    pub drawn: Vec<(Grant, i64)>,
    pub subscription: Subscription,
    /// The balances that the ledger holds of the invoice.
    pub held: Vec<Balance>,
}

impl Reversals {
    pub async fn load(tenant: &Tenant, invoice: &Invoice) -> Result<Self> {
        let mut drawn = Vec::new();
        for taken in &invoice.credits {
            let grant = credits::store::find(tenant, taken.id).await?;
            drawn.push((grant.ok_or_else(|| Error::internal(format!("{} was drawn and is missing", taken.id)))?, taken.amount_minor));
        }
        let subscription = subscriptions::find(tenant, invoice.subscription).await?;
        let subscription = subscription.ok_or_else(|| Error::internal(format!("{} has no subscription", invoice.id)))?;
        Ok(Self { drawn, subscription, held: held(tenant, invoice.id).await? })
    }
}

/// Voids an invoice that was a mistake: returns the drawn credit, releases its discounts, and drops its amounts charged in advance.
pub fn void(invoice: &Invoice, reason: Option<&str>, reversals: &Reversals, moment: Moment<'_>) -> Result<(Invoice, Decision)> {
    let reason = reason.map(str::trim);
    if reason.is_some_and(|reason| reason.is_empty() || reason.chars().count() > REASON_LENGTH_MAX) {
        let detail = format!("Send a reason of 1 to {REASON_LENGTH_MAX} characters. The audit log records it.");
        return Err(Problem::invalid("/reason", "invalid_value", detail).into());
    }
    let status = step(invoice.status, Trigger::Void)?;
    if invoice.paid_minor > 0 {
        let detail = "This invoice is partly paid. To return money, create a credit note with POST /v1/credit-notes.";
        return Err(Problem::conflict("invoice_paid", detail).into());
    }
    if !invoice.credit_notes.is_empty() {
        let detail = "This invoice has credit notes. Credit the rest of it with POST /v1/credit-notes.";
        return Err(Problem::conflict("invoice_credited", detail).into());
    }
    let after = Invoice { status, voided_at: Some(moment.now), ..invoice.clone() };
    let decision = changed(invoice, &after)
        .write(discounts::store::delete_redemptions(invoice.id))
        .write_all(post(&[journal::voided(invoice, &reversals.held, moment)?]))
        .and(give_back(invoice.id, &reversals.drawn, moment))
        .and(drop_advances(invoice.id, &reversals.subscription))
        .raise(InvoiceVoided { invoice: invoice.id, reason: reason.map(str::to_owned) })
        .audit("invoice.voided", invoice.id.to_string(), None, Some(json!({"reason": reason})));
    Ok((after, decision))
}

/// Writes off an invoice. A later payment can still be recorded.
pub fn write_off(invoice: &Invoice, moment: Moment<'_>) -> Result<(Invoice, Decision)> {
    let after = Invoice { status: step(invoice.status, Trigger::WriteOff)?, ..invoice.clone() };
    let lost = invoice_uncollectible(invoice.id, invoice.outstanding(), moment)?;
    let decision = changed(invoice, &after).write_all(post(&[lost])).raise(InvoiceUncollectible { invoice: invoice.id }).audit(
        "invoice.writtenOff",
        invoice.id.to_string(),
        None,
        Some(json!({"outstandingMinor": invoice.outstanding().minor()})),
    );
    Ok((after, decision))
}

/// Drops the amounts that the invoice charged in advance, so that no later change credits them.
fn drop_advances(invoice: InvoiceId, subscription: &Subscription) -> Decision {
    if !subscription.advance.iter().any(|advance| advance.invoice == invoice) {
        return Decision::new();
    }
    let mut after = subscription.clone();
    after.advance.retain(|advance| advance.invoice != invoice);
    Decision::new().guard(subscriptions::unchanged(subscription)).write(subscriptions::update(&after))
}

pub fn changed(invoice: &Invoice, after: &Invoice) -> Decision {
    Decision::new().guard(store::unchanged(invoice)).write(store::update(after))
}

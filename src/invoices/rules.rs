//! What an invoice is, and how one is made and gets its number. What it costs is in `lines.rs` and `compose.rs`.

use std::collections::BTreeMap;

use rating::{Currency, Money, Quantity};
use serde::{Deserialize, Serialize};

use super::books;
use super::compose::{ChargedTax, Composed, DrawnCredit, TakenDiscount};
use super::lifecycle::{Trigger, step};
use super::lines::{Line, LineKind};
use super::store;
use crate::credits::rules::{self as credits, Source, Taken};
use crate::discounts::rules as discounts;
use crate::events::{InvoiceCreated, InvoiceDueDatePassed, InvoiceFinalized, InvoicePaid, InvoicePeriodEnded};
use crate::kernel::decision::Decision;
use crate::kernel::error::{OrInternal, Result};
use crate::kernel::ids::{CreditNoteId, InvoiceId, Moment, SubscriptionId};
use crate::kernel::time::{Timestamp, days};
use crate::ledger::store::post;
use crate::organizations::rules::Organization;
use crate::seller::rules::{self as seller, Seller};
use crate::subscriptions::rules::{Period, Subscription};
use crate::usage::meter::Closing;

/// How long a customer has to pay.
pub const DUE_AFTER: std::time::Duration = days(30);

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = InvoiceStatus)]
pub enum Status {
    Draft,
    Due,
    Paid,
    Overdue,
    Void,
    Uncollectible,
}

/// Why an invoice was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum BillingReason {
    /// The first paid period begins.
    SubscriptionCreate,
    /// Another period begins.
    SubscriptionCycle,
    /// Something else is subscribed to from now on.
    SubscriptionUpdate,
    /// Usage came to so much that it is billed before its period ends.
    SubscriptionThreshold,
    /// The subscription is over.
    SubscriptionEnd,
    /// Usage that came after the last invoice.
    LateUsage,
}

/// What the Meter counted in a period, as it is stored: also what costs nothing, so that a customer can hold every event against a count.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CountedUsage {
    pub metric: String,
    /// For late usage: what came since the period was last billed.
    pub counted: Quantity,
    /// How much of it is on earlier invoices, by a change, a pause or at a threshold; where nothing is, absent.
    #[serde(default)]
    pub billed_before: Option<Quantity>,
    pub period_starts_at: Timestamp,
    pub period_ends_at: Timestamp,
    pub late: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Invoice {
    pub id: InvoiceId,
    pub subscription: SubscriptionId,
    pub reason: BillingReason,
    /// With the subscription, what makes it the only one: `period:` and its start, `change:` and the version before it.
    pub reason_key: String,
    pub number: Option<u64>,
    pub status: Status,
    pub currency: Currency,
    pub subtotal_minor: i64,
    pub discount_minor: i64,
    pub tax_minor: i64,
    pub total_minor: i64,
    pub carried_minor: i64,
    pub credit_minor: i64,
    pub paid_minor: i64,
    pub reduced_minor: i64,
    pub lines: Vec<Line>,
    pub usage: Vec<CountedUsage>,
    pub discounts: Vec<TakenDiscount>,
    pub taxes: Vec<ChargedTax>,
    pub credits: Vec<DrawnCredit>,
    pub credit_notes: Vec<CreditNoteId>,
    pub parties: Option<serde_json::Value>,
    /// The period that the invoice opens, or in which it falls.
    pub period: Period,
    pub created_at: Timestamp,
    pub issued_at: Option<Timestamp>,
    pub due_at: Option<Timestamp>,
    pub paid_at: Option<Timestamp>,
    pub voided_at: Option<Timestamp>,
    pub version: i64,
}

/// What an invoice is made for.
pub struct Occasion<'a> {
    pub subscription: &'a Subscription,
    pub reason: BillingReason,
    pub reason_key: String,
    pub period: Period,
    pub usage: Vec<CountedUsage>,
}

/// The draft of an invoice. The same occasion has the same id, so that two runs never make two.
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

/// What goes into the commit that makes a draft: its discounts are redeemed, its credit is drawn, and what it carries becomes credit.
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

/// Everything a closing counted: the period that ended, with what is billed of it by then, and what came late for earlier ones.
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

/// Gives a draft its number: it is due from now on, or paid when there is nothing to pay. Nothing to do when it has one.
pub fn finalize(invoice: &Invoice, number: u64, parties: serde_json::Value, moment: Moment<'_>) -> Result<Decision> {
    if invoice.status != Status::Draft {
        return Ok(Decision::new());
    }
    let due_at = moment.now.plus(DUE_AFTER);
    let due = step(invoice.status, Trigger::Finalize)?;
    let is_settled = invoice.unsettled().is_zero();
    let finalized = Invoice {
        status: if is_settled { step(due, Trigger::Settle)? } else { due },
        number: Some(number),
        parties: Some(parties),
        issued_at: Some(moment.now),
        due_at: Some(due_at),
        paid_at: Some(moment.now).filter(|_| is_settled),
        ..invoice.clone()
    };
    let decision = Decision::new()
        .guard(store::unchanged(invoice))
        .write(store::finalize(&finalized))
        .write_all(post(&[books::finalized(&finalized, moment)?]))
        .raise(InvoiceFinalized {
            invoice: invoice.id,
            identifier: finalized.identifier().unwrap_or_default(),
            total: invoice.payment_due().to_decimal_string(),
            currency: invoice.currency.code().to_owned(),
            due_at,
        })
        .audit("invoice.finalized", invoice.id.to_string(), None, Some(serde_json::json!({"number": number})));
    let ended = |decision: Decision, ends_at| decision.later(ends_at, InvoicePeriodEnded { invoice: invoice.id, ends_at });
    let decision = books::period_ends(invoice).into_iter().fold(decision, ended);
    Ok(if is_settled {
        decision.raise(InvoicePaid { invoice: invoice.id })
    } else {
        decision.later(due_at, InvoiceDueDatePassed { invoice: invoice.id })
    })
}

/// Seller and customer as they are now; an invoice keeps them. The picture stays with the seller: a row holds no 48 KiB of it.
pub fn parties(seller: &Seller, customer: &Organization) -> serde_json::Value {
    let Organization { id, name, email, details, .. } = customer;
    serde_json::json!({
        "seller": Seller { logo: None, ..seller.clone() },
        "customer": {"$id": id, "name": name, "email": email, "address": details.address, "taxId": details.tax_id},
    })
}

/// Whether a line charges, or gives back, what is earned only as its period passes.
pub fn is_deferred(line: &Line, billed_at: Timestamp) -> bool {
    match line.kind {
        LineKind::BasePrice | LineKind::AddOn | LineKind::RemainingTime | LineKind::UnusedTime => line.period_ends_at > billed_at,
        LineKind::Overage | LineKind::LateUsage | LineKind::MinimumCommitment => false,
    }
}

impl Invoice {
    /// The number as it is printed, with the prefix that the seller had when it was given. None of a draft.
    pub fn identifier(&self) -> Option<String> {
        let kept = self.parties.as_ref().and_then(|parties| parties.pointer(PREFIX)).and_then(serde_json::Value::as_str);
        self.number.map(|number| format!("{}{number:06}", kept.unwrap_or(seller::PREFIX)))
    }

    pub fn money(&self, minor: i64) -> Money {
        Money::new(minor, self.currency)
    }

    /// What was to be paid when it was made: the total less what credits paid.
    pub fn payment_due(&self) -> Money {
        self.money(self.total_minor.saturating_sub(self.credit_minor))
    }

    /// What is still to be paid.
    pub fn remaining(&self) -> Money {
        match self.status {
            Status::Draft | Status::Due | Status::Overdue | Status::Paid => self.unsettled(),
            Status::Void | Status::Uncollectible => self.money(0),
        }
    }

    /// What nothing was set against, whether or not anybody still expects it.
    pub fn unsettled(&self) -> Money {
        let settled = self.credit_minor.saturating_add(self.paid_minor).saturating_add(self.reduced_minor);
        self.money(self.total_minor.saturating_sub(settled))
    }
}

/// Of the seller that an invoice keeps.
const PREFIX: &str = "/seller/invoicePrefix";

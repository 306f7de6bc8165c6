//! An invoice proof (`docs/INVOICE-PROOF.md`): the invoice computed once more, to the cent, from plan versions, what was subscribed to, and
//! the closings of the Meter's chain.
//!
//! Owns: the document's form; what is charged for; included amounts, what was billed before, shares, discounts, taxes, credits and
//! totals, all
//! written from their definitions. Does not own: what a quantity costs under a price, and where calendar months lie, which are `rating`'s.
//! Invariant: whatever the file holds, nothing panics, and all that is wrong is said.

mod bill;
mod checks;
mod closings;
mod document;
mod lines;
mod shares;
mod terms;

use std::fmt;
use std::io::{self, BufRead};

use self::checks::Checks;
use self::closings::Closed;
use self::document::{Document, Reason};
use self::lines::Lines;
use self::terms::{Terms, span_text};
use crate::proof::{Verification, verify};
use crate::summary::cleaned;

/// What an invoice proof holds, and whether it holds. Its text is what the command prints.
#[derive(Clone, Debug)]
pub struct InvoiceVerification {
    /// Everything that is wrong.
    pub verdict: Result<(), Vec<String>>,
    /// The closings were found in a usage proof that holds.
    pub is_chained: bool,
    heads: Vec<String>,
    lines: Vec<String>,
    notes: Vec<String>,
}

/// Whether a text begins like an invoice proof; a usage proof and an audit log are recognized by their first line.
#[must_use]
pub fn is_invoice_proof(text: &str) -> bool {
    #[derive(serde::Deserialize)]
    struct Kind {
        #[serde(rename = "$type")]
        kind: String,
    }
    serde_json::from_str::<Kind>(text).is_ok_and(|found| found.kind == "InvoiceProof")
}

/// Computes the invoice of a proof again. With a usage proof, the closings must stand in its chain, which must hold.
///
/// # Errors
/// The usage proof can't be read.
pub fn verify_invoice(text: &str, usage: Option<&mut dyn BufRead>) -> io::Result<InvoiceVerification> {
    let usage = usage.map(verify).transpose()?;
    Ok(match serde_json::from_str::<Document>(text) {
        Ok(document) => checked(&document, usage.as_ref()),
        Err(error) => InvoiceVerification::broken(format!("it is not an invoice proof: {error}")),
    })
}

fn checked(document: &Document, usage: Option<&Verification>) -> InvoiceVerification {
    if document.kind != "InvoiceProof" || document.version != 1 {
        return InvoiceVerification::broken("it is not an invoice proof of version 1".to_owned());
    }
    let Ok(zone) = rating::parse_time_zone(&document.subscription.time_zone) else {
        return InvoiceVerification::broken("its time zone is none".to_owned());
    };
    let currency = document.invoice.total.0.currency();
    let mut checks = Checks::new(currency);
    whole(document, &mut checks);
    let closings = closings::read_all(document, &mut checks);
    let billed = closings::billed(document, &closings, &mut checks);
    if let Some(closed) = billed {
        closings::check_period(document, closed, &mut checks);
    }
    let terms = Terms { document, currency, zone };
    let period = document.invoice.billing_period;
    let begins = matches!(document.invoice.billing_reason, Reason::SubscriptionCreate | Reason::SubscriptionCycle);
    if begins && billed.is_some_and(|closed| closed.dates != period) && !terms.is_period(period, rating::BillingInterval::Month) {
        checks.wrong("the invoice's billing period is no month of this subscription");
    }
    let lines = Lines { terms, closings: &closings, billed }.check(&mut checks);
    bill::check(document, &mut checks);
    let is_chained = chained(document, &closings, usage, &mut checks);
    not_proven(&closings, is_chained, &mut checks);
    let verdict = if checks.wrong.is_empty() { Ok(()) } else { Err(checks.wrong) };
    InvoiceVerification { verdict, is_chained, heads: heads(document, &closings, usage), lines, notes: checks.notes }
}

/// What the parts of the document say of each other.
fn whole(document: &Document, checks: &mut Checks) {
    let (invoice, subscription) = (&document.invoice, &document.subscription);
    if invoice.subscription != subscription.id {
        checks.wrong("the invoice is of another subscription");
    }
    let is_sorted = subscription.phases.is_sorted_by(|one, other| one.starts_at < other.starts_at);
    if subscription.phases.is_empty() || !is_sorted {
        checks.wrong("what was subscribed to from when on is not in the order of time");
    }
    for (position, plan) in document.plans.iter().enumerate() {
        if document.plans.iter().take(position).any(|other| other.key == plan.key && other.version == plan.version) {
            checks.wrong(&format!("{} v{} comes twice", plan.key, plan.version));
        }
    }
    if invoice.billing_period.start_date >= invoice.billing_period.end_date {
        checks.wrong("the billing period ends before it starts");
    }
    if invoice.payment_due_date.zip(invoice.date_issued).is_some_and(|(due, issued)| due < issued)
        || invoice.identifier.is_some() != invoice.date_issued.is_some()
    {
        checks.wrong("the dates and the number of the invoice do not fit");
    }
}

/// Whether all closings stand in the chain of a usage proof.
fn chained(document: &Document, closings: &[Closed], usage: Option<&Verification>, checks: &mut Checks) -> bool {
    let Some(usage) = usage else { return false };
    if let Err(broken) = &usage.verdict {
        checks.wrong(&format!("the usage proof is broken: {broken}"));
        return false;
    }
    if usage.organization() != document.organization {
        checks.wrong("the usage proof is another organization's");
        return false;
    }
    let mut is_all = true;
    for closed in closings {
        match usage.closing_hash(closed.number) {
            Some(hash) if hash == closed.hash => {}
            Some(_) => checks.wrong(&format!("closing {} has another hash in the usage proof: this is another history", closed.number)),
            None => {
                checks.note(&format!("closing {} is not in the usage proof: ask for an earlier \"from\"", closed.number));
                is_all = false;
            }
        }
    }
    is_all
}

/// How far this goes.
fn not_proven(closings: &[Closed], is_chained: bool, checks: &mut Checks) {
    if !closings.is_empty() && !is_chained {
        checks
            .note("not proven: that the counts follow from events. Give the usage proof as a second file: verify proof.json usage.ndjson");
    }
    checks.note("not proven: that plan versions, discounts, taxes and credits are those that were agreed; compare them with your contract");
    checks.note("not proven: what was paid since");
}

fn heads(document: &Document, closings: &[Closed], usage: Option<&Verification>) -> Vec<String> {
    let invoice = &document.invoice;
    let number = invoice.identifier.as_deref().unwrap_or("draft");
    let plans: Vec<String> = document.plans.iter().map(|plan| format!("{} v{}", plan.key, plan.version)).collect();
    let mut heads = vec![
        format!("organization  {}", document.organization),
        format!("invoice       {number} ({}), {}", invoice.id, span_text(invoice.billing_period)),
        format!("plans         {}", plans.join(", ")),
    ];
    for closed in closings {
        heads.push(format!("closing       {} of {}, hash {}", closed.number, span_text(closed.dates), closed.hash));
    }
    if let Some((first, last)) = usage.and_then(Verification::commits) {
        heads.push(format!("usage proof   commits {first} to {last}"));
    }
    heads.push(format!("payment due   {} of {}", invoice.total_payment_due.0, invoice.total.0));
    heads
}

impl InvoiceVerification {
    fn broken(what: String) -> Self {
        Self { verdict: Err(vec![what]), is_chained: false, heads: Vec::new(), lines: Vec::new(), notes: Vec::new() }
    }
}

impl fmt::Display for InvoiceVerification {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for line in self.heads.iter().chain(&self.lines) {
            writeln!(out, "{}", cleaned(line))?;
        }
        for note in &self.notes {
            writeln!(out, "note          {}", cleaned(note))?;
        }
        match &self.verdict {
            Ok(()) => writeln!(out, "VERIFIED"),
            Err(wrong) => wrong.iter().try_for_each(|what| writeln!(out, "BROKEN: {}", cleaned(what))),
        }
    }
}

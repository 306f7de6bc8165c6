//! Billing: from the draft of an invoice to its payment.

use serde_json::json;

use super::actions::Action;
use super::company::Company;
use crate::events::{
    CreditExpiryDue, CreditNoteCreated, InvoiceCreated, InvoiceDueDatePassed, InvoiceFinalized, InvoiceOverdue, InvoicePaid,
    InvoicePeriodEnded, InvoiceVoided,
};
use crate::workflow;

workflow! { "billing", "Each period has one invoice; it gets its number, and the company is asked to pay it, and again when it did not.";
    when InvoiceCreated => [give_it_a_number];
    when InvoiceFinalized => [ask_for_payment];
    when InvoiceDueDatePassed => [see_whether_it_is_overdue];
    when InvoicePeriodEnded => [recognize_what_is_earned];
    when InvoiceOverdue => [remind_of_payment, fall_behind];
    when InvoicePaid => [catch_up_if_all_is_paid];
    when InvoiceVoided => [catch_up_without_it];
    when CreditNoteCreated => [give_the_credit_note_a_number];
    when CreditExpiryDue => [let_what_is_left_expire];
}

/// The billing run numbers what it drafts; this finds what it left because it was cut off.
fn give_it_a_number(created: &InvoiceCreated, company: &Company) -> Vec<Action> {
    if company.drafts.contains(&created.invoice) { vec![Action::FinalizeInvoice(created.invoice)] } else { Vec::new() }
}

/// An invoice over nothing is paid with its number.
fn ask_for_payment(invoice: &InvoiceFinalized, company: &Company) -> Vec<Action> {
    if !invoice.total.bytes().any(|digit| (b'1'..=b'9').contains(&digit)) {
        return Vec::new();
    }
    let data = json!({
        "invoice": {
            "$id": invoice.invoice,
            "identifier": invoice.identifier,
            "total": invoice.total,
            "currency": invoice.currency,
            "dueDate": invoice.due_at.date(),
        },
        "paymentUrl": format!("{}/billing/pay/{}", company.app_url, invoice.invoice),
    });
    vec![company.mail("invoice-payment-required", format!("invoice:{}", invoice.invoice), data)]
}

fn see_whether_it_is_overdue(due: &InvoiceDueDatePassed, _: &Company) -> Vec<Action> {
    vec![Action::FallDue(due.invoice)]
}

fn recognize_what_is_earned(ended: &InvoicePeriodEnded, _: &Company) -> Vec<Action> {
    vec![Action::RecognizeRevenue { invoice: ended.invoice, ends_at: ended.ends_at }]
}

fn remind_of_payment(invoice: &InvoiceOverdue, company: &Company) -> Vec<Action> {
    let data = json!({
        "invoice": {"$id": invoice.invoice, "identifier": invoice.identifier, "remaining": invoice.remaining, "currency": invoice.currency},
        "paymentUrl": format!("{}/billing/pay/{}", company.app_url, invoice.invoice),
    });
    vec![company.mail("payment-overdue", format!("overdue:{}", invoice.invoice), data)]
}

fn fall_behind(_: &InvoiceOverdue, _: &Company) -> Vec<Action> {
    vec![Action::FallBehind]
}

fn catch_up_if_all_is_paid(_: &InvoicePaid, _: &Company) -> Vec<Action> {
    vec![Action::CatchUp]
}

fn catch_up_without_it(_: &InvoiceVoided, _: &Company) -> Vec<Action> {
    vec![Action::CatchUp]
}

fn give_the_credit_note_a_number(note: &CreditNoteCreated, _: &Company) -> Vec<Action> {
    vec![Action::NumberCreditNote(note.credit_note)]
}

fn let_what_is_left_expire(due: &CreditExpiryDue, _: &Company) -> Vec<Action> {
    vec![Action::ExpireCredit(due.credit)]
}

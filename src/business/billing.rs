//! Billing: from the draft of an invoice to its payment.

use serde_json::json;

use super::actions::Action;
use super::company::Company;
use crate::events::{
    CreditExpiryDue, CreditNoteCreated, InvoiceCreated, InvoiceDueDatePassed, InvoiceFinalized, InvoiceOverdue, InvoicePaid,
    InvoicePeriodEnded, InvoiceUncollectible, InvoiceVoided,
};
use crate::workflow;

workflow! { "billing", "Each period has one invoice. It gets its number, payment is requested, and overdue invoices are reminded of.";
    when InvoiceCreated => [number_invoice];
    when InvoiceFinalized => [request_payment];
    when InvoiceDueDatePassed => [mark_overdue];
    when InvoicePeriodEnded => [recognize_revenue];
    when InvoiceOverdue => [send_payment_reminder, mark_past_due];
    when InvoicePaid => [mark_current_after_payment];
    when InvoiceVoided => [mark_current_after_void];
    when InvoiceUncollectible => [mark_current_after_write_off];
    when CreditNoteCreated => [number_credit_note];
    when CreditExpiryDue => [expire_credit];
}

/// The billing run numbers its drafts; this step numbers a draft that an interrupted run left.
fn number_invoice(created: &InvoiceCreated, company: &Company) -> Vec<Action> {
    if company.drafts.contains(&created.invoice) { vec![Action::FinalizeInvoice(created.invoice)] } else { Vec::new() }
}

/// An invoice of zero is paid with its number.
fn request_payment(invoice: &InvoiceFinalized, company: &Company) -> Vec<Action> {
    if !invoice.total.bytes().any(|digit| (b'1'..=b'9').contains(&digit)) {
        return Vec::new();
    }
    let data = json!({
        "invoice": {
            "$id": invoice.invoice,
            "identifier": invoice.identifier,
            "total": invoice.total,
            "currency": invoice.currency,
            "dueDate": company.date(invoice.due_at),
        },
        "paymentUrl": format!("{}/billing/pay/{}", company.app_url, invoice.invoice),
    });
    vec![company.mail("invoice-payment-required", format!("invoice:{}", invoice.invoice), data)]
}

fn mark_overdue(due: &InvoiceDueDatePassed, _: &Company) -> Vec<Action> {
    vec![Action::MarkOverdue(due.invoice)]
}

fn recognize_revenue(ended: &InvoicePeriodEnded, _: &Company) -> Vec<Action> {
    vec![Action::RecognizeRevenue { invoice: ended.invoice, ends_at: ended.ends_at }]
}

fn send_payment_reminder(invoice: &InvoiceOverdue, company: &Company) -> Vec<Action> {
    let data = json!({
        "invoice": {"$id": invoice.invoice, "identifier": invoice.identifier, "remaining": invoice.remaining, "currency": invoice.currency},
        "paymentUrl": format!("{}/billing/pay/{}", company.app_url, invoice.invoice),
    });
    vec![company.mail("payment-overdue", format!("overdue:{}", invoice.invoice), data)]
}

fn mark_past_due(_: &InvoiceOverdue, _: &Company) -> Vec<Action> {
    vec![Action::MarkPastDue]
}

fn mark_current_after_payment(_: &InvoicePaid, _: &Company) -> Vec<Action> {
    vec![Action::MarkCurrent]
}

fn mark_current_after_void(_: &InvoiceVoided, _: &Company) -> Vec<Action> {
    vec![Action::MarkCurrent]
}

fn mark_current_after_write_off(_: &InvoiceUncollectible, _: &Company) -> Vec<Action> {
    vec![Action::MarkCurrent]
}

fn number_credit_note(note: &CreditNoteCreated, _: &Company) -> Vec<Action> {
    vec![Action::NumberCreditNote(note.credit_note)]
}

fn expire_credit(due: &CreditExpiryDue, _: &Company) -> Vec<Action> {
    vec![Action::ExpireCredit(due.credit)]
}

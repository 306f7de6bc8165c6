//! Billing: from the draft of an invoice to its payment.

use serde_json::json;

use super::actions::Action;
use super::company::Company;
use crate::events::{InvoiceCreated, InvoiceFinalized};
use crate::workflow;

workflow! { "billing", "Each period has one invoice; it gets its number, and the company is asked to pay it.";
    when InvoiceCreated => [give_it_a_number];
    when InvoiceFinalized => [ask_for_payment];
}

/// The billing run numbers what it drafts; this finds what it left because it was cut off.
fn give_it_a_number(created: &InvoiceCreated, company: &Company) -> Vec<Action> {
    if company.drafts.contains(&created.invoice) { vec![Action::FinalizeInvoice(created.invoice)] } else { Vec::new() }
}

fn ask_for_payment(invoice: &InvoiceFinalized, company: &Company) -> Vec<Action> {
    let data = json!({
        "invoice": {"$id": invoice.invoice, "identifier": invoice.identifier, "total": invoice.total, "currency": invoice.currency, "dueDate": invoice.due_at.date()},
        "paymentUrl": format!("{}/billing/pay/{}", company.app_url, invoice.invoice),
    });
    vec![company.mail("invoice-payment-required", format!("invoice:{}", invoice.invoice), data)]
}

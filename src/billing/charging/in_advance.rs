//! Amounts that are charged in advance.

use crate::billing::invoices::invoice::Invoice;
use crate::billing::invoices::line::{Line, LineKind};
use crate::billing::subscriptions::subscription::Advance;
use crate::kernel::ids::InvoiceId;

/// The amounts that an invoice charges in advance: the most that a later change can credit.
pub fn advances(invoice: &Invoice) -> Vec<Advance> {
    let ahead = |line: &&Line| match line.kind {
        LineKind::BasePrice | LineKind::AddOn | LineKind::RemainingTime => line.period_ends_at > invoice.created_at,
        LineKind::Overage | LineKind::LateUsage | LineKind::UnusedTime | LineKind::MinimumCommitment => false,
    };
    let mut advances: Vec<Advance> = Vec::new();
    for line in invoice.lines.iter().filter(ahead) {
        let one = advance(invoice.id, line);
        match advances.iter_mut().find(|advance| advance.item == one.item && advance.period == one.period) {
            // The tiers of one price are credited as one amount.
            Some(advance) => {
                advance.price_minor = advance.price_minor.saturating_add(one.price_minor);
                advance.charged_minor = advance.charged_minor.saturating_add(one.charged_minor);
                advance.left_minor = advance.left_minor.saturating_add(one.left_minor);
            }
            None => advances.push(one),
        }
    }
    advances
}

pub(super) fn advance(invoice: InvoiceId, line: &Line) -> Advance {
    Advance {
        item: line.item.clone(),
        invoice,
        price_minor: line.amount_minor,
        charged_minor: line.amount_minor,
        left_minor: line.amount_minor.saturating_sub(line.discount_minor),
        period: line.period(),
    }
}

//! The content of a printed invoice.

use documents::{Adjustment, Document, Kind, Locale, Party, Span, Tax};
use rating::{Decimal, Money, Off, Tz, parse_time_zone};

use super::invoice::Invoice;
use super::lifecycle::Status;
use super::line::Line;
use crate::billing::seller::party::Seller;
use crate::kernel::error::Result;
use crate::kernel::time::Timestamp;
use crate::tenancy::organizations::organization::{Organization, PostalAddress};

/// The content of the printed invoice. Seller and customer are those of the moment when it got its number; the language and the logo are
/// current.
pub fn document(invoice: &Invoice, organization: &Organization, present: &Seller) -> Result<Document> {
    let seller = &seller(invoice, present);
    let settings = &organization.settings;
    let locale = Locale::of(&settings.language);
    let lines: Vec<documents::Line> = invoice.lines.iter().map(|line| printed_line(line, invoice, locale)).collect();
    let discounts = invoice.discounts.iter().map(|taken| {
        let label = match taken.off {
            Off::Percentage(rate) => format!("{}, {}", taken.name, locale.percent(rate)),
            Off::Fixed(_) => taken.name.clone(),
        };
        Adjustment { label, amount: invoice.money(taken.amount_minor.saturating_neg()) }
    });
    let taxes = invoice.taxes.iter().map(|tax| Tax {
        label: format!("{} {}", tax.name, locale.percent(tax.rate.rate)),
        amount: invoice.money(tax.amount_minor),
        is_included: tax.rate.inclusive,
    });
    Ok(Document {
        kind: Kind::Invoice,
        status: status(invoice.status),
        number: invoice.identifier(),
        reference: None,
        locale: settings.language.clone(),
        time_zone: parse_time_zone(&settings.timezone).unwrap_or(Tz::UTC),
        issued_at: invoice.issued_at.unwrap_or(invoice.created_at).to_chrono(),
        due_at: invoice.due_at.map(Timestamp::to_chrono),
        period: Some(Span { start: invoice.period.starts_at.to_chrono(), end: invoice.period.ends_at.to_chrono() }),
        seller: seller_party(seller),
        logo: present.read_logo()?,
        customer: customer(invoice, organization),
        currency: invoice.currency,
        subtotal: invoice.money(invoice.subtotal_minor),
        adjustments: discounts.collect(),
        taxes: taxes.collect(),
        carried: invoice.money(invoice.carried_minor),
        total: invoice.money(invoice.total_minor),
        credits_applied: invoice.money(invoice.credit_minor),
        amount_paid: invoice.money(invoice.paid_minor),
        credited: invoice.money(invoice.reduced_minor),
        amount_due: invoice.remaining(),
        payment_instructions: seller.payment_instructions.clone(),
        notes: None,
        footer: seller.footer.clone(),
        lines,
    })
}

fn status(status: Status) -> documents::Status {
    match status {
        Status::Draft => documents::Status::Draft,
        Status::Due => documents::Status::Open,
        Status::Paid => documents::Status::Paid,
        Status::Overdue => documents::Status::Overdue,
        Status::Void => documents::Status::Void,
        Status::Uncollectible => documents::Status::Uncollectible,
    }
}

fn printed_line(line: &Line, invoice: &Invoice, locale: &Locale) -> documents::Line {
    let taxed = invoice.taxes.iter().zip(&line.taxes_minor).filter(|(_, minor)| **minor != 0);
    let rates: Vec<String> = taxed.map(|(tax, _)| locale.percent(tax.rate.rate)).collect();
    documents::Line {
        description: line.description.clone(),
        period: Some(Span { start: line.period_starts_at.to_chrono(), end: line.period_ends_at.to_chrono() }),
        quantity: Some(line.quantity),
        unit_price: line.unit_price.parse::<Decimal>().ok(),
        // Discounts are printed below the lines, so a line shows its full amount.
        discount: None,
        tax: Some(rates.join(" + ")).filter(|rates| !rates.is_empty()),
        amount: Money::new(line.amount_minor, invoice.currency),
    }
}

/// The seller that the invoice keeps. An invoice from before the seller was set shows the current one.
fn seller(invoice: &Invoice, present: &Seller) -> Seller {
    let kept = invoice.parties.as_ref().and_then(|parties| serde_json::from_value::<Seller>(parties.get("seller")?.clone()).ok());
    kept.filter(|kept| kept.name.is_some()).unwrap_or_else(|| present.clone())
}

fn seller_party(seller: &Seller) -> Party {
    Party {
        name: seller.legal_name.clone().or_else(|| seller.name.clone()).unwrap_or_default(),
        address: seller.address.as_ref().map(address).unwrap_or_default(),
        tax_id: seller.tax_id.clone(),
        email: seller.email.clone(),
        contact: seller.telephone.iter().chain(&seller.url).cloned().collect(),
    }
}

/// The customer that the invoice keeps; the organization for a draft.
fn customer(invoice: &Invoice, organization: &Organization) -> Party {
    let kept = invoice.parties.as_ref().and_then(|parties| parties.get("customer"));
    let text = |name: &str| kept.and_then(|kept| kept.get(name)).and_then(|value| value.as_str()).map(str::to_owned);
    let place: Option<PostalAddress> = match kept {
        Some(kept) => kept.get("address").and_then(|place| serde_json::from_value(place.clone()).ok()),
        None => organization.details.address.clone(),
    };
    Party {
        name: text("name").unwrap_or_else(|| organization.name.clone()),
        address: place.as_ref().map(address).unwrap_or_default(),
        tax_id: if kept.is_some() { text("taxId") } else { organization.details.tax_id.clone() },
        email: Some(text("email").unwrap_or_else(|| organization.email.clone())),
        contact: Vec::new(),
    }
}

/// Street, place, country: one line each.
fn address(address: &PostalAddress) -> Vec<String> {
    let PostalAddress { street_address, address_locality, address_region, postal_code, address_country, .. } = address;
    let place: Vec<&str> = postal_code.iter().chain(address_locality).chain(address_region).map(String::as_str).collect();
    street_address.iter().cloned().chain(Some(place.join(" ")).filter(|place| !place.is_empty())).chain(address_country.clone()).collect()
}

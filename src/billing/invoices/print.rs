//! The printed invoice: which form a client asked for, the content of the document, and the response. `crates/documents` does the printing.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use documents::{Adjustment, Catalog, Document, Kind, Locale, Party, Span, Tax};
use rating::{Decimal, Money, Off, Tz, parse_time_zone};
use sha2::{Digest, Sha256};

use super::invoice::Invoice;
use super::lifecycle::Status;
use super::line::Line;
use crate::billing::seller::rules::Seller;
use crate::http::reply::Reply;
use crate::http::request::text_header;
use crate::kernel::error::{OrInternal, Result};
use crate::kernel::ports::App;
use crate::kernel::problem::Problem;
use crate::kernel::time::Timestamp;
use crate::tenancy::organizations::organization::Organization;
use crate::tenancy::organizations::organization::PostalAddress;

/// How an invoice is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    Json,
    Html,
    Pdf,
}

/// In the order in which we prefer them, where the client does not say.
const FORMS: [(Form, &str); 3] = [(Form::Json, "application/json"), (Form::Html, "text/html"), (Form::Pdf, "application/pdf")];

impl Form {
    /// What an `Accept` header likes best of what we have (RFC 9110, 12.5.1). None at all is JSON.
    pub fn wanted(headers: &HeaderMap) -> std::result::Result<Self, Problem> {
        let accept = text_header(headers, "accept");
        if accept.trim().is_empty() {
            return Ok(Self::Json);
        }
        let liked = FORMS.map(|(form, name)| (form, liking(&accept, name)));
        let best = liked.iter().map(|(_, liking)| *liking).max().unwrap_or_default();
        liked.into_iter().find(|(_, liking)| *liking == best && best > 0).map(|(form, _)| form).ok_or_else(not_acceptable)
    }
}

fn not_acceptable() -> Problem {
    let detail = "An invoice is application/json, text/html or application/pdf. Send Accept with one of them, or leave it out.";
    Problem::new(406, "not_acceptable", "No such form", detail)
}

/// How much a client likes a form, in thousandths. The most specific range of the header counts.
fn liking(accept: &str, name: &str) -> u32 {
    let kind = name.split('/').next().unwrap_or_default();
    let ranges = accept.split(',').filter_map(|range| {
        let mut parts = range.split(';').map(str::trim);
        let range = parts.next().unwrap_or_default().to_ascii_lowercase();
        let rank = if range == name {
            3
        } else if range == format!("{kind}/*") {
            2
        } else if range == "*/*" {
            1
        } else {
            return None;
        };
        let quality = parts.find_map(|part| part.strip_prefix("q=").or_else(|| part.strip_prefix("Q=")));
        Some((rank, quality.map_or(1_000, thousandths)))
    });
    ranges.max().map_or(0, |(_, quality)| quality)
}

/// `0.8`; what is no such number likes nothing.
fn thousandths(quality: &str) -> u32 {
    let (whole, decimals) = quality.split_once('.').unwrap_or((quality, ""));
    let digits: String = decimals.chars().chain("000".chars()).take(3).collect();
    match (whole, digits.parse::<u32>()) {
        ("0", Ok(digits)) => digits,
        ("1", Ok(0)) => 1_000,
        _ => 0,
    }
}

/// What is printed of an invoice. Both sides are who they were when it got its number; the language, and the seller's logo, are those of today.
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
        // Discounts stand below the lines, so a line shows what it was before them.
        discount: None,
        tax: Some(rates.join(" + ")).filter(|rates| !rates.is_empty()),
        amount: Money::new(line.amount_minor, invoice.currency),
    }
}

/// The one that the invoice kept. One that was numbered before there was a seller shows the present one.
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

/// From the invoice itself, once it has its number; before, from the organization.
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

/// Street, place, country: a line each.
fn address(address: &PostalAddress) -> Vec<String> {
    let PostalAddress { street_address, address_locality, address_region, postal_code, address_country, .. } = address;
    let place: Vec<&str> = postal_code.iter().chain(address_locality).chain(address_region).map(String::as_str).collect();
    street_address.iter().cloned().chain(Some(place.join(" ")).filter(|place| !place.is_empty())).chain(address_country.clone()).collect()
}

/// The document in the form that was asked for; nothing but the headers when the client has it already.
pub async fn answer(app: &App, form: Form, document: &Document, headers: &HeaderMap) -> Result<Response> {
    let (bytes, content_type) = match form {
        Form::Pdf => (pdf(app, document).await?, "application/pdf"),
        Form::Html | Form::Json => (documents::html(document).or_internal()?.into_bytes(), "text/html; charset=utf-8"),
    };
    let tag = tag(&bytes);
    let known = text_header(headers, "if-none-match").split(',').any(|known| known.trim().trim_start_matches("W/") == tag);
    let mut response = Response::new(if known { Body::empty() } else { Body::from(bytes) });
    if known {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
    }
    let name = document.number.as_deref().unwrap_or("draft");
    // What is printed runs nothing and loads nothing, whatever got into it.
    let policy =
        "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";
    for (header, value) in [
        (header::CONTENT_TYPE, content_type.to_owned()),
        (header::ETAG, tag),
        (header::VARY, "Accept".to_owned()),
        (header::CACHE_CONTROL, "private, no-cache".to_owned()),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff".to_owned()),
        (header::CONTENT_SECURITY_POLICY, policy.to_owned()),
        (
            header::CONTENT_DISPOSITION,
            format!("inline; filename=\"{}.{}\"", file_name(name), if form == Form::Pdf { "pdf" } else { "html" }),
        ),
    ] {
        put(&mut response, header, &value);
    }
    Ok(response)
}

/// The invoice as JSON, which depends on `Accept` as well.
pub fn as_json(reply: Reply) -> Response {
    reply.with_headers([("vary", "Accept".to_owned())]).into_response()
}

fn put(response: &mut Response, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        response.headers_mut().insert(name, value);
    }
}

fn tag(bytes: &[u8]) -> String {
    let hex: String = Sha256::digest(bytes).iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    format!("\"{hex}\"")
}

/// A number may have letters that a file name must not have.
fn file_name(number: &str) -> String {
    number.chars().map(|letter| if letter.is_ascii_alphanumeric() || letter == '-' { letter } else { '_' }).collect()
}

/// Static files change with a deployment, and that starts new isolates.
const FONTS_KEPT: Duration = Duration::from_secs(24 * 60 * 60);

/// With the fonts that this document's text needs.
async fn pdf(app: &App, document: &Document) -> Result<Vec<u8>> {
    let now = app.moment().now;
    let catalog = match app.memory.recall::<Catalog>("fonts", now) {
        Some(catalog) => catalog,
        None => {
            let index = app.fonts.load("index.json").await?;
            let catalog = Catalog::parse(&String::from_utf8_lossy(&index)).or_internal()?;
            let catalog = Arc::new(catalog);
            app.memory.keep("fonts", now.plus(FONTS_KEPT), Arc::clone(&catalog));
            catalog
        }
    };
    let mut files = BTreeMap::new();
    for file in catalog.needed(document) {
        files.insert(file.to_owned(), font(app, file, now).await?);
    }
    documents::pdf(document, &documents::Fonts::new(&catalog, files)).or_internal()
}

/// The two faces of nearly every document are remembered; the slices of the big scripts are as many as they are seldom.
async fn font(app: &App, file: &str, now: Timestamp) -> Result<Arc<[u8]>> {
    if !file.starts_with("sans") {
        return app.fonts.load(file).await;
    }
    let name = format!("font {file}");
    if let Some(bytes) = app.memory.recall::<Arc<[u8]>>(&name, now) {
        return Ok(Arc::clone(&bytes));
    }
    let bytes = app.fonts.load(file).await?;
    app.memory.keep(&name, now.plus(FONTS_KEPT), Arc::new(Arc::clone(&bytes)));
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(accept: &str) -> std::result::Result<Form, u16> {
        let mut headers = HeaderMap::new();
        headers.insert("accept", HeaderValue::from_str(accept).unwrap());
        Form::wanted(&headers).map_err(|problem| problem.status)
    }

    #[test]
    fn the_form_is_what_the_client_likes_best() {
        assert_eq!(Form::wanted(&HeaderMap::new()).ok(), Some(Form::Json));
        let browser = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8";
        for (accept, form) in [
            ("*/*", Form::Json),
            ("application/json", Form::Json),
            ("application/*", Form::Json),
            ("text/html", Form::Html),
            (browser, Form::Html),
            ("text/*", Form::Html),
            ("application/pdf", Form::Pdf),
            ("Application/PDF; q=0.5", Form::Pdf),
            ("application/pdf, application/json;q=0.9", Form::Pdf),
            ("application/json;q=0.1, text/html;q=0.2", Form::Html),
            ("*/*, application/json;q=0", Form::Html),
            ("image/png, application/pdf;q=0.001", Form::Pdf),
        ] {
            assert_eq!(wanted(accept), Ok(form), "{accept}");
        }
        for accept in ["image/png", "application/xml, text/csv", "application/json;q=0", "*/*;q=0", "application/json;q=x", "nonsense"] {
            assert_eq!(wanted(accept), Err(406), "{accept}");
        }
    }

    #[test]
    fn a_file_is_named_by_its_number() {
        assert_eq!(file_name("INV/2026-000042\""), "INV_2026-000042_");
    }
}

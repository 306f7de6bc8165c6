//! A document as plain data. Nothing here computes: amounts are printed as they are given.

use chrono::{DateTime, Utc};
use rating::{Currency, Decimal, Money, Quantity, Tz};

/// An invoice or a credit note, with all that stands on it.
#[derive(Clone, Debug, PartialEq)]
pub struct Document {
    /// What it is.
    pub kind: Kind,
    /// Where it stands; a draft is marked on every page.
    pub status: Status,
    /// Its number; a draft may have none.
    pub number: Option<String>,
    /// The number of the invoice that a credit note reduces.
    pub reference: Option<String>,
    /// A BCP 47 language tag such as `de` or `fr-CA`: the language of the labels, and how numbers and days are written.
    pub locale: String,
    /// Days are those of this time zone.
    pub time_zone: Tz,
    /// When it was issued. Also the date inside the PDF.
    pub issued_at: DateTime<Utc>,
    /// When it is to be paid by.
    pub due_at: Option<DateTime<Utc>>,
    /// What it bills for.
    pub period: Option<Span>,
    /// Who sends it.
    pub seller: Party,
    /// Shown above the seller's name.
    pub logo: Option<Logo>,
    /// Who gets it.
    pub customer: Party,
    /// What all amounts are in.
    pub currency: Currency,
    /// What is billed.
    pub lines: Vec<Line>,
    /// The sum of the lines.
    pub subtotal: Money,
    /// What reduces or raises the subtotal, with its sign.
    pub adjustments: Vec<Adjustment>,
    /// The taxes, one for each rate.
    pub taxes: Vec<Tax>,
    /// What it comes to.
    pub total: Money,
    /// What was below zero and became the customer's credit, as a positive amount; not shown when zero.
    pub carried: Money,
    /// What credit paid, as a positive amount; not shown when zero.
    pub credits_applied: Money,
    /// What was paid otherwise, as a positive amount; not shown when zero.
    pub amount_paid: Money,
    /// What credit notes took back, as a positive amount; not shown when zero.
    pub credited: Money,
    /// What is left to pay.
    pub amount_due: Money,
    /// How to pay; may have several lines.
    pub payment_instructions: Option<String>,
    /// Anything else to say; may have several lines.
    pub notes: Option<String>,
    /// Small print at the bottom of every page.
    pub footer: Option<String>,
}

/// What a document is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Asks for money.
    Invoice,
    /// Gives money back.
    CreditNote,
}

/// Where a document stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Not final: it may still change and asks for nothing.
    Draft,
    /// To be paid.
    Open,
    /// Paid.
    Paid,
    /// Should have been paid already.
    Overdue,
    /// Taken back.
    Void,
    /// Given up.
    Uncollectible,
}

/// A company or a person.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Party {
    /// In any script.
    pub name: String,
    /// The address, a line each.
    pub address: Vec<String>,
    /// Such as a VAT number.
    pub tax_id: Option<String>,
    /// Where to write to.
    pub email: Option<String>,
    /// Anything else to reach it by (a telephone number, a web address), a line each.
    pub contact: Vec<String>,
}

/// A picture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Logo {
    /// The bytes of a PNG.
    Png(Vec<u8>),
    /// The text of an SVG.
    Svg(String),
}

/// A stretch of time, without its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// The first instant.
    pub start: DateTime<Utc>,
    /// The first instant after it.
    pub end: DateTime<Utc>,
}

/// What one line bills.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    /// What it is for.
    pub description: String,
    /// When it was used or may be used.
    pub period: Option<Span>,
    /// How much of it.
    pub quantity: Option<Quantity>,
    /// What one costs.
    pub unit_price: Option<Decimal>,
    /// What the line was reduced by, as a positive amount; the amount is net of it.
    pub discount: Option<Money>,
    /// How it is taxed, in few words: `19 %`.
    pub tax: Option<String>,
    /// What it comes to.
    pub amount: Money,
}

/// What reduces or raises the subtotal.
#[derive(Clone, Debug, PartialEq)]
pub struct Adjustment {
    /// What it is called.
    pub label: String,
    /// With its sign.
    pub amount: Money,
}

/// One tax of the document.
#[derive(Clone, Debug, PartialEq)]
pub struct Tax {
    /// What it is called, with its rate: `VAT 19 %`.
    pub label: String,
    /// What it comes to.
    pub amount: Money,
    /// Whether the prices hold it already.
    pub is_included: bool,
}

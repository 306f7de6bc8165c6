//! A document as the strings that are printed, in reading order. HTML and PDF both show these and nothing else, so they cannot differ.

use rating::Money;
use serde::Serialize;

use crate::document::{Document, Kind, Line, Party, Span, Status};
use crate::locale::Locale;

/// Everything that is printed.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Sheet {
    pub language: &'static str,
    pub title: String,
    pub heading: &'static str,
    pub number: String,
    pub badge: Option<Badge>,
    /// Across every page of what must not be paid.
    pub watermark: Option<&'static str>,
    pub seller: Block,
    pub customer: Block,
    pub facts: Vec<Fact>,
    pub headline: Headline,
    pub columns: Columns,
    pub rows: Vec<Row>,
    pub sums: Vec<Sum>,
    pub notes: Vec<Note>,
    pub footer: String,
    /// With `{page}` and `{pages}`.
    pub page: &'static str,
}

#[derive(Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Badge {
    pub text: &'static str,
    pub tone: Tone,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Tone {
    Calm,
    Good,
    Bad,
}

#[derive(Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Block {
    pub heading: &'static str,
    pub name: String,
    pub lines: Vec<String>,
}

#[derive(Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Fact {
    pub label: &'static str,
    pub value: String,
}

#[derive(Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Headline {
    pub amount: String,
    pub caption: String,
}

#[derive(Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Columns {
    pub description: &'static str,
    pub quantity: &'static str,
    pub unit_price: &'static str,
    /// None when no line names a tax.
    pub tax: Option<&'static str>,
    pub amount: String,
}

#[derive(Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Row {
    pub description: String,
    pub details: Vec<String>,
    pub quantity: String,
    pub unit_price: String,
    pub tax: String,
    pub amount: String,
}

#[derive(Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Sum {
    pub label: String,
    pub value: String,
    pub is_strong: bool,
}

#[derive(Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Note {
    pub heading: &'static str,
    pub lines: Vec<String>,
}

impl Sheet {
    pub fn of(document: &Document) -> Self {
        let locale = Locale::of(&document.locale);
        let labels = &locale.labels;
        let heading = match document.kind {
            Kind::Invoice => labels.invoice,
            Kind::CreditNote => labels.credit_note,
        };
        let number = document.number.as_deref().map(clean).unwrap_or_default();
        let title = if number.is_empty() { heading.to_owned() } else { format!("{heading} {number}") };
        let has_taxes = document.lines.iter().any(|line| line.tax.is_some());
        let notes = [(labels.payment, &document.payment_instructions), (labels.notes, &document.notes)];
        Self {
            language: locale.tag,
            title,
            heading,
            number,
            badge: badge(document, locale),
            watermark: match document.status {
                Status::Draft => Some(labels.draft),
                Status::Void => Some(labels.void),
                Status::Open | Status::Paid | Status::Overdue | Status::Uncollectible => None,
            },
            seller: block(labels.from, &document.seller, locale),
            customer: block(labels.bill_to, &document.customer, locale),
            facts: facts(document, locale),
            headline: headline(document, locale),
            columns: Columns {
                description: labels.description,
                quantity: labels.quantity,
                unit_price: labels.unit_price,
                tax: has_taxes.then_some(labels.tax),
                amount: format!("{} ({})", labels.amount, document.currency.code()),
            },
            rows: document.lines.iter().map(|line| row(line, document, locale)).collect(),
            sums: sums(document, locale),
            notes: notes
                .into_iter()
                .filter_map(|(heading, text)| text.as_deref().map(|text| Note { heading, lines: clean_lines(text) }))
                .filter(|note| !note.lines.is_empty())
                .collect(),
            footer: document.footer.as_deref().map(|footer| clean_lines(footer).join(" · ")).unwrap_or_default(),
            page: labels.page,
        }
    }

    /// Every string, for choosing fonts: those in the bold face apart.
    pub fn texts(&self) -> impl Iterator<Item = &str> {
        let blocks = [&self.seller, &self.customer];
        let fixed = [self.heading, &self.number, &self.headline.amount, &self.headline.caption, &self.footer, self.page];
        let columns = [self.columns.description, self.columns.quantity, self.columns.unit_price, &self.columns.amount];
        let rows = self.rows.iter().flat_map(|row| {
            let cells = [row.description.as_str(), &row.quantity, &row.unit_price, &row.tax, &row.amount];
            cells.into_iter().chain(row.details.iter().map(String::as_str))
        });
        fixed
            .into_iter()
            .chain(columns)
            .chain(self.columns.tax)
            .chain(self.watermark)
            .chain(self.badge.iter().map(|badge| badge.text))
            .chain(
                blocks.into_iter().flat_map(|block| [block.heading, &block.name].into_iter().chain(block.lines.iter().map(String::as_str))),
            )
            .chain(self.facts.iter().flat_map(|fact| [fact.label, fact.value.as_str()]))
            .chain(rows)
            .chain(self.sums.iter().flat_map(|sum| [sum.label.as_str(), &sum.value]))
            .chain(self.notes.iter().flat_map(|note| [note.heading].into_iter().chain(note.lines.iter().map(String::as_str))))
    }
}

fn badge(document: &Document, locale: &Locale) -> Option<Badge> {
    let labels = &locale.labels;
    let (text, tone) = match document.status {
        Status::Draft => (labels.draft, Tone::Calm),
        Status::Open => return None,
        Status::Paid => (labels.paid, Tone::Good),
        Status::Overdue => (labels.overdue, Tone::Bad),
        Status::Void => (labels.void, Tone::Calm),
        Status::Uncollectible => (labels.uncollectible, Tone::Bad),
    };
    // A credit note asks for nothing, so it is never paid or late.
    let says_something = document.kind == Kind::Invoice || matches!(document.status, Status::Draft | Status::Void);
    says_something.then_some(Badge { text, tone })
}

fn block(heading: &'static str, party: &Party, locale: &Locale) -> Block {
    let tax_id = party.tax_id.as_deref().map(|id| format!("{} {}", locale.labels.tax_id, clean(id)));
    let more = party.email.iter().chain(&party.contact).map(|line| clean(line));
    let lines = party.address.iter().map(|line| clean(line)).chain(more).chain(tax_id);
    Block { heading, name: clean(&party.name), lines: lines.filter(|line| !line.is_empty()).collect() }
}

fn facts(document: &Document, locale: &Locale) -> Vec<Fact> {
    let labels = &locale.labels;
    let day = |at| locale.day(at, document.time_zone);
    let number = document.number.as_deref().map(|number| Fact { label: labels.number, value: clean(number) });
    let reference = document.reference.as_deref().map(|number| Fact { label: labels.reference, value: clean(number) });
    let issued = Fact { label: labels.issued, value: day(document.issued_at) };
    let due = document.due_at.map(|at| Fact { label: labels.due, value: day(at) });
    let period = document.period.map(|period| Fact { label: labels.period, value: span(period, document, locale) });
    number.into_iter().chain(reference).chain([issued]).chain(due).chain(period).collect()
}

fn headline(document: &Document, locale: &Locale) -> Headline {
    let labels = &locale.labels;
    let due = match document.due_at {
        Some(at) => labels.due_by.replace("{date}", &locale.day(at, document.time_zone)),
        None => labels.amount_due.to_owned(),
    };
    let (amount, caption) = match (document.kind, document.status) {
        (_, Status::Draft) => (document.total, labels.draft_note.to_owned()),
        (Kind::CreditNote, _) => (document.total, labels.credit_note.to_owned()),
        (Kind::Invoice, Status::Paid) => (document.total, labels.paid.to_owned()),
        (Kind::Invoice, Status::Void) => (document.total, labels.void.to_owned()),
        (Kind::Invoice, Status::Uncollectible) => (document.amount_due, labels.uncollectible.to_owned()),
        (Kind::Invoice, Status::Open | Status::Overdue) => (document.amount_due, due),
    };
    Headline { amount: locale.money(amount), caption }
}

fn row(line: &Line, document: &Document, locale: &Locale) -> Row {
    let discount = line.discount.map(|discount| format!("{} {}", locale.labels.discount, reduced_by(discount, locale)));
    let period = line.period.map(|period| span(period, document, locale));
    Row {
        description: clean(&line.description),
        details: period.into_iter().chain(discount).collect(),
        quantity: line.quantity.map(|quantity| locale.quantity(quantity)).unwrap_or_default(),
        unit_price: line.unit_price.map(|price| locale.unit_price(price, document.currency)).unwrap_or_default(),
        tax: line.tax.as_deref().map(clean).unwrap_or_default(),
        amount: locale.money(line.amount),
    }
}

fn sums(document: &Document, locale: &Locale) -> Vec<Sum> {
    let labels = &locale.labels;
    let sum = |label: &str, value: String| Sum { label: clean(label), value, is_strong: false };
    let strong = |label: &str, money| Sum { is_strong: true, ..sum(label, locale.money(money)) };
    let adjustments = document.adjustments.iter().map(|adjustment| sum(&adjustment.label, locale.money(adjustment.amount)));
    let taxes = document.taxes.iter().map(|tax| {
        let label = if tax.is_included { format!("{} ({})", tax.label, labels.included) } else { tax.label.clone() };
        sum(&label, locale.money(tax.amount))
    });
    let carried = Some(document.carried).filter(|carried| !carried.is_zero()).map(|carried| sum(labels.carried, locale.money(carried)));
    let paid = [
        (labels.credits_applied, document.credits_applied),
        (labels.amount_paid, document.amount_paid),
        (labels.credited, document.credited),
    ]
    .into_iter()
    .filter(|(_, money)| !money.is_zero())
    .map(|(label, money)| sum(label, reduced_by(money, locale)));
    let due = (document.kind == Kind::Invoice).then(|| strong(labels.amount_due, document.amount_due));
    let subtotal = sum(labels.subtotal, locale.money(document.subtotal));
    [subtotal]
        .into_iter()
        .chain(adjustments)
        .chain(taxes)
        .chain(carried)
        .chain([strong(labels.total, document.total)])
        .chain(paid)
        .chain(due)
        .collect()
}

/// A positive amount as what it takes away.
fn reduced_by(money: Money, locale: &Locale) -> String {
    locale.money(money.checked_neg().unwrap_or(money))
}

fn span(span: Span, document: &Document, locale: &Locale) -> String {
    locale.span(span, document.time_zone)
}

fn clean_lines(text: &str) -> Vec<String> {
    text.lines().map(clean).filter(|line| !line.is_empty()).collect()
}

/// Separators of lines and paragraphs that are no control characters.
const PARAGRAPHS: [char; 2] = ['\u{2028}', '\u{2029}'];

/// On one line and without what no font shows.
fn clean(text: &str) -> String {
    let printable: String =
        text.chars().map(|letter| if letter.is_control() || PARAGRAPHS.contains(&letter) { ' ' } else { letter }).collect();
    printable.split(' ').filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}

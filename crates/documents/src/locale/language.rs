//! A language: its separators, symbols, months and words.

/// One language.
#[derive(Debug)]
pub struct Locale {
    /// Its tag.
    pub tag: &'static str,
    pub(super) decimal: &'static str,
    pub(super) group: &'static str,
    /// Numbers of fewer digits before the decimal separator are not grouped.
    pub(super) group_from: usize,
    /// Whether `$` stands before the amount, or after it and a space.
    pub(super) is_symbol_first: bool,
    pub(super) symbols: &'static [(&'static str, &'static str)],
    pub(super) months: [&'static str; 12],
    /// With `{d}`, `{dd}`, `{m}`, `{mm}`, `{month}` and `{y}`.
    pub(super) long_day: &'static str,
    pub(super) short_day: &'static str,
    /// What things are called.
    pub labels: Labels,
}

/// The words of an invoice.
#[derive(Debug)]
#[expect(missing_docs, reason = "each is what it says")]
pub struct Labels {
    pub invoice: &'static str,
    pub credit_note: &'static str,
    pub number: &'static str,
    pub reference: &'static str,
    pub issued: &'static str,
    pub due: &'static str,
    pub period: &'static str,
    pub from: &'static str,
    pub bill_to: &'static str,
    pub tax_id: &'static str,
    pub description: &'static str,
    pub quantity: &'static str,
    pub unit_price: &'static str,
    pub tax: &'static str,
    pub amount: &'static str,
    pub discount: &'static str,
    pub included: &'static str,
    pub subtotal: &'static str,
    pub carried: &'static str,
    pub total: &'static str,
    pub credits_applied: &'static str,
    pub amount_paid: &'static str,
    pub credited: &'static str,
    pub amount_due: &'static str,
    pub payment: &'static str,
    pub notes: &'static str,
    pub draft: &'static str,
    pub draft_note: &'static str,
    pub open: &'static str,
    pub paid: &'static str,
    pub overdue: &'static str,
    pub void: &'static str,
    pub uncollectible: &'static str,
    /// With `{date}`.
    pub due_by: &'static str,
    /// With `{page}` and `{pages}`.
    pub page: &'static str,
}

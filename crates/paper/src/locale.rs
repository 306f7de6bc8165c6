//! How a language writes numbers, money and days, and what it calls the parts of an invoice.
//!
//! Five languages, each with the ways of the Unicode locale data. Everything else reads English.

use chrono::{DateTime, Datelike, TimeDelta, Utc};
use rating::{Currency, Decimal, Money, Quantity, Tz};

use crate::document::Span;

/// One language.
#[derive(Debug)]
pub struct Locale {
    /// Its tag.
    pub tag: &'static str,
    decimal: &'static str,
    group: &'static str,
    /// Numbers of fewer digits before the decimal separator are not grouped.
    group_from: usize,
    /// Whether `$` stands before the amount, or after it and a space.
    is_symbol_first: bool,
    symbols: &'static [(&'static str, &'static str)],
    months: [&'static str; 12],
    /// With `{d}`, `{dd}`, `{m}`, `{mm}`, `{month}` and `{y}`.
    long_day: &'static str,
    short_day: &'static str,
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

/// A space that no line is broken at.
const NO_BREAK: &str = "\u{a0}";
/// Its narrow sister, which French groups with.
const NARROW: &str = "\u{202f}";
const MINUS: &str = "\u{2212}";

static LOCALES: [Locale; 5] = [
    Locale {
        tag: "en",
        decimal: ".",
        group: ",",
        group_from: 4,
        is_symbol_first: true,
        symbols: &[("JPY", "¥"), ("CNY", "CN¥"), ("AUD", "A$"), ("CAD", "CA$"), ("NZD", "NZ$"), ("MXN", "MX$")],
        months: ["January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"],
        long_day: "{month} {d}, {y}",
        short_day: "{mon} {d}, {y}",
        labels: Labels {
            invoice: "Invoice",
            credit_note: "Credit note",
            number: "Number",
            reference: "For invoice",
            issued: "Date of issue",
            due: "Due date",
            period: "Billing period",
            from: "From",
            bill_to: "Bill to",
            tax_id: "Tax ID",
            description: "Description",
            quantity: "Qty",
            unit_price: "Unit price",
            tax: "Tax",
            amount: "Amount",
            discount: "Discount",
            included: "included",
            subtotal: "Subtotal",
            carried: "Kept as your credit",
            total: "Total",
            credits_applied: "Credits applied",
            amount_paid: "Amount paid",
            credited: "Credit notes",
            amount_due: "Amount due",
            payment: "How to pay",
            notes: "Notes",
            draft: "Draft",
            draft_note: "not final, nothing is to be paid yet",
            open: "Open",
            paid: "Paid",
            overdue: "Overdue",
            void: "Void",
            uncollectible: "Uncollectible",
            due_by: "due {date}",
            page: "Page {page} of {pages}",
        },
    },
    Locale {
        tag: "de",
        decimal: ",",
        group: ".",
        group_from: 4,
        is_symbol_first: false,
        symbols: &[("JPY", "¥"), ("CNY", "CN¥"), ("AUD", "AU$"), ("CAD", "CA$"), ("NZD", "NZ$"), ("MXN", "MX$")],
        months: ["Januar", "Februar", "März", "April", "Mai", "Juni", "Juli", "August", "September", "Oktober", "November", "Dezember"],
        long_day: "{d}. {month} {y}",
        short_day: "{dd}.{mm}.{y}",
        labels: Labels {
            invoice: "Rechnung",
            credit_note: "Gutschrift",
            number: "Nummer",
            reference: "Zu Rechnung",
            issued: "Rechnungsdatum",
            due: "Fällig am",
            period: "Abrechnungszeitraum",
            from: "Von",
            bill_to: "Rechnung an",
            tax_id: "USt-IdNr.",
            description: "Beschreibung",
            quantity: "Menge",
            unit_price: "Einzelpreis",
            tax: "Steuer",
            amount: "Betrag",
            discount: "Rabatt",
            included: "enthalten",
            subtotal: "Zwischensumme",
            carried: "Als Guthaben behalten",
            total: "Gesamtbetrag",
            credits_applied: "Verrechnetes Guthaben",
            amount_paid: "Bereits gezahlt",
            credited: "Gutschriften",
            amount_due: "Offener Betrag",
            payment: "Zahlung",
            notes: "Hinweise",
            draft: "Entwurf",
            draft_note: "nicht endgültig, noch nichts zu zahlen",
            open: "Offen",
            paid: "Bezahlt",
            overdue: "Überfällig",
            void: "Storniert",
            uncollectible: "Uneinbringlich",
            due_by: "fällig am {date}",
            page: "Seite {page} von {pages}",
        },
    },
    Locale {
        tag: "fr",
        decimal: ",",
        group: NARROW,
        group_from: 4,
        is_symbol_first: false,
        symbols: &[("USD", "$US"), ("JPY", "JPY"), ("GBP", "£GB"), ("CNY", "CN¥"), ("AUD", "$AU"), ("CAD", "$CA")],
        months: ["janvier", "février", "mars", "avril", "mai", "juin", "juillet", "août", "septembre", "octobre", "novembre", "décembre"],
        long_day: "{d} {month} {y}",
        short_day: "{dd}/{mm}/{y}",
        labels: Labels {
            invoice: "Facture",
            credit_note: "Avoir",
            number: "Numéro",
            reference: "Sur la facture",
            issued: "Date d’émission",
            due: "Échéance",
            period: "Période de facturation",
            from: "De",
            bill_to: "Facturé à",
            tax_id: "N° de TVA",
            description: "Description",
            quantity: "Qté",
            unit_price: "Prix unitaire",
            tax: "Taxe",
            amount: "Montant",
            discount: "Remise",
            included: "incluse",
            subtotal: "Sous-total",
            carried: "Conservé comme crédit",
            total: "Total",
            credits_applied: "Avoirs imputés",
            amount_paid: "Déjà réglé",
            credited: "Avoirs",
            amount_due: "Montant dû",
            payment: "Règlement",
            notes: "Remarques",
            draft: "Brouillon",
            draft_note: "non définitif, rien à régler pour le moment",
            open: "À régler",
            paid: "Payée",
            overdue: "En retard",
            void: "Annulée",
            uncollectible: "Irrécouvrable",
            due_by: "à régler avant le {date}",
            page: "Page {page} sur {pages}",
        },
    },
    Locale {
        tag: "es",
        decimal: ",",
        group: ".",
        group_from: 5,
        is_symbol_first: false,
        symbols: &[("USD", "US$"), ("JPY", "JPY"), ("GBP", "GBP"), ("CNY", "CNY"), ("AUD", "AUD"), ("CAD", "CAD")],
        months: [
            "enero",
            "febrero",
            "marzo",
            "abril",
            "mayo",
            "junio",
            "julio",
            "agosto",
            "septiembre",
            "octubre",
            "noviembre",
            "diciembre",
        ],
        long_day: "{d} de {month} de {y}",
        short_day: "{d}/{m}/{y}",
        labels: Labels {
            invoice: "Factura",
            credit_note: "Nota de crédito",
            number: "Número",
            reference: "De la factura",
            issued: "Fecha de emisión",
            due: "Vencimiento",
            period: "Periodo facturado",
            from: "De",
            bill_to: "Facturar a",
            tax_id: "NIF/IVA",
            description: "Descripción",
            quantity: "Cant.",
            unit_price: "Precio unitario",
            tax: "Impuesto",
            amount: "Importe",
            discount: "Descuento",
            included: "incluido",
            subtotal: "Subtotal",
            carried: "Guardado como saldo",
            total: "Total",
            credits_applied: "Saldo aplicado",
            amount_paid: "Pagado",
            credited: "Notas de crédito",
            amount_due: "Importe pendiente",
            payment: "Forma de pago",
            notes: "Notas",
            draft: "Borrador",
            draft_note: "no definitivo, todavía no hay nada que pagar",
            open: "Pendiente",
            paid: "Pagada",
            overdue: "Vencida",
            void: "Anulada",
            uncollectible: "Incobrable",
            due_by: "a pagar antes del {date}",
            page: "Página {page} de {pages}",
        },
    },
    Locale {
        tag: "ja",
        decimal: ".",
        group: ",",
        group_from: 4,
        is_symbol_first: true,
        symbols: &[("JPY", "￥"), ("CNY", "元"), ("AUD", "A$"), ("CAD", "CA$"), ("NZD", "NZ$"), ("MXN", "MX$")],
        months: ["1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12"],
        long_day: "{y}年{m}月{d}日",
        short_day: "{y}/{mm}/{dd}",
        labels: Labels {
            invoice: "請求書",
            credit_note: "返還請求書",
            number: "請求書番号",
            reference: "対象の請求書",
            issued: "発行日",
            due: "お支払期限",
            period: "ご利用期間",
            from: "発行元",
            bill_to: "ご請求先",
            tax_id: "登録番号",
            description: "品目",
            quantity: "数量",
            unit_price: "単価",
            tax: "税",
            amount: "金額",
            discount: "割引",
            included: "内税",
            subtotal: "小計",
            carried: "次回以降へ繰越",
            total: "合計",
            credits_applied: "クレジット充当",
            amount_paid: "お支払済み",
            credited: "返還額",
            amount_due: "ご請求金額",
            payment: "お支払方法",
            notes: "備考",
            draft: "下書き",
            draft_note: "未確定です。まだお支払いの必要はありません",
            open: "未払い",
            paid: "支払済み",
            overdue: "期限超過",
            void: "取消済み",
            uncollectible: "回収不能",
            due_by: "お支払期限 {date}",
            page: "{page} / {pages} ページ",
        },
    },
];

/// Symbols that mean the same everywhere; a currency without one is named by its code.
const SYMBOLS: [(&str, &str); 8] =
    [("USD", "$"), ("EUR", "€"), ("GBP", "£"), ("INR", "₹"), ("KRW", "₩"), ("ILS", "₪"), ("VND", "₫"), ("BRL", "R$")];

impl Locale {
    /// The language of a tag, English for one that we do not speak. `de-AT` and `de_AT` read German.
    #[must_use]
    pub fn of(tag: &str) -> &'static Self {
        let language = tag.split(['-', '_']).next().unwrap_or_default().to_ascii_lowercase();
        let [english, ..] = &LOCALES;
        LOCALES.iter().find(|locale| locale.tag == language).unwrap_or(english)
    }

    /// An amount with its currency: `$1,234.50`, `1.234,50 €`.
    #[must_use]
    pub fn money(&self, money: Money) -> String {
        self.priced(&money.to_decimal_string(), money.currency())
    }

    /// What one unit costs, with as many decimals as it has, and no fewer than the currency.
    #[must_use]
    pub fn unit_price(&self, price: Decimal, currency: Currency) -> String {
        let text = price.to_string();
        let decimals = text.split_once('.').map_or(0, |(_, decimals)| decimals.len());
        let missing = usize::from(currency.exponent()).saturating_sub(decimals);
        let point = if decimals == 0 && missing > 0 { "." } else { "" };
        self.priced(&format!("{text}{point}{}", "0".repeat(missing)), currency)
    }

    /// How much of something.
    #[must_use]
    pub fn quantity(&self, quantity: Quantity) -> String {
        self.number(&quantity.to_string())
    }

    /// A rate in percent: `20%` in English and Japanese, `20 %` elsewhere.
    #[must_use]
    pub fn percent(&self, rate: Decimal) -> String {
        let gap = if self.is_symbol_first { "" } else { NO_BREAK };
        format!("{}{gap}%", self.number(&rate.to_string()))
    }

    /// `November 29, 2026`
    #[must_use]
    pub fn day(&self, at: DateTime<Utc>, zone: Tz) -> String {
        self.written(self.long_day, at, zone)
    }

    /// The first and the last day of a stretch of time, in short.
    #[must_use]
    pub fn span(&self, span: Span, zone: Tz) -> String {
        let last = span.end.checked_sub_signed(TimeDelta::milliseconds(1)).unwrap_or(span.end).max(span.start);
        let [start, end] = [span.start, last].map(|at| self.written(self.short_day, at, zone));
        if start == end { start } else { format!("{start} – {end}") }
    }

    fn priced(&self, decimal: &str, currency: Currency) -> String {
        let (sign, digits) = decimal.strip_prefix('-').map_or(("", decimal), |digits| (MINUS, digits));
        let number = self.number(digits);
        let symbol = self.symbol(currency);
        let gap = if self.is_symbol_first && !symbol.ends_with(|last: char| last.is_ascii_alphabetic()) { "" } else { NO_BREAK };
        if self.is_symbol_first { format!("{sign}{symbol}{gap}{number}") } else { format!("{sign}{number}{gap}{symbol}") }
    }

    fn symbol(&self, currency: Currency) -> &'static str {
        let code = currency.code();
        self.symbols.iter().chain(&SYMBOLS).find(|(known, _)| *known == code).map_or(code, |(_, symbol)| symbol)
    }

    /// A decimal with our separators.
    fn number(&self, decimal: &str) -> String {
        let (sign, decimal) = decimal.strip_prefix('-').map_or(("", decimal), |decimal| (MINUS, decimal));
        let (whole, fraction) = decimal.split_once('.').unwrap_or((decimal, ""));
        let mut grouped = String::from(sign);
        for (index, digit) in whole.chars().enumerate() {
            let left = whole.len().saturating_sub(index);
            if index > 0 && left % 3 == 0 && whole.len() >= self.group_from {
                grouped.push_str(self.group);
            }
            grouped.push(digit);
        }
        if !fraction.is_empty() {
            grouped.push_str(self.decimal);
            grouped.push_str(fraction);
        }
        grouped
    }

    fn written(&self, pattern: &str, at: DateTime<Utc>, zone: Tz) -> String {
        let day = at.with_timezone(&zone).date_naive();
        let month = usize::try_from(day.month0()).ok().and_then(|index| self.months.get(index)).copied().unwrap_or_default();
        let short: String = month.chars().take(3).collect();
        let first = if self.tag == "fr" && day.day() == 1 { "1er".to_owned() } else { day.day().to_string() };
        pattern
            .replace("{dd}", &format!("{:02}", day.day()))
            .replace("{d}", &first)
            .replace("{mm}", &format!("{:02}", day.month()))
            .replace("{m}", &day.month().to_string())
            .replace("{month}", month)
            .replace("{mon}", &short)
            .replace("{y}", &day.year().to_string())
    }
}

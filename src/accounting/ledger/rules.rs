//! The entry of each money fact. Pure: amounts in, a balanced entry out.

use rating::{Currency, Money};

use super::entry::{Account, Entry, EntryKind, Fact, Posting};
use crate::kernel::error::{Error, OrInternal, Result};
use crate::kernel::ids::{InvoiceId, Moment};

/// The amounts of an invoice: `due` + `paid_by_credit` - `credited` = `revenue` + `deferred` + `tax`. All in one currency.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvoiceParts {
    /// The amount to pay.
    pub due: Money,
    /// The amount that credit paid.
    pub paid_by_credit: Money,
    /// The amount below zero that becomes credit. The grant itself is not posted again.
    pub credited: Money,
    /// Lines in arrears, net: earned. Below zero for credits.
    pub revenue: Money,
    /// Lines in advance, net: earned as their periods end. Below zero for credits.
    pub deferred: Money,
    pub tax: Money,
}

impl InvoiceParts {
    /// The postings of an invoice that is finalized.
    fn postings(&self) -> Result<Vec<Posting>> {
        let debits = [(Account::Receivable, self.due), (Account::Credit, self.paid_by_credit)];
        let credits = [
            (Account::Credit, self.credited),
            (Account::Deferred, self.deferred),
            (Account::Revenue, self.revenue),
            (Account::Tax, self.tax),
        ];
        postings(self.due.currency(), &debits, &credits)
    }
}

/// The amounts of a credit note: `revenue` + `deferred` + `tax` = `against_receivable` + `to_credit` + `to_refund`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CreditNoteParts<'a> {
    pub credit_note: &'a str,
    pub invoice: InvoiceId,
    pub revenue: Money,
    pub deferred: Money,
    pub tax: Money,
    /// The reduction of the outstanding amount.
    pub against_receivable: Money,
    /// Paid money that becomes credit. The grant itself is not posted again.
    pub to_credit: Money,
    /// Paid money that is refunded.
    pub to_refund: Money,
}

/// The funding of a credit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Funding {
    /// Granted for free.
    GivenAway,
    /// Prepaid.
    Bought,
}

/// An invoice got its number: the customer owes it.
pub fn invoice_finalized(invoice: InvoiceId, parts: &InvoiceParts, moment: Moment<'_>) -> Result<Entry> {
    about_invoice(EntryKind::InvoiceFinalized, &invoice.to_string(), invoice, parts.due.currency(), parts.postings()?, moment)
}

/// A payment of an invoice.
pub fn payment_received(payment: &str, invoice: InvoiceId, amount: Money, moment: Moment<'_>) -> Result<Entry> {
    let postings = moved(amount, Account::Cash, Account::Receivable)?;
    about_invoice(EntryKind::PaymentReceived, payment, invoice, amount.currency(), postings, moment)
}

/// Deferred revenue is earned. `key` names the part of the invoice: the period that ended.
pub fn revenue_recognized(invoice: InvoiceId, key: &str, amount: Money, moment: Moment<'_>) -> Result<Entry> {
    let postings = moved(amount, Account::Deferred, Account::Revenue)?;
    about_invoice(EntryKind::RevenueRecognized, &format!("{invoice}/{key}"), invoice, amount.currency(), postings, moment)
}

/// A credit was granted, other than by an invoice or a credit note, which post their own.
pub fn credit_granted(grant: &str, funding: Funding, amount: Money, moment: Moment<'_>) -> Result<Entry> {
    let from = match funding {
        Funding::GivenAway => Account::Promotions,
        Funding::Bought => Account::Cash,
    };
    alone(EntryKind::CreditGranted, grant, amount.currency(), moved(amount, from, Account::Credit)?, moment)
}

/// The rest of a credit expired or was voided: a gift is reversed, and prepaid money is earned.
pub fn credit_expired(grant: &str, funding: Funding, amount: Money, moment: Moment<'_>) -> Result<Entry> {
    let to = match funding {
        Funding::GivenAway => Account::Promotions,
        Funding::Bought => Account::Revenue,
    };
    alone(EntryKind::CreditExpired, grant, amount.currency(), moved(amount, Account::Credit, to)?, moment)
}

/// A credit note was created.
pub fn credit_note_issued(parts: &CreditNoteParts<'_>, moment: Moment<'_>) -> Result<Entry> {
    let debits = [(Account::Revenue, parts.revenue), (Account::Deferred, parts.deferred), (Account::Tax, parts.tax)];
    let credits =
        [(Account::Receivable, parts.against_receivable), (Account::Credit, parts.to_credit), (Account::RefundsPayable, parts.to_refund)];
    let currency = parts.revenue.currency();
    let postings = postings(currency, &debits, &credits)?;
    about_invoice(EntryKind::CreditNoteIssued, parts.credit_note, parts.invoice, currency, postings, moment)
}

/// A refund was paid out.
pub fn refund_paid(refund: &str, invoice: InvoiceId, amount: Money, moment: Moment<'_>) -> Result<Entry> {
    let postings = moved(amount, Account::RefundsPayable, Account::Cash)?;
    about_invoice(EntryKind::RefundPaid, refund, invoice, amount.currency(), postings, moment)
}

/// An invoice was voided. `parts` are its current balances (`store::held`), without paid and credited amounts; deferred revenue that was
/// recognized meanwhile counts as `revenue`.
pub fn invoice_voided(invoice: InvoiceId, parts: &InvoiceParts, moment: Moment<'_>) -> Result<Entry> {
    let postings = parts.postings()?.into_iter().map(reversed).collect::<Result<_>>()?;
    about_invoice(EntryKind::InvoiceVoided, &invoice.to_string(), invoice, parts.due.currency(), postings, moment)
}

/// The outstanding amount of an invoice was written off.
pub fn invoice_uncollectible(invoice: InvoiceId, amount: Money, moment: Moment<'_>) -> Result<Entry> {
    let postings = moved(amount, Account::BadDebt, Account::Receivable)?;
    about_invoice(EntryKind::InvoiceUncollectible, &invoice.to_string(), invoice, amount.currency(), postings, moment)
}

/// A written-off invoice is paid after all; the payment itself is another entry.
pub fn invoice_recovered(invoice: InvoiceId, amount: Money, moment: Moment<'_>) -> Result<Entry> {
    let postings = moved(amount, Account::Receivable, Account::BadDebt)?;
    about_invoice(EntryKind::InvoiceRecovered, &invoice.to_string(), invoice, amount.currency(), postings, moment)
}

fn about_invoice(
    kind: EntryKind,
    source: &str,
    invoice: InvoiceId,
    currency: Currency,
    postings: Vec<Posting>,
    moment: Moment<'_>,
) -> Result<Entry> {
    Entry::new(Fact { kind, source, invoice: Some(invoice), currency, at: moment.now }, postings)
}

fn alone(kind: EntryKind, source: &str, currency: Currency, postings: Vec<Posting>, moment: Moment<'_>) -> Result<Entry> {
    Entry::new(Fact { kind, source, invoice: None, currency, at: moment.now }, postings)
}

/// Moves an amount from one account to another; the direction is fixed, so the amount is never below zero.
fn moved(amount: Money, debited: Account, credited: Account) -> Result<Vec<Posting>> {
    if amount.is_negative() {
        return Err(Error::internal(format!("{amount} is to be moved to {debited:?}: an amount below zero has another kind of entry")));
    }
    postings(amount.currency(), &[(debited, amount)], &[(credited, amount)])
}

fn postings(currency: Currency, debits: &[(Account, Money)], credits: &[(Account, Money)]) -> Result<Vec<Posting>> {
    let debits = debits.iter().map(|(account, amount)| (*account, Ok(*amount)));
    let credits = credits.iter().map(|(account, amount)| (*account, amount.checked_neg()));
    let posting = |(account, amount): (Account, std::result::Result<Money, rating::MoneyError>)| {
        // Adding zero in the currency of the entry refuses an amount in another one.
        let amount = amount.and_then(|amount| amount.checked_add(Money::zero(currency)));
        amount.map(|amount| Posting { account, amount_minor: amount.minor() }).or_internal()
    };
    debits.chain(credits).map(posting).collect()
}

fn reversed(posting: Posting) -> Result<Posting> {
    let amount_minor = posting.amount_minor.checked_neg().ok_or_else(|| Error::internal("a posting has no counterpart"))?;
    Ok(Posting { amount_minor, ..posting })
}

#[cfg(test)]
mod tests {
    use super::super::entry::{DESCRIPTION_CHARS_MAX, POSTING_MINOR_MAX};
    use super::*;
    use crate::kernel::ids::Fixed;
    use crate::kernel::time::Timestamp;

    fn moment() -> Moment<'static> {
        Moment { now: Timestamp::from_millis(1_767_225_600_000), entropy: &Fixed }
    }

    fn invoice() -> InvoiceId {
        InvoiceId::from_bytes([1; 16])
    }

    fn usd(minor: i64) -> Money {
        Money::new(minor, Currency::USD)
    }

    fn parts(due: i64, paid_by_credit: i64, credited: i64, revenue: i64, deferred: i64, tax: i64) -> InvoiceParts {
        InvoiceParts {
            due: usd(due),
            paid_by_credit: usd(paid_by_credit),
            credited: usd(credited),
            revenue: usd(revenue),
            deferred: usd(deferred),
            tax: usd(tax),
        }
    }

    fn shown(entry: Result<Entry>) -> Vec<(Account, i64)> {
        entry.unwrap().postings.iter().map(|posting| (posting.account, posting.amount_minor)).collect()
    }

    #[test]
    fn each_fact_moves_its_accounts() {
        use Account::*;
        let check = |entry: Result<Entry>, postings: &[(Account, i64)]| assert_eq!(shown(entry), postings);
        let (id, m) = (invoice(), moment());
        check(
            invoice_finalized(id, &parts(21_880, 5_000, 0, 2_500, 19_900, 4_480), m),
            &[(Receivable, 21_880), (Credit, 5_000), (Deferred, -19_900), (Revenue, -2_500), (Tax, -4_480)],
        );
        check(invoice_finalized(id, &parts(0, 0, 1_200, 0, -1_000, -200), m), &[(Credit, -1_200), (Deferred, 1_000), (Tax, 200)]);
        check(payment_received("pay_1", id, usd(21_880), m), &[(Receivable, -21_880), (Cash, 21_880)]);
        check(revenue_recognized(id, "2026-01", usd(19_900), m), &[(Deferred, 19_900), (Revenue, -19_900)]);
        check(credit_granted("g", Funding::GivenAway, usd(100), m), &[(Credit, -100), (Promotions, 100)]);
        check(credit_granted("g", Funding::Bought, usd(100), m), &[(Cash, 100), (Credit, -100)]);
        check(credit_expired("g", Funding::GivenAway, usd(40), m), &[(Credit, 40), (Promotions, -40)]);
        check(credit_expired("g", Funding::Bought, usd(40), m), &[(Credit, 40), (Revenue, -40)]);
        check(refund_paid("ref_1", id, usd(70), m), &[(Cash, -70), (RefundsPayable, 70)]);
        check(invoice_uncollectible(id, usd(70), m), &[(Receivable, -70), (BadDebt, 70)]);
        check(invoice_recovered(id, usd(70), m), &[(Receivable, 70), (BadDebt, -70)]);
        let note = CreditNoteParts {
            credit_note: "cn_1",
            invoice: id,
            revenue: usd(10),
            deferred: usd(90),
            tax: usd(20),
            against_receivable: usd(50),
            to_credit: usd(40),
            to_refund: usd(30),
        };
        check(
            credit_note_issued(&note, m),
            &[(Receivable, -50), (Credit, -40), (Deferred, 90), (Revenue, 10), (Tax, 20), (RefundsPayable, -30)],
        );
    }

    #[test]
    fn an_unbalanced_entry_is_refused() {
        let refused = |entry: Result<Entry>, why: &str| match entry {
            Err(Error::Internal(text)) => assert!(text.contains(why), "{text}"),
            other => panic!("{other:?}"),
        };
        refused(invoice_finalized(invoice(), &parts(21_881, 0, 0, 0, 21_880, 0), moment()), "does not balance");
        let note = CreditNoteParts {
            credit_note: "cn_1",
            invoice: invoice(),
            revenue: usd(10),
            deferred: usd(0),
            tax: usd(0),
            against_receivable: usd(5),
            to_credit: usd(0),
            to_refund: usd(0),
        };
        refused(credit_note_issued(&note, moment()), "does not balance");
        refused(payment_received("pay_1", invoice(), usd(-1), moment()), "below zero");
        refused(payment_received("pay_1", invoice(), usd(POSTING_MINOR_MAX + 1), moment()), "more than a ledger holds");
        let mixed = InvoiceParts { tax: Money::new(0, Currency::EUR), ..parts(1, 0, 0, 1, 0, 0) };
        refused(invoice_finalized(invoice(), &mixed, moment()), "can't be combined");
        refused(invoice_finalized(invoice(), &parts(i64::MIN, 0, i64::MIN, 0, 0, 0), moment()), "too large");
    }

    #[test]
    fn an_entry_that_moves_nothing_is_empty() {
        let nothing = invoice_finalized(invoice(), &parts(0, 0, 0, 0, 0, 0), moment()).unwrap();
        assert!(nothing.is_empty());
        // Paid by credit that the same invoice gives: one posting of the account, and that comes to nothing.
        assert!(invoice_finalized(invoice(), &parts(0, 70, 70, 0, 0, 0), moment()).unwrap().is_empty());
    }

    #[test]
    fn an_entry_is_told_by_its_kind_and_source_for_ever() {
        let paid = |payment: &str, minor| payment_received(payment, invoice(), usd(minor), moment()).unwrap().id;
        // Stored by those who run this already: another derivation would post their facts again.
        assert_eq!(paid("pay_1", 1).to_string(), "entry_7mwyp11z69gktb1b8skam6hq7k");
        assert_eq!(paid("pay_1", 1), paid("pay_1", 2));
        assert_ne!(paid("pay_1", 1), paid("pay_2", 1));
        assert_ne!(paid("g", 1), credit_granted("g", Funding::Bought, usd(1), moment()).unwrap().id);
    }

    #[test]
    fn names_in_sql_are_those_in_answers() {
        for kind in [EntryKind::InvoiceFinalized, EntryKind::CreditNoteIssued, EntryKind::InvoiceUncollectible, EntryKind::InvoiceRecovered]
        {
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.wire_name());
        }
    }

    #[test]
    fn a_description_is_a_line() {
        let entry = payment_received("pay_1", invoice(), usd(1), moment()).unwrap();
        let described = entry.describe(&"ü".repeat(DESCRIPTION_CHARS_MAX + 1));
        assert_eq!(described.description.unwrap().chars().count(), DESCRIPTION_CHARS_MAX);
    }
}

//! Whatever money facts say: they balance, or are refused.

use std::collections::BTreeMap;

use proptest::prelude::*;
use tenantry::accounting::ledger::entry::*;
use tenantry::accounting::ledger::rules::*;
use tenantry::kernel::ids::{Entropy, InvoiceId, Moment};
use tenantry::kernel::time::Timestamp;

use crate::ledger::{parts, usd};

const MINOR_MAX: i64 = 1_000_000_000_000_000;

/// Ids of entries stand for their facts: nothing random is asked for.
struct Never;

impl Entropy for Never {
    fn bytes(&self) -> [u8; 16] {
        panic!("a fact asked for something random")
    }
}

fn moment() -> Moment<'static> {
    Moment { now: Timestamp::from_millis(1_767_225_600_000), entropy: &Never }
}

fn invoice() -> InvoiceId {
    InvoiceId::from_bytes([1; 16])
}

fn sums(entries: &[Entry]) -> BTreeMap<Account, i64> {
    let mut sums = BTreeMap::new();
    for posting in entries.iter().flat_map(|entry| &entry.postings) {
        *sums.entry(posting.account).or_insert(0) += posting.amount_minor;
    }
    sums.retain(|_, sum| *sum != 0);
    sums
}

prop_compose! {
    /// Any parts that are what an invoice can come to.
    fn any_parts()(
        (revenue, deferred, tax) in (-MINOR_MAX..=MINOR_MAX, -MINOR_MAX..=MINOR_MAX, -MINOR_MAX..=MINOR_MAX),
        (credit, place) in (0..=MINOR_MAX, 0..=100_i64),
    ) -> InvoiceParts {
        let total = revenue + deferred + tax;
        let paid_by_credit = if total > 0 { total.min(credit) / 100 * place } else { 0 };
        parts((total - paid_by_credit).max(0), paid_by_credit, (-total).max(0), revenue, deferred, tax)
    }
}

proptest! {
    #[test]
    fn every_fact_balances(
        parts in any_parts(),
        amount in 0..=MINOR_MAX,
        (revenue, deferred, tax) in (0..=MINOR_MAX, 0..=MINOR_MAX, 0..=MINOR_MAX),
        (first, second) in (0..=100_i64, 0..=100_i64),
    ) {
        let (id, m) = (invoice(), moment());
        let back = revenue + deferred + tax;
        let against_receivable = back / 100 * first;
        let to_credit = (back - against_receivable) / 100 * second;
        let note = CreditNoteParts {
            credit_note: "cn_1", invoice: id, revenue: usd(revenue), deferred: usd(deferred), tax: usd(tax),
            against_receivable: usd(against_receivable), to_credit: usd(to_credit), to_refund: usd(back - against_receivable - to_credit),
        };
        let entries = [
            invoice_finalized(id, &parts, m),
            payment_received("pay_1", id, usd(amount), m),
            revenue_recognized(id, "2026-01", usd(amount), m),
            credit_granted("g", Funding::GivenAway, usd(amount), m),
            credit_granted("g", Funding::Bought, usd(amount), m),
            credit_expired("g", Funding::GivenAway, usd(amount), m),
            credit_expired("g", Funding::Bought, usd(amount), m),
            credit_note_issued(&note, m),
            refund_paid("ref_1", id, usd(amount), m),
            invoice_voided(id, &parts, m),
            invoice_uncollectible(id, usd(amount), m),
            invoice_recovered(id, usd(amount), m),
        ];
        for entry in entries {
            let entry = entry.unwrap();
            prop_assert_eq!(entry.postings.iter().map(|posting| posting.amount_minor).sum::<i64>(), 0);
            prop_assert!(entry.postings.iter().all(|posting| posting.amount_minor != 0));
            prop_assert!(entry.postings.is_sorted_by(|one, next| one.account < next.account), "one an account");
            prop_assert!(entry.postings.len() != 1);
        }
    }

    #[test]
    fn whatever_is_said_of_an_invoice_it_balances_or_is_refused(
        (due, paid, credited) in (any::<i64>(), any::<i64>(), any::<i64>()),
        (revenue, deferred) in (any::<i64>(), any::<i64>()),
        tax in prop_oneof![any::<i64>(), Just(i64::MIN), Just(i64::MAX), Just(0)],
    ) {
        let any = parts(due, paid, credited, revenue, deferred, tax);
        for entry in [invoice_finalized(invoice(), &any, moment()), invoice_voided(invoice(), &any, moment())].into_iter().flatten() {
            prop_assert_eq!(entry.postings.iter().map(|posting| i128::from(posting.amount_minor)).sum::<i128>(), 0);
        }
        for amount in [due, paid, i64::MAX, i64::MIN] {
            let (moved, most) = (payment_received("pay_1", invoice(), usd(amount), moment()), 0..=POSTING_MINOR_MAX);
            prop_assert_eq!(moved.is_ok(), most.contains(&amount));
        }
    }

    #[test]
    fn an_invoice_that_is_voided_leaves_nothing(parts in any_parts()) {
        let entries = [invoice_finalized(invoice(), &parts, moment()).unwrap(), invoice_voided(invoice(), &parts, moment()).unwrap()];
        prop_assert_eq!(sums(&entries), BTreeMap::new());
        prop_assert_ne!(entries[0].id, entries[1].id);
    }

    #[test]
    fn money_that_goes_the_whole_way_leaves_cash_revenue_and_tax(deferred in 1..=MINOR_MAX, revenue in 0..=MINOR_MAX, tax in 0..=MINOR_MAX) {
        let total = deferred + revenue + tax;
        let entries = [
            invoice_finalized(invoice(), &parts(total, 0, 0, revenue, deferred, tax), moment()).unwrap(),
            payment_received("pay_1", invoice(), usd(total), moment()).unwrap(),
            revenue_recognized(invoice(), "2026-01", usd(deferred), moment()).unwrap(),
        ];
        let mut expected = BTreeMap::from([(Account::Cash, total), (Account::Revenue, -deferred - revenue), (Account::Tax, -tax)]);
        expected.retain(|_, sum| *sum != 0);
        prop_assert_eq!(sums(&entries), expected);
    }

    #[test]
    fn a_debt_that_is_written_off_and_paid_after_all_is_paid(amount in 0..=MINOR_MAX) {
        let (id, m, amount) = (invoice(), moment(), usd(amount));
        let entries = [invoice_uncollectible(id, amount, m).unwrap(), invoice_recovered(id, amount, m).unwrap()];
        prop_assert_eq!(sums(&entries), BTreeMap::new());
    }
}

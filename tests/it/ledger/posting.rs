//! What a commit posts: all of it or nothing, once, and always balanced. The database itself sees to that.

use std::collections::BTreeMap;
use std::slice::from_ref;

use futures::executor::block_on;
use proptest::prelude::*;
use rating::{Currency, Money};
use serde_json::json;
use tenantry::accounting::ledger::entry::*;
use tenantry::accounting::ledger::rules::*;
use tenantry::accounting::ledger::store;
use tenantry::kernel::decision::Decision;
use tenantry::kernel::error::Error;

use crate::api::check::unchanged;
use crate::ledger::{balances, invoice, meddle, parts, post, tenant, usd, whole_way};
use crate::support::rows;
use crate::support::world::{World, vendor};

/// Statements that post, however many entries there are.
const STATEMENTS: usize = 4;

fn refused(result: tenantry::kernel::error::Result<()>, why: &str) {
    match result {
        Err(Error::Internal(text)) => assert!(text.contains(why), "{text}"),
        other => panic!("expected {why}: {other:?}"),
    }
}

#[test]
fn a_months_money_is_in_its_accounts() {
    let world = World::new();
    let acme = world.sign_up("Acme");
    let tenant = tenant(&acme);
    assert_eq!(balances(&acme), []);
    let [finalized, paid, recognized] = whole_way(&tenant, 1);
    let shows = |expected: &[(&str, i64)]| {
        assert_eq!(balances(&acme), expected.iter().map(|(account, minor)| ((*account).to_owned(), *minor)).collect::<Vec<_>>());
    };
    post(&tenant, &[finalized]).unwrap();
    shows(&[("receivable", 26_880), ("deferred", -19_900), ("revenue", -2_500), ("tax", -4_480)]);
    post(&tenant, &[paid]).unwrap();
    shows(&[("receivable", 0), ("cash", 26_880), ("deferred", -19_900), ("revenue", -2_500), ("tax", -4_480)]);
    post(&tenant, &[recognized]).unwrap();
    shows(&[("receivable", 0), ("cash", 26_880), ("deferred", 0), ("revenue", -22_400), ("tax", -4_480)]);
}

#[test]
fn a_fact_is_posted_once() {
    let world = World::new();
    let acme = world.sign_up("Acme");
    let tenant = tenant(&acme);
    let [finalized, paid, _] = whole_way(&tenant, 1);
    post(&tenant, from_ref(&finalized)).unwrap();
    unchanged(&world, "the same fact", || refused(post(&tenant, from_ref(&finalized)), "Unique"));
    let other = payment_received("pay_1", invoice(2), usd(1), tenant.moment()).unwrap();
    unchanged(&world, "twice in one commit", || refused(post(&tenant, &[paid.clone(), other.clone()]), "Unique"));
    post(&tenant, &[paid]).unwrap();
    unchanged(&world, "the same payment of another amount", || refused(post(&tenant, &[other]), "Unique"));
    // Another organization has facts of its own.
    let globex = world.sign_up("Globex");
    post(&crate::ledger::tenant(&globex), &[finalized]).unwrap();
}

#[test]
fn the_database_refuses_what_does_not_balance() {
    let world = World::new();
    let acme = world.sign_up("Acme");
    let tenant = tenant(&acme);
    let [finalized, paid, recognized] = whole_way(&tenant, 1);
    let spoilt = |spoil: &dyn Fn(&mut Vec<Posting>)| {
        let mut entry = finalized.clone();
        spoil(&mut entry.postings);
        entry
    };
    let a_cent_more = spoilt(&|postings| postings[0].amount_minor += 1);
    let one_sided = spoilt(&|postings| postings.truncate(1));
    for entry in [&a_cent_more, &one_sided] {
        unchanged(&world, "alone", || refused(post(&tenant, from_ref(entry)), "balanced"));
        let among_others = [paid.clone(), entry.clone(), recognized.clone()];
        unchanged(&world, "among others", || refused(post(&tenant, &among_others), "balanced"));
    }
    // Two entries that are wrong by the same cent are two wrong entries.
    let mut a_cent_less = paid.clone();
    a_cent_less.postings[0].amount_minor -= 1;
    unchanged(&world, "both", || refused(post(&tenant, &[a_cent_more.clone(), a_cent_less]), "balanced"));
    // Nor does anything else of that commit happen.
    let rest = Decision::new().audit("test.posted", "x", None, Some(json!({"a": 1}))).write_all(store::post(&[a_cent_more]));
    unchanged(&world, "with other work", || refused(block_on(tenant.commit(rest, None)), "balanced"));
    post(&tenant, &[finalized]).unwrap();
}

#[test]
fn a_balance_stays_exact_or_the_commit_fails() {
    let world = World::new();
    let acme = world.sign_up("Acme");
    let tenant = tenant(&acme);
    let most = |payment: &str, minor| payment_received(payment, invoice(1), usd(minor), tenant.moment()).unwrap();
    post(&tenant, &[most("pay_1", POSTING_MINOR_MAX)]).unwrap();
    assert_eq!(balances(&acme), [("receivable".to_owned(), -POSTING_MINOR_MAX), ("cash".to_owned(), POSTING_MINOR_MAX)]);
    unchanged(&world, "one more", || refused(post(&tenant, &[most("pay_2", 1)]), "balance_minor"));
    unchanged(&world, "as much again", || refused(post(&tenant, &[most("pay_3", POSTING_MINOR_MAX)]), "balance_minor"));
}

#[test]
fn currencies_are_kept_apart() {
    let world = World::new();
    let acme = world.sign_up("Acme");
    let tenant = tenant(&acme);
    let euro = credit_granted("grant_1", Funding::Bought, Money::new(700, Currency::EUR), tenant.moment()).unwrap();
    let dollar = credit_granted("grant_2", Funding::GivenAway, usd(500), tenant.moment()).unwrap();
    post(&tenant, &[euro, dollar]).unwrap();
    let shown = acme.get("/v1/ledger")["balances"].as_array().unwrap().clone();
    let shown: Vec<_> = shown
        .iter()
        .map(|shown| (shown["account"].clone(), shown["balance"]["price"].clone(), shown["balance"]["priceCurrency"].clone()))
        .collect();
    let expected = [("cash", "7.00", "EUR"), ("credit", "-7.00", "EUR"), ("credit", "-5.00", "USD"), ("promotions", "5.00", "USD")];
    assert_eq!(shown, expected.map(|(account, price, currency)| (json!(account), json!(price), json!(currency))));
}

#[test]
fn what_moves_nothing_is_not_posted() {
    let world = World::new();
    let tenant = tenant(&world.sign_up("Acme"));
    let nothing = invoice_finalized(invoice(1), &parts(0, 0, 0, 0, 0, 0), tenant.moment()).unwrap();
    assert_eq!(store::post(from_ref(&nothing)), []);
    assert_eq!(store::post(&[]), []);
    let [finalized, ..] = whole_way(&tenant, 2);
    post(&tenant, &[nothing, finalized]).unwrap();
    assert_eq!(block_on(store::list(&tenant, &store::Shown::All, i64::from(u32::MAX), 10)).unwrap().len(), 1);
}

#[test]
fn many_facts_take_as_many_statements_as_one_and_stay_in_order() {
    let world = World::new();
    let acme = world.sign_up("Acme");
    let tenant = tenant(&acme);
    let many: Vec<Entry> = (1..=40).flat_map(|number| whole_way(&tenant, number)).collect();
    assert_eq!((store::post(&many).len(), store::post(&many[..1]).len()), (STATEMENTS, STATEMENTS));
    post(&tenant, &many[..50]).unwrap();
    post(&tenant, &many[50..]).unwrap();
    let mut recorded = block_on(store::list(&tenant, &store::Shown::All, i64::from(u32::MAX), 1_000)).unwrap();
    recorded.reverse();
    assert_eq!(recorded.iter().map(|recorded| recorded.sequence).collect::<Vec<_>>(), (1..=120).collect::<Vec<_>>());
    assert_eq!(recorded.into_iter().map(|recorded| recorded.entry).collect::<Vec<_>>(), many);
}

/// What it costs to post is the same for the second invoice and for the thousandth.
#[test]
fn posting_costs_the_same_in_a_large_ledger() {
    let world = World::new();
    let acme = world.sign_up("Acme");
    let tenant = tenant(&acme);
    let shard = &world.shards[rows::home(&world, &acme.id)];
    let cost = |number| {
        shard.work.take();
        post(&tenant, &whole_way(&tenant, number)[..1]).unwrap();
        shard.work.take()
    };
    // The first one makes the accounts.
    let _first = cost(1);
    let (early, scanned) = cost(2);
    let many: Vec<Entry> = (3..=1_000).flat_map(|number| whole_way(&tenant, number)).collect();
    many.chunks(300).for_each(|some| post(&tenant, some).unwrap());
    let (late, scanned_late) = cost(1_001);
    assert_eq!((scanned, scanned_late), (0, 0), "every step has an index");
    assert!(late * 100 <= early * 105, "{early} steps of the database for the second invoice, {late} for the thousandth");
}

#[test]
fn what_an_invoice_still_holds_is_over_all_that_is_about_it() {
    let world = World::new();
    let tenant = tenant(&world.sign_up("Acme"));
    let moment = tenant.moment();
    let held = |number| -> BTreeMap<Account, i64> {
        let held = block_on(store::held(&tenant, invoice(number))).unwrap();
        held.into_iter().map(|balance| (balance.account, balance.amount.minor())).collect()
    };
    let [finalized, paid, recognized] = whole_way(&tenant, 1);
    let [other, ..] = whole_way(&tenant, 2);
    post(&tenant, &[finalized, other]).unwrap();
    assert_eq!(held(1), held(2));
    let note = CreditNoteParts {
        credit_note: "cn_1",
        invoice: invoice(1),
        revenue: usd(0),
        deferred: usd(9_900),
        tax: usd(1_980),
        against_receivable: usd(11_880),
        to_credit: usd(0),
        to_refund: usd(0),
    };
    post(&tenant, &[credit_note_issued(&note, moment).unwrap()]).unwrap();
    use Account::*;
    assert_eq!(held(1), BTreeMap::from([(Receivable, 15_000), (Deferred, -10_000), (Revenue, -2_500), (Tax, -2_500)]));
    let rest = revenue_recognized(invoice(1), "2026-01", usd(4_000), moment).unwrap();
    assert_eq!(rest.id, recognized.id, "the same period, whatever is left of it");
    post(&tenant, &[rest]).unwrap();
    // What is held says what a void takes back: what was recognized is revenue now.
    let void = invoice_voided(invoice(1), &parts(15_000, 0, 0, 6_500, 6_000, 2_500), moment).unwrap();
    post(&tenant, &[void]).unwrap();
    assert_eq!(held(1), BTreeMap::new());
    assert_eq!(held(2)[&Receivable], 26_880, "the other one is as it was");
    drop(paid);
}

#[test]
fn a_ledger_moves_and_is_exported_with_its_organization() {
    let world = World::new();
    let acme = world.sign_up("Acme");
    post(&tenant(&acme), &whole_way(&tenant(&acme), 1)).unwrap();
    let (before, entries) = (acme.get("/v1/ledger"), acme.get("/v1/ledger/entries"));
    let home = rows::home(&world, &acme.id);
    world.post(&vendor(), &format!("/v1/organizations/{}/moves", acme.id), &json!({"shard": 1 - home})).expect(202);
    world.deliver();
    assert_eq!(rows::home(&world, &acme.id), 1 - home);
    assert_eq!((acme.get("/v1/ledger"), acme.get("/v1/ledger/entries")), (before, entries));
    post(&tenant(&acme), &whole_way(&tenant(&acme), 2)).unwrap();
    assert_eq!(acme.get("/v1/ledger/audit")["entries"], 6);
}

/// A fact of the random stories.
#[derive(Clone, Debug)]
enum Step {
    WholeWay,
    Credit(i64, bool),
    Expire(i64, bool),
    Refund(i64),
    WriteOff(i64),
}

fn step() -> impl Strategy<Value = Step> {
    let amount = || 0..1_000_000_000_i64;
    prop_oneof![
        Just(Step::WholeWay),
        (amount(), any::<bool>()).prop_map(|(amount, bought)| Step::Credit(amount, bought)),
        (amount(), any::<bool>()).prop_map(|(amount, bought)| Step::Expire(amount, bought)),
        amount().prop_map(Step::Refund),
        amount().prop_map(Step::WriteOff),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]
    #[test]
    fn balances_are_the_sums_of_whatever_was_posted(steps in proptest::collection::vec(step(), 1..12), group in 1..4_usize) {
        let world = World::new();
        let acme = world.sign_up("Acme");
        let tenant = tenant(&acme);
        let moment = tenant.moment();
        let funding = |bought| if bought { Funding::Bought } else { Funding::GivenAway };
        let entries = |(number, step): (u32, &Step)| -> Vec<Entry> {
            let (id, source) = (invoice(number), number.to_string());
            match step {
                Step::WholeWay => whole_way(&tenant, number).to_vec(),
                Step::Credit(amount, bought) => vec![credit_granted(&source, funding(*bought), usd(*amount), moment).unwrap()],
                Step::Expire(amount, bought) => vec![credit_expired(&source, funding(*bought), usd(*amount), moment).unwrap()],
                Step::Refund(amount) => vec![refund_paid(&source, id, usd(*amount), moment).unwrap()],
                Step::WriteOff(amount) => vec![invoice_uncollectible(id, usd(*amount), moment).unwrap()],
            }
        };
        let all: Vec<Entry> = (0_u32..).zip(&steps).flat_map(entries).collect();
        let mut model: BTreeMap<Account, i64> = BTreeMap::new();
        for posting in all.iter().flat_map(|entry| &entry.postings) {
            *model.entry(posting.account).or_default() += posting.amount_minor;
        }
        all.chunks(group).for_each(|some| post(&tenant, some).unwrap());
        let kept = block_on(store::balances(&tenant)).unwrap();
        prop_assert_eq!(kept.iter().map(|balance| (balance.account, balance.amount.minor())).collect::<BTreeMap<_, _>>(), model.clone());
        let audit = acme.get("/v1/ledger/audit");
        prop_assert!(audit["balances"].as_array().unwrap().iter().all(|balance| balance["agrees"] == true));
        prop_assert_eq!(&audit["unbalancedEntries"], &json!([]));
        prop_assert_eq!(&audit["entries"], &json!(all.iter().filter(|entry| !entry.is_empty()).count()));
        // A cent that somebody adds is found.
        if !model.is_empty() {
            meddle(&world, &acme, "UPDATE ledger_balances SET balance_minor = balance_minor + 1 WHERE rowid = (SELECT min(rowid) FROM ledger_balances)");
            prop_assert_eq!(&acme.get("/v1/ledger/audit")["isConsistent"], &json!(false));
        }
    }
}

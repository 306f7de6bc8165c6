//! Somebody has the database in hand. What they change is found, and no answer is made from it.

use serde_json::{Value, json};
use tenantry::kernel::sql::SqlError;

use crate::ledger::{balances, invoice, meddle, post, tenant, text, whole_way};
use crate::support::rows;
use crate::support::world::{Company, World};

fn audit(company: &Company<'_>) -> Value {
    company.get("/v1/ledger/audit")
}

/// Accounts whose balance is not what the postings come to.
fn differing(audit: &Value) -> Vec<String> {
    let balances = audit["balances"].as_array().unwrap().iter();
    balances.filter(|balance| balance["agrees"] == false).map(|balance| text(&balance["account"])).collect()
}

fn fails(company: &Company<'_>, path: &str) {
    let answer = company.world.get(&company.vendor(), path);
    assert_eq!((answer.status, &answer.body["code"]), (500, &json!("internal_error")), "{path}: {}", answer.text);
    assert!(!answer.text.contains("balance"), "internal text stays inside: {}", answer.text);
}

#[test]
fn an_untouched_ledger_is_consistent() {
    let world = World::new();
    let acme = world.sign_up("Acme");
    assert_eq!(audit(&acme)["isConsistent"], true, "an empty one");
    (1..=3).for_each(|number| post(&tenant(&acme), &whole_way(&tenant(&acme), number)).unwrap());
    let audit = audit(&acme);
    assert_eq!((&audit["isConsistent"], &audit["entries"], &audit["unbalancedEntries"]), (&json!(true), &json!(9), &json!([])), "{audit}");
    assert_eq!(differing(&audit), [""; 0]);
}

#[test]
fn a_balance_that_was_changed_is_found_and_not_shown() {
    let world = World::new();
    let acme = world.sign_up("Acme");
    post(&tenant(&acme), &whole_way(&tenant(&acme), 1)).unwrap();
    meddle(&world, &acme, "UPDATE ledger_balances SET balance_minor = balance_minor + 1 WHERE account = 'cash'");
    fails(&acme, "/v1/ledger");
    let found = audit(&acme);
    assert_eq!((&found["isConsistent"], differing(&found)), (&json!(false), vec!["cash".to_owned()]));
    let cash = found["balances"].as_array().unwrap().iter().find(|balance| balance["account"] == "cash").unwrap();
    assert_eq!((&cash["balance"]["amountMinor"], &cash["recomputed"]["amountMinor"]), (&json!(26_881), &json!(26_880)));
}

#[test]
fn two_balances_that_were_changed_alike_are_found() {
    let world = World::new();
    let acme = world.sign_up("Acme");
    post(&tenant(&acme), &whole_way(&tenant(&acme), 1)).unwrap();
    meddle(&world, &acme, "UPDATE ledger_balances SET balance_minor = balance_minor + 500 WHERE account = 'cash'");
    meddle(&world, &acme, "UPDATE ledger_balances SET balance_minor = balance_minor - 500 WHERE account = 'revenue'");
    assert_eq!(balances(&acme).iter().map(|(_, minor)| minor).sum::<i64>(), 0, "they still sum to zero");
    let found = audit(&acme);
    assert_eq!((&found["isConsistent"], differing(&found)), (&json!(false), vec!["cash".to_owned(), "revenue".to_owned()]));
}

#[test]
fn a_balance_that_was_deleted_is_found() {
    let world = World::new();
    let acme = world.sign_up("Acme");
    post(&tenant(&acme), &whole_way(&tenant(&acme), 1)).unwrap();
    meddle(&world, &acme, "DELETE FROM ledger_balances WHERE account = 'tax'");
    fails(&acme, "/v1/ledger");
    assert_eq!(differing(&audit(&acme)), ["tax"]);
}

#[test]
fn entries_never_change() {
    let world = World::new();
    let acme = world.sign_up("Acme");
    post(&tenant(&acme), &whole_way(&tenant(&acme), 1)).unwrap();
    let shard = &world.shards[rows::home(&world, &acme.id)];
    for statement in ["UPDATE postings SET amount_minor = 1", "UPDATE journal_entries SET source = 'pay_9' WHERE source = 'pay_1'"] {
        assert!(matches!(shard.meddle(statement), Err(SqlError::Broken(text)) if text.contains("append-only")), "{statement}");
    }
}

#[test]
fn a_posting_that_was_changed_in_spite_of_that_is_found_and_not_shown() {
    for spoil in [
        "DROP TRIGGER postings_never_change; UPDATE postings SET amount_minor = amount_minor + 1 WHERE account = 'cash'",
        "DROP TRIGGER postings_never_change; UPDATE postings SET currency = 'EUR' WHERE account = 'cash'",
        "DELETE FROM postings WHERE account = 'cash'",
        "DELETE FROM postings WHERE entry_id = (SELECT id FROM journal_entries WHERE source = 'pay_1')",
    ] {
        let world = World::new();
        let acme = world.sign_up("Acme");
        post(&tenant(&acme), &whole_way(&tenant(&acme), 1)).unwrap();
        let payment = text(&acme.get("/v1/ledger/entries?source=pay_1")["data"][0]["$id"]);
        meddle(&world, &acme, spoil);
        fails(&acme, "/v1/ledger/entries");
        let found = audit(&acme);
        assert_eq!((&found["isConsistent"], &found["unbalancedEntries"]), (&json!(false), &json!([payment])), "{spoil}: {found}");
        assert!(differing(&found).contains(&"cash".to_owned()), "{spoil}: {found}");
        // The other ones can still be read.
        acme.get(&format!("/v1/ledger/entries?source={}", invoice(1)));
    }
}

#[test]
fn what_the_invoices_say_is_held_against_it() {
    let world = World::new();
    let acme = world.sign_up_at("Acme", "2026-01-01T00:00:00Z");
    acme.advance("2026-01-20T00:00:00Z");
    let issued = acme.invoices()[0].clone();
    let (id, due) = (text(&issued["$id"]), issued["totalPaymentDue"]["amountMinor"].as_i64().unwrap());
    let claim = |minor: i64| {
        let found = audit(&acme);
        let claim = found["claims"][0].clone();
        let amounts = (claim["claimed"]["amountMinor"].as_i64(), claim["recomputed"]["amountMinor"].as_i64());
        assert_eq!(
            (&claim["basis"], &claim["account"], amounts),
            (&json!("open invoices"), &json!("receivable"), (Some(minor), Some(due)))
        );
        assert_eq!((&claim["agrees"], &found["isConsistent"]), (&json!(minor == due), &json!(minor == due)), "{found}");
    };
    assert!(due > 0);
    claim(due);
    // Paid, and the ledger was not told.
    meddle(&world, &acme, &format!("UPDATE invoices SET status = 'paid' WHERE id = '{id}'"));
    claim(0);
}

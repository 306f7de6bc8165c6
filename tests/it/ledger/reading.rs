//! What is read: entries newest first, by what they were posted for, and nobody else's.

use serde_json::{Value, json};
use tenantry::accounting::ledger::rules::{Funding, credit_granted};

use crate::api::check::{accept, ask, check, refusal};
use crate::ledger::{invoice, post, tenant, text, usd, whole_way};
use crate::support::world::{Company, World};

fn ids(page: &Value) -> Vec<String> {
    page["data"].as_array().unwrap().iter().map(|entry| text(&entry["$id"])).collect()
}

fn entries(company: &Company<'_>, query: &str) -> Value {
    accept(company.world, &ask(&company.key(&["ledger.read"]), "GET", &format!("/v1/ledger/entries?{query}")), 200).body
}

#[test]
fn an_entry_says_what_moved() {
    let world = World::new();
    let acme = world.sign_up_at("Acme", "2026-01-31T00:00:00Z");
    let [finalized, ..] = whole_way(&tenant(&acme), 1);
    post(&tenant(&acme), &[finalized.describe("January")]).unwrap();
    let page = entries(&acme, "");
    let money =
        |price: &str, minor: i64| json!({"$type": "PriceSpecification", "price": price, "priceCurrency": "USD", "amountMinor": minor});
    let expected = json!({
        "$type": "LedgerEntry", "$id": page["data"][0]["$id"], "sequence": 1, "kind": "invoice_finalized", "source": invoice(1).to_string(),
        "invoice": invoice(1).to_string(), "at": "2026-01-31T00:00:00Z", "description": "January",
        "postings": [
            {"account": "receivable", "amount": money("268.80", 26_880)},
            {"account": "deferred", "amount": money("-199.00", -19_900)},
            {"account": "revenue", "amount": money("-25.00", -2_500)},
            {"account": "tax", "amount": money("-44.80", -4_480)},
        ],
    });
    assert_eq!(page, json!({"data": [expected], "hasMore": false, "nextCursor": null}));
    for path in ["/v1/ledger", "/v1/ledger/audit"] {
        accept(&world, &ask(&acme.vendor(), "GET", path), 200);
    }
}

#[test]
fn pages_show_every_entry_once_newest_first() {
    let world = World::new();
    let acme = world.sign_up("Acme");
    (1..=4).for_each(|number| post(&tenant(&acme), &whole_way(&tenant(&acme), number)).unwrap());
    let all = entries(&acme, "limit=100");
    let sequences: Vec<i64> = all["data"].as_array().unwrap().iter().map(|entry| entry["sequence"].as_i64().unwrap()).collect();
    assert_eq!(sequences, (1..=12).rev().collect::<Vec<_>>());
    let mut walked = Vec::new();
    let mut page = entries(&acme, "limit=5");
    loop {
        walked.extend(ids(&page));
        let Some(cursor) = page["nextCursor"].as_str() else { break };
        // What is posted meanwhile comes before the pages that follow.
        post(&tenant(&acme), &[credit_granted(&walked.len().to_string(), Funding::Bought, usd(1), tenant(&acme).moment()).unwrap()])
            .unwrap();
        page = entries(&acme, &format!("limit=5&cursor={cursor}"));
    }
    assert_eq!(walked, ids(&all));
}

#[test]
fn entries_are_found_by_what_they_are_about() {
    let world = World::new();
    let acme = world.sign_up("Acme");
    (1..=2).for_each(|number| post(&tenant(&acme), &whole_way(&tenant(&acme), number)).unwrap());
    let kinds = |query: &str| -> Vec<String> {
        let page = entries(&acme, query);
        page["data"].as_array().unwrap().iter().map(|entry| format!("{} {}", text(&entry["kind"]), entry["sequence"])).collect()
    };
    let second = invoice(2);
    assert_eq!(kinds(&format!("invoice={second}")), ["revenue_recognized 6", "payment_received 5", "invoice_finalized 4"]);
    assert_eq!(kinds(&format!("invoice={second}&limit=1")), ["revenue_recognized 6"]);
    assert_eq!(kinds(&format!("source={second}")), ["invoice_finalized 4"]);
    assert_eq!(kinds("source=pay_1"), ["payment_received 2"]);
    assert_eq!(kinds(&format!("source={second}/2026-01")), ["revenue_recognized 6"]);
    assert_eq!(kinds("source=pay_9"), [""; 0]);
    let cursor = ids(&entries(&acme, &format!("invoice={second}")))[1].clone();
    assert_eq!(kinds(&format!("invoice={second}&cursor={cursor}")), ["invoice_finalized 4"]);
}

#[test]
fn a_list_refuses_what_it_does_not_understand() {
    let world = World::new();
    let acme = world.sign_up("Acme");
    let long = "x".repeat(256);
    let rows = [
        ("limit=0", "invalid_limit", "limit"),
        ("limit=101", "invalid_limit", "limit"),
        ("cursor=", "invalid_cursor", "cursor"),
        ("cursor=inv_00000000000000000000000001", "invalid_cursor", "cursor"),
        ("cursor=entry_00000000000000000000000001", "invalid_cursor", "cursor"),
        ("source=", "invalid_value", "source"),
        (&format!("source={long}"), "invalid_value", "source"),
        ("invoice=pay_1", "invalid_value", "invoice"),
        ("invoice=inv_00000000000000000000000001&source=pay_1", "invalid_value", "source"),
        ("account=cash", "invalid_query", "account"),
    ];
    for (query, code, pointer) in rows {
        check(&world, &ask(&acme.vendor(), "GET", &format!("/v1/ledger/entries?{query}")), refusal(400, code, pointer));
    }
    for path in ["/v1/ledger?account=cash", "/v1/ledger/audit?account=cash"] {
        check(&world, &ask(&acme.vendor(), "GET", path), refusal(400, "invalid_query", "account"));
    }
}

#[test]
fn a_ledger_is_its_organizations_own() {
    let world = World::new();
    let (acme, globex) = (world.sign_up("Acme"), world.sign_up("Globex"));
    post(&tenant(&acme), &whole_way(&tenant(&acme), 1)).unwrap();
    let cursor = ids(&entries(&acme, ""))[0].clone();
    let globexs = globex.key(&["ledger.read"]);
    for query in [String::new(), format!("?invoice={}", invoice(1)), "?source=pay_1".to_owned()] {
        let page = accept(&world, &ask(&globexs, "GET", &format!("/v1/ledger/entries{query}")), 200).body;
        assert_eq!(page["data"], json!([]));
    }
    check(&world, &ask(&globexs, "GET", &format!("/v1/ledger/entries?cursor={cursor}")), refusal(400, "invalid_cursor", "cursor"));
    assert_eq!(accept(&world, &ask(&globexs, "GET", "/v1/ledger"), 200).body["balances"], json!([]));
    assert_eq!(accept(&world, &ask(&globexs, "GET", "/v1/ledger/audit"), 200).body["entries"], 0);
}

//! A customer's money over months: discounts, taxes, credit, payments, credit notes, and what the ledger says after each. The figures are
//! computed by hand.

use std::collections::BTreeMap;

use futures::executor::block_on;
use serde_json::{Value, json};
use tenantry::billing::charging::threshold;
use tenantry::catalog::plans::built_in::built_in;
use tenantry::kernel::tenant::Actor;

use super::invoice_proofs::assert_all_verified;
use crate::support::world::{Company, World, vendor};

/// The balances are these, in cents, they sum to zero, and the audit agrees with the invoices and the credits.
#[track_caller]
fn books(company: &Company<'_>, expected: &[(&str, i64)]) {
    let ledger = company.get("/v1/ledger");
    let balances = ledger["balances"].as_array().unwrap_or_else(|| panic!("{ledger}"));
    let found: BTreeMap<&str, i64> = balances
        .iter()
        .map(|balance| (balance["account"].as_str().unwrap(), balance["balance"]["amountMinor"].as_i64().unwrap()))
        .filter(|(_, minor)| *minor != 0)
        .collect();
    assert_eq!(found, expected.iter().copied().collect::<BTreeMap<_, _>>());
    assert_eq!(found.values().sum::<i64>(), 0);
    let audit = company.get("/v1/ledger/audit");
    assert_eq!(audit["isConsistent"], true, "{audit}");
}

fn of_organization(company: &Company<'_>, path: &str) -> String {
    format!("/v1/organizations/{}/{path}", company.id)
}

#[track_caller]
fn post(company: &Company<'_>, path: &str, body: &Value) -> Value {
    let answer = company.world.post(&company.vendor(), path, body);
    assert!((200..300).contains(&answer.status), "{path}: {}", answer.text);
    answer.body
}

#[track_caller]
fn refused(company: &Company<'_>, path: &str, body: &Value, status: u16, code: &str) {
    let answer = company.world.post(&company.vendor(), path, body);
    let found = if answer.body["code"] == "invalid_request" { &answer.body["errors"][0]["code"] } else { &answer.body["code"] };
    assert_eq!((answer.status, found.as_str().unwrap()), (status, code), "{path}: {}", answer.text);
}

fn invoice(company: &Company<'_>, number: usize) -> Value {
    company.invoices()[number - 1].clone()
}

/// Where the line of this kind stands.
fn position(company: &Company<'_>, number: usize, kind: &str) -> usize {
    invoice(company, number)["referencesOrder"].as_array().unwrap().iter().position(|line| line["kind"] == kind).unwrap()
}

fn path(company: &Company<'_>, number: usize, what: &str) -> String {
    format!("/v1/invoices/{}/{what}", invoice(company, number)["$id"].as_str().unwrap())
}

fn use_calls(company: &Company<'_>, amount: u32) {
    let backend = company.key(&["usage.write"]);
    company.world.post(&backend, "/v1/usage", &json!({"metric": "apiCalls", "amount": amount})).expect(200);
}

#[test]
fn every_cent_of_half_a_year_is_where_it_belongs() {
    let world = World::new();
    let acme = world.sign_up_at("Acme", "2026-01-01T00:00:00Z");
    let at = |path: &str| of_organization(&acme, path);
    world.write(&vendor(), "PUT", &at("taxes"), &json!({"rates": [{"name": "VAT", "rate": "20"}]})).expect(200);
    let two = json!({"name": "Launch", "percentage": "10", "duration": "repeating", "bills": 2});
    world.post(&vendor(), &at("discounts"), &two).expect(201);
    world.post(&vendor(), &at("credits"), &json!({"amount": "50.00", "currency": "USD", "source": "promotional"})).expect(201);
    books(&acme, &[("promotions", 5_000), ("credit", -5_000)]);

    // 199.00 less 10 % is 179.10, with 20 % tax 214.92; credit pays 50.00.
    acme.advance("2026-01-15T00:00:00Z");
    let first = invoice(&acme, 1);
    assert_eq!((&first["total"]["price"], &first["totalPaymentDue"]["price"]), (&json!("214.92"), &json!("164.92")));
    books(&acme, &[("promotions", 5_000), ("receivable", 16_492), ("deferred", -17_910), ("tax", -3_582)]);
    post(&acme, &path(&acme, 1, "payment"), &json!({"amount": "100.00", "method": "bank_transfer"}));
    refused(&acme, &path(&acme, 1, "payment"), &json!({"amount": "64.93"}), 409, "more_than_due");
    refused(&acme, &path(&acme, 1, "void"), &json!({"reason": "a mistake"}), 409, "invoice_paid");
    post(&acme, &path(&acme, 1, "payment"), &json!({}));
    assert_eq!(invoice(&acme, 1)["paymentStatus"], "paid");
    refused(&acme, &path(&acme, 1, "payment"), &json!({}), 409, "invoice_paid");
    books(&acme, &[("promotions", 5_000), ("cash", 16_492), ("deferred", -17_910), ("tax", -3_582)]);

    // The month is earned. 199.00 and 10,000 calls for 20.00, less 10 %: 197.10, with tax 236.52.
    use_calls(&acme, 110_000);
    acme.advance("2026-02-15T00:00:00Z");
    assert_eq!(invoice(&acme, 2)["total"]["price"], "236.52");
    let earned =
        [("promotions", 5_000), ("cash", 16_492), ("receivable", 23_652), ("deferred", -17_910), ("revenue", -19_710), ("tax", -7_524)];
    books(&acme, &earned);

    // Half of the base price is taken back before it is paid, the rest after.
    let second = invoice(&acme, 2)["$id"].clone();
    let half = json!({"invoice": second, "reason": "outage", "lines": [{"line": position(&acme, 2, "basePrice"), "amount": "100.00"}], "resolution": "refund"});
    let note = post(&acme, "/v1/credit-notes", &half);
    assert_eq!((&note["total"]["price"], &note["reducesInvoice"]["price"]), (&json!("108.00"), &json!("108.00")));
    books(
        &acme,
        &[("promotions", 5_000), ("cash", 16_492), ("receivable", 12_852), ("deferred", -8_910), ("revenue", -19_710), ("tax", -5_724)],
    );
    post(&acme, &path(&acme, 2, "payment"), &json!({}));
    let rest = post(&acme, "/v1/credit-notes", &json!({"invoice": second, "reason": "goodwill"}));
    assert_eq!((&rest["total"]["price"], &rest["credited"]["price"]), (&json!("128.52"), &json!("128.52")), "108.00 + 128.52 = 236.52");
    refused(&acme, "/v1/credit-notes", &json!({"invoice": second, "reason": "more"}), 409, "nothing_to_credit");
    assert_eq!(invoice(&acme, 2)["creditNotes"].as_array().unwrap().len(), 2);
    let numbers: Vec<Value> =
        acme.get("/v1/credit-notes")["data"].as_array().unwrap().iter().map(|note| note["identifier"].clone()).collect();
    assert_eq!(numbers, ["CN-000002", "CN-000001"]);
    books(&acme, &[("promotions", 5_000), ("cash", 29_344), ("credit", -12_852), ("revenue", -17_910), ("tax", -3_582)]);

    // The discount was for two bills. 199.00 with tax is 238.80; the credit pays 128.52 of it, and comes back when it is voided.
    acme.advance("2026-03-15T00:00:00Z");
    assert_eq!(invoice(&acme, 3)["totalPaymentDue"]["price"], "110.28");
    books(
        &acme,
        &[("promotions", 5_000), ("cash", 29_344), ("receivable", 11_028), ("deferred", -19_900), ("revenue", -17_910), ("tax", -7_562)],
    );
    post(&acme, &path(&acme, 3, "void"), &json!({"reason": "a mistake"}));
    books(&acme, &[("promotions", 5_000), ("cash", 29_344), ("credit", -12_852), ("revenue", -17_910), ("tax", -3_582)]);

    // What was bought and not used in time is earned.
    let bought = json!({"amount": "30.00", "currency": "USD", "source": "purchased", "expiresAt": "2026-03-20T00:00:00Z"});
    world.post(&vendor(), &at("credits"), &bought).expect(201);
    assert_eq!(acme.get("/v1/credits")["balance"][0]["price"], "158.52");
    acme.advance("2026-03-21T00:00:00Z");
    assert_eq!(acme.get("/v1/credits")["balance"][0]["price"], "128.52");
    books(&acme, &[("promotions", 5_000), ("cash", 32_344), ("credit", -12_852), ("revenue", -20_910), ("tax", -3_582)]);

    acme.advance("2026-04-15T00:00:00Z");
    books(
        &acme,
        &[("promotions", 5_000), ("cash", 32_344), ("receivable", 11_028), ("deferred", -19_900), ("revenue", -20_910), ("tax", -7_562)],
    );
    // A month later it is overdue; another one is due.
    acme.advance("2026-05-15T00:00:00Z");
    assert_eq!((&invoice(&acme, 4)["paymentStatus"], &invoice(&acme, 5)["paymentStatus"]), (&json!("overdue"), &json!("due")));
    assert!(acme.mails().contains(&"payment-overdue".to_owned()));
    let owed =
        [("promotions", 5_000), ("cash", 32_344), ("receivable", 34_908), ("deferred", -19_900), ("revenue", -40_810), ("tax", -11_542)];
    books(&acme, &owed);
    assert_eq!(acme.get("/v1/subscription")["status"], "past_due");
    post(&acme, &path(&acme, 4, "write-off"), &json!({}));
    assert_eq!(acme.get("/v1/subscription")["status"], "active", "no other invoice is overdue");
    refused(&acme, &path(&acme, 4, "void"), &json!({"reason": "a mistake"}), 409, "invoice_uncollectible");
    let lost = [("bad_debt", 11_028), ("receivable", 23_880)];
    books(&acme, &[&owed[..2], &lost, &owed[3..]].concat());
    refused(&acme, &path(&acme, 4, "payment"), &json!({"amount": "1.00"}), 400, "invalid_value");
    post(&acme, &path(&acme, 4, "payment"), &json!({}));
    assert_eq!(invoice(&acme, 4)["paymentStatus"], "paid");
    books(
        &acme,
        &[("promotions", 5_000), ("cash", 43_372), ("receivable", 23_880), ("deferred", -19_900), ("revenue", -40_810), ("tax", -11_542)],
    );
    assert_all_verified(&acme);
}

#[test]
fn a_refund_is_money_only_as_far_as_money_came() {
    let world = World::new();
    let acme = world.sign_up_at("Acme", "2026-01-01T00:00:00Z");
    let promotional = json!({"amount": "150.00", "currency": "USD", "source": "promotional"});
    world.post(&vendor(), &of_organization(&acme, "credits"), &promotional).expect(201);
    acme.advance("2026-01-15T00:00:00Z");
    post(&acme, &path(&acme, 1, "payment"), &json!({"amount": "49.00"}));
    let first = invoice(&acme, 1)["$id"].clone();
    let note = post(&acme, "/v1/credit-notes", &json!({"invoice": first, "reason": "outage", "amount": "100.00", "resolution": "refund"}));
    assert_eq!((&note["refunded"]["price"], &note["credited"]["price"]), (&json!("49.00"), &json!("51.00")));
    books(&acme, &[("promotions", 15_000), ("cash", 4_900), ("credit", -5_100), ("refunds_payable", -4_900), ("deferred", -9_900)]);
    let refund = acme.get("/v1/refunds")["data"][0].clone();
    assert_eq!((&refund["status"], &refund["amount"]["price"]), (&json!("pending"), &json!("49.00")));
    let payment = format!("/v1/refunds/{}/payment", refund["$id"].as_str().unwrap());
    post(&acme, &payment, &json!({"method": "bank_transfer", "reference": "R1"}));
    refused(&acme, &payment, &json!({}), 409, "refund_paid");
    books(&acme, &[("promotions", 15_000), ("credit", -5_100), ("deferred", -9_900)]);
    let more = json!({"invoice": first, "reason": "outage", "amount": "99.01"});
    refused(&acme, "/v1/credit-notes", &more, 400, "more_than_left");
    assert_all_verified(&acme);
}

#[test]
fn what_is_upcoming_is_what_is_billed() {
    let world = World::new();
    let acme = world.sign_up_at("Acme", "2026-01-01T00:00:00Z");
    let at = |path: &str| of_organization(&acme, path);
    world.write(&vendor(), "PUT", &at("taxes"), &json!({"rates": [{"name": "VAT", "rate": "19", "inclusive": true}]})).expect(200);
    world
        .post(&vendor(), &at("discounts"), &json!({"name": "Five off", "amount": "5.00", "currency": "USD", "duration": "forever"}))
        .expect(201);
    let until_then = json!({"name": "Over by then", "percentage": "50", "duration": "forever", "validThrough": "2026-02-14T23:59:59.500Z"});
    acme.advance("2026-01-20T00:00:00Z");
    world.post(&vendor(), &at("discounts"), &until_then).expect(201);
    world.post(&vendor(), &at("credits"), &json!({"amount": "7.77", "currency": "USD", "source": "purchased"})).expect(201);
    use_calls(&acme, 123_456);
    acme.advance("2026-02-14T23:59:59Z");
    let upcoming = acme.get("/v1/invoices/upcoming");
    assert_eq!(acme.get("/v1/invoices/upcoming"), upcoming, "looking changes nothing");
    acme.advance("2026-02-15T00:00:00Z");
    let made = invoice(&acme, 2);
    for figure in [
        "$id",
        "subscription",
        "billingReason",
        "subtotal",
        "total",
        "creditApplied",
        "totalPaymentDue",
        "referencesOrder",
        "usage",
        "discount",
        "taxes",
        "billingPeriod",
    ] {
        assert_eq!(upcoming[figure], made[figure], "{figure}");
    }
    assert_eq!((&upcoming["identifier"], &upcoming["paymentStatus"]), (&Value::Null, &json!("draft")));
    assert_eq!(made["total"]["price"], "240.91", "199.00 + 46.91 - 5.00, and the tax is contained");
    assert_all_verified(&acme);
}

/// The professional plan under another name, whose usage is billed each time it comes to 10.00.
fn sell_progressively(world: &World) {
    let mut plan = built_in("professional").unwrap();
    plan.key = "metered".into();
    plan.progressive_billing.insert("USD".into(), 1_000);
    let document = serde_json::to_string(&plan).unwrap().replace('\'', "''");
    let row = format!("INSERT INTO plan_versions (key, version, document, published_at) VALUES ('metered', 1, '{document}', 1)");
    world.directory.meddle(&row).unwrap();
}

#[test]
fn usage_is_billed_at_the_threshold_and_never_twice() {
    let world = World::new();
    sell_progressively(&world);
    let clock = world.post(&vendor(), "/v1/test-clocks", &json!({"now": "2026-01-01T00:00:00Z"})).expect(201)["$id"].clone();
    let acme = world.sign_up_with(json!({"name": "Acme", "email": "admin@acme.example", "plan": "metered", "testClock": clock}));
    use_calls(&acme, 500_000);
    acme.advance("2026-01-20T00:00:00Z");
    assert_eq!(acme.invoices().len(), 1, "a trial's usage costs nothing, however much it is");
    use_calls(&acme, 104_990);
    acme.advance("2026-01-21T00:00:00Z");
    assert_eq!(acme.invoices().len(), 1, "4,990 calls come to 9.98");
    use_calls(&acme, 10);
    let tenant = block_on(world.platform().tenant(acme.id.parse().unwrap(), Actor::System("meter"), None)).unwrap().unwrap();
    for _ in 0..3 {
        block_on(threshold::usage_arrived(&tenant)).unwrap();
    }
    acme.advance("2026-01-22T00:00:00Z");
    let invoices = acme.invoices();
    let (count, billed) = (invoices.len(), &invoices[1]);
    assert_eq!((count, &billed["billingReason"], &billed["total"]["price"]), (2, &json!("subscription_threshold"), &json!("10.00")));
    use_calls(&acme, 2_000);
    acme.advance("2026-02-15T00:00:00Z");
    let last = invoice(&acme, 3);
    assert_eq!(last["total"]["price"], "203.00", "199.00, and 2,000 calls for 4.00: the other 5,000 are billed already");
    let overage = &last["referencesOrder"][position(&acme, 3, "overage")];
    assert_eq!((&overage["counted"], &overage["billedBefore"]), (&json!(107_000), &json!(105_000)));
    use_calls(&acme, 105_000);
    acme.advance("2026-02-16T00:00:00Z");
    assert_eq!(invoice(&acme, 4)["total"]["price"], "10.00", "each period has its own");
    assert_eq!(acme.get("/v1/ledger/audit")["isConsistent"], true);
    assert_all_verified(&acme);
}

#[test]
fn credit_is_drawn_by_priority_then_expiry_and_can_be_taken_back() {
    let world = World::new();
    let acme = world.sign_up_at("Acme", "2026-01-01T00:00:00Z");
    let at = of_organization(&acme, "credits");
    let grant = |amount: &str, more: Value| {
        let mut body = json!({"amount": amount, "currency": "USD", "source": "promotional"});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        world.post(&vendor(), &at, &body).expect(201)["$id"].as_str().unwrap().to_owned()
    };
    let last = grant("300.00", json!({}));
    let second = grant("100.00", json!({"expiresAt": "2026-06-01T00:00:00Z"}));
    let first = grant("20.00", json!({"priority": 1, "reason": "a welcome"}));
    let foreign = world.post(&vendor(), &at, &json!({"amount": "9.00", "currency": "EUR", "source": "promotional"})).expect(201);
    acme.advance("2026-01-15T00:00:00Z");
    let made = invoice(&acme, 1);
    assert_eq!(
        (&made["creditApplied"]["price"], &made["paymentStatus"], &made["paidAt"]),
        (&json!("199.00"), &json!("paid"), &json!("2026-01-15T00:00:00Z"))
    );
    assert!(!acme.mails().contains(&"invoice-payment-required".to_owned()), "there is nothing to pay");
    let left = |id: &str| {
        let data = acme.get("/v1/credits")["data"].clone();
        let grant = data.as_array().unwrap().iter().find(|grant| grant["$id"] == id).unwrap().clone();
        grant["left"]["price"].as_str().unwrap().to_owned()
    };
    assert_eq!((left(&first), left(&second), left(&last)), ("0.00".into(), "0.00".into(), "221.00".into()));
    assert_eq!(left(foreign["$id"].as_str().unwrap()), "9.00");
    world.send(&vendor(), "DELETE", &format!("{at}/{last}"), &[], "").expect(204);
    assert_eq!(left(&last), "0.00");
    world.send(&vendor(), "DELETE", &format!("{at}/{last}"), &[], "").expect(204);
    let key = acme.key(&["*"]);
    let by_itself = world.post(&key, &path(&acme, 1, "payment"), &json!({}));
    assert_eq!((by_itself.status, &by_itself.body["code"]), (403, &json!("forbidden")), "nobody pays themselves by saying so");
    assert_eq!(acme.get("/v1/ledger/audit")["isConsistent"], true);
    assert_all_verified(&acme);
}

//! Estimates: any price, by the code that bills, for anybody with a credential.

use serde_json::json;

use crate::api::cast::Cast;
use crate::api::check::{accept, ask, check, refusal, unchanged};
use crate::support::world::{Credential, vendor};

#[test]
fn anybody_with_a_credential_may_ask_and_nothing_is_kept() {
    let cast = Cast::new();
    let body = json!({"price": {"model": "per_unit", "unitAmount": "0.005", "freeUnits": "10000"}, "quantity": "15000", "currency": "USD"});
    let asked = ask(&Credential::Nobody, "POST", "/v1/price-estimates").json(body.to_string());
    for who in [vendor(), cast.acme().key(&["usage.read"]), cast.globex().vendor()] {
        let answer = unchanged(&cast.world, "an estimate", || accept(&cast.world, &asked.by(&who), 200)).body;
        let amount = json!({"$type": "PriceSpecification", "price": "25.00", "priceCurrency": "USD", "amountMinor": 2_500});
        assert_eq!(answer["total"], amount);
        let line = json!({"description": "Units, above 10000 free", "quantity": 5_000, "unitPrice": "0.005", "amount": amount});
        assert_eq!(answer["lines"], json!([line]));
    }
    check(&cast.world, &asked, refusal(401, "unauthenticated", ""));
}

#[test]
fn an_estimate_is_what_the_invoice_says() {
    let cast = Cast::new();
    // Acme pays for its calls by the plan's price.
    let acme = cast.acme();
    acme.world.post(&acme.vendor(), "/v1/usage", &json!({"metric": "apiCalls", "amount": 123_457})).expect(200);
    acme.world.write(&vendor(), "PUT", &format!("/v1/test-clocks/{}", cast.clock), &json!({"now": "2026-03-20T00:00:00Z"})).expect(200);
    let invoices = acme.invoices();
    let lines = invoices.last().unwrap()["referencesOrder"].as_array().unwrap().clone();
    let overage = lines.iter().find(|line| line["kind"] == "overage").unwrap();
    let price = acme.get("/v1/subscription")["plan"]["overagePrices"]["apiCalls"].clone();
    let body = json!({"price": price, "quantity": 23_457, "currency": "USD"});
    let answer = accept(&cast.world, &ask(&cast.admin(), "POST", "/v1/price-estimates").json(body.to_string()), 200).body;
    assert_eq!(answer["total"]["price"], "46.91");
    assert_eq!((&answer["total"], &answer["lines"][0]["unitPrice"]), (&overage["amount"], &overage["price"]), "{overage}");
}

#[test]
fn bad_input_is_refused_where_it_stands() {
    let cast = Cast::new();
    for (body, code, pointer) in [
        (json!({}), "invalid_value", ""),
        (json!({"price": {"model": "flat"}, "quantity": 1, "currency": "USD"}), "invalid_value", "/price"),
        (json!({"price": {"model": "flat", "amount": "1", "typo": 1}, "quantity": 1, "currency": "USD"}), "invalid_value", "/price"),
        (json!({"price": {"model": "flat", "amount": "1"}, "quantity": 1.5, "currency": "USD"}), "invalid_value", "/quantity"),
        (json!({"price": {"model": "flat", "amount": "1"}, "quantity": 1, "currency": "US"}), "unknown_currency", "/currency"),
        (json!({"price": {"model": "flat", "amount": "1"}, "currency": "USD"}), "quantity_or_events", "/quantity"),
        (
            json!({"price": {"model": "graduated", "tiers": [{"upTo": "10", "unitAmount": "1"}]}, "quantity": 1, "currency": "USD"}),
            "last_tier_bounded",
            "/price/tiers/0/upTo",
        ),
        (json!({"price": {"model": "percentage", "rate": "1"}, "quantity": 1, "currency": "USD"}), "price_needs_events", "/quantity"),
    ] {
        check(&cast.world, &ask(&vendor(), "POST", "/v1/price-estimates").json(body.to_string()), refusal(400, code, pointer));
    }
}

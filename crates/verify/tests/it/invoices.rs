//! Invoice proofs that hold, and what is said of those that don't. Proofs that the product makes are in the product's own tests.

use std::io::Write;
use std::process::{Command, Stdio};

use proptest::prelude::*;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use verify::{is_invoice_proof, verify_invoice};

const ORGANIZATION: &str = "org_01h455vb4pex5vsknk084sn02q";
const PREVIOUS: &str = "8793464c3591c75f84948e6c0722e81f8e9c5c6fabdfeefe80f8deeed77a21c5";

fn sha256(text: &str) -> String {
    Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn money(minor: i64) -> Value {
    let sign = if minor < 0 { "-" } else { "" };
    let price = format!("{sign}{}.{:02}", minor.abs() / 100, minor.abs() % 100);
    json!({"$type": "PriceSpecification", "price": price, "priceCurrency": "USD", "amountMinor": minor})
}

fn dates(start: &str, end: &str) -> Value {
    json!({"startDate": format!("{start}T09:00:00Z"), "endDate": format!("{end}T09:00:00Z")})
}

/// A month at 20 dollars, and 350 calls at 3 cents past 250: 9 dollars, and 10 percent off the calls.
fn proof() -> Value {
    let body = r#"{"number":7,"at":1772269200000,"closing":{"start":1769850000000,"end":1772269200000,"used":{"calls":600},"late":[]}}"#;
    let shape = json!({"plan": "team", "planVersion": 3, "interval": "month", "quantity": 2, "addOns": {}});
    let mut phase = shape.clone();
    phase["startsAt"] = json!("2026-01-17T09:00:00Z");
    let line = |kind: &str, item: &str, quantity: i64, price: &str, minor: i64, off: i64, period: Value, counted: Value| {
        json!({"kind": kind, "orderItem": item, "orderQuantity": quantity, "price": price, "description": "", "amount": money(minor),
            "discount": money(off), "taxes": [], "billingPeriod": period, "counted": counted, "billedBefore": null})
    };
    let (ended, begins) = (dates("2026-01-31", "2026-02-28"), dates("2026-02-28", "2026-03-31"));
    let per_unit = |amount: &str| json!({"model": "per_unit", "unitAmount": amount});
    json!({
        "$type": "InvoiceProof", "version": 1, "organization": ORGANIZATION,
        "invoice": {
            "$id": "inv_1", "identifier": "INV-000002", "subscription": "sub_1", "billingReason": "subscription_cycle",
            "subtotal": money(3_050), "total": money(2_945), "creditApplied": money(0), "totalPaymentDue": money(2_945), "amountRemaining": money(2_945),
            "referencesOrder": [
                line("overage", "calls", 350, "0.03", 1_050, 105, ended.clone(), json!(600)),
                line("basePrice", "team", 2, "10", 2_000, 0, begins.clone(), Value::Null),
            ],
            "usage": [{"metric": "calls", "counted": 600, "billingPeriod": ended, "late": false}],
            "discount": [{"name": "Calls", "percentage": "10", "amount": money(105)}], "taxes": [],
            "dateIssued": "2026-02-28T09:00:00Z", "paymentDueDate": "2026-03-30T09:00:00Z", "billingPeriod": begins,
        },
        "lines": [
            {"plan": "team", "planVersion": 3, "shape": shape, "closing": 7, "proration": null},
            {"plan": "team", "planVersion": 3, "shape": shape, "closing": null, "proration": null},
        ],
        "discounts": [{"id": "disc_1", "name": "Calls", "off": {"percentage": "10"}, "amountMinor": 105, "items": ["calls"]}],
        "credits": [], "carriedMinor": 0,
        "subscription": {"$id": "sub_1", "timeZone": "UTC", "startedAt": "2026-01-17T09:00:00Z", "trialEndsAt": "2026-01-31T09:00:00Z",
            "anchoredAt": "2026-01-31T09:00:00Z", "phases": [phase]},
        "plans": [{"key": "team", "version": 3, "prices": [{"currency": "USD", "interval": "month", "price": per_unit("10")}], "baseTiming": "in_advance",
            "metrics": [{"metric": "calls", "included": 250, "prices": {"USD": per_unit("0.03")}}], "addOns": [], "progressiveBilling": {},
            "minimumCommitment": {}}],
        "closings": [{"number": 7, "previous": PREVIOUS, "hash": sha256(&format!("{PREVIOUS}\n{body}")), "body": body, "usageProof": ""}],
    })
}

fn wrong(proof: &Value) -> Vec<String> {
    verify_invoice(&proof.to_string(), None).unwrap().verdict.err().unwrap_or_default()
}

#[test]
fn an_invoice_that_follows_is_verified() {
    let found = verify_invoice(&proof().to_string(), None).unwrap();
    assert_eq!((found.verdict.clone(), found.is_chained), (Ok(()), false), "{found}");
    let text = found.to_string();
    assert!(text.contains("team v3, 600 counted by closing 7, 250 included") && text.ends_with("VERIFIED\n"), "{text}");
}

#[test]
fn what_is_wrong_is_named() {
    for (path, value, said) in [
        ("/plans/0/metrics/0/included", json!(249), "line 1: 350 x 0.03 = 10.50 USD is charged, and 351 x 0.03 = 10.53 USD follows"),
        ("/plans/0/prices/0/price/unitAmount", json!("9"), "2 x 9 = 18.00 USD follows"),
        ("/plans/0/version", json!(4), "team v3 is not in the file"),
        ("/lines/0/closing", json!(8), "it does not rest on the closing of its period"),
        ("/lines/1/shape/quantity", json!(3), "the subscription was another one in this period"),
        ("/invoice/usage/0/counted", json!(601), "the usage that the invoice tells is not what closing 7 counts"),
        ("/invoice/referencesOrder/0/counted", json!(601), "601 is counted, and closing 7 counts 600"),
        ("/invoice/referencesOrder/1/billingPeriod/endDate", json!("2026-03-28T09:00:00Z"), "is no month of this subscription"),
        ("/invoice/subtotal", money(3_051), "subtotal is 30.51 USD, and 30.50 USD follows"),
        ("/invoice/total", money(2_946), "total is 29.46 USD, and 29.45 USD follows"),
        ("/invoice/total/price", json!("29.46"), "the price 29.46 is not 2945 minor units of USD"),
        ("/discounts/0/off/percentage", json!("11"), "discount Calls is 1.05 USD, and 1.16 USD follows"),
        ("/discounts/0/items", Value::Null, "discount Calls is 1.05 USD, and 3.05 USD follows"),
        ("/closings/0/previous", json!(sha256("")), "its hash does not follow from its body and the hash before it"),
        ("/carriedMinor", json!(1), "what is carried over as credit is 0.01 USD"),
        ("/subscription/timeZone", json!("Vienna"), "its time zone is none"),
        ("/version", json!(2), "not an invoice proof of version 1"),
        ("/closings", json!([]), "the closing that says so is not in the file"),
    ] {
        let mut changed = proof();
        *changed.pointer_mut(path).unwrap() = value;
        let wrong = wrong(&changed);
        assert!(wrong.iter().any(|what| what.contains(said)), "{path}: {wrong:#?}");
    }
}

#[test]
fn what_is_no_invoice_proof_is_told() {
    for text in ["", "{}", "[]", "null", r#"{"$type":"UsageProof"}"#] {
        assert!(!is_invoice_proof(text), "{text}");
        assert!(verify_invoice(text, None).unwrap().verdict.unwrap_err()[0].contains("not an invoice proof"));
    }
    assert!(is_invoice_proof(&format!("{:#}", proof())));
}

fn leaves(value: &Value, path: &str, found: &mut Vec<String>) {
    match value {
        Value::Array(items) => items.iter().enumerate().for_each(|(index, item)| leaves(item, &format!("{path}/{index}"), found)),
        Value::Object(members) => members.iter().for_each(|(name, member)| leaves(member, &format!("{path}/{name}"), found)),
        _ => found.push(path.to_owned()),
    }
}

fn any_value() -> impl Strategy<Value = Value> {
    prop_oneof![
        any::<i64>().prop_map(|number| json!(number)),
        (-4_000_i64..4_000).prop_map(|number| json!(number)),
        any::<bool>().prop_map(|is| json!(is)),
        "-?[0-9]{1,20}(\\.[0-9]{1,12})?".prop_map(|text| json!(text)),
        "[0-9]{4}-0[1-9]-1[0-9]T00:00:00Z".prop_map(|text| json!(text)),
        "\\PC{0,9}".prop_map(|text| json!(text)),
        prop::sample::select(vec![
            json!(null),
            json!([]),
            json!({}),
            json!("late_usage"),
            json!("subscription_threshold"),
            json!("unusedTime"),
            json!("year")
        ]),
    ]
}

/// What the invoice charges: each amount of money in it, but for what remains to be paid, which payments change.
fn charged(proof: &Value) -> Vec<(String, Value)> {
    let mut found = Vec::new();
    leaves(&proof["invoice"], "", &mut found);
    let amounts = found.into_iter().filter(|path| path.ends_with("/amountMinor") && !path.starts_with("/amountRemaining"));
    amounts.map(|path| (path.clone(), proof["invoice"].pointer(&path).cloned().unwrap_or_default())).collect()
}

proptest! {
    #[test]
    fn whatever_is_changed_no_other_amount_is_verified(changes in prop::collection::vec((any::<prop::sample::Index>(), any_value()), 1..4)) {
        let mut changed = proof();
        for (index, value) in changes {
            let mut found = Vec::new();
            leaves(&changed, "", &mut found);
            *changed.pointer_mut(index.get::<String>(&found)).unwrap() = value;
        }
        let found = verify_invoice(&changed.to_string(), None).unwrap();
        let said = found.to_string();
        match found.verdict {
            Ok(()) => {
                prop_assert!(said.ends_with("VERIFIED\n"), "{}", said);
                prop_assert_eq!(charged(&changed), charged(&proof()));
            }
            Err(wrong) => {
                prop_assert!(!said.contains("VERIFIED") && !wrong.is_empty(), "{}", said);
                prop_assert!(wrong.iter().all(|what| !what.is_empty()), "{:?}", wrong);
            }
        }
    }

    #[test]
    fn no_amount_of_an_invoice_can_be_changed_alone(index: prop::sample::Index, minor: i64) {
        let mut changed = proof();
        let (path, before) = index.get(&charged(&changed)).clone();
        *changed["invoice"].pointer_mut(&path).unwrap() = json!(minor);
        let is_verified = verify_invoice(&changed.to_string(), None).unwrap().verdict.is_ok();
        prop_assert_eq!(is_verified, before == json!(minor), "{}", path);
    }
}

/// What the command prints and its exit code.
fn run(arguments: &[&str], input: &str) -> (String, Option<i32>) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_verify"));
    let mut child = command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    // It may have ended without reading.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    let output = child.wait_with_output().unwrap();
    (String::from_utf8(output.stdout).unwrap(), output.status.code())
}

#[test]
fn the_command_knows_an_invoice_proof() {
    for text in [proof().to_string(), format!("{:#}\n", proof())] {
        let (said, code) = run(&["-"], &text);
        assert_eq!(code, Some(0), "{said}");
        assert!(said.ends_with("VERIFIED\n"), "{said}");
    }
    let (said, code) =
        run(&["-"], &proof().to_string().replace("\"amountMinor\":2945,\"price\":\"29.45\"", "\"amountMinor\":2944,\"price\":\"29.44\""));
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("BROKEN: total is 29.44 USD, and 29.45 USD follows\n"), "{said}");
    assert_eq!(run(&["-", "no-such-file.ndjson"], &proof().to_string()).1, Some(2));
    assert_eq!(run(&["-", "--tail"], &proof().to_string()).1, Some(2));
}

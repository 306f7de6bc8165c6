//! What is wrong with a discount, a tax, a credit, a payment, a credit note or a voiding; each refusal changes nothing.

use serde_json::json;

use crate::api::cast::Cast;
use crate::api::check::{accept, ask, check, refusal};
use crate::support::world::vendor;

/// A body, and why it is refused: the code and the place. All with 400.
type Row = (&'static str, &'static str, &'static str);

const DISCOUNTS: &[Row] = &[
    ("{}", "invalid_value", ""),
    (r#"{"name":"x","duration":"once"}"#, "invalid_value", "/percentage"),
    (r#"{"name":"x","duration":"once","percentage":10}"#, "invalid_value", "/percentage"),
    (r#"{"name":"x","duration":"once","percentage":"0"}"#, "invalid_value", "/percentage"),
    (r#"{"name":"x","duration":"once","percentage":"-1"}"#, "invalid_value", "/percentage"),
    (r#"{"name":"x","duration":"once","percentage":"100.1"}"#, "invalid_value", "/percentage"),
    (r#"{"name":"x","duration":"once","percentage":"10","amount":"1"}"#, "invalid_value", "/percentage"),
    (r#"{"name":"x","duration":"once","amount":"1"}"#, "invalid_value", "/currency"),
    (r#"{"name":"x","duration":"once","amount":"1","currency":"XXQ"}"#, "invalid_value", "/currency"),
    (r#"{"name":"x","duration":"once","amount":"0","currency":"USD"}"#, "invalid_value", "/amount"),
    (r#"{"name":"x","duration":"once","amount":"-1","currency":"USD"}"#, "invalid_value", "/amount"),
    (r#"{"name":"x","duration":"once","amount":"0.001","currency":"USD"}"#, "invalid_value", "/amount"),
    (r#"{"name":"x","duration":"sometimes","percentage":"10"}"#, "invalid_value", "/duration"),
    (r#"{"name":"x","duration":"repeating","percentage":"10"}"#, "invalid_value", "/bills"),
    (r#"{"name":"x","duration":"repeating","percentage":"10","bills":0}"#, "invalid_value", "/bills"),
    (r#"{"name":"x","duration":"repeating","percentage":"10","bills":121}"#, "invalid_value", "/bills"),
    (r#"{"name":"x","duration":"once","percentage":"10","bills":2}"#, "invalid_value", "/bills"),
    (r#"{"name":" ","duration":"once","percentage":"10"}"#, "invalid_value", "/name"),
    (r#"{"name":"x","duration":"once","percentage":"10","items":[]}"#, "invalid_value", "/items"),
    (
        r#"{"name":"x","duration":"once","percentage":"10","validFrom":"2026-02-02T00:00:00Z","validThrough":"2026-02-01T00:00:00Z"}"#,
        "invalid_value",
        "/validThrough",
    ),
];

const TAXES: &[Row] = &[
    ("{}", "invalid_value", ""),
    (r#"{"rates":[{"name":"VAT"}]}"#, "invalid_value", "/rates/0"),
    (r#"{"rates":[{"name":"VAT","rate":20}]}"#, "invalid_value", "/rates/0/rate"),
    (r#"{"rates":[{"name":"VAT","rate":"-1"}]}"#, "invalid_value", "/rates/0/rate"),
    (r#"{"rates":[{"name":"VAT","rate":"1000.1"}]}"#, "invalid_value", "/rates/0/rate"),
    (r#"{"rates":[{"name":"","rate":"1"}]}"#, "invalid_value", "/rates/0/name"),
    (r#"{"rates":[{"name":"A","rate":"1"},{"name":"A","rate":"2"}]}"#, "invalid_value", "/rates/1/name"),
];

const CREDITS: &[Row] = &[
    ("{}", "invalid_value", ""),
    (r#"{"amount":"0","currency":"USD","source":"promotional"}"#, "invalid_value", "/amount"),
    (r#"{"amount":"-1","currency":"USD","source":"promotional"}"#, "invalid_value", "/amount"),
    (r#"{"amount":5,"currency":"USD","source":"promotional"}"#, "invalid_value", "/amount"),
    (r#"{"amount":"1.5","currency":"JPY","source":"promotional"}"#, "invalid_value", "/amount"),
    (r#"{"amount":{"price":"1","priceCurrency":"EUR"},"currency":"USD","source":"promotional"}"#, "currency_mismatch", "/amount"),
    (r#"{"amount":"1","currency":"USD","source":"invoice"}"#, "invalid_value", "/source"),
    (r#"{"amount":"1","currency":"USD","source":"promotional","priority":-1}"#, "invalid_value", "/priority"),
    (r#"{"amount":"1","currency":"USD","source":"promotional","expiresAt":"2026-02-20T00:00:00Z"}"#, "invalid_value", "/expiresAt"),
    (r#"{"amount":"1","currency":"USD","source":"promotional","reason":" "}"#, "invalid_value", "/reason"),
];

const PAYMENTS: &[Row] = &[
    (r#"{"amount":"0"}"#, "invalid_value", "/amount"),
    (r#"{"amount":"-5"}"#, "invalid_value", "/amount"),
    (r#"{"amount":{"price":"5","priceCurrency":"EUR"}}"#, "currency_mismatch", "/amount"),
    (r#"{"method":""}"#, "invalid_value", "/method"),
    (r#"{"reference":" "}"#, "invalid_value", "/reference"),
    (r#"{"paidAt":"2030-01-01T00:00:00Z"}"#, "invalid_value", "/paidAt"),
];

const CREDIT_NOTES: &[Row] = &[
    ("{}", "invalid_value", ""),
    (r#"{"invoice":"inv_x","reason":"r"}"#, "invalid_value", "/invoice"),
    (r#"{"invoice":"{openInvoice}","reason":" "}"#, "invalid_value", "/reason"),
    (r#"{"invoice":"{openInvoice}","reason":"r","amount":"1","lines":[{"line":0,"amount":"1"}]}"#, "invalid_value", "/amount"),
    (r#"{"invoice":"{openInvoice}","reason":"r","amount":"0"}"#, "invalid_value", "/amount"),
    (r#"{"invoice":"{openInvoice}","reason":"r","amount":"199.01"}"#, "more_than_left", "/amount"),
    (r#"{"invoice":"{openInvoice}","reason":"r","lines":[]}"#, "invalid_value", "/lines"),
    (r#"{"invoice":"{openInvoice}","reason":"r","lines":[{"line":7,"amount":"1"}]}"#, "invalid_value", "/lines/0/line"),
    (r#"{"invoice":"{openInvoice}","reason":"r","lines":[{"line":0,"amount":"-1"}]}"#, "invalid_value", "/lines/0/amount"),
    (r#"{"invoice":"{openInvoice}","reason":"r","lines":[{"line":0,"amount":"200"}]}"#, "more_than_left", "/lines/0/amount"),
    (r#"{"invoice":"{openInvoice}","reason":"r","resolution":"cash"}"#, "invalid_value", "/resolution"),
];

#[test]
fn bad_fields_are_refused_where_they_are() {
    let cast = Cast::new();
    let for_acme = cast.acme().vendor();
    let refuses = |method: &str, path: &str, rows: &[Row]| {
        let who = if path.starts_with("/v1/organizations") { vendor() } else { for_acme.clone() };
        for (body, code, pointer) in rows {
            check(&cast.world, &ask(&who, method, &cast.fill(path)).json(cast.fill(body)), refusal(400, code, pointer));
        }
    };
    refuses("POST", "/v1/organizations/{acme}/discounts", DISCOUNTS);
    refuses("PUT", "/v1/organizations/{acme}/taxes", TAXES);
    refuses("POST", "/v1/organizations/{acme}/credits", CREDITS);
    refuses("POST", "/v1/invoices/{openInvoice}/payment", PAYMENTS);
    refuses(
        "POST",
        "/v1/invoices/{openInvoice}/void",
        &[(r#"{"reason":""}"#, "invalid_value", "/reason"), (r#"{"why":"x"}"#, "invalid_value", "/why")],
    );
    refuses("POST", "/v1/credit-notes", CREDIT_NOTES);
}

#[test]
fn what_an_invoice_does_not_allow_is_refused() {
    let cast = Cast::new();
    let who = cast.acme().vendor();
    let open = cast.open_invoice();
    let path = |what: &str| format!("/v1/invoices/{open}/{what}");
    let refuses = |path: &str, body: &str, code: &str| {
        check(&cast.world, &ask(&who, "POST", path).json(cast.fill(body)), refusal(409, code, ""));
    };
    let more = r#"{"amount":"199.01"}"#;
    refuses(&path("payment"), more, "more_than_due");
    let body = json!({"invoice": open, "reason": "r", "amount": "1.00"}).to_string();
    accept(&cast.world, &ask(&who, "POST", "/v1/credit-notes").json(body), 201);
    refuses(&path("void"), r#"{"reason":"r"}"#, "invoice_credited");
    accept(&cast.world, &ask(&who, "POST", &path("payment")).json(r#"{"amount":"1.00"}"#), 201);
    refuses(&path("void"), r#"{"reason":"r"}"#, "invoice_paid");
    accept(&cast.world, &ask(&who, "POST", &path("write-off")), 200);
    refuses(&path("write-off"), "{}", "invoice_uncollectible");
    refuses("/v1/credit-notes", &json!({"invoice": open, "reason": "r"}).to_string(), "invoice_uncollectible");
    accept(&cast.world, &ask(&who, "POST", &path("payment")).json("{}"), 201);
    refuses(&path("payment"), "{}", "invoice_paid");
    let voided = format!("/v1/invoices/{}", cast.open_invoice());
    accept(&cast.world, &ask(&who, "POST", &format!("{voided}/void")).json(r#"{"reason":"r"}"#), 200);
    for (what, body) in [("void", r#"{"reason":"r"}"#), ("payment", "{}"), ("write-off", "{}")] {
        refuses(&format!("{voided}/{what}"), body, "invoice_void");
    }
    let gone = cast.world.send(&vendor(), "GET", &cast.fill("/v1/organizations/{acme}/credits"), &[], "");
    assert_eq!(gone.status, 405, "credit is read at /v1/credits");
}

//! The seller: one, the vendor's, and printable.

use serde_json::{Value, json};

use crate::api::cast::Cast;
use crate::api::check::{Ask, accept, ask, check, difference, refusal, state};
use crate::support::world::vendor;

const LOGO: &str = "data:image/svg+xml;base64,PHN2ZyB4bWxucz0iaHR0cDovL3d3dy53My5vcmcvMjAwMC9zdmciIHZpZXdCb3g9IjAgMCA5IDkiPjxwYXRoIGQ9Ik0wIDBoOXY5eiIvPjwvc3ZnPg==";

fn put(body: &Value) -> Ask {
    ask(&vendor(), "PUT", "/v1/seller").json(body.to_string())
}

fn read(cast: &Cast) -> Value {
    accept(&cast.world, &ask(&vendor(), "GET", "/v1/seller"), 200).body
}

#[test]
fn before_it_is_set_there_is_the_prefix_only() {
    let seller = read(&Cast::new());
    assert_eq!((&seller["$type"], &seller["name"], &seller["invoicePrefix"]), (&json!("Seller"), &Value::Null, &json!("INV-")));
    assert_eq!(seller["updatedAt"], Value::Null);
}

#[test]
fn it_is_read_as_it_was_set_and_set_whole() {
    let cast = Cast::new();
    let body = json!({"name": "ノースウィンド", "legalName": "Northwind Software GmbH", "email": "billing@northwind.example", "telephone": "+49 30 1",
        "url": "https://northwind.example", "address": {"$type": "PostalAddress", "streetAddress": "Kastanienallee 12", "addressLocality": "Berlin",
        "addressRegion": "Berlin", "postalCode": "10435", "addressCountry": "DE"}, "taxId": "DE811907980", "logo": LOGO,
        "footer": "HRB 123456\nAda Weiß", "paymentInstructions": "IBAN DE02 1203 0000 0000 2020 51", "invoicePrefix": "NW/2026-"});
    let put_seller = accept(&cast.world, &put(&body), 200).body;
    for (name, value) in body.as_object().unwrap() {
        assert_eq!(put_seller[name], *value, "{name}");
    }
    assert_eq!(put_seller["updatedAt"], "2026-01-01T00:00:00Z");
    assert_eq!(read(&cast), put_seller);
    accept(&cast.world, &put(&json!({"name": "Northwind"})), 200);
    let seller = read(&cast);
    assert_eq!((&seller["taxId"], &seller["logo"], &seller["invoicePrefix"]), (&Value::Null, &Value::Null, &json!("INV-")));
}

#[test]
fn what_can_not_be_printed_is_refused() {
    let cast = Cast::new();
    accept(&cast.world, &put(&json!({"name": "Northwind"})), 200);
    let before = state(&cast.world);
    let with = |name: &str, value: Value| {
        let mut body = json!({"name": "Northwind"});
        body[name] = value;
        body
    };
    let script = "data:image/svg+xml;base64,PHN2ZyB2aWV3Qm94PSIwIDAgOSA5Ij48c2NyaXB0Lz48L3N2Zz4=";
    for (body, code, pointer) in [
        (json!({}), "invalid_value", ""),
        (with("name", "".into()), "invalid_value", "/name"),
        (with("name", "two\nlines".into()), "invalid_value", "/name"),
        (with("legalName", "ü".repeat(201).into()), "invalid_value", "/legalName"),
        (with("email", "nobody".into()), "invalid_value", "/email"),
        (with("url", "javascript:alert(1)".into()), "invalid_value", "/url"),
        (with("address", json!({"street": "Main Street 1"})), "invalid_value", "/address/street"),
        (with("footer", "x".repeat(1_001).into()), "invalid_value", "/footer"),
        (with("paymentInstructions", " ".into()), "invalid_value", "/paymentInstructions"),
        (with("invoicePrefix", "INVOICE-NUMBER".into()), "invalid_value", "/invoicePrefix"),
        (with("invoicePrefix", "<b>".into()), "invalid_value", "/invoicePrefix"),
        (with("logo", "https://northwind.example/logo.svg".into()), "invalid_logo", "/logo"),
        (with("logo", script.into()), "invalid_logo", "/logo"),
        (with("logo", "data:image/png;base64,AAAA".into()), "invalid_logo", "/logo"),
        (with("logo", format!("data:image/png;base64,{}", "A".repeat(48 * 1024)).into()), "invalid_logo", "/logo"),
        (with("colour", "blue".into()), "invalid_value", "/colour"),
    ] {
        check(&cast.world, &put(&body), refusal(400, code, pointer));
    }
    assert_eq!(difference(&before, &state(&cast.world)), [""; 0]);
}

#[test]
fn no_organization_sees_or_sets_it() {
    let cast = Cast::new();
    for who in [cast.acme().key(&["*"]), cast.ada()] {
        for (method, body) in [("GET", ""), ("PUT", r#"{"name":"Mine"}"#)] {
            let answer = ask(&who, method, "/v1/seller").json(body).send(&cast.world);
            assert!([401, 403].contains(&answer.status), "{method}: {} {}", answer.status, answer.text);
        }
    }
    assert_eq!(read(&cast)["name"], Value::Null);
}

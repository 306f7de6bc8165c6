//! Printed invoices: the form that was asked for, the same bytes again, and the names of both sides.

use std::collections::BTreeSet;

use serde_json::json;

use crate::api::cast::{Cast, text};
use crate::api::check::{accept, ask, check, difference, refusal, state};
use crate::support::world::vendor;

/// The newest invoice of Acme.
fn invoice(cast: &Cast) -> String {
    text(&accept(&cast.world, &ask(&cast.acme().vendor(), "GET", "/v1/invoices?limit=1"), 200).body["data"][0]["$id"])
}

fn path(cast: &Cast) -> String {
    format!("/v1/invoices/{}", invoice(cast))
}

#[test]
fn the_form_is_what_was_asked_for_and_json_otherwise() {
    let cast = Cast::new();
    let (who, path) = (cast.acme().key(&["invoices.read"]), path(&cast));
    for (accepted, content_type) in [
        ("", "application/json"),
        ("*/*", "application/json"),
        ("text/html,application/xhtml+xml,*/*;q=0.8", "text/html; charset=utf-8"),
        ("application/pdf", "application/pdf"),
    ] {
        let answer = ask(&who, "GET", &path).header("accept", accepted).send(&cast.world);
        assert_eq!((answer.status, answer.header("content-type"), answer.header("vary")), (200, content_type, "Accept"), "{accepted}");
    }
    check(&cast.world, &ask(&who, "GET", &path).header("accept", "image/png"), refusal(406, "not_acceptable", ""));
    let nobody = ask(&cast.globex().key(&["invoices.read"]), "GET", &path).header("accept", "application/pdf");
    check(&cast.world, &nobody, refusal(404, "not_found", ""));
}

#[test]
fn the_page_shows_both_sides_and_the_amounts_of_the_json() {
    let cast = Cast::new();
    let seller = json!({"name": "Northwind", "legalName": "ノースウィンド <GmbH>", "taxId": "DE811907980", "footer": "HRB 123456",
        "paymentInstructions": "IBAN DE02"});
    accept(&cast.world, &ask(&vendor(), "PUT", "/v1/seller").json(seller.to_string()), 200);
    let (who, path) = (cast.acme().vendor(), path(&cast));
    let view = accept(&cast.world, &ask(&who, "GET", &path), 200).body;
    let page = ask(&who, "GET", &path).header("accept", "text/html").send(&cast.world);
    let total = text(&view["total"]["price"]);
    for shown in [&*text(&view["identifier"]), &total, "Acme", "ノースウィンド &lt;GmbH&gt;", "DE811907980", "HRB 123456", "IBAN DE02"]
    {
        assert!(page.text.contains(shown), "{shown} in {}", page.text);
    }
    assert!(page.header("content-security-policy").starts_with("default-src 'none'"));
}

#[test]
fn it_is_in_the_organizations_language() {
    let cast = Cast::new();
    let (who, path) = (cast.acme().vendor(), path(&cast));
    accept(&cast.world, &ask(&who, "PATCH", "/v1/organization").json(r#"{"settings":{"language":"de-AT"}}"#), 200);
    let page = ask(&who, "GET", &path).header("accept", "text/html").send(&cast.world);
    assert!(page.text.contains("<html lang=\"de\">") && page.text.contains("Rechnung an"), "{}", page.text);
}

#[test]
fn the_same_invoice_is_the_same_bytes_and_known_by_its_tag() {
    let cast = Cast::new();
    let (who, path) = (cast.acme().vendor(), path(&cast));
    let before = state(&cast.world);
    for accepted in ["text/html", "application/pdf"] {
        let get = || ask(&who, "GET", &path).header("accept", accepted);
        let (first, second) = (get().send(&cast.world), get().send(&cast.world));
        assert!(first.status == 200 && !first.text.is_empty());
        assert_eq!((first.header("etag"), &first.text), (second.header("etag"), &second.text));
        let tag = first.header("etag").to_owned();
        let known = get().header("if-none-match", &format!("\"other\", {tag}")).send(&cast.world);
        assert_eq!((known.status, known.text.as_str(), known.header("etag")), (304, "", tag.as_str()));
    }
    assert_eq!(difference(&before, &state(&cast.world)), [""; 0], "reading changes nothing");
    let tags: BTreeSet<String> = ["text/html", "application/pdf"]
        .map(|accepted| ask(&who, "GET", &path).header("accept", accepted).send(&cast.world).header("etag").to_owned())
        .into();
    assert_eq!(tags.len(), 2);
}

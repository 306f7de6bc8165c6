//! Lists: newest first, in pages that show each row once.

use serde_json::{Value, json};
use tenantry::kernel::time::seconds;

use crate::api::cast::{Cast, text};
use crate::api::check::{accept, ask, check, refusal};
use crate::support::world::{Credential, vendor};

const LISTS: [&str; 3] = ["/v1/organizations", "/v1/api-keys", "/v1/invoices"];

/// A query that no list takes, and why.
const BAD: &[(&str, &str, &str)] = &[
    ("limit=0", "invalid_limit", "limit"),
    ("limit=101", "invalid_limit", "limit"),
    ("limit=-1", "invalid_limit", "limit"),
    ("limit=abc", "invalid_limit", "limit"),
    ("limit=1.5", "invalid_limit", "limit"),
    ("limit=", "invalid_limit", "limit"),
    ("limit=99999999999999999999", "invalid_limit", "limit"),
    ("cursor=", "invalid_cursor", "cursor"),
    ("cursor=abc", "invalid_cursor", "cursor"),
    ("cursor=~", "invalid_cursor", "cursor"),
    ("cursor={clock}", "invalid_cursor", "cursor"),
    ("cursor=%27%20OR%201%3D1", "invalid_cursor", "cursor"),
    ("limt=5", "invalid_query", "limt"),
    ("limit=5&limit=6", "invalid_query", "limit"),
    ("organization={globex}", "invalid_query", "organization"),
];

/// Lists whose rows are told apart by something else than `$id`, or have few rows here.
const MORE_LISTS: [&str; 16] = [
    "/v1/organizations/{acme}/discounts",
    "/v1/credits",
    "/v1/payments",
    "/v1/refunds",
    "/v1/credit-notes",
    "/v1/members",
    "/v1/invitations",
    "/v1/metrics",
    "/v1/organizations/{acme}/limits",
    "/v1/organizations/{acme}/grants",
    "/v1/audit-log",
    "/v1/roles",
    "/v1/teams",
    "/v1/teams/{team}/members",
    "/v1/oauth-clients",
    "/v1/platform-keys",
];

fn reader(cast: &Cast, path: &str) -> Credential {
    let is_vendors = ["/v1/organizations", "/v1/platform-keys"].iter().any(|list| path.starts_with(list));
    let scopes = ["apiKeys.read", "invoices.read", "auditLog.read", "roles.read", "teams.read", "members.read", "oauthClients.read"];
    if is_vendors { vendor() } else { cast.acme().key(&scopes) }
}

#[test]
fn a_list_refuses_what_is_no_page() {
    let cast = Cast::new();
    for path in LISTS.into_iter().chain(MORE_LISTS) {
        let (who, path) = (reader(&cast, path), cast.fill(path));
        for (query, code, pointer) in BAD {
            check(&cast.world, &ask(&who, "GET", &format!("{path}?{}", cast.fill(query))), refusal(400, code, pointer));
        }
        for query in ["", "?limit=1", "?limit=100"] {
            accept(&cast.world, &ask(&who, "GET", &format!("{path}{query}")), 200);
        }
    }
}

#[test]
fn a_cursor_of_another_list_or_cut_short_is_refused() {
    let cast = Cast::new();
    let ids = [&cast.acme, &cast.spare_key, &cast.invoice];
    for (path, own) in LISTS.into_iter().zip(ids) {
        let who = reader(&cast, path);
        let foreign = ids.into_iter().filter(|id| *id != own).cloned();
        for cursor in foreign.chain([own[..own.len() - 1].to_owned(), format!("{own}0"), own.to_uppercase()]) {
            check(&cast.world, &ask(&who, "GET", &format!("{path}?cursor={cursor}")), refusal(400, "invalid_cursor", "cursor"));
        }
    }
    let stranger = cast.globex().vendor();
    for cursor in [cast.invoice.as_str(), "inv_00000000000000000000000001"] {
        check(&cast.world, &ask(&stranger, "GET", &format!("/v1/invoices?cursor={cursor}")), refusal(400, "invalid_cursor", "cursor"));
    }
}

#[test]
fn pages_show_every_row_once_newest_first() {
    let cast = Cast::new();
    cast.world.write(&vendor(), "PUT", &format!("/v1/test-clocks/{}", cast.clock), &json!({"now": "2027-01-01T00:00:00Z"})).expect(200);
    for number in 0..11 {
        cast.world.pass(seconds(1));
        cast.acme().key(&["usage.read"]);
        cast.world.sign_up(&format!("Company{number}"));
    }
    for path in LISTS {
        let who = reader(&cast, path);
        let all = ids(&accept(&cast.world, &ask(&who, "GET", &format!("{path}?limit=100")), 200).body);
        assert!(all.len() > 10, "{path} has {} rows", all.len());
        assert!(path == "/v1/invoices" || all.is_sorted_by(|one, next| one > next), "{path}: newest first");
        for limit in [1, 4, all.len() - 1, all.len(), all.len() + 1] {
            assert_eq!(walk(&cast, &who, path, limit), all, "{path} in pages of {limit}");
        }
    }
}

#[test]
fn invoices_are_listed_by_their_number() {
    let cast = Cast::new();
    cast.world.write(&vendor(), "PUT", &format!("/v1/test-clocks/{}", cast.clock), &json!({"now": "2026-06-01T00:00:00Z"})).expect(200);
    let page = accept(&cast.world, &ask(&cast.acme().vendor(), "GET", "/v1/invoices"), 200).body;
    let numbers: Vec<String> = page["data"].as_array().unwrap().iter().map(|invoice| text(&invoice["identifier"])).collect();
    assert_eq!(numbers, ["INV-000005", "INV-000004", "INV-000003", "INV-000002", "INV-000001"]);
}

#[test]
fn a_page_stays_when_rows_are_added_before_it() {
    let cast = Cast::new();
    let keys = |count: usize| {
        (0..count).for_each(|_| {
            cast.world.pass(seconds(1));
            cast.acme().key(&["usage.read"]);
        })
    };
    keys(4);
    let who = cast.acme().vendor();
    let first = accept(&cast.world, &ask(&who, "GET", "/v1/api-keys?limit=2"), 200).body;
    let rest = format!("/v1/api-keys?limit=100&cursor={}", text(&first["nextCursor"]));
    let before = ids(&accept(&cast.world, &ask(&who, "GET", &rest), 200).body);
    keys(3);
    assert_eq!(ids(&accept(&cast.world, &ask(&who, "GET", &rest), 200).body), before);
}

#[test]
fn twenty_rows_are_a_page_when_nobody_says_how_many() {
    let cast = Cast::new();
    (0..25).for_each(|_| drop(cast.acme().key(&["usage.read"])));
    let page = accept(&cast.world, &ask(&cast.acme().vendor(), "GET", "/v1/api-keys"), 200).body;
    assert_eq!((ids(&page).len(), &page["hasMore"]), (20, &json!(true)));
}

/// All rows, page by page.
fn walk(cast: &Cast, who: &Credential, path: &str, limit: usize) -> Vec<String> {
    let mut walked = Vec::new();
    let mut cursor = String::new();
    loop {
        let page = accept(&cast.world, &ask(who, "GET", &format!("{path}?limit={limit}{cursor}")), 200).body;
        let shown = ids(&page);
        assert!(shown.len() <= limit && !shown.is_empty(), "{path} in pages of {limit}");
        walked.extend(shown);
        assert_eq!(page["hasMore"], json!(page["nextCursor"].is_string()));
        match page["nextCursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return walked,
        }
    }
}

fn ids(page: &Value) -> Vec<String> {
    page["data"].as_array().unwrap().iter().map(|row| text(&row["$id"])).collect()
}

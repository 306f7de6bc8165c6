//! `/`: a page for browsers, JSON for programs.

use serde_json::Value;

use crate::support::world::{Answer, Credential, World};

const BROWSER: &str = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";

fn home(world: &World, accept: &str) -> Answer {
    let headers: &[(&str, &str)] = if accept.is_empty() { &[] } else { &[("accept", accept)] };
    world.send(&Credential::Nobody, "GET", "/", headers, "")
}

fn hrefs(body: &Value) -> Vec<String> {
    body["links"].as_array().unwrap().iter().map(|link| link["href"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_program_reads_what_runs_and_where_to_go() {
    let world = World::new();
    for accept in ["", "*/*", "application/json"] {
        let answer = home(&world, accept);
        assert_eq!((answer.status, answer.header("content-type")), (200, "application/json"), "{accept}");
        assert_eq!((&answer.body["name"], &answer.body["environment"]), (&"Tenantry".into(), &"development".into()));
        assert_eq!(answer.body["version"], env!("CARGO_PKG_VERSION"));
        let links = hrefs(&answer.body);
        for path in ["/docs", "/openapi.json", "/llms.txt", "/healthz", "/dev/inbox"] {
            assert!(links.contains(&path.to_owned()), "{path}");
        }
    }
}

#[test]
fn a_browser_gets_a_page_that_loads_our_own_files_only() {
    let world = World::new();
    let answer = home(&world, BROWSER);
    assert_eq!((answer.status, answer.header("content-type")), (200, "text/html; charset=utf-8"));
    for path in hrefs(&home(&world, "").body) {
        assert!(answer.text.replace("&#x2f;", "/").contains(&format!("<a href=\"{path}\">")), "{path}");
    }
    assert!(!answer.text.contains("<script") && !answer.text.contains("://") && !answer.text.contains("style="), "{}", answer.text);
    assert!(answer.header("content-security-policy").starts_with("default-src 'none'"));
    assert_eq!((answer.header("x-content-type-options"), answer.header("vary")), ("nosniff", "Accept"));
}

#[test]
fn in_production_there_is_no_inbox() {
    let world = World::new();
    let app = world.with_settings(|settings| settings.development = false);
    for accept in ["text/html", "application/json"] {
        let answer = world.send_to(&app, &Credential::Nobody, "GET", "/", &[("accept", accept)], "");
        assert_eq!(answer.status, 200);
        assert!(answer.text.contains("production") && !answer.text.contains("inbox"), "{}", answer.text);
    }
}

#[test]
fn the_home_is_only_read() {
    let answer = World::new().send(&Credential::Nobody, "POST", "/", &[], "");
    assert_eq!((answer.status, answer.header("allow")), (405, "GET,HEAD"));
}

//! The catalogue of problems for people: `docs/ERRORS.md`, and the page `/docs/errors`, where the `type` of each problem leads.

use std::fmt::Write;

use super::catalogue::{FieldKind, Kind, chapters, field_kinds, headers, members};

const GENERATED: &str = "Generated from src/api/openapi/catalogue/: UPDATE=1 cargo test --test it drift";

const FIELDS: &str = "Places of a request";

/// The text of `docs/ERRORS.md`.
pub fn markdown() -> String {
    let mut text = format!(
        "<!-- {GENERATED} -->\n\n# Errors\n\n\
         Every refusal is a problem document (RFC 9457, `application/problem+json`): `code` is stable and for programs, `detail` gives\n\
         the cause and the remedy, `requestId` names the request in the log; `type` leads to the entry of the code on `/docs/errors`.\n\
         `openapi.json` lists the codes of each operation. Nothing was changed by a refused request, unless its entry says so.\n"
    );
    for (title, kinds) in chapters() {
        let _ = write!(text, "\n## {title}\n\n| code | status | meaning | what to do |\n|---|---|---|---|\n");
        for kind in sorted(kinds) {
            let Kind { status, code, .. } = kind;
            let _ = writeln!(text, "| `{code}` | {status} | {} | {} |", meaning(&kind), kind.remedy);
        }
    }
    let _ = write!(
        text,
        "\n## {FIELDS}\n\nThe `code` of an entry of `errors` is the code of the problem, or one of these:\n\n\
         | code | meaning | what to do |\n|---|---|---|\n"
    );
    for FieldKind { code, meaning, remedy } in field_kinds() {
        let _ = writeln!(text, "| `{code}` | {meaning} | {remedy} |");
    }
    text
}

/// The meaning, with the members and headers that come with it.
fn meaning(kind: &Kind) -> String {
    let members = members(kind.code).iter().map(|name| format!("`{name}`"));
    let headers = headers(kind.status).iter().map(|name| format!("`{name}`"));
    let added: Vec<String> = members.chain(headers).collect();
    if added.is_empty() { kind.meaning.to_owned() } else { format!("{} With {}.", kind.meaning, added.join(", ")) }
}

/// The page `/docs/errors`: one anchor for each code, readable without JavaScript and on a phone.
pub fn page() -> String {
    let mut text = format!(
        "<!doctype html>\n<!-- {GENERATED} -->\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>Errors of the Tenantry API</title>\n\
         <link rel=\"icon\" href=\"data:,\">\n<style>\n{STYLE}</style>\n</head>\n<body>\n<main>\n<h1>Errors</h1>\n\
         <p>Every refusal is a problem document. Its <code>type</code> leads to an entry of this page. <code>detail</code> gives the cause \
         and the remedy of the single request, <code>requestId</code> names the request in the log. \
         The <a href=\"/docs\">API reference</a> lists the codes of each operation.</p>\n"
    );
    for (title, kinds) in chapters() {
        let _ = writeln!(text, "<h2>{title}</h2>");
        for of_code in sorted(kinds).chunk_by(|one, other| one.code == other.code) {
            text.push_str(&section(of_code));
        }
    }
    let _ = write!(
        text,
        "<h2>{FIELDS}</h2>\n<p>The code of an entry of <code>errors</code> is the code of the problem, or one of these.</p>\n"
    );
    for FieldKind { code, meaning, remedy } in field_kinds() {
        let (meaning, remedy) = (html(meaning), html(remedy));
        let _ = writeln!(text, "<section id=\"{code}\">\n<h3><code>{code}</code></h3>\n<p>{meaning}</p>\n<p>{remedy}</p>\n</section>");
    }
    text.push_str("</main>\n</body>\n</html>\n");
    text
}

/// One code with its statuses. A code that another chapter explains, too, has its anchor at the first of them.
fn section(kinds: &[Kind]) -> String {
    let Some(first) = kinds.first() else { return String::new() };
    let is_first = chapters().iter().flat_map(|(_, all)| all.iter()).find(|kind| kind.code == first.code).map(|kind| kind.status);
    let id = if kinds.iter().any(|kind| Some(kind.status) == is_first) { format!(" id=\"{}\"", first.code) } else { String::new() };
    let mut text = format!("<section{id}>\n<h3><code>{}</code></h3>\n", first.code);
    for kind in kinds {
        let _ = writeln!(text, "<p><b>{}</b> {}</p>\n<p>{}</p>", kind.status, html(&meaning(kind)), html(kind.remedy));
    }
    text + "</section>\n"
}

fn sorted(mut kinds: Vec<Kind>) -> Vec<Kind> {
    kinds.sort_by_key(|kind| (kind.code, kind.status));
    kinds
}

/// A sentence of the catalogue as HTML: its words in backticks are code.
fn html(sentence: &str) -> String {
    let escaped = sentence.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let parts = escaped.split('`').enumerate();
    parts.map(|(place, part)| if place % 2 == 1 { format!("<code>{part}</code>") } else { part.to_owned() }).collect()
}

const STYLE: &str = "\
:root { color-scheme: light dark; }
body { margin: 0; font: 16px/1.5 system-ui, sans-serif; }
main { max-width: 46rem; margin: 0 auto; padding: 1rem; overflow-wrap: anywhere; }
h2 { margin-top: 3rem; border-bottom: 1px solid; }
section { margin: 1.5rem 0; padding: 0 1rem; border-left: 3px solid transparent; }
section:target { border-color: currentColor; }
h3, section p { margin: 0.25rem 0; }
";

//! Words that the product's code does without, and what it says instead.

use super::none;
use super::source::{File, product};

struct Ban {
    text: &'static str,
    instead: &'static str,
    /// Files that may say it. An entry that is no longer needed fails.
    allowed: &'static [&'static str],
}

const fn ban(text: &'static str, instead: &'static str, allowed: &'static [&'static str]) -> Ban {
    Ban { text, instead, allowed }
}

const NO_PANIC: &str = "return an `Error` or a `Problem`; a panic takes every object of the instance with it";
const NO_CLOCK: &str = "take `now` from the `Moment` you are given; only `edge/` asks for the time";
const NO_FLOAT: &str = "use `Money`, `Quantity` or `Decimal`, which are exact";

const BANS: &[Ban] = &[
    ban(".unwrap()", NO_PANIC, &[]),
    // The Meter's pruning has a method of that name, which returns an error.
    ban(".expect(", NO_PANIC, &["durable_objects/meter/group.rs", "durable_objects/meter/seats.rs"]),
    ban("panic!(", NO_PANIC, &["src/api/experiments.rs"]),
    ban("unreachable!(", NO_PANIC, &[]),
    ban("todo!(", "write it, or leave the endpoint out", &[]),
    ban("unimplemented!(", "write it, or leave the endpoint out", &[]),
    ban("Utc::now", NO_CLOCK, &[]),
    ban("SystemTime::now", NO_CLOCK, &[]),
    ban("Instant::now", NO_CLOCK, &[]),
    ban("new_v4", "make ids from the `Moment` you are given", &[]),
    ban("now_v7", "make ids from the `Moment` you are given", &[]),
    ban("f32", NO_FLOAT, PLACES),
    ban("f64", NO_FLOAT, FLOATS),
    ban("println!", "log through `edge/`, with fields", &[]),
    ban("dbg!(", "remove it", &[]),
    ban("serde_wasm_bindgen", "cross to JavaScript with one JSON text", &[]),
    ban(".one()", "read `rows` and take the first: one() throws when there is none", &[]),
    ban(
        "TenantStatement::checked",
        "use tenant_sql!, which checks the scope when it compiles",
        &["src/kernel/guards.rs", "src/kernel/tenant.rs"],
    ),
    ban("stale_guards", "use unchanged! or stale_if!", &["src/kernel/conformance.rs", "src/kernel/guards.rs", "src/kernel/tables.rs"]),
    ban("Tenant::open", "take an actor (identity/callers/actors.rs) or the `Tenant` you are given", &["src/kernel/platform.rs"]),
    ban("Platform::open", "take the `Vendor` actor or the `Platform` you are given", PLATFORM_OPENERS),
    ban(
        "common_rows",
        "only what is the same for everybody is read past the actors",
        &[
            "src/catalog/plans/store.rs",
            "src/kernel/platform.rs",
            "src/catalog/metrics/store.rs",
            "src/billing/seller/store.rs",
            "src/identity/allowed_origins/store.rs",
        ],
    ),
    ban(
        ".database()",
        "read through the `Tenant`'s statements; whole tables are for exports only",
        &["src/operations/exports/steps.rs", "src/kernel/tenant.rs"],
    ),
    ban(
        "directory_of",
        "what a tenant keeps in the directory is its memberships only",
        &["src/kernel/platform.rs", "src/identity/members/directory.rs"],
    ),
    ban("Statement { text", "use tenant_sql! or platform_sql!", RAW_SQL),
];

/// JavaScript's numbers at the edge, and fields that are shown and never computed with.
const FLOATS: &[&str] = &[
    "crates/documents/src/logo/svg.rs",
    "crates/rating/src/quantity.rs",
    "durable_objects/meter/glue.rs",
    "durable_objects/storage.rs",
    "src/edge/d1.rs",
];

/// Positions of ink on a page, in points: no amount is computed there.
const PLACES: &[&str] = &[
    "crates/documents/src/logo/mod.rs",
    "crates/documents/src/logo/svg.rs",
    "crates/documents/src/pdf/canvas.rs",
    "crates/documents/src/pdf/embed.rs",
    "crates/documents/src/pdf/layout.rs",
    "crates/documents/src/text.rs",
];

/// Actors, the runners of committed work, and the development inbox.
const PLATFORM_OPENERS: &[&str] = &[
    "src/business/follow_up.rs",
    "src/edge/entry.rs",
    "src/edge/outbox.rs",
    "src/identity/authentication/credentials.rs",
    "src/identity/callers/actors.rs",
    "src/identity/callers/public.rs",
    "src/delivery/mails/routes.rs",
];

/// The macros' own files, and what asks databases how they are.
const RAW_SQL: &[&str] =
    &["src/api/health.rs", "src/kernel/conformance.rs", "src/kernel/platform.rs", "src/kernel/tables.rs", "src/kernel/tenant.rs"];

#[test]
fn banned_words_are_not_said() {
    let files = product();
    none(BANS.iter().flat_map(|ban| files.iter().flat_map(|file| ban.said_in(file))));
}

#[test]
fn exceptions_from_bans_are_needed() {
    let files = product();
    let needed = |ban: &Ban, path: &str| files.iter().any(|file| file.path == path && file.code().iter().any(|line| says(line, ban.text)));
    let stale = BANS.iter().flat_map(|ban| ban.allowed.iter().filter(|path| !needed(ban, path)).map(move |path| (ban.text, path)));
    none(stale.map(|(text, path)| format!("{path} no longer says `{text}`: remove it from the ban's list in tests/it/tidy/bans.rs")));
}

impl Ban {
    fn said_in(&self, file: &File) -> Vec<String> {
        if self.allowed.contains(&file.path.as_str()) {
            return Vec::new();
        }
        let code = file.code();
        let lines = code.iter().enumerate().filter(|(_, line)| says(line, self.text));
        lines.map(|(index, _)| format!("{}:{} says `{}`: {}", file.path, index + 1, self.text, self.instead)).collect()
    }
}

/// Whether the line says the text, as a word of its own where the text begins or ends with a letter.
fn says(line: &str, text: &str) -> bool {
    let is_word = |letter: Option<char>| letter.is_some_and(|letter| letter.is_alphanumeric() || letter == '_');
    line.match_indices(text).any(|(at, _)| {
        let (before, after) = (line[..at].chars().next_back(), line[at + text.len()..].chars().next());
        let joins_before = is_word(text.chars().next()) && is_word(before) && !text.ends_with("!(") && text != "println!";
        let joins_after = is_word(text.chars().next_back()) && is_word(after);
        !joins_before && !joins_after
    })
}

#[test]
fn words_are_told_from_their_parts() {
    assert!(says("x as f64", "f64") && !says("visit_f64(x)", "f64") && says("a.unwrap();", ".unwrap()"));
    assert!(says("eprintln!(1)", "println!") && !says("-> TenantStatement {", "Statement { text"));
}

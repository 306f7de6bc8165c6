//! The catalogue of problems against the sources: each code that is built is in the catalogue with its status, and each code of the
//! catalogue is built.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use tenantry::api::openapi::catalogue::{self, Kind};

use crate::api::document;

/// Where a code is computed: the file, and the codes that it computes with their status (`errors` without one).
const COMPUTED: &[(&str, u16, &[&str])] = &[
    ("durable_objects/meter/rules.rs", 400, &["timestamp_in_future", "timestamp_too_old", "timestamp_before_subscription"]),
    ("src/billing/subscription_changes/checked_change.rs", 400, &["unknown_plan", "unknown_plan_version"]),
    (
        "src/billing/subscriptions/lifecycle.rs",
        409,
        &[
            "subscription_ended",
            "not_paused",
            "not_suspended",
            "subscription_paused",
            "subscription_suspended",
            "subscription_on_trial",
            "payment_past_due",
        ],
    ),
    (
        "src/catalog/plans/prices.rs",
        400,
        &[
            "no_tiers",
            "too_many_tiers",
            "tiers_not_ascending",
            "tier_bound_missing",
            "last_tier_bounded",
            "package_size_not_positive",
            "negative_price",
            "rate_too_precise",
            "unknown_currency",
            "minimum_above_maximum",
        ],
    ),
    ("durable_objects/meter/bodies.rs", 400, &["no_events", "too_many_events", "amount_zero", "amount_negative"]),
    ("durable_objects/meter/cloud_events.rs", 400, &["no_events", "too_many_events"]),
    ("durable_objects/meter/queries.rs", 400, &["amount_zero", "amount_negative"]),
    ("durable_objects/meter/refusals.rs", 404, &["unknown_metric"]),
    ("durable_objects/meter/refusals.rs", 403, &["quota_exceeded"]),
    ("durable_objects/meter/refusals.rs", 429, &["quota_exceeded"]),
    ("src/identity/second_factors/rules.rs", 401, &["invalid_second_factor"]),
    ("src/identity/second_factors/rules.rs", 403, &["invalid_second_factor"]),
];

/// Functions that build a problem, the place of the code among their arguments, and the status; a status of 0 is the first argument.
const BUILDERS: &[(&str, usize, u16)] = &[("Problem::new(", 1, 0), ("Problem::conflict(", 0, 409), ("Problem::refused(", 1, 400)];

/// Functions of one file that pass a code on.
const HELPERS: &[(&str, &str, usize, u16)] = &[
    ("src/catalog/plans/", "require(", 2, 400),
    ("durable_objects/meter/cloud_events.rs", "self.refused(", 1, 400),
    ("durable_objects/meter/rules.rs", "refused(", 0, 400),
];

/// The constructors of `Problem` for one code.
const OF_PROBLEM: &[(&str, u16)] = &[
    ("invalid_request", 400),
    ("invalid_range", 400),
    ("unauthenticated", 401),
    ("forbidden", 403),
    ("not_found", 404),
    ("internal_error", 500),
    ("unavailable", 503),
    ("organization_moving", 503),
];

/// Codes that a client never sees: the transitions that they refuse are none of a request.
const UNREACHABLE: &[&str] = &["invoice_due", "invoice_overdue", "not_possible_now"];

/// A problem that the sources build: its code, its status, and the file.
type Built = BTreeMap<(String, u16), String>;

#[test]
fn every_problem_that_is_built_is_in_the_catalogue() {
    let (built, uncertain) = built();
    let known: BTreeSet<(String, u16)> = catalogue::kinds().iter().map(|kind| (kind.code.to_owned(), kind.status)).collect();
    let fields: BTreeSet<&str> = catalogue::field_kinds().iter().map(|kind| kind.code).collect();
    // A helper of the plans gives `invalid_value` as `invalid_request`.
    let missing = built.iter().filter(|(of, _)| !known.contains(*of) && !fields.contains(of.0.as_str()));
    let missing: Vec<_> = missing.collect();
    assert!(missing.is_empty(), "not in src/api/openapi/catalogue: {missing:#?}");
    let computing: BTreeSet<&str> = COMPUTED.iter().map(|(file, ..)| *file).chain(HELPERS.iter().map(|(file, ..)| *file)).collect();
    let unknown: Vec<_> = uncertain.iter().filter(|file| !computing.iter().any(|known| file.starts_with(known))).collect();
    assert!(unknown.is_empty(), "these compute a code and are not in COMPUTED: {unknown:#?}");
}

#[test]
fn every_problem_of_the_catalogue_is_built() {
    let (built, _) = built();
    let unbuilt: Vec<_> = catalogue::kinds().into_iter().filter(|kind| !built.contains_key(&(kind.code.to_owned(), kind.status))).collect();
    let names: Vec<_> = unbuilt.iter().map(|kind| (kind.code, kind.status)).collect();
    assert!(names.is_empty(), "nothing builds these: {names:#?}");
}

#[test]
fn every_code_of_errors_is_in_the_catalogue_and_built() {
    let mut written = BTreeSet::new();
    for (_, text) in sources() {
        let calls = calls(&text, "Problem::invalid(");
        written.extend(calls.iter().filter_map(|arguments| literal(arguments.get(1)?)));
        // Codes beside the one of the problem: `FieldError { code: "..." }`.
        written
            .extend(text.split("FieldError {").skip(1).filter_map(|rest| literal(rest.split("code: ").nth(1)?.split(['}', '.']).next()?)));
    }
    let refused: BTreeSet<String> = catalogue::kinds().iter().filter(|kind| kind.status == 400).map(|kind| kind.code.to_owned()).collect();
    let fields: BTreeSet<String> = catalogue::field_kinds().iter().map(|kind| kind.code.to_owned()).collect();
    let missing: Vec<_> = written.iter().filter(|code| !refused.contains(*code) && !fields.contains(*code)).collect();
    assert!(missing.is_empty(), "not among the codes of errors: {missing:?}");
    let unbuilt: Vec<_> = fields.difference(&written).collect();
    assert!(unbuilt.is_empty(), "nothing builds these codes of errors: {unbuilt:?}");
}

#[test]
fn the_catalogue_is_sound() {
    let operations: BTreeSet<&str> = document::operations().iter().map(|operation| operation.id).collect();
    let mut seen = BTreeSet::new();
    for Kind { status, code, places, meaning, remedy } in catalogue::kinds() {
        assert!(seen.insert((code, status)), "{code} {status} is in the catalogue twice");
        for place in places {
            let is_form = place.chars().all(|letter| letter.is_ascii_uppercase() || letter == '_');
            assert!(is_form || operations.contains(place), "{code}: there is no operation {place}");
        }
        assert!(meaning.ends_with('.') && remedy.ends_with('.'), "{code}: meaning and remedy are sentences");
    }
}

#[test]
fn each_code_has_its_place_on_the_page_and_the_page_asks_nobody_else() {
    let page = fs::read_to_string(root().join("assets/docs/errors.html")).unwrap();
    let codes: BTreeSet<&str> = catalogue::kinds().iter().map(|kind| kind.code).collect();
    for code in codes.into_iter().chain(catalogue::field_kinds().iter().map(|kind| kind.code)) {
        assert_eq!(page.matches(&format!(" id=\"{code}\"")).count(), 1, "{code}");
    }
    assert!(!page.contains("<script") && !page.contains("//"), "no script and no other host");
}

/// What the sources build, and the files in which a code is no literal.
fn built() -> (Built, BTreeSet<String>) {
    let (mut built, mut uncertain) = (Built::new(), BTreeSet::new());
    for (file, text) in sources() {
        let helpers = HELPERS.iter().filter(|(of, ..)| file.starts_with(of)).map(|(_, name, place, status)| (*name, *place, *status));
        for (name, place, status) in BUILDERS.iter().copied().chain(helpers) {
            for arguments in calls(&text, name) {
                let status = if status == 0 { arguments[0].parse().unwrap_or(0) } else { status };
                match arguments.get(place).and_then(|argument| literal(argument)) {
                    Some(code) if status != 0 => _ = built.insert((code, status), file.clone()),
                    _ => _ = uncertain.insert(file.clone()),
                }
            }
        }
        if file == "src/kernel/problem.rs" {
            for (code, status) in OF_PROBLEM {
                assert!(text.contains(&format!("\"{code}\"")), "{file} does not build {code}");
                built.insert(((*code).to_owned(), *status), file.clone());
            }
        }
        if file.ends_with(".mjs") {
            built.extend(of_javascript(&text, &file));
        }
    }
    for (file, status, codes) in COMPUTED {
        let text = fs::read_to_string(root().join(file)).unwrap();
        for code in *codes {
            assert!(text.contains(&format!("\"{code}\"")), "{file} does not name {code}");
            built.insert(((*code).to_owned(), *status), (*file).to_owned());
        }
    }
    built.retain(|(code, _), _| !UNREACHABLE.contains(&code.as_str()));
    (built, uncertain)
}

/// The shell's own: an object with `code`, and the status with which it is passed on.
fn of_javascript(text: &str, file: &str) -> Vec<((String, u16), String)> {
    let mut found = Vec::new();
    for part in text.split("\nconst ").skip(1) {
        let (Some(name), Some(code)) = (part.split(' ').next(), part.split("code: ").nth(1).and_then(literal)) else { continue };
        let passed = format!(", {name}");
        let uses = text.match_indices(&passed).map(|(start, _)| &text[..start]);
        let status = uses.filter_map(|before| before.rsplit(['(', ' ']).next()?.parse().ok());
        found.extend(status.map(|status| ((code.clone(), status), file.to_owned())));
    }
    found
}

/// The arguments of each call of a function.
fn calls(text: &str, name: &str) -> Vec<Vec<String>> {
    let starts = text.match_indices(name).filter(|(start, _)| {
        let before = text[..*start].chars().next_back();
        before.is_none_or(|letter| !letter.is_alphanumeric() && letter != '_' && (letter != '.' || name.starts_with("self")))
            && !text[..*start].ends_with("fn ")
    });
    starts.map(|(start, _)| arguments(&text[start + name.len()..])).collect()
}

/// The texts between commas, up to the closing parenthesis.
fn arguments(text: &str) -> Vec<String> {
    let (mut found, mut current, mut depth, mut is_text, mut is_escaped) = (Vec::new(), String::new(), 0, false, false);
    for letter in text.chars() {
        match letter {
            _ if is_escaped => is_escaped = false,
            '\\' if is_text => is_escaped = true,
            '"' => is_text = !is_text,
            _ if is_text => {}
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' if depth == 0 => break,
            ')' | ']' | '}' => depth -= 1,
            ',' if depth == 0 => {
                found.push(std::mem::take(&mut current).trim().to_owned());
                continue;
            }
            _ => {}
        }
        current.push(letter);
    }
    found.push(current.trim().to_owned());
    found
}

/// The text of a literal such as `"not_found"`.
fn literal(argument: &str) -> Option<String> {
    let text = argument.trim().strip_prefix('"')?.split('"').next()?;
    text.chars().all(|letter| letter.is_ascii_lowercase() || letter == '_').then(|| text.to_owned())
}

/// Every source without its tests.
fn sources() -> Vec<(String, String)> {
    let mut files = Vec::new();
    for folder in ["src", "durable_objects"] {
        collect(&root().join(folder), &mut files);
    }
    let name = |path: &Path| path.strip_prefix(root()).unwrap().to_string_lossy().into_owned();
    let read = |path: &PathBuf| {
        let text = fs::read_to_string(path).unwrap();
        text.split("#[cfg(test)]\nmod ").next().unwrap_or_default().to_owned()
    };
    files.iter().map(|path| (name(path), read(path))).filter(|(name, _)| !name.starts_with("src/api/openapi")).collect()
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs" || extension == "mjs") {
            files.push(path);
        }
    }
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

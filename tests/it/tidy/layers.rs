//! Who may know whom. Rules are pure: they know the kernel's words, the facts, and other rules.

use crate::tidy::none;
use crate::tidy::source::{File, file, files, folders};

/// What a `rules.rs` may name. An entry that is no longer needed fails.
const RULES_MAY_NAME: &[&str] = &[
    "std::",
    "serde::",
    "serde_json::",
    "chrono::",
    "utoipa::",
    "rating::",
    "crate::events::",
    "crate::kernel::decision::",
    "crate::kernel::error::",
    "crate::kernel::ids::",
    "crate::kernel::problem::",
    "crate::kernel::time::",
    // Statements are built there, as data; nothing is run.
    "super::store",
    // The table of statuses, which is as pure.
    "super::lifecycle",
    "crate::roles::store::are_there",
    // How a bill is made, which is as pure.
    "crate::invoices::compose",
    "crate::invoices::cycle",
    "super::permissions::",
    "crate::access::permissions::",
    "super::built_in",
    // What the Meter says is data, too.
    "crate::usage::meter::",
    // What the vendor's own log says is data, too.
    "crate::kernel::audit::Audit",
    // A guard of another slice, as data.
    "crate::access::store::is_member",
    // Other slices' rules.
    "crate::access::rules::",
    "crate::catalog::rules::",
    "crate::organizations::rules::",
    "crate::people::rules::",
    "crate::people::store::",
    "crate::roles::rules::",
    "crate::seller::rules",
    // What a logo may be, is for whoever prints it to say.
    "documents::Logo",
    "base64ct::",
    "crate::subscriptions::rules::",
    "super::parts",
    "super::lines",
    "super::compose",
    "super::books",
    "crate::subscriptions::store",
    "crate::payments::store",
    "crate::payments::rules::",
    "crate::ledger::store::post",
    "crate::ledger::rules::",
    "crate::invoices::store",
    "crate::invoices::rules::",
    "crate::invoices::lines",
    "crate::invoices::lifecycle",
    "crate::discounts::rules",
    "crate::credits::rules::",
];

#[test]
fn rules_know_no_machinery() {
    none(rules().iter().flat_map(|file| {
        let foreign = named(file).into_iter().filter(|path| !RULES_MAY_NAME.iter().any(|allowed| is_within(path, allowed)));
        let path = file.path.clone();
        foreign.map(move |name| {
            format!("{path} names {name}: rules are pure; take what you need as an argument, and let routes.rs or billing.rs fetch it")
        })
    }));
    let all: Vec<String> = rules().iter().flat_map(named).collect();
    let stale = RULES_MAY_NAME.iter().filter(|allowed| !all.iter().any(|path| is_within(path, allowed)));
    none(stale.map(|allowed| format!("no rule names {allowed} any more: remove it from RULES_MAY_NAME in tests/it/tidy/layers.rs")));
}

#[test]
fn rules_wait_for_nothing() {
    let waits = |line: &String| line.contains("async ") || line.contains(".await");
    let waiting = rules().into_iter().filter(|file| file.code().iter().any(waits));
    none(waiting.map(|file| format!("{} is async: a rule decides at once; load before it and commit after it", file.path)));
}

#[test]
fn only_the_edge_knows_cloudflare() {
    let core = files(&["src", "crates"], &[".rs"]).into_iter().filter(|file| !file.path.starts_with("src/edge/"));
    let knowing =
        core.filter(|file| file.code().iter().any(|line| ["worker::", "wasm_bindgen", "js_sys"].iter().any(|name| line.contains(name))));
    none(knowing.map(|file| {
        format!("{} knows Cloudflare or JavaScript: add a port to src/kernel/ports.rs and implement it in src/edge/", file.path)
    }));
}

#[test]
fn every_folder_tells_its_story() {
    let stories = folders("src").into_iter().chain(["durable_objects".to_owned()]).filter(|folder| folder != "src/kernel");
    let silent = stories.filter(|folder| !file(&format!("{folder}/mod.rs")).story().contains("Owns"));
    none(silent.map(|folder| format!("{folder}/mod.rs does not tell its story: open it with `//!` lines that say what it Owns, does not own, its words and invariants")));
}

#[test]
fn every_file_says_what_it_is() {
    let silent = files(&["src", "durable_objects", "crates", "tests"], &[".rs"]).into_iter().filter(|file| file.story().is_empty());
    none(silent.map(|file| format!("{} opens without a `//!` line: say in a sentence what it is for", file.path)));
}

fn rules() -> Vec<File> {
    files(&["src"], &["/rules.rs"])
}

/// Every path that is named, but for those that begin with what was imported.
fn named(file: &File) -> Vec<String> {
    let code = file.code();
    let imports = code.iter().filter_map(|line| line.trim_start().trim_start_matches("pub ").strip_prefix("use "));
    let imports: Vec<String> = imports.map(|path| path.trim_end_matches(';').to_owned()).collect();
    let is_imported = |path: &String| {
        let name = path.split("::").next().unwrap_or_default();
        let brings = |import: &String| {
            import.split("::").last() == Some(name)
                || import.contains(&format!(" as {name}"))
                || import.contains(&format!("{name}::{{self"))
        };
        imports.iter().any(brings)
    };
    let inline = code.iter().filter(|line| !line.trim_start().starts_with("use ")).flat_map(|line| paths(line));
    inline.filter(|path| !is_imported(path)).chain(imports.clone()).collect()
}

/// The paths in a line that begin with a module or a crate.
fn paths(line: &str) -> Vec<String> {
    let is_word = |letter: char| letter.is_alphanumeric() || letter == '_';
    let is_path = |letter: char| is_word(letter) || letter == ':';
    let words = line.split(|letter: char| !is_path(letter)).map(|word| word.trim_matches(':'));
    words.filter(|word| word.contains("::") && word.starts_with(|letter: char| letter.is_lowercase())).map(str::to_owned).collect()
}

fn is_within(path: &str, allowed: &str) -> bool {
    path.strip_prefix(allowed)
        .is_some_and(|rest| allowed.ends_with("::") || !rest.starts_with(|letter: char| letter.is_alphanumeric() || letter == '_'))
}

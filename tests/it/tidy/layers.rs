//! Who may know whom, beside the direction of the groups: rules are pure, and only the edge knows Cloudflare.

use super::imports::named;
use super::none;
use super::source::{File, file, files, folders};

/// Modules and crates that a `rules.rs` may not name, with what it does instead. Which groups it may know, tests/it/tidy/groups.rs says.
const MACHINERY: &[(&str, &str)] = &[
    ("routes", "handlers call rules; move what both need into the file of its noun"),
    ("router", "handlers call rules; move what both need into the file of its noun"),
    ("http", "return a `Problem` or a value of your own; how it is answered is the handler's"),
    ("ports", "take what a port gives as an argument"),
    ("platform", "take what was loaded as an argument"),
    ("tenant", "take what was loaded as an argument, and answer with a `Decision`"),
    ("runner", "answer with facts; what follows from them is business/'s"),
    ("edge", "take what the edge gives as an argument"),
    ("api", "handlers call rules; move what both need into the file of its noun"),
    ("jobs", "jobs call rules; take the time as an argument"),
    ("axum", "return a value of your own; how it is answered is the handler's"),
    ("tower", "return a value of your own; how it is answered is the handler's"),
    ("futures", "a rule decides at once; load before it and commit after it"),
    ("worker", "only the edge knows Cloudflare"),
];

#[test]
fn rules_know_no_machinery() {
    assert!(rules().len() > 20, "only {} files of rules were found: mend rules() in tests/it/tidy/layers.rs", rules().len());
    none(rules().iter().flat_map(|file| {
        let said = |path: &String| MACHINERY.iter().find(|(name, _)| path.split("::").any(|segment| segment == *name));
        let paths = named(file).into_iter().filter_map(|path| said(&path).map(|(_, instead)| (path, *instead)));
        paths.map(|(path, instead)| format!("{} names {path}: rules are pure; {instead}", file.path)).collect::<Vec<_>>()
    }));
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

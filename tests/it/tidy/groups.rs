//! The groups of `src/` and their direction: a file imports its own group or a lower one. Nothing goes in circles: no groups, no slices of
//! a group, and few files of a slice. `cargo test --test it tidy::groups -- --nocapture` prints the counts.

use std::collections::BTreeSet;

use super::circles::{Arrows, circles, coarser};
use super::imports::{imports, module};
use super::none;
use super::source::files;

/// From the ground up. What stands in one line is one group; its folders are its slices' homes.
const GROUPS: &[&[&str]] = &[
    &["kernel", "events"],
    &["meter", "sealing"],
    &["http"],
    &["identity"],
    &["catalog"],
    // The Meter knows its contract and the keys of metrics, and no slice above them.
    &["durable_objects"],
    &["tenancy"],
    &["metering"],
    &["accounting"],
    &["billing"],
    &["receivables"],
    &["delivery"],
    &["business"],
    &["operations"],
    &["jobs"],
    &["api"],
    &["edge"],
];

/// Circles of files within a slice, as their modules, each with its reason. May only shrink.
const FILE_CIRCLES: &[(&[&str], &str)] = &[];
const FILE_CIRCLES_MAX: usize = 5;

/// The root only lists the modules.
fn tree() -> Arrows {
    let mut arrows = imports(&files(&["src", "durable_objects"], &[".rs"]));
    arrows.remove("src/lib.rs");
    arrows
}

/// `src/kernel/time.rs` stands under `kernel`.
fn folder(path: &str) -> String {
    let module = module(path);
    module.split("::").next().unwrap_or_default().to_owned()
}

/// How high the group of a file stands; None when it has none.
fn height(path: &str) -> Option<usize> {
    GROUPS.iter().position(|group| group.contains(&folder(path).as_str()))
}

fn group(path: &str) -> String {
    height(path).and_then(|height| GROUPS[height].first()).map_or_else(|| folder(path), |name| (*name).to_owned())
}

/// `billing::charging`, or `kernel::time`.
fn slice(path: &str) -> String {
    module(path).split("::").take(2).collect::<Vec<_>>().join("::")
}

#[test]
fn the_source_is_read() {
    let arrows = tree();
    let count: usize = arrows.values().map(BTreeSet::len).sum();
    assert!(
        arrows.len() > 250 && count > 1_000,
        "only {count} imports of {} files were found: mend tests/it/tidy/imports.rs",
        arrows.len()
    );
    assert!(arrows.contains_key("src/edge/entry.rs") && arrows.contains_key("durable_objects/meter/glue.rs"), "the edge's files are read");
    let unknown = arrows.values().flatten().filter(|to| *to == "src/lib.rs").count();
    assert_eq!(unknown, 0, "imports that lead to no module: mend tests/it/tidy/imports.rs");
}

#[test]
fn every_folder_stands_in_a_group() {
    let folders: BTreeSet<String> = tree().keys().map(|path| folder(path)).collect();
    let strangers = folders.iter().filter(|folder| !GROUPS.iter().any(|group| group.contains(&folder.as_str())));
    none(strangers.map(|folder| {
        format!("src/{folder} stands in no group: move it into one, or give it a line of its own in GROUPS of tests/it/tidy/groups.rs")
    }));
    let stale = GROUPS.iter().copied().flatten().filter(|listed| !folders.contains(**listed));
    none(stale.map(|listed| format!("there is no folder {listed}: remove it from GROUPS in tests/it/tidy/groups.rs")));
}

#[test]
fn a_file_imports_its_own_group_or_a_lower_one() {
    let arrows = tree();
    let all = arrows.iter().flat_map(|(from, others)| others.iter().map(move |to| (from, to)));
    let upward: Vec<(&String, &String)> =
        all.filter(|(from, to)| height(from).zip(height(to)).is_some_and(|(from, to)| from < to)).collect();
    println!("groups: {} imports lead up", upward.len());
    none(upward.iter().map(|(from, to)| {
        format!(
            "{from} imports {to}: `{}` stands below `{}`. Move what both need down, take it as an argument, or let a port of the kernel do it",
            group(from),
            group(to)
        )
    }));
}

#[test]
fn no_groups_and_no_slices_go_in_circles() {
    let arrows = tree();
    let between_groups = circles(&coarser(&arrows, group));
    // Between slices of one group only: what crosses groups is counted above.
    let within = |group_of_files: &str| {
        let own: Arrows =
            arrows.iter().filter(|(from, _)| group(from) == group_of_files).map(|(from, to)| (from.clone(), to.clone())).collect();
        circles(&coarser(&own, slice))
    };
    let names: BTreeSet<String> = arrows.keys().map(|path| group(path)).collect();
    let between_slices: Vec<_> = names.iter().flat_map(|name| within(name)).collect();
    println!("groups: {} circles between groups, {} between slices of a group", between_groups.len(), between_slices.len());
    let told = between_groups.iter().map(|circle| tell(&arrows, circle, group));
    let told = told.chain(between_slices.iter().map(|circle| tell(&arrows, circle, slice)));
    none(told);
}

#[test]
fn few_files_go_in_circles() {
    let arrows = tree();
    let found = circles(&arrows);
    println!("groups: {} circles of files, at most {FILE_CIRCLES_MAX} may be", found.len());
    found.iter().for_each(|circle| println!("  {}", modules(circle).join(" ")));
    let is_listed = |circle: &BTreeSet<String>| FILE_CIRCLES.iter().any(|(listed, _)| *listed == modules(circle));
    none(found.iter().filter(|circle| !is_listed(circle)).map(|circle| tell(&arrows, circle, str::to_owned)));
    let stale = FILE_CIRCLES.iter().filter(|(listed, _)| !found.iter().any(|circle| *listed == modules(circle)));
    none(
        stale.map(|(listed, _)| {
            format!("{} is no circle any more: remove it from FILE_CIRCLES in tests/it/tidy/groups.rs", listed.join(" "))
        }),
    );
    none(
        FILE_CIRCLES
            .iter()
            .filter(|(_, reason)| reason.len() < 20)
            .map(|(listed, _)| format!("{} goes in a circle: say why", listed.join(" "))),
    );
    assert!(FILE_CIRCLES.len() <= FILE_CIRCLES_MAX, "FILE_CIRCLES has more than {FILE_CIRCLES_MAX} lines: cut one");
}

fn modules(circle: &BTreeSet<String>) -> Vec<String> {
    circle.iter().map(|path| module(path)).collect()
}

/// A circle with an import for each of its arrows, so that one can be cut.
fn tell(arrows: &Arrows, circle: &BTreeSet<String>, name: impl Fn(&str) -> String) -> String {
    let all = arrows.iter().flat_map(|(from, others)| others.iter().map(move |to| (from, to)));
    let (mut seen, mut lines) = (BTreeSet::new(), Vec::new());
    for (from, to) in all {
        let arrow = (name(from), name(to));
        if arrow.0 != arrow.1 && circle.contains(&arrow.0) && circle.contains(&arrow.1) && seen.insert(arrow.clone()) {
            lines.push(format!("  {} → {}: {from} imports {to}", arrow.0, arrow.1));
        }
    }
    let names: Vec<&str> = circle.iter().map(String::as_str).collect();
    format!("{} go in a circle: move what is shared below, so that one of these imports goes\n{}", names.join(", "), lines.join("\n"))
}

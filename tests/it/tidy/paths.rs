//! Files that comments and documents name: they are there.

use std::collections::{BTreeMap, BTreeSet};

use super::none;
use super::source::{File, comment, files};

/// Where a path from the root begins.
const ROOTS: &[&str] = &["assets/", "bench/", "crates/", "docs/", "durable_objects/", "migrations/", "scripts/", "src/", "tests/"];
/// What a name of a file of ours ends with. Data of other kinds is often the reader's own.
const ENDINGS: &[&str] = &[".rs", ".mjs", ".ts", ".sql", ".md"];

/// Names of files that are not here, each with the reason. May only shrink.
const ELSEWHERE: &[(&str, &str)] = &[("schema.d.ts", "the types that a reader of docs/CLIENTS.md generates in a project of their own")];

#[test]
fn what_is_named_is_there() {
    let known = known();
    let mut named: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for file in documents().into_iter().chain(sources()) {
        for (index, line) in file.text.lines().enumerate() {
            names(line).into_iter().for_each(|name| named.entry(name).or_default().push(format!("{}:{}", file.path, index + 1)));
        }
    }
    assert!(named.len() > 150, "only {} names of files were found: mend names() in tests/it/tidy/paths.rs", named.len());
    let missing: Vec<_> = named.iter().filter(|(name, _)| !is_there(&known, name) && !is_elsewhere(name)).collect();
    let tell = |(name, places): &(&String, &Vec<String>)| {
        let tell =
            |place| format!("{place} names {name}, which is not there: name the file that it is about, from the root or by its name alone");
        places.iter().map(tell).collect::<Vec<_>>()
    };
    none(missing.iter().flat_map(tell));
    let stale = ELSEWHERE.iter().filter(|(name, _)| !named.contains_key(*name) || is_there(&known, name));
    none(stale.map(|(name, _)| format!("{name} needs no exception: remove it from ELSEWHERE in tests/it/tidy/paths.rs")));
    none(ELSEWHERE.iter().filter(|(_, reason)| reason.len() < 20).map(|(name, _)| format!("{name} is not here: say in ELSEWHERE why")));
}

fn documents() -> Vec<File> {
    files(&["."], &[".md"])
}

/// Everything with comments, as its comments alone; lines keep their numbers.
fn sources() -> Vec<File> {
    let slashes = files(&["."], &[".rs"]).into_iter().map(|file| with(file, comment));
    let scripts = files(&["."], &[".mjs", ".ts"]).into_iter().map(|file| with(file, comment_of_script));
    let dashes = files(&["."], &[".sql"]).into_iter().map(|file| with(file, |line| line.split_once("--").map_or("", |(_, rest)| rest)));
    let hashes = files(&["."], &[".toml"]).into_iter().map(|file| with(file, |line| line.split_once('#').map_or("", |(_, rest)| rest)));
    slashes.chain(scripts).chain(dashes).chain(hashes).collect()
}

/// Behind `//`, unless that is an address's.
fn comment_of_script(line: &str) -> &str {
    let begins = line.match_indices("//").find(|(at, _)| !line[..*at].ends_with(':'));
    begins.map_or("", |(at, _)| &line[at..])
}

fn with(file: File, comment: fn(&str) -> &str) -> File {
    let text = file.text.lines().map(comment).collect::<Vec<_>>().join("\n");
    File { text, ..file }
}

/// All files and folders, each with a slash before it; folders also with one behind.
fn known() -> BTreeSet<String> {
    let mut known = BTreeSet::new();
    for file in files(&["."], &[""]) {
        for (at, _) in file.path.match_indices('/') {
            known.insert(format!("/{}", &file.path[..at]));
            known.insert(format!("/{}", &file.path[..=at]));
        }
        known.insert(format!("/{}", file.path));
    }
    known
}

/// A path from the root is there as a whole; a name, or a part of a path, is there when any file has it.
fn is_there(known: &BTreeSet<String>, name: &str) -> bool {
    let end = format!("/{name}");
    known.contains(&end) || !is_rooted(name) && known.iter().any(|path| path.ends_with(&end))
}

fn is_elsewhere(name: &str) -> bool {
    ELSEWHERE.iter().any(|(listed, _)| *listed == name)
}

fn is_rooted(name: &str) -> bool {
    ROOTS.iter().any(|root| name.starts_with(root))
}

/// What looks like a path or a file of ours. `scripts/{dev,build}.mjs` is two.
fn names(line: &str) -> Vec<String> {
    let mut depth = 0;
    let words = line.split(|letter: char| {
        match letter {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        !(letter.is_ascii_alphanumeric() || "_-./{}:".contains(letter) || letter == ',' && depth > 0)
    });
    let paths = words.filter(|word| !word.contains("://")).flat_map(expanded).map(|word| {
        let word = word.split(':').next().unwrap_or_default().trim_start_matches("../").trim_start_matches("./");
        word.trim_end_matches(['.', ',']).to_owned()
    });
    let is_name = |name: &String| {
        let stem = ENDINGS.iter().find_map(|ending| name.strip_suffix(ending)).filter(|stem| !stem.is_empty() && !stem.ends_with('/'));
        stem.is_some_and(|stem| !stem.starts_with('.')) || ROOTS.iter().any(|root| name.len() > root.len() && name.starts_with(root))
    };
    paths.filter(is_name).collect()
}

fn expanded(word: &str) -> Vec<String> {
    match word.split_once('{').and_then(|(before, rest)| Some((before, rest.split_once('}')?))) {
        Some((before, (choices, after))) => choices.split(',').flat_map(|choice| expanded(&format!("{before}{choice}{after}"))).collect(),
        None => vec![word.to_owned()],
    }
}

#[test]
fn names_are_found_in_sentences() {
    assert_eq!(
        names("See `src/a/{b,c}.rs`, docs/ and [it](../docs/A.md): lib.mjs:12, or https://x.example/a.rs."),
        ["src/a/b.rs", "src/a/c.rs", "docs/A.md", "lib.mjs"]
    );
    assert_eq!(names("tests/it/tidy/, meter/keys.rs and a .rs file; e.g. that"), ["tests/it/tidy/", "meter/keys.rs"]);
    let known: BTreeSet<String> = ["/src", "/src/", "/src/a", "/src/a/", "/src/a/b.rs"].map(str::to_owned).into();
    assert!(["src/a/", "src/a/b.rs", "a/b.rs", "b.rs"].iter().all(|name| is_there(&known, name)));
    assert!(["src/b.rs", "c/b.rs", "c.rs", "src/a/b"].iter().all(|name| !is_there(&known, name)));
}

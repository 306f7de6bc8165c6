//! What no file of the repository says.

use super::none;
use super::source::files;

/// Written in two halves, so that this file doesn't say them.
const NEVER: &[(&str, &str)] = &[
    (concat!("TO", "DO"), "do it, or write an issue"),
    (concat!("FIX", "ME"), "mend it, or write an issue"),
    (concat!("/wo", "rk/"), "name files from the repository's root; nobody else has your machine's folders"),
    (concat!("/fa", "rm"), "name files from the repository's root; nobody else has your machine's folders"),
    (concat!("/ho", "me/"), "name files from the repository's root; nobody else has your machine's folders"),
    (concat!("/Us", "ers/"), "name files from the repository's root; nobody else has your machine's folders"),
];

const TEXTS: &[&str] =
    &[".rs", ".mjs", ".js", ".ts", ".css", ".html", ".txt", ".md", ".sql", ".toml", ".json", ".jsonl", "run", ".npmrc", ".gitignore"];

#[test]
fn some_things_are_said_nowhere() {
    let files = files(&["."], TEXTS);
    assert!(files.len() > 100, "only {} files were found", files.len());
    none(files.iter().flat_map(|file| {
        let lines = file.text.lines().enumerate();
        let said = lines.flat_map(|(index, line)| {
            NEVER.iter().filter(|(text, _)| line.contains(text)).map(move |(text, instead)| (index + 1, text, instead))
        });
        said.map(|(line, text, instead)| format!("{}:{line} says {text}: {instead}", file.path)).collect::<Vec<_>>()
    }));
}

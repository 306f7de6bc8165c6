//! The repository's files, read for inspection.

use std::fs;
use std::path::{Path, PathBuf};

/// What is made by tools or is somebody else's.
const NOT_OURS: [&str; 9] =
    [".git", ".dev", ".wrangler", "build", "node_modules", "target", "assets/docs/vendor", "Cargo.lock", "package-lock.json"];

/// A file: its path from the root and its text.
pub struct File {
    pub path: String,
    pub text: String,
}

impl File {
    /// Rust code without comments and without what is compiled for tests only. Lines keep their numbers.
    pub fn code(&self) -> Vec<String> {
        let mut lines = Vec::new();
        let mut skipped_until: Option<String> = None;
        for line in self.text.lines() {
            let indent = &line[..line.len() - line.trim_start().len()];
            if let Some(end) = &skipped_until {
                if line == end || line.ends_with(';') && end.len() == indent.len() + 1 {
                    skipped_until = None;
                }
                lines.push(String::new());
            } else if line.trim() == "#[cfg(test)]" {
                skipped_until = Some(format!("{indent}}}"));
                lines.push(String::new());
            } else {
                lines.push(without_comment(line).to_owned());
            }
        }
        lines
    }

    /// What a module says of itself.
    pub fn story(&self) -> String {
        self.text.lines().take_while(|line| line.starts_with("//!")).collect::<Vec<_>>().join("\n")
    }
}

/// All files of ours under the given places, by path.
pub fn files(places: &[&str], extensions: &[&str]) -> Vec<File> {
    let mut found = Vec::new();
    places.iter().for_each(|place| walk(&root().join(place), &mut found));
    found.sort();
    let wanted = found.into_iter().filter(|path| extensions.iter().any(|extension| path.to_string_lossy().ends_with(extension)));
    let read = wanted.map(|path| File { text: fs::read_to_string(&path).unwrap_or_default(), path: name(&path) });
    read.collect()
}

/// The Rust code of the product.
pub fn product() -> Vec<File> {
    let files = files(&["src", "durable_objects", "crates"], &[".rs"]);
    files.into_iter().filter(|file| !file.path.contains("/tests/") && !file.path.contains("/examples/")).collect()
}

pub fn file(path: &str) -> File {
    File { path: path.to_owned(), text: fs::read_to_string(root().join(path)).unwrap() }
}

/// Names of the folders directly under `place`.
pub fn folders(place: &str) -> Vec<String> {
    let entries = fs::read_dir(root().join(place)).unwrap().map(|entry| entry.unwrap().path());
    let mut folders: Vec<String> = entries.filter(|path| path.is_dir()).map(|path| name(&path)).collect();
    folders.sort();
    folders
}

pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn name(path: &Path) -> String {
    path.strip_prefix(root()).unwrap().to_string_lossy().into_owned()
}

fn walk(path: &Path, found: &mut Vec<PathBuf>) {
    if NOT_OURS.contains(&name(path).as_str()) {
        return;
    }
    match fs::read_dir(path) {
        Ok(entries) => entries.for_each(|entry| walk(&entry.unwrap().path(), found)),
        Err(_) => found.push(path.to_owned()),
    }
}

/// The text that `code` begins with, its quote left out, on one line: statements are written over several.
pub fn literal(code: &str) -> String {
    let mut text = String::new();
    let mut letters = code.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '"' => return text.split_whitespace().collect::<Vec<_>>().join(" "),
            '\\' => text.extend(letters.next()),
            _ => text.push(letter),
        }
    }
    panic!("a text does not end: {}", code.chars().take(80).collect::<String>())
}

/// The line up to `//`, unless that is inside of a text.
fn without_comment(line: &str) -> &str {
    &line[..comment_begins(line)]
}

/// The line from `//` on.
pub fn comment(line: &str) -> &str {
    &line[comment_begins(line)..]
}

fn comment_begins(line: &str) -> usize {
    let mut is_text = false;
    let mut before = ' ';
    for (at, letter) in line.char_indices() {
        match letter {
            '"' if before != '\\' && before != '\'' => is_text = !is_text,
            '/' if before == '/' && !is_text => return at - 1,
            _ => {}
        }
        before = letter;
    }
    line.len()
}

#[test]
fn comments_and_tests_are_left_out() {
    let text = "let a = \"https://x\"; // a.unwrap()\n#[cfg(test)]\nmod tests {\n    a.unwrap();\n}\nlet b = '\"'; // c\n#[cfg(test)]\nuse x;\nlet d;";
    let file = File { path: String::new(), text: text.to_owned() };
    assert_eq!(file.code(), ["let a = \"https://x\"; ", "", "", "", "", "let b = '\"'; ", "", "", "let d;"]);
}

//! How long things may be, so that each fits a head.

use super::none;
use super::source::{File, files, product};

const FUNCTION_LINES_MAX: usize = 70;
const FILE_LINES_MAX: usize = 400;
const TEST_FILE_LINES_MAX: usize = 600;
const DECISION_LINES_MAX: usize = 40;
/// What rustfmt breaks lines at; texts it leaves as they are.
const COLUMNS_MAX: usize = 140;

/// `path function` of those that may be longer. May only shrink.
const LONG_FUNCTIONS: &[&str] = &[];

fn inspected() -> Vec<File> {
    product().into_iter().chain(files(&["scripts", "src"], &[".mjs"])).collect()
}

fn tests() -> Vec<File> {
    let ours = files(&["tests"], &[".rs", ".ts", ".mjs"]).into_iter();
    ours.chain(files(&["crates"], &[".rs"]).into_iter().filter(|file| file.path.contains("/tests/"))).collect()
}

#[test]
fn functions_fit_a_screen() {
    let functions: Vec<(String, usize)> = inspected()
        .iter()
        .flat_map(|file| functions(file).into_iter().map(|(name, lines)| (format!("{} {name}", file.path), lines)))
        .collect();
    assert!(functions.len() > 500, "only {} functions were found: mend functions() in tests/it/tidy/sizes.rs", functions.len());
    let long: Vec<_> = functions.iter().filter(|(_, lines)| *lines > FUNCTION_LINES_MAX).collect();
    let unlisted = long.iter().filter(|(name, _)| !LONG_FUNCTIONS.contains(&name.as_str()));
    none(
        unlisted
            .map(|(name, lines)| format!("{name} has {lines} lines: split it at its steps, so that each has at most {FUNCTION_LINES_MAX}")),
    );
    let stale = LONG_FUNCTIONS.iter().filter(|listed| !long.iter().any(|(name, _)| name == *listed));
    none(stale.map(|name| format!("{name} is short now: remove it from LONG_FUNCTIONS in tests/it/tidy/sizes.rs")));
}

#[test]
fn files_tell_one_story() {
    none(longer(&inspected(), FILE_LINES_MAX));
    assert!(tests().len() > 150, "only {} files of tests were found: mend tests() in tests/it/tidy/sizes.rs", tests().len());
    none(longer(&tests(), TEST_FILE_LINES_MAX));
}

fn longer(files: &[File], lines_max: usize) -> Vec<String> {
    let lengths = files.iter().map(|file| (&file.path, file.text.lines().count())).filter(|(_, lines)| *lines > lines_max);
    lengths
        .map(|(path, lines)| format!("{path} has {lines} lines: split it by its stories, so that each has at most {lines_max}"))
        .collect()
}

#[test]
fn lines_fit_the_page() {
    let files = product();
    let lines =
        files.iter().flat_map(|file| file.text.lines().enumerate().map(move |(index, line)| (&file.path, index + 1, line.chars().count())));
    let long = lines.filter(|(_, _, columns)| *columns > COLUMNS_MAX);
    let told = long.map(|(path, number, columns)| {
        format!(
            "{path}:{number} has {columns} columns: break it, SQL behind a clause and a `\\`, so that each line has at most {COLUMNS_MAX}"
        )
    });
    none(told);
}

#[test]
fn decisions_are_short_and_numbered() {
    let decisions = files(&["docs/decisions"], &[".md"]);
    let long = decisions.iter().filter(|file| file.text.lines().count() > DECISION_LINES_MAX);
    none(long.map(|file| format!("{} is longer than {DECISION_LINES_MAX} lines: keep context, decision, why and cost", file.path)));
    let number = |file: &File| file.path.trim_start_matches("docs/decisions/").split('-').next().unwrap_or_default().to_owned();
    let unnumbered = decisions.iter().filter(|file| number(file).len() != 4 || number(file).parse::<u16>().is_err());
    none(unnumbered.map(|file| format!("{} has no number: call it NNNN-title.md", file.path)));
    let doubles = decisions.windows(2).filter(|pair| number(&pair[0]) == number(&pair[1]));
    none(doubles.map(|pair| format!("{} and {} have one number: give the newer one the next", pair[0].path, pair[1].path)));
}

/// The functions of a formatted file with their lines: from the name to the brace under its beginning.
fn functions(file: &File) -> Vec<(String, usize)> {
    let lines: Vec<&str> = file.text.lines().collect();
    let starts = lines.iter().enumerate().filter_map(|(index, line)| Some((index, function_name(line, &file.path)?)));
    starts.map(|(index, name)| (name, length(&lines[index..]))).collect()
}

fn function_name(line: &str, path: &str) -> Option<String> {
    let (keyword, words) = if path.ends_with(".rs") { ("fn ", line.trim_start()) } else { ("function ", line.trim_start()) };
    let (before, after) = words.split_once(keyword)?;
    let modifiers = ["pub", "pub(crate)", "pub(super)", "const", "async", "export", "default", "unsafe"];
    let is_definition = before.split_whitespace().all(|word| modifiers.contains(&word));
    let name: String = after.chars().take_while(|letter| letter.is_alphanumeric() || *letter == '_').collect();
    (is_definition && !name.is_empty()).then_some(name)
}

fn length(lines: &[&str]) -> usize {
    let first = lines[0];
    if first.ends_with([';', '}']) {
        return 1;
    }
    let end = format!("{}}}", &first[..first.len() - first.trim_start().len()]);
    lines.iter().position(|line| *line == end || line.starts_with(&end)).map_or(1, |last| last + 1)
}

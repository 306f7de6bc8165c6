//! The repository's own rules. Each failure says what to do instead; each exception is listed with its file and may only go away.

mod circles;
mod imports;
mod source;
mod tokens;

mod bans;
mod business;
mod groups;
mod layers;
mod paths;
mod plans;
mod sizes;
mod tables;
mod texts;

/// Fails with all findings at once.
#[track_caller]
fn none(findings: impl IntoIterator<Item = String>) {
    let findings: Vec<String> = findings.into_iter().collect();
    assert!(findings.is_empty(), "\n{}\n", findings.join("\n"));
}

//! The repository's own rules. Each failure says what to do instead; each exception is listed with its file and may only go away.

#[path = "tidy/source.rs"]
mod source;

#[path = "tidy/bans.rs"]
mod bans;
#[path = "tidy/business.rs"]
mod business;
#[path = "tidy/layers.rs"]
mod layers;
#[path = "tidy/plans.rs"]
mod plans;
#[path = "tidy/sizes.rs"]
mod sizes;
#[path = "tidy/tables.rs"]
mod tables;
#[path = "tidy/texts.rs"]
mod texts;

/// Fails with all findings at once.
#[track_caller]
fn none(findings: impl IntoIterator<Item = String>) {
    let findings: Vec<String> = findings.into_iter().collect();
    assert!(findings.is_empty(), "\n{}\n", findings.join("\n"));
}

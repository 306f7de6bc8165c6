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

/// So many findings are known and put aside.
#[track_caller]
fn few(findings: Vec<String>, known: usize, list: &str) {
    if findings.len() < known {
        println!("{list} may be {} now", findings.len());
    }
    let is_over = findings.len() > known;
    none(findings.into_iter().filter(|_| is_over));
}

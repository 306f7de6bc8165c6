//! How the tenants' statements are answered: by an index that begins with the organization, however much an organization has.
//!
//! Every statement that the code holds is planned here, whether or not a test runs it.

use std::sync::LazyLock;

use rusqlite::Connection;

use super::none;
use super::source::{File, literal, product};
use super::tables::{migrated, texts};

/// A longer statement is broken at its clauses.
const ONE_LINE_MAX: usize = 100;
const COLUMNS_MAX: usize = 140;

const VERBS: [&str; 6] = ["SELECT ", "INSERT ", "UPDATE ", "DELETE ", "WITH ", "CREATE "];

/// Parts of statements that may go through all rows of a tenant table, each with its reason. May only shrink.
const SCANS: &[(&str, &str)] = &[
    ("FROM seats WHERE meter_version < version LIMIT", "its index holds only those whose Meter is behind"),
    (
        "FROM reaction_runs WHERE status = 'dead' ORDER BY updated_at LIMIT",
        "its index holds steps that were given up only, and it reads at most 101",
    ),
    (
        "FROM mails WHERE sent_at IS NULL AND next_attempt_at IS NULL ORDER BY created_at LIMIT",
        "its index holds mails that were given up only, and it reads at most 101",
    ),
];

/// Parts of tenant statements that find rows by something else than their organization, each with its reason. May only shrink.
const NOT_BY_ORGANIZATION: &[(&str, &str)] = &[];

struct Planned {
    path: String,
    text: String,
    /// Steps of the plan that read a tenant table.
    steps: Vec<String>,
}

static TENANT_STATEMENTS: LazyLock<Vec<Planned>> = LazyLock::new(|| {
    let statements = planned("tenant_sql!(", str::to_owned, |_| true);
    let guards = planned("stale_if!(", |condition| format!("SELECT ?1 WHERE {condition}"), |_| true);
    let versions = planned("unchanged!(", guarded_version, |_| true);
    assert!(guards.len() > 20 && versions.len() > 5, "only {} and {} guards were found", guards.len(), versions.len());
    [statements, guards, versions].into_iter().flatten().collect()
});

/// What `unchanged!` makes of a table.
fn guarded_version(table: &str) -> String {
    format!("SELECT ?1 WHERE NOT EXISTS (SELECT 1 FROM {table} WHERE organization_id = ?1 AND id = ?2 AND version = ?3)")
}

/// The statements over all organizations of a shard; they stand in a variable.
static SWEEPS: LazyLock<Vec<Planned>> =
    LazyLock::new(|| planned(" =", str::to_owned, |code| code.contains(".every_shard") || code.contains(".one_shard")));

#[test]
fn no_statement_goes_through_all_rows_of_a_table() {
    assert!(TENANT_STATEMENTS.len() > 80, "only {} statements were found: mend literals()", TENANT_STATEMENTS.len());
    let sweeps: usize = product().iter().map(|file| file.code().join("\n").matches(".every_shard").count()).sum();
    assert!(SWEEPS.len() >= sweeps, "of {sweeps} sweeps only {} were found: write their texts as `let text = \"...\"`", SWEEPS.len());
    let scanning: Vec<&Planned> = TENANT_STATEMENTS
        .iter()
        .chain(SWEEPS.iter())
        .filter(|planned| planned.steps.iter().any(|step| step.starts_with("SCAN ")))
        .collect();
    check(&scanning, SCANS, "SCANS", "scans a table: add an index to migrations/tenants that it can be answered by");
}

#[test]
fn a_tenants_statement_finds_rows_by_their_organization() {
    let is_by_organization = |step: &String| step.contains("organization_id=?");
    let others: Vec<&Planned> = TENANT_STATEMENTS.iter().filter(|planned| !planned.steps.iter().all(is_by_organization)).collect();
    check(
        &others,
        NOT_BY_ORGANIZATION,
        "NOT_BY_ORGANIZATION",
        "does not find rows by their organization: begin its index with organization_id",
    );
}

fn check(found: &[&Planned], allowed: &[(&str, &str)], list: &str, what: &str) {
    let is_allowed = |planned: &Planned| allowed.iter().any(|(part, _)| planned.text.contains(part));
    none(
        found
            .iter()
            .filter(|planned| !is_allowed(planned))
            .map(|planned| format!("{}: `{}` {what}. Its plan: {}", planned.path, planned.text, planned.steps.join("; "))),
    );
    let stale = allowed.iter().filter(|(part, _)| !found.iter().any(|planned| planned.text.contains(part)));
    none(stale.map(|(part, _)| format!("no such statement needs `{part}` in {list} any more: remove it from tests/it/tidy/plans.rs")));
    none(
        allowed.iter().filter(|(_, reason)| reason.len() < 20).map(|(part, _)| format!("{list} allows `{part}` without a reason: say why")),
    );
}

fn planned(call: &str, statement: fn(&str) -> String, is_wanted: fn(&str) -> bool) -> Vec<Planned> {
    let database = migrated("tenants");
    let tables = texts(&database, "SELECT name FROM sqlite_master WHERE type = 'table'");
    let files = product();
    let found = files.iter().flat_map(|file| {
        let code = Some(file.code().join("\n")).filter(|code| is_wanted(code)).unwrap_or_default();
        let statements =
            literals(&code, call).into_iter().map(|text| statement(&text)).filter(|text| VERBS.iter().any(|verb| text.starts_with(verb)));
        statements.map(|text| (file.path.clone(), text)).collect::<Vec<_>>()
    });
    found.map(|(path, text)| Planned { steps: plan(&database, &tables, &text, &path), path, text }).collect()
}

/// The steps that read rows of a tenant table: `SCAN table ...` or `SEARCH table ...`.
fn plan(database: &Connection, tables: &[String], text: &str, path: &str) -> Vec<String> {
    let mut statement = database.prepare(&format!("EXPLAIN QUERY PLAN {text}")).unwrap_or_else(|error| panic!("{path}: {text}: {error}"));
    let mut rows = statement.raw_query();
    let mut steps = Vec::new();
    while let Some(row) = rows.next().unwrap() {
        steps.push(row.get::<_, String>(3).unwrap());
    }
    let reads = |step: &String| {
        let mut words = step.split(' ');
        matches!(words.next(), Some("SCAN" | "SEARCH")) && words.next().is_some_and(|table| tables.iter().any(|known| known == table))
    };
    steps.into_iter().filter(reads).collect()
}

/// The first text after each `call` in the code.
fn literals(code: &str, call: &str) -> Vec<String> {
    let rests = code.match_indices(call).map(|(at, _)| code[at + call.len()..].trim_start());
    rests.filter_map(|rest| rest.strip_prefix('"')).map(literal).collect()
}

#[test]
fn statements_are_broken_at_their_clauses() {
    let files = product();
    let statements: Vec<(&File, usize, String)> = files.iter().flat_map(statements).collect();
    assert!(statements.len() > 400, "only {} statements were found: mend statements()", statements.len());
    let long = statements.iter().filter(|(_, _, text)| text.lines().any(|line| line.chars().count() > COLUMNS_MAX) || is_unbroken(text));
    none(long.map(|(file, line, text)| {
        let beginning: String = text.chars().take(60).collect();
        format!("{}:{line}: `{beginning}`: give each clause a line of its own, of at most {COLUMNS_MAX} columns", file.path)
    }));
}

fn is_unbroken(text: &str) -> bool {
    text.chars().count() > ONE_LINE_MAX && (text.lines().count() == 1 || text.contains("\\\n"))
}

/// The statements of a file, with the line on which each begins. They hold no quotes.
fn statements(file: &File) -> Vec<(&File, usize, String)> {
    let code = file.code().join("\n");
    let mut line = 1;
    let mut found = Vec::new();
    for part in code.split('"') {
        if VERBS.iter().any(|verb| part.starts_with(verb)) {
            found.push((file, line, part.to_owned()));
        }
        line += part.matches('\n').count();
    }
    found
}

#[test]
fn a_scan_is_seen() {
    let database = migrated("tenants");
    let tables = texts(&database, "SELECT name FROM sqlite_master WHERE type = 'table'");
    let plan = |text: &str| plan(&database, &tables, text, "here");
    assert!(plan("SELECT 1 FROM members WHERE job_title = ?1")[0].starts_with("SCAN members"));
    assert!(plan("SELECT 1 FROM teams WHERE organization_id = ?1 AND path >= ?2")[0].contains("organization_id=?"));
    assert_eq!(plan("SELECT 1 FROM json_each(?1)"), [""; 0]);
    assert_eq!(literals("tenant_sql!(\n  \"SELECT \\\"a\\\"\n   FROM b\", x) tenant_sql!(text)", "tenant_sql!("), ["SELECT \"a\" FROM b"]);
}

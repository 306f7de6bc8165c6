//! What a database behind the SQL port must do, as one list: run against the SQLite twin by `tests/it/kernel/mod.rs`, and against the real D1
//! by `tests/worker/experiments.spec.ts` through `/dev/experiments/sql`, which exists in development only.

use serde_json::{Value as Json, json};

use super::sql::{INTEGER_MAX, Outcome, Sql, SqlError, Statement, Value};

/// What one expectation came to: its sentence, and what was found instead if it does not hold.
pub type Finding = (&'static str, Result<(), String>);

const TENANT: &str = "org_conformance";
const INSERT: &str = "INSERT INTO idempotency_keys (organization_id, key, fingerprint, status, body, created_at)
                      VALUES (?1, ?2, 'f', 200, '{}', 1)";
const READ: &str = "SELECT key FROM idempotency_keys WHERE organization_id = ?1 ORDER BY key";
const STALE: &str = "INSERT INTO stale_guards (organization_id, fresh)
                     SELECT ?1, 0
                     WHERE NOT EXISTS (SELECT 1 FROM invoices WHERE organization_id = ?1)";
const FRESH: &str = "INSERT INTO stale_guards (organization_id, fresh)
                     SELECT ?1, 0
                     WHERE EXISTS (SELECT 1 FROM invoices WHERE organization_id = ?1)";
const ORPHAN: &str = "INSERT INTO onboarding_items (organization_id, key, position, status) VALUES (?1, 'x', 1, 'pending')";
const CLEAR: &str = "DELETE FROM idempotency_keys WHERE organization_id = ?1";

/// Runs the list on a migrated tenant database; leaves nothing behind.
pub async fn check(sql: &dyn Sql) -> Vec<Finding> {
    let mut findings = vec![
        (
            "a batch with a failing statement fails with the constraint's name",
            expect(
                sql.batch(vec![insert("1"), insert("2"), insert("1")]).await,
                &Err(SqlError::Unique("idempotency_keys.organization_id, idempotency_keys.key".into())),
            ),
        ),
        ("and takes back what went before the failure", expect_keys(sql, &[]).await),
        (
            "a fresh guard lets the batch pass",
            sql.batch(vec![bare(FRESH), insert("kept")]).await.map(|_| ()).map_err(|error| format!("{error:?}")),
        ),
        (
            "a stale guard refuses the batch by the name of its check",
            expect(sql.batch(vec![insert("lost"), bare(STALE)]).await, &Err(SqlError::Check("fresh".into()))),
        ),
        ("and takes back what went before it", expect_keys(sql, &["kept"]).await),
        ("a foreign key is enforced", expect(sql.batch(vec![bare(ORPHAN)]).await, &Err(SqlError::ForeignKey))),
        ("a mistake in a statement is told apart", broken(sql).await),
        ("an integer that JavaScript can't hold is refused, not rounded", too_large(sql).await),
        ("numbers, text and null come back as they went in", round_trip(sql).await),
    ];
    findings.push(("changes are counted", changes(sql).await));
    findings.extend(audit_log(sql).await);
    findings
}

const LINK: &str = "INSERT INTO audit_log (organization_id, sequence, at, actor, resource, action, target, entry, hash)
                    VALUES (?1, ?2, 1, 'a', 'b', 'b.c', 'd', '{}', 'e')";
const REWRITE: &str = "UPDATE audit_log SET target = 'x' WHERE organization_id = ?1";
const FORGET: &str = "DELETE FROM audit_log WHERE organization_id = ?1";
const SIGN_UP: &str = "INSERT INTO organizations (organization_id, name, email, details, settings, status, created_at)
                       VALUES (?1, 'a', 'b', '{}', '{}', 'active', 1)";
const ERASE: &str = "DELETE FROM organizations WHERE organization_id = ?1";

/// The audit log can be appended to, at one place at a time, and nothing else.
async fn audit_log(sql: &dyn Sql) -> Vec<Finding> {
    let link = |sequence: u32| Statement { text: LINK, params: vec![TENANT.into(), sequence.into()] };
    let passes = |outcome: Result<Vec<Outcome>, SqlError>| outcome.map(|_| ()).map_err(|error| format!("{error:?}"));
    let overtaken = Err(SqlError::Unique("audit_log.organization_id, audit_log.sequence".into()));
    vec![
        ("entries are appended", passes(sql.batch(vec![bare(SIGN_UP), link(1), link(2)]).await)),
        ("a number that is taken fails by the names of its columns", expect(sql.batch(vec![insert("lost"), link(2)]).await, &overtaken)),
        (
            "and a stale guard before it is told as stale",
            expect(sql.batch(vec![bare(STALE), link(2)]).await, &Err(SqlError::Check("fresh".into()))),
        ),
        ("an entry is not changed", refused(sql.batch(vec![bare(REWRITE)]).await)),
        ("an entry is not deleted", refused(sql.batch(vec![bare(FORGET)]).await)),
        ("but when its organization goes, all of it goes", passes(sql.batch(vec![bare(ERASE), bare(FORGET)]).await)),
        ("and nothing of what failed was kept", expect_keys(sql, &[]).await),
    ]
}

fn refused(found: Result<Vec<Outcome>, SqlError>) -> Result<(), String> {
    match found {
        Err(SqlError::Broken(message)) if message.contains("append-only") => Ok(()),
        found => Err(format!("found {found:?}")),
    }
}

fn bare(text: &'static str) -> Statement {
    Statement { text, params: vec![TENANT.into()] }
}

fn insert(key: &str) -> Statement {
    Statement { text: INSERT, params: vec![TENANT.into(), key.into()] }
}

fn expect(found: Result<Vec<Outcome>, SqlError>, wanted: &Result<Vec<Outcome>, SqlError>) -> Result<(), String> {
    if found == *wanted { Ok(()) } else { Err(format!("found {found:?}")) }
}

async fn expect_keys(sql: &dyn Sql, wanted: &[&str]) -> Result<(), String> {
    let outcomes = sql.batch(vec![bare(READ)]).await.map_err(|error| format!("{error:?}"))?;
    let keys: Vec<&str> =
        outcomes.iter().flat_map(|outcome| &outcome.rows).filter_map(|row| row.get("key").and_then(Json::as_str)).collect();
    if keys == wanted { Ok(()) } else { Err(format!("found {keys:?}")) }
}

async fn broken(sql: &dyn Sql) -> Result<(), String> {
    match sql.batch(vec![Statement { text: "SELECT nothing FROM nowhere", params: Vec::new() }]).await {
        Err(SqlError::Broken(_)) => Ok(()),
        found => Err(format!("found {found:?}")),
    }
}

async fn too_large(sql: &dyn Sql) -> Result<(), String> {
    let params = vec![Value::Integer(INTEGER_MAX.saturating_add(1))];
    match sql.batch(vec![Statement { text: "SELECT ?1 AS number", params }]).await {
        Err(SqlError::Broken(_)) => Ok(()),
        found => Err(format!("found {found:?}")),
    }
}

async fn round_trip(sql: &dyn Sql) -> Result<(), String> {
    let params = vec![Value::Integer(INTEGER_MAX), "Ünïcödé '\"\n".into(), Value::Null];
    let outcomes = sql.batch(vec![Statement { text: "SELECT ?1 AS number, ?2 AS text, ?3 AS absent", params }]).await;
    let row = outcomes.map_err(|error| format!("{error:?}"))?.into_iter().next().and_then(|outcome| outcome.rows.into_iter().next());
    // D1 gives a number that was bound without a column as a double; the columns that hold numbers are INTEGER.
    let found = row.map(Json::Object).unwrap_or_default();
    let number = found.get("number").and_then(|number| number.as_i64().or_else(|| number.to_string().trim_end_matches(".0").parse().ok()));
    let same =
        number == Some(INTEGER_MAX) && found.get("text") == Some(&json!("Ünïcödé '\"\n")) && found.get("absent") == Some(&Json::Null);
    if same { Ok(()) } else { Err(format!("found {found}")) }
}

async fn changes(sql: &dyn Sql) -> Result<(), String> {
    let outcomes = sql.batch(vec![bare(CLEAR)]).await.map_err(|error| format!("{error:?}"))?;
    let changes: Vec<u64> = outcomes.iter().map(|outcome| outcome.changes).collect();
    if changes == [1] { Ok(()) } else { Err(format!("found {changes:?}")) }
}

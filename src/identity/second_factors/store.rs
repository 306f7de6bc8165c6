//! All SQL of second factors. They are in the directory: they belong to the person, not to an organization.

use serde::Deserialize;

use super::rules::{Proof, RECOVERY_CODES, SecondFactor};
use crate::kernel::error::Result;
use crate::kernel::ids::PersonId;
use crate::kernel::ports::App;
use crate::kernel::sql;
use crate::kernel::sql::{Statement, decode};
use crate::kernel::time::Timestamp;
use crate::{platform_sql, stale_if};

#[derive(Deserialize)]
struct FactorRow {
    person_id: PersonId,
    seed: String,
    #[serde(deserialize_with = "sql::millis::deserialize")]
    created_at: Timestamp,
    #[serde(deserialize_with = "sql::optional_millis::deserialize")]
    confirmed_at: Option<Timestamp>,
    last_step: i64,
    #[serde(deserialize_with = "sql::json::deserialize")]
    recovery_codes: Vec<u32>,
}

impl From<FactorRow> for SecondFactor {
    fn from(row: FactorRow) -> Self {
        Self {
            person: row.person_id,
            seed: row.seed,
            created_at: row.created_at,
            confirmed_at: row.confirmed_at,
            last_step: row.last_step,
            recovery_codes: row.recovery_codes,
        }
    }
}

/// A person's own factor, confirmed or not.
pub async fn find(app: &App, person: PersonId) -> Result<Option<SecondFactor>> {
    let statement = platform_sql!(
        "SELECT person_id, seed, created_at, confirmed_at, last_step, recovery_codes
         FROM second_factors
         WHERE person_id = ?1",
        person
    );
    let rows = app.directory.batch(vec![statement]).await?.into_iter().flat_map(|outcome| outcome.rows).next();
    Ok(rows.map(decode::<FactorRow>).transpose()?.map(SecondFactor::from))
}

#[derive(Deserialize)]
struct EmailRow {
    email: String,
}

/// A person's own email.
pub async fn email_of(app: &App, person: PersonId) -> Result<String> {
    let statement = platform_sql!("SELECT email FROM people WHERE id = ?1", person);
    let rows = app.directory.batch(vec![statement]).await?.into_iter().flat_map(|outcome| outcome.rows).next();
    Ok(rows.map(decode::<EmailRow>).transpose()?.map(|row| row.email).unwrap_or_default())
}

/// Runs the statements as one transaction; stale when a guard among them says so.
pub async fn write(app: &App, statements: Vec<Statement>) -> Result<()> {
    app.directory.batch(statements).await?;
    Ok(())
}

/// A new factor in the place of one that was never confirmed.
pub fn put(person: PersonId, seed: &str, now: Timestamp) -> Vec<Statement> {
    let numbers: Vec<u32> = (1..=RECOVERY_CODES).collect();
    vec![
        stale_if!(directory, "EXISTS (SELECT 1 FROM second_factors WHERE person_id = ?1 AND confirmed_at IS NOT NULL)", person),
        platform_sql!(
            "INSERT INTO second_factors (person_id, seed, recovery_codes, created_at)
             VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT (person_id) DO UPDATE
             SET seed = excluded.seed, recovery_codes = excluded.recovery_codes, created_at = excluded.created_at,
               last_step = 0",
            person,
            seed,
            serde_json::Value::from(numbers).to_string(),
            now
        ),
    ]
}

/// Takes the step or the recovery code away; stale when it is taken, or when the factor is another one by now.
pub fn spend(factor: &SecondFactor, proof: Proof) -> Vec<Statement> {
    let (last_step, left) = match proof {
        Proof::Step(step) => (step, factor.recovery_codes.clone()),
        Proof::Recovery(number) => (factor.last_step, factor.recovery_codes.iter().copied().filter(|left| *left != number).collect()),
    };
    vec![
        stale_if!(
            directory,
            "NOT EXISTS (
               SELECT 1
               FROM second_factors
               WHERE person_id = ?1 AND seed = ?2 AND last_step = ?3 AND recovery_codes = ?4
             )",
            factor.person,
            factor.seed.as_str(),
            factor.last_step,
            serde_json::Value::from(factor.recovery_codes.clone()).to_string()
        ),
        platform_sql!(
            "UPDATE second_factors SET last_step = ?2, recovery_codes = ?3 WHERE person_id = ?1",
            factor.person,
            last_step,
            serde_json::Value::from(left).to_string()
        ),
    ]
}

pub fn confirm(person: PersonId, now: Timestamp) -> Statement {
    platform_sql!("UPDATE second_factors SET confirmed_at = ?2 WHERE person_id = ?1", person, now)
}

pub fn remove(person: PersonId) -> Statement {
    platform_sql!("DELETE FROM second_factors WHERE person_id = ?1", person)
}

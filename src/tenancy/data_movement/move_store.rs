//! The record of a move in the directory: who works on it, how far it is.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use crate::kernel::error::{Error, Result};
use crate::kernel::ids::{MoveId, OrganizationId};
use crate::kernel::platform::Platform;
use crate::kernel::ports::{Message, Work};
use crate::kernel::sql;
use crate::kernel::tenant::Tenant;
use crate::kernel::time::{Timestamp, seconds};
use crate::platform_sql;

/// Whoever works on a move holds it so long; should they be killed, the next may go on then.
const HELD_FOR: Duration = seconds(30);
/// Moves that one sweep takes up.
const SWEEP_MAX: u32 = 50;

/// How far a move is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = MoveStep)]
pub enum Step {
    Copying,
    Freezing,
    Sealed,
    Flipped,
    Done,
    Failed,
}

/// Where copying goes on.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Position {
    pub(super) table: Option<String>,
    pub(super) after: Option<Vec<Json>>,
}

/// What a table held, the same on both sides.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = MovedTable)]
pub struct Check {
    /// The number of rows of the table.
    #[schema(example = 12)]
    pub rows: u64,
    /// SHA-256, in hex, over the rows of the table.
    #[schema(example = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08")]
    pub sha256: String,
}

/// A row of `moves`.
#[derive(Clone, Debug, Deserialize)]
pub struct Move {
    pub id: MoveId,
    pub organization_id: OrganizationId,
    pub source: usize,
    pub target: usize,
    pub step: Step,
    #[serde(deserialize_with = "sql::json::deserialize")]
    pub(super) position: Position,
    #[serde(deserialize_with = "sql::optional_json::deserialize")]
    pub checks: Option<BTreeMap<String, Check>>,
    pub attempts: u32,
    #[serde(deserialize_with = "sql::millis::deserialize")]
    pub started_at: Timestamp,
    #[serde(deserialize_with = "sql::optional_millis::deserialize")]
    pub frozen_at: Option<Timestamp>,
    #[serde(deserialize_with = "sql::optional_millis::deserialize")]
    pub flipped_at: Option<Timestamp>,
    #[serde(deserialize_with = "sql::optional_millis::deserialize")]
    pub finished_at: Option<Timestamp>,
    pub(super) version: i64,
}

/// Records a move, unless the organization is being moved or erased already.
pub async fn begin(tenant: &Tenant, id: MoveId, target: usize) -> Result<()> {
    let target = u32::try_from(target).unwrap_or(u32::MAX);
    let record = platform_sql!(
        "INSERT INTO moves (id, organization_id, source, target, step, position, started_at)
         SELECT ?1, id, shard, ?3, 'copying', '{}', ?4
         FROM organizations
         WHERE id = ?2
           AND shard <> ?3
           AND NOT EXISTS (SELECT 1 FROM erasures WHERE organization_id = ?2)
         ON CONFLICT DO NOTHING",
        id,
        tenant.organization(),
        target,
        tenant.app().moment().now
    );
    tenant.app().directory.batch(vec![record]).await?;
    Ok(())
}

/// The move of an organization that is not finished.
pub async fn unfinished_of(platform: &Platform, organization: OrganizationId) -> Result<Option<Move>> {
    let text = platform_sql!("SELECT * FROM moves WHERE organization_id = ?1 AND step NOT IN ('done', 'failed')", organization);
    Ok(platform.directory_rows(text).await?.into_iter().next())
}

/// A page of an organization's moves, newest first.
pub async fn list(platform: &Platform, organization: OrganizationId, before: &str, fetch: u32) -> Result<Vec<Move>> {
    platform
        .directory_rows(platform_sql!(
            "SELECT * FROM moves WHERE organization_id = ?1 AND id < ?2 ORDER BY id DESC LIMIT ?3",
            organization,
            before,
            fetch
        ))
        .await
}

/// Nudges moves that are not finished: cut off, or waiting until nobody reads the old rows.
pub async fn unfinished(platform: &Platform) -> Result<Vec<Message>> {
    #[derive(Deserialize)]
    struct Unfinished {
        organization_id: OrganizationId,
    }
    let rows: Vec<Unfinished> = platform
        .directory_rows(platform_sql!(
            "SELECT organization_id
             FROM moves
             WHERE step NOT IN ('done', 'failed') AND held_until <= ?1
             ORDER BY started_at
             LIMIT ?2",
            platform.app().moment().now,
            SWEEP_MAX
        ))
        .await?;
    Ok(rows.into_iter().map(|row| Message::Work { organization: row.organization_id, work: Work::Move }).collect())
}

/// Takes the organization's unfinished move for a while; None when there is none, or somebody else holds it.
pub(super) async fn hold(platform: &Platform, organization: OrganizationId) -> Result<Option<Move>> {
    let now = platform.app().moment().now;
    let held: Vec<Move> = platform
        .directory_rows(platform_sql!(
            "UPDATE moves
             SET held_until = ?2, version = version + 1
             WHERE organization_id = ?1
               AND step NOT IN ('done', 'failed')
               AND held_until <= ?3
             RETURNING *",
            organization,
            now.plus(HELD_FOR),
            now
        ))
        .await?;
    Ok(held.into_iter().next())
}

/// Saves the step that was done and releases the move. A worker that lost the move meanwhile saves nothing.
pub(super) async fn save(platform: &Platform, held: &Move, next: Move) -> Result<Step> {
    let to_json = |value: Json| value.to_string();
    let statement = platform_sql!(
        "UPDATE moves
         SET step = ?3, position = ?4, checks = ?5, frozen_at = ?6, flipped_at = ?7, finished_at = ?8, held_until = 0,
           version = version + 1
         WHERE id = ?1 AND version = ?2
         RETURNING id",
        held.id,
        held.version,
        sql::word(&next.step),
        to_json(serde_json::to_value(&next.position).unwrap_or_default()),
        next.checks.as_ref().map(|checks| to_json(serde_json::to_value(checks).unwrap_or_default())),
        next.frozen_at,
        next.flipped_at,
        next.finished_at
    );
    let saved = platform.directory(vec![statement]).await?;
    if saved.iter().all(Vec::is_empty) {
        return Err(Error::Unavailable("somebody else took the move over".into()));
    }
    Ok(next.step)
}

/// Releases a move whose step failed. Only failed freezes are counted.
pub(super) async fn release(platform: &Platform, held: &Move, error: &Error) -> Result<()> {
    let counted = u32::from(held.step == Step::Freezing);
    platform
        .directory(vec![platform_sql!(
            "UPDATE moves
             SET held_until = 0, attempts = attempts + ?3, last_error = ?4, version = version + 1
             WHERE id = ?1 AND version = ?2",
            held.id,
            held.version,
            counted,
            error.for_the_record()
        )])
        .await
        .map(|_| ())
}

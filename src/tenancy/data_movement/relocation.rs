//! Moving an organization to another database while it is in use.
//!
//! Words: *copying* reads all rows page by page during normal use and stores them as waiting rows in the other database. *Freezing* refuses
//! writes for a moment, reads all rows once more, inserts the waiting rows into the tables in one batch, and compares both sides. *Sealed*:
//! the old database refuses writes for good. *Flipped*: the directory names the new database. The old rows are deleted later, when no
//! request reads them.
//!
//! Invariants:
//! - Reads are answered at every step: from the old rows until the last request that found them has ended, then from the new rows.
//! - A write is in the last copy of the rows, or it was refused: every batch that writes checks the fence.
//! - A freeze lapses by itself soon; sealing succeeds only before that. So a worker that is killed while freezing delays no request for
//!   long.
//! - The step is in the directory; an interrupted step is repeated from its beginning.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures::future::try_join_all;
use serde_json::Value as Json;
use sha2::{Digest, Sha256};

use super::move_store::{self, Check, Move, Position, Step};
use crate::kernel::error::{Error, Result};
use crate::kernel::ids::OrganizationId;
use crate::kernel::platform::Platform;
use crate::kernel::sql::Sql;
use crate::kernel::tables::Table;
use crate::kernel::time::{Timestamp, seconds};
use crate::kernel::{sql, tables};
use crate::platform_sql;

/// Steps of one message; the next message continues.
const STEPS_MAX: usize = 200;
/// A freeze must be sealed within this: half of the time after which it lapses, so that no two clocks disagree about it.
const SEALED_WITHIN: Duration = seconds(3);
/// Requests that found the organization in its old database have ended after this.
const DRAINED_AFTER: Duration = seconds(60);
/// Attempts to freeze before the move has failed.
const ATTEMPTS_MAX: u32 = 5;

/// Runs the next steps of an organization's move. False when steps are left that can run at once.
pub async fn continue_move(platform: &Platform, organization: OrganizationId) -> Result<bool> {
    for _ in 0..STEPS_MAX {
        match run_step(platform, organization).await? {
            Some(Step::Copying | Step::Freezing | Step::Sealed) => {}
            // The last step of a flipped move waits until the old rows can be deleted.
            Some(Step::Flipped | Step::Done | Step::Failed) | None => return Ok(true),
        }
    }
    Ok(false)
}

/// Runs the next step and returns the one after it; None without an unfinished move, or when another worker holds it.
pub async fn run_step(platform: &Platform, organization: OrganizationId) -> Result<Option<Step>> {
    let Some(held) = move_store::hold(platform, organization).await? else { return Ok(None) };
    let mover = Mover::new(platform, held)?;
    match mover.step().await {
        Ok(next) => move_store::save(platform, &mover.held, next).await.map(Some),
        Err(error) => {
            move_store::release(platform, &mover.held, &error).await?;
            Err(error)
        }
    }
}

/// One step of one move.
struct Mover<'p> {
    platform: &'p Platform,
    source: &'p Arc<dyn Sql>,
    target: &'p Arc<dyn Sql>,
    held: Move,
}

impl<'p> Mover<'p> {
    fn new(platform: &'p Platform, held: Move) -> Result<Self> {
        let shard =
            |index: usize| platform.app().shards.get(index).ok_or_else(|| Error::internal("a move names a shard that is not bound"));
        Ok(Self { platform, source: shard(held.source)?, target: shard(held.target)?, held })
    }

    fn now(&self) -> Timestamp {
        self.platform.app().moment().now
    }

    async fn step(&self) -> Result<Move> {
        match self.held.step {
            Step::Copying => self.copy_a_page().await,
            Step::Freezing => self.freeze().await,
            Step::Sealed => self.flip().await,
            Step::Flipped => self.clear().await,
            Step::Done | Step::Failed => Ok(self.held.clone()),
        }
    }

    /// The next page of the first pass.
    async fn copy_a_page(&self) -> Result<Move> {
        let tables = tables::all(self.source.as_ref()).await?;
        let Position { table: name, after } = &self.held.position;
        let index = name.as_ref().map_or(Some(0), |name| tables.iter().position(|table| table.name == *name));
        let index = index.ok_or_else(|| Error::internal("a table disappeared while it was copied"))?;
        let Some(table) = tables.get(index) else { return Ok(Move { step: Step::Freezing, ..self.held.clone() }) };
        let rows = table.page(self.source.as_ref(), self.held.organization_id, after.as_deref()).await?;
        self.hand_over(table, &rows, 1).await?;
        let position = match rows.last() {
            Some(last) if !table.is_last(rows.len()) && !table.key.is_empty() => {
                Position { table: Some(table.name.clone()), after: Some(table.key_of(last)) }
            }
            _ => match tables.get(index.saturating_add(1)) {
                Some(following) => Position { table: Some(following.name.clone()), after: None },
                None => return Ok(Move { step: Step::Freezing, position: Position::default(), ..self.held.clone() }),
            },
        };
        Ok(Move { position, ..self.held.clone() })
    }

    async fn hand_over(&self, table: &Table, rows: &[sql::Row], pass: u32) -> Result<()> {
        for statement in table.hand_over(self.held.organization_id, rows, pass)? {
            self.target.batch(vec![statement]).await?;
        }
        Ok(())
    }

    /// Refuses writes until the changed rows are copied and the freeze is sealed or has failed.
    async fn freeze(&self) -> Result<Move> {
        if self.is_sealed().await? {
            return Ok(Move { step: Step::Sealed, ..self.held.clone() });
        }
        let since = self.now();
        self.source
            .batch(vec![platform_sql!(
                "INSERT INTO fences (organization_id, state, since)
                 VALUES (?1, 'frozen', ?2)
                 ON CONFLICT (organization_id) DO UPDATE
                 SET since = excluded.since
                 WHERE state = 'frozen'",
                self.held.organization_id,
                since
            )])
            .await?;
        match self.copy_and_compare(since).await {
            Ok(checks) => Ok(Move { step: Step::Sealed, checks: Some(checks), frozen_at: Some(since), ..self.held.clone() }),
            Err(error) => {
                self.source
                    .batch(vec![platform_sql!(
                        "DELETE FROM fences WHERE organization_id = ?1 AND state = 'frozen'",
                        self.held.organization_id
                    )])
                    .await?;
                if self.held.attempts.saturating_add(1) < ATTEMPTS_MAX {
                    return Err(error);
                }
                tables::erase_all(self.target.as_ref(), self.held.organization_id).await?;
                self.mark_as_gone(self.target).await?;
                Ok(Move { step: Step::Failed, finished_at: Some(self.now()), ..self.held.clone() })
            }
        }
    }

    /// Whether an interrupted step has already sealed the organization.
    async fn is_sealed(&self) -> Result<bool> {
        let outcomes = self
            .source
            .batch(vec![platform_sql!(
                "SELECT organization_id FROM fences WHERE organization_id = ?1 AND state = 'left'",
                self.held.organization_id
            )])
            .await?;
        Ok(outcomes.iter().any(|outcome| !outcome.rows.is_empty()))
    }

    async fn copy_and_compare(&self, since: Timestamp) -> Result<BTreeMap<String, Check>> {
        let organization = self.held.organization_id;
        let pass = self.held.attempts.saturating_add(2);
        let tables = tables::all(self.source.as_ref()).await?;
        let checks = try_join_all(tables.iter().map(|table| self.read(self.source, table, Some(pass)))).await?;
        self.target
            .batch(vec![platform_sql!("DELETE FROM arriving_rows WHERE organization_id = ?1 AND pass < ?2", organization, pass)])
            .await?;
        tables::insert_all_arrived(self.target.as_ref(), &tables, organization, since).await?;
        let found = try_join_all(tables.iter().map(|table| self.read(self.target, table, None))).await?;
        if let Some(((table, check), found)) = tables.iter().zip(&checks).zip(&found).find(|((_, check), found)| check != found) {
            return Err(Error::Unavailable(format!("{} arrived as {found:?} instead of {check:?}", table.name)));
        }
        let sealed = self
            .source
            .batch(vec![platform_sql!(
                "UPDATE fences
                 SET state = 'left'
                 WHERE organization_id = ?1 AND state = 'frozen' AND since = ?2 AND since > ?3
                 RETURNING organization_id",
                organization,
                since,
                self.now().minus(SEALED_WITHIN)
            )])
            .await?;
        if sealed.iter().all(|outcome| outcome.rows.is_empty()) {
            return Err(Error::Unavailable("the freeze took too long and was lifted; it is retried".into()));
        }
        Ok(tables.iter().map(|table| table.name.clone()).zip(checks).collect())
    }

    /// Reads a whole table, and hands its rows over in the last pass.
    async fn read(&self, database: &Arc<dyn Sql>, table: &Table, pass: Option<u32>) -> Result<Check> {
        let (mut rows, mut hash, mut after) = (0_u64, Sha256::new(), None);
        loop {
            let page = table.page(database.as_ref(), self.held.organization_id, after.as_deref()).await?;
            if let Some(pass) = pass {
                self.hand_over(table, &page, pass).await?;
            }
            for row in &page {
                hash.update(Json::Object(row.clone()).to_string().as_bytes());
            }
            rows = rows.saturating_add(u64::try_from(page.len()).unwrap_or(u64::MAX));
            after = page.last().map(|last| table.key_of(last));
            if table.is_last(page.len()) || table.key.is_empty() {
                return Ok(Check { rows, sha256: hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect() });
            }
        }
    }

    /// Makes the directory name the new database.
    async fn flip(&self) -> Result<Move> {
        let organization = self.held.organization_id;
        self.target.batch(vec![platform_sql!("DELETE FROM fences WHERE organization_id = ?1", organization)]).await?;
        self.platform
            .directory(vec![platform_sql!(
                "UPDATE organizations SET shard = ?2 WHERE id = ?1",
                organization,
                u32::try_from(self.held.target).unwrap_or(u32::MAX)
            )])
            .await?;
        Ok(Move { step: Step::Flipped, flipped_at: Some(self.now()), ..self.held.clone() })
    }

    /// Deletes the old rows when no request reads them any more.
    async fn clear(&self) -> Result<Move> {
        let organization = self.held.organization_id;
        if self.held.flipped_at.is_none_or(|flipped_at| self.now() < flipped_at.plus(DRAINED_AFTER)) {
            return Ok(self.held.clone());
        }
        tables::erase_all(self.source.as_ref(), organization).await?;
        self.mark_as_gone(self.source).await?;
        self.target.batch(vec![platform_sql!("DELETE FROM arriving_rows WHERE organization_id = ?1", organization)]).await?;
        Ok(Move { step: Step::Done, finished_at: Some(self.now()), ..self.held.clone() })
    }

    async fn mark_as_gone(&self, database: &Arc<dyn Sql>) -> Result<()> {
        database
            .batch(vec![platform_sql!("UPDATE fences SET state = 'gone' WHERE organization_id = ?1", self.held.organization_id)])
            .await?;
        Ok(())
    }
}

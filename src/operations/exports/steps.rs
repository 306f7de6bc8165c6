//! Writing an export, step by step. Each step reads some pages, writes some chunks and stores where the next step continues: one commit.

use sha2::digest::common::hazmat::SerializableState;
use sha2::{Digest, Sha256};

use super::export::{Export, Position, Status};
use super::rules::{KEPT, LEFT_OUT, RETRIES, USAGE_EVENTS};
use super::{rules, store};
use crate::kernel::decision::Decision;
use crate::kernel::error::{Error, Result};
use crate::kernel::platform::Platform;
use crate::kernel::ports::{Message, Work};
use crate::kernel::tables;
use crate::kernel::tables::Table;
use crate::kernel::tenant::{Actor, Tenant};
use crate::kernel::time::Timestamp;
use crate::meter::client;
use crate::meter::contract::Call;

/// Steps of one message; the next message continues.
const STEPS_MAX: usize = 20;
/// About how much text a step writes, and how many pages it reads at most.
const STEP_BYTES: usize = 256 * 1024;
const PAGES_MAX: usize = 20;
/// A chunk is a row; rows are moved and read whole.
const CHUNK_BYTES_MAX: usize = 256 * 1024;
/// Exports of one sweep.
const SWEEP_MAX: u32 = 100;

/// Runs the next steps of the organization's export. False when steps are left that can run at once.
pub async fn continue_export(tenant: &Tenant) -> Result<bool> {
    let now = tenant.app().moment().now;
    for _ in 0..STEPS_MAX {
        let pauses = |export: &Export| export.next_attempt_at.is_some_and(|next| now < next);
        let Some(export) = store::unfinished(tenant).await?.filter(|export| !pauses(export)) else { return Ok(true) };
        match step(tenant, export.clone()).await {
            // Stale: a concurrent message ran this step.
            Ok(()) | Err(Error::Stale) => {}
            Err(error) => {
                let failure = RETRIES.failed_again(export.attempts, now, &export.id.to_string());
                tenant.run(vec![store::failed(&export, failure, &error.for_the_record(), now)]).await?;
                // The sweep continues the export after its pause.
                return Ok(true);
            }
        }
    }
    Ok(false)
}

/// Messages for the exports that were interrupted.
pub async fn unfinished(platform: &Platform) -> Result<Vec<Message>> {
    let known = store::all_unfinished(platform, SWEEP_MAX).await?;
    Ok(known.into_iter().map(|export| Message::Work { organization: export.organization_id, work: Work::Export }).collect())
}

/// Deletes the text of exports that have expired.
pub async fn delete_expired(platform: &Platform) -> Result<usize> {
    let expired = store::all_expired(platform, platform.app().moment().now, SWEEP_MAX).await?;
    let count = expired.len();
    for export in expired {
        if let Some(tenant) = platform.tenant(export.organization_id, Actor::System("delete_expired_exports"), None).await? {
            tenant.run(store::delete_text(export.id).into()).await?;
        }
    }
    Ok(count)
}

async fn step(tenant: &Tenant, export: Export) -> Result<()> {
    let before = export.clone();
    let mut page = Page { hash: hasher(&export.digest)?, export, text: String::new() };
    if before.status == Status::Queued {
        page.export.status = Status::Running;
        page.export.rows_expected = expected(tenant).await?;
    }
    for _ in 0..PAGES_MAX {
        page.read(tenant).await?;
        if page.text.len() >= STEP_BYTES || page.export.is_finished() {
            break;
        }
    }
    let (export, chunks) = page.cut();
    let decision = Decision::new().guard(store::unchanged(&before)).write(store::update(&export));
    let chunks = (before.chunks..).zip(&chunks);
    let decision = chunks.fold(decision, |decision, (number, text)| decision.write(store::insert_chunk(export.id, number, text)));
    tenant.commit(decision, None).await
}

async fn exported(tenant: &Tenant) -> Result<Vec<Table>> {
    let tables = tables::all(tenant.database()?.as_ref()).await?;
    Ok(tables.into_iter().filter(|table| !LEFT_OUT.contains(&table.name.as_str())).collect())
}

/// The number of rows to write. The Meter's events are not counted, because counting reads all of them.
async fn expected(tenant: &Tenant) -> Result<u64> {
    let mut rows = 0_u64;
    for table in exported(tenant).await? {
        rows = rows.saturating_add(table.count(tenant.database()?.as_ref(), tenant.organization()).await?);
    }
    Ok(rows)
}

/// The text of one step.
struct Page {
    export: Export,
    hash: Sha256,
    text: String,
}

impl Page {
    async fn read(&mut self, tenant: &Tenant) -> Result<()> {
        self.export.position = match self.export.position.clone() {
            Position::Tables { table, after } => self.read_table(tenant, table, after).await?,
            Position::Usage { after } => self.read_usage(tenant, after).await?,
            Position::Summary => {
                self.finish(tenant);
                Position::Summary
            }
        };
        Ok(())
    }

    async fn read_table(&mut self, tenant: &Tenant, name: Option<String>, after: Option<Vec<serde_json::Value>>) -> Result<Position> {
        let tables = exported(tenant).await?;
        let index = name.as_ref().map_or(Some(0), |name| tables.iter().position(|table| table.name == *name));
        let index = index.ok_or_else(|| Error::internal("a table is gone while it is exported"))?;
        let Some(table) = tables.get(index) else { return Ok(Position::Usage { after: 0 }) };
        let rows = table.page(tenant.database()?.as_ref(), tenant.organization(), after.as_deref()).await?;
        let last = rows.last().filter(|_| !table.is_last(rows.len()) && !table.key.is_empty()).map(|last| table.key_of(last));
        self.count(&table.name, rows.len());
        for row in rows {
            self.write(&rules::line(&table.name, row));
        }
        Ok(match (last, tables.get(index.saturating_add(1))) {
            (Some(last), _) => Position::Tables { table: Some(table.name.clone()), after: Some(last) },
            (None, Some(following)) => Position::Tables { table: Some(following.name.clone()), after: None },
            (None, None) => Position::Usage { after: 0 },
        })
    }

    async fn read_usage(&mut self, tenant: &Tenant, after: u64) -> Result<Position> {
        let (from, to) = (Timestamp::from_millis(0), Timestamp::from_millis(i64::MAX));
        let page = client::export(tenant, Call::ExportEvents { from, to, after }).await?;
        self.count(USAGE_EVENTS, page.lines.lines().count());
        for event in page.lines.lines() {
            self.write(&rules::usage_line(event));
        }
        Ok(page.next.map_or(Position::Summary, |after| Position::Usage { after }))
    }

    /// The digest covers everything before the summary.
    fn finish(&mut self, tenant: &Tenant) {
        let now = tenant.app().moment().now;
        let sha256: String = self.hash.clone().finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        let line = rules::summary(&self.export, &tenant.organization().to_string(), &sha256, now);
        self.write(&line);
        self.export.status = Status::Done;
        self.export.digest = sha256;
        self.export.finished_at = Some(now);
        self.export.expires_at = Some(now.plus(KEPT));
    }

    fn count(&mut self, table: &str, rows: usize) {
        let rows = u64::try_from(rows).unwrap_or(u64::MAX);
        let counted = self.export.counts.entry(table.to_owned()).or_default();
        *counted = counted.saturating_add(rows);
        self.export.rows_written = self.export.rows_written.saturating_add(rows);
    }

    fn write(&mut self, line: &str) {
        self.hash.update(line.as_bytes());
        self.export.bytes = self.export.bytes.saturating_add(u64::try_from(line.len()).unwrap_or(u64::MAX));
        self.text.push_str(line);
    }

    /// The text in chunks, and the export after this step.
    fn cut(self) -> (Export, Vec<String>) {
        let Self { mut export, hash, text } = self;
        if !export.is_finished() {
            export.digest = hash.serialize().iter().map(|byte| format!("{byte:02x}")).collect();
        }
        let mut chunks = Vec::new();
        let mut rest = text.as_str();
        while !rest.is_empty() {
            let mut end = rest.len().min(CHUNK_BYTES_MAX);
            while !rest.is_char_boundary(end) {
                end = end.saturating_sub(1);
            }
            let (chunk, later) = rest.split_at(end);
            chunks.push(chunk.to_owned());
            rest = later;
        }
        export.chunks = export.chunks.saturating_add(u32::try_from(chunks.len()).unwrap_or(u32::MAX));
        (export, chunks)
    }
}

/// Restores the SHA-256 state of the step before.
fn hasher(state: &str) -> Result<Sha256> {
    if state.is_empty() {
        return Ok(Sha256::new());
    }
    let broken = || Error::internal("the digest of an export can't be read");
    let pairs = state.as_bytes().chunks(2).map(|pair| std::str::from_utf8(pair).ok().and_then(|pair| u8::from_str_radix(pair, 16).ok()));
    let bytes: Vec<u8> = pairs.collect::<Option<_>>().ok_or_else(broken)?;
    let state = bytes.as_slice().try_into().map_err(|_| broken())?;
    Sha256::deserialize(state).map_err(|_| broken())
}

//! Erasing an organization, step by step, wherever something of it is kept.
//!
//! The directory's record says which step comes next, so what was cut off anywhere goes on there. Each step may be repeated.
//! In order: the record (from then on the organization is unknown to every request), the fence in its database (from then on what is
//! still under way can't write), its Meter, what there is to count, its rows, its traces in the directory, and the record's hash.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

use super::move_store;
use crate::identity::members::directory;
use crate::kernel::error::{Error, OrInternal, Result};
use crate::kernel::idempotency::fingerprint;
use crate::kernel::ids::{ErasureId, OrganizationId};
use crate::kernel::platform::Platform;
use crate::kernel::ports::{Message, Work};
use crate::kernel::sql::{Row, Sql, Statement, Value};
use crate::kernel::tenant::Tenant;
use crate::kernel::time::Timestamp;
use crate::kernel::{sql, tables};
use crate::meter::client;
use crate::platform_sql;
use crate::tenancy::organizations::store;

/// Erasures that one sweep takes up.
const SWEEP_MAX: u32 = 50;

/// What comes next of an erasure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Step {
    /// Fence it in.
    Requested,
    /// Empty its Meter, and count its rows.
    Fenced,
    /// Delete them.
    Counted,
    /// Nothing.
    Erased,
}

/// A row of `erasures`.
#[derive(Clone, Debug, Deserialize)]
pub struct Erasure {
    pub id: ErasureId,
    pub organization_id: OrganizationId,
    shard: usize,
    pub step: Step,
    #[serde(deserialize_with = "sql::millis::deserialize")]
    pub cancelled_at: Timestamp,
    #[serde(deserialize_with = "sql::millis::deserialize")]
    pub requested_at: Timestamp,
    #[serde(deserialize_with = "sql::optional_millis::deserialize")]
    pub finished_at: Option<Timestamp>,
    #[serde(deserialize_with = "sql::optional_json::deserialize")]
    pub counts: Option<Counts>,
    #[serde(deserialize_with = "sql::optional_json::deserialize")]
    pub invoices: Option<Vec<Json>>,
    pub hash: Option<String>,
}

/// How many rows were erased, by store and table.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = ErasedRows)]
pub struct Counts {
    /// The number of rows erased from each table of the organization's database.
    #[schema(example = json!({"invoices": 12}))]
    pub tenants: BTreeMap<String, u64>,
    /// The number of rows erased from each table of the directory.
    #[schema(example = json!({"memberships": 3}))]
    pub directory: BTreeMap<String, u64>,
    /// The number of rows erased from each table of the organization's Meter.
    #[schema(example = json!({"commits": 1200}))]
    pub meter: BTreeMap<String, u64>,
}

/// The first step: records the erasure of an organization that is cancelled and whose grace period is over.
pub async fn request(tenant: &Tenant) -> Result<()> {
    let now = tenant.moment().now;
    let Some(cancellation) = store::cancellation(tenant).await?.filter(|cancellation| cancellation.erases_at <= now) else { return Ok(()) };
    let placement = tenant.placement();
    let record = platform_sql!(
        "INSERT INTO erasures (id, organization_id, shard, step, cancelled_at, requested_at)
         SELECT ?1, id, shard, 'requested', ?3, ?4
         FROM organizations
         WHERE id = ?2
         ON CONFLICT DO NOTHING",
        ErasureId::new(tenant.app().moment()),
        placement.organization,
        cancellation.cancelled_at,
        now
    );
    tenant.app().directory.batch(vec![record]).await?;
    Ok(())
}

/// Goes on with the erasure of one organization to its end, if there is one.
pub async fn go_on(platform: &Platform, organization: OrganizationId) -> Result<()> {
    while let Some(erasure) = find(platform, organization).await?.filter(|erasure| erasure.step != Step::Erased) {
        step(platform, &erasure).await?;
    }
    Ok(())
}

/// Nudges erasures that were cut off.
pub async fn unfinished(platform: &Platform) -> Result<Vec<Message>> {
    #[derive(Deserialize)]
    struct Unfinished {
        organization_id: OrganizationId,
    }
    let text = platform_sql!("SELECT organization_id FROM erasures WHERE step <> 'erased' ORDER BY requested_at LIMIT ?1", SWEEP_MAX);
    let rows: Vec<Unfinished> = platform.directory_rows(text).await?;
    Ok(rows.into_iter().map(|row| Message::Work { organization: row.organization_id, work: Work::Erasure }).collect())
}

pub async fn find(platform: &Platform, organization: OrganizationId) -> Result<Option<Erasure>> {
    let text = platform_sql!("SELECT * FROM erasures WHERE organization_id = ?1", organization);
    Ok(platform.directory_rows(text).await?.into_iter().next())
}

/// A page of erasures, newest first.
pub async fn list(platform: &Platform, before: &str, fetch: u32) -> Result<Vec<Erasure>> {
    platform.directory_rows(platform_sql!("SELECT * FROM erasures WHERE id < ?1 ORDER BY id DESC LIMIT ?2", before, fetch)).await
}

/// One step. What it did is on record after it, so a step that is repeated was cut off before that.
async fn step(platform: &Platform, erasure: &Erasure) -> Result<()> {
    let database = platform.app().shards.get(erasure.shard).ok_or_else(unbound)?;
    let organization = erasure.organization_id;
    match erasure.step {
        Step::Requested => fence(platform, erasure).await,
        Step::Fenced => {
            let meter = client::erase(platform.app(), organization).await?.rows;
            let counts = count(platform, database.as_ref(), organization, meter).await?;
            let invoices = invoices(database.as_ref(), organization).await?;
            let note = platform_sql!(
                "UPDATE erasures
                 SET step = 'counted', counts = ?2, invoices = ?3
                 WHERE organization_id = ?1 AND step = 'fenced'",
                organization,
                to_json(&counts)?,
                to_json(&invoices)?
            );
            platform.directory(vec![note]).await.map(|_| ())
        }
        Step::Counted => {
            tables::erase_all(database.as_ref(), organization).await?;
            database.batch(vec![platform_sql!("UPDATE fences SET state = 'gone' WHERE organization_id = ?1", organization)]).await?;
            finish(platform, erasure).await
        }
        Step::Erased => Ok(()),
    }
}

/// From here on nothing of the organization can be written, and the cancellation can't be withdrawn; unless it was just now, or the
/// organization is being moved: then it is not erased (yet).
async fn fence(platform: &Platform, erasure: &Erasure) -> Result<()> {
    let organization = erasure.organization_id;
    if move_store::unfinished_of(platform, organization).await?.is_some() {
        return Err(Error::Unavailable("an organization is erased when its move is over".into()));
    }
    let now = platform.app().moment().now;
    let shard = shard_of(platform, organization).await?;
    let database = platform.app().shards.get(shard).ok_or_else(unbound)?;
    let batch = vec![
        platform_sql!(
            "INSERT INTO fences (organization_id, state, since)
             SELECT organization_id, 'left', ?2
             FROM cancellations
             WHERE organization_id = ?1
               AND cancelled_at = ?3
               AND NOT EXISTS (SELECT 1 FROM fences WHERE organization_id = ?1 AND state <> 'left')
             ON CONFLICT (organization_id) DO NOTHING",
            organization,
            now,
            erasure.cancelled_at
        ),
        platform_sql!("SELECT organization_id FROM fences WHERE organization_id = ?1 AND state = 'left'", organization),
    ];
    let is_fenced = database.batch(batch).await?.pop().is_some_and(|outcome| !outcome.rows.is_empty());
    let note = if is_fenced {
        platform_sql!(
            "UPDATE erasures SET step = 'fenced', shard = ?2 WHERE organization_id = ?1 AND step = 'requested'",
            organization,
            u32::try_from(shard).unwrap_or(u32::MAX)
        )
    } else {
        platform_sql!("DELETE FROM erasures WHERE organization_id = ?1 AND step = 'requested'", organization)
    };
    platform.directory(vec![note]).await.map(|_| ())
}

fn unbound() -> Error {
    Error::internal("an organization to erase is on no shard")
}

/// Where it lives now: it may have been moved since its erasure was asked for.
async fn shard_of(platform: &Platform, organization: OrganizationId) -> Result<usize> {
    #[derive(Deserialize)]
    struct Home {
        shard: usize,
    }
    let homes: Vec<Home> = platform.directory_rows(platform_sql!("SELECT shard FROM organizations WHERE id = ?1", organization)).await?;
    homes.into_iter().next().map(|home| home.shard).ok_or_else(unbound)
}

async fn count(platform: &Platform, database: &dyn Sql, organization: OrganizationId, meter: BTreeMap<String, u64>) -> Result<Counts> {
    let mut counts = Counts { meter, ..Counts::default() };
    for table in tables::all(database).await? {
        counts.tenants.insert(table.name.clone(), table.count(database, organization).await?);
    }
    for trace in traces(platform, organization).await? {
        let row = platform.directory(vec![trace.select()]).await?.into_iter().flatten().next();
        let rows = row.and_then(|row| row.get("count").and_then(Json::as_u64)).unwrap_or(0);
        counts.directory.insert(trace.table, rows);
    }
    Ok(counts)
}

/// What the law wants kept of each invoice. Numbers stay without gaps, and an auditor finds each; whom it was for, the vendor keeps.
async fn invoices(database: &dyn Sql, organization: OrganizationId) -> Result<Vec<Row>> {
    Ok(database
        .batch(vec![platform_sql!(
            "SELECT number, status, currency, total_minor AS totalMinor,
               strftime('%Y-%m-%dT%H:%M:%SZ', period_starts_at / 1000, 'unixepoch') AS periodStartsAt,
               strftime('%Y-%m-%dT%H:%M:%SZ', period_ends_at / 1000, 'unixepoch') AS periodEndsAt,
               strftime('%Y-%m-%dT%H:%M:%SZ', issued_at / 1000, 'unixepoch') AS issuedAt,
               strftime('%Y-%m-%dT%H:%M:%SZ', paid_at / 1000, 'unixepoch') AS paidAt
             FROM invoices
             WHERE organization_id = ?1 AND number IS NOT NULL
             ORDER BY number",
            organization
        )])
        .await?
        .into_iter()
        .flat_map(|outcome| outcome.rows)
        .collect())
}

/// What removes an organization from one table of the directory, and what finds it there.
struct Trace {
    table: String,
    condition: &'static str,
    /// What keeps a row that was found from being deleted, when its turn comes.
    unless: &'static str,
    params: Vec<Value>,
}

impl Trace {
    fn select(&self) -> Statement {
        tables::statement(format!("SELECT count(*) AS count FROM {} WHERE {}", self.table, self.condition), self.params.clone())
    }

    fn delete(&self) -> Statement {
        tables::statement(format!("DELETE FROM {} WHERE {}{}", self.table, self.condition, self.unless), self.params.clone())
    }
}

/// Wherever the directory has something of an organization or of those who belong to no other; what others refer to comes last. Where only a
/// text was kept, what was answered to the vendor for example, it is found by the id within.
async fn traces(platform: &Platform, organization: OrganizationId) -> Result<Vec<Trace>> {
    let people = Value::from(Json::from(directory::people_only_of(platform, organization).await?).to_string());
    let mut traces = Vec::new();
    let mut find = |table: &str, condition, unless, by: &Value| {
        traces.push(Trace { table: table.to_owned(), condition, unless, params: vec![by.clone()] });
    };
    let by = Value::from(organization);
    for table in ["idempotency_keys", "dead_letters"] {
        find(table, "instr(body, ?1) > 0", "", &by);
    }
    let directory = platform.app().directory.as_ref();
    let of_organizations = tables::with_column(directory, "organization_id").await?;
    let of_organizations: Vec<String> =
        of_organizations.into_iter().map(|table| table.name).filter(|name| name != "erasures").rev().collect();
    for table in tables::with_column(directory, "person_id").await?.iter().rev().filter(|table| !of_organizations.contains(&table.name)) {
        find(&table.name, "person_id IN (SELECT value FROM json_each(?1))", "", &people);
    }
    for table in &of_organizations {
        find(table, "organization_id = ?1", "", &by);
    }
    find("people", "id IN (SELECT value FROM json_each(?1))", " AND id NOT IN (SELECT person_id FROM memberships)", &people);
    find("organizations", "id = ?1", "", &by);
    Ok(traces)
}

/// Deletes its rows in the directory and completes the record, in one batch. The hash covers the hash of the record before, so that no
/// record can be removed unnoticed.
async fn finish(platform: &Platform, erasure: &Erasure) -> Result<()> {
    let organization = erasure.organization_id;
    let now = platform.app().moment().now.max(erasure.requested_at);
    let before = platform_sql!("SELECT hash FROM erasures WHERE hash IS NOT NULL ORDER BY finished_at DESC, id DESC LIMIT 1");
    let before = platform.directory(vec![before]).await?.into_iter().flatten().next();
    let before = before.and_then(|mut row| row.remove("hash")).and_then(|hash| hash.as_str().map(str::to_owned));
    let hash = hash(erasure, now, before.as_deref().unwrap_or_default())?;
    let mut batch: Vec<Statement> = traces(platform, organization).await?.iter().map(Trace::delete).collect();
    batch.push(platform_sql!(
        "UPDATE erasures
         SET step = 'erased', finished_at = ?2, hash = ?3
         WHERE organization_id = ?1 AND step = 'counted'",
        organization,
        now,
        hash
    ));
    platform.directory(batch).await.map(|_| ())
}

/// The hash of a finished record and of the one before it.
fn hash(erasure: &Erasure, finished_at: Timestamp, before: &str) -> Result<String> {
    let record = json!({
        "id": erasure.id, "organization": erasure.organization_id, "cancelledAt": erasure.cancelled_at, "requestedAt": erasure.requested_at,
        "finishedAt": finished_at, "counts": erasure.counts, "invoices": erasure.invoices,
    });
    Ok(fingerprint(&[before.as_bytes(), to_json(&record)?.as_bytes()]))
}

fn to_json(value: &impl Serialize) -> Result<String> {
    serde_json::to_string(value).or_internal()
}

//! The erasure of an organization, step by step, in all stores.
//!
//! The directory's record names the next step, so an interrupted erasure continues there. Each step may be repeated.
//! In order: the record (from then on no request finds the organization), the fence in its database (from then on running requests can't
//! write), its Meter, the counts of its rows, its rows, its rows in the directory, and the record's hash.

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

/// Erasures of one sweep.
const SWEEP_MAX: u32 = 50;

/// The next step of an erasure, named by the last one that is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Step {
    /// Fence the organization.
    Requested,
    /// Empty its Meter and count its rows.
    Fenced,
    /// Delete its rows.
    Counted,
    /// None.
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

/// The number of erased rows, by store and table.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = ErasedRows)]
pub struct Counts {
    /// The number of erased rows of each table of the tenant database.
    #[schema(example = json!({"invoices": 12, "members": 3}))]
    pub tenants: BTreeMap<String, u64>,
    /// The number of erased rows of each table of the directory.
    #[schema(example = json!({"memberships": 3, "organizations": 1}))]
    pub directory: BTreeMap<String, u64>,
    /// The number of erased rows of each table of the Meter.
    #[schema(example = json!({"events": 4200}))]
    pub meter: BTreeMap<String, u64>,
}

/// The first step, run by the organization's workflow: records the erasure of a cancelled organization whose grace period is over.
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

/// Runs the remaining steps of an organization's erasure, if there is one.
pub async fn continue_erasure(platform: &Platform, organization: OrganizationId) -> Result<()> {
    while let Some(erasure) = find(platform, organization).await?.filter(|erasure| erasure.step != Step::Erased) {
        step(platform, &erasure).await?;
    }
    Ok(())
}

/// Messages for the interrupted erasures.
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

/// Runs one step and records it afterwards, so a repeated step was interrupted before its record.
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

/// From here on nothing of the organization can be written, and the cancellation can't be withdrawn. A cancellation that was withdrawn just
/// before ends the erasure; a move delays it.
async fn fence(platform: &Platform, erasure: &Erasure) -> Result<()> {
    let organization = erasure.organization_id;
    if move_store::unfinished_of(platform, organization).await?.is_some() {
        return Err(Error::Unavailable("an organization is erased after its move has ended".into()));
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
    Error::internal("the shard of an organization to erase is not bound")
}

/// The organization's present shard: it may have been moved since the erasure was requested.
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

/// The legally required record of each invoice, so that an auditor finds all numbers without a gap. The vendor keeps the recipients.
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

/// The statements that find and delete an organization's rows in one table of the directory.
struct Trace {
    table: String,
    condition: &'static str,
    /// The condition under which a found row is kept.
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

/// All rows of the directory about an organization or about people who belong to no other one, referenced tables last. Rows that hold only
/// a text, such as answers to the vendor, are found by the id in the text.
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

/// Deletes the directory's rows and completes the record, in one batch. The hash covers the hash of the record before, so that a removed
/// record is noticed.
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

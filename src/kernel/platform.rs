//! The platform handle: the directory, and the only reads across tenants (sweeps, billing runs, test clocks, the operator).
//! Small on purpose. A change to a tenant's rows never goes through here, it goes through that tenant's [`Tenant`].

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::audit::{Audit, Entries, Head, PLATFORM};
use super::error::{Error, Result};
use super::ids::{OrganizationId, RequestId, TestClockId};
use super::placement::Placement;
use super::ports::App;
use super::sql::{Row, SqlError, Statement, Value, decode};
use super::tenant::{Actor, Tenant};
use super::time::Timestamp;
use super::{audit, sql};

/// A statement over the directory, or a read over all rows of one shard.
#[macro_export]
macro_rules! platform_sql {
    ($text:literal $(, $param:expr)* $(,)?) => {
        $crate::kernel::sql::Statement { text: $text, params: vec![$($crate::kernel::sql::Value::from($param)),*] }
    };
}

#[derive(Clone)]
pub struct Platform {
    app: App,
    actor: Actor,
}

#[derive(Deserialize)]
struct DirectoryRow {
    id: OrganizationId,
    shard: usize,
    status: String,
    test_clock_id: Option<TestClockId>,
    #[serde(deserialize_with = "sql::optional_millis::deserialize")]
    clock_now: Option<Timestamp>,
}

impl From<DirectoryRow> for Placement {
    fn from(row: DirectoryRow) -> Self {
        Self { organization: row.id, shard: row.shard, is_placed: row.status == "placed", test_clock: row.test_clock_id.zip(row.clock_now) }
    }
}

/// Rows of the directory that are everybody's to read and name no organization: what the vendor says of all of them alike.
/// tests/it/tidy/bans.rs holds the list of who asks for them.
pub async fn common_rows<T: DeserializeOwned>(app: &App, statement: Statement) -> Result<Vec<T>> {
    Platform { app: app.clone(), actor: Actor::Platform }.directory_rows(statement).await
}

/// Runs statements over the directory's rows of one organization, or of one person who acts in it. tests/it/tidy/bans.rs holds the list of who does.
pub async fn directory_of(tenant: &Tenant, statements: Vec<Statement>) -> Result<Vec<Vec<Row>>> {
    Platform { app: tenant.app().clone(), actor: tenant.actor().clone() }.directory(statements).await
}

impl Platform {
    /// Only the vendor's actor and the runners open it; tests/it/tidy/bans.rs holds the list.
    pub fn open(app: App) -> Self {
        Self { app, actor: Actor::Platform }
    }

    pub fn app(&self) -> &App {
        &self.app
    }

    pub fn actor(&self) -> &Actor {
        &self.actor
    }

    /// The same handle, acting as `actor`.
    #[must_use]
    pub fn acting_as(&self, actor: Actor) -> Self {
        Self { actor, ..self.clone() }
    }

    /// Changes the directory in one transaction, with what the platform's audit log says of it: the vendor's own writes, which are no
    /// organization's. As with a tenant's commit, another one in between lets this one append behind it.
    pub async fn commit(&self, statements: Vec<Statement>, audit: Vec<Audit>) -> Result<()> {
        let entries = Entries::new(PLATFORM.to_owned(), &self.actor, None, self.app.origin(), audit, &[], self.app.moment());
        if entries.is_empty() {
            return self.directory(statements).await.map(|_| ());
        }
        for _ in 0..audit::TRIES_MAX {
            let head = self.directory_rows::<Head>(audit::read_head!(platform_sql, PLATFORM)).await?.into_iter().next();
            let (links, _) = entries.after(head);
            let chained = links.into_iter().map(|link| audit::append!(platform_sql, link, PLATFORM));
            match self.app.directory.batch(statements.iter().cloned().chain(chained).collect()).await {
                Err(SqlError::Unique(what)) if audit::is_overtaken(&what) => {}
                other => return other.map(|_| ()).map_err(Error::from),
            }
        }
        Err(Error::Unavailable("others write to this audit log all the time".into()))
    }

    /// Runs statements on the directory in one transaction.
    pub async fn directory(&self, statements: Vec<Statement>) -> Result<Vec<Vec<Row>>> {
        if statements.is_empty() {
            return Ok(Vec::new());
        }
        Ok(self.app.directory.batch(statements).await?.into_iter().map(|outcome| outcome.rows).collect())
    }

    /// The rows of one statement on the directory.
    pub async fn directory_rows<T: DeserializeOwned>(&self, statement: Statement) -> Result<Vec<T>> {
        let rows = self.directory(vec![statement]).await?.into_iter().next().unwrap_or_default();
        rows.into_iter().map(|row| decode(row).map_err(Error::from)).collect()
    }

    /// The rows of one reading statement on every shard, but for those of an organization that has left the shard and is still there.
    pub async fn every_shard<T: DeserializeOwned>(&self, text: &'static str, params: &[Value]) -> Result<Vec<T>> {
        let reads = (0..self.app.shards.len()).map(|shard| self.one_shard(shard, text, params));
        Ok(futures::future::try_join_all(reads).await?.into_iter().flatten().collect())
    }

    /// The same on one shard.
    pub async fn one_shard<T: DeserializeOwned>(&self, shard: usize, text: &'static str, params: &[Value]) -> Result<Vec<T>> {
        let database = self.app.shards.get(shard).ok_or_else(|| Error::internal(format!("shard {shard} is not bound")))?;
        let left = Statement { text: "SELECT organization_id FROM fences WHERE state = 'left'", params: Vec::new() };
        let outcomes = database.batch(vec![Statement { text, params: params.to_vec() }, left]).await?;
        let mut outcomes = outcomes.into_iter().map(|outcome| outcome.rows);
        let (found, left) = (outcomes.next().unwrap_or_default(), outcomes.next().unwrap_or_default());
        let owner = |row: &Row| row.get("organization_id").cloned();
        let stays = |row: &Row| owner(row).is_none_or(|owner| !left.iter().any(|left| left.get("organization_id") == Some(&owner)));
        found.into_iter().filter(stays).map(|row| decode(row).map_err(Error::from)).collect()
    }

    /// Where an organization lives, or None when there is no such organization.
    pub async fn placement(&self, organization: OrganizationId) -> Result<Option<Placement>> {
        let statement = platform_sql!(
            "SELECT o.id, o.shard, o.status, o.test_clock_id, c.now AS clock_now
             FROM organizations o
             LEFT JOIN test_clocks c ON c.id = o.test_clock_id
             WHERE o.id = ?1
               AND NOT EXISTS (SELECT 1 FROM erasures e WHERE e.organization_id = o.id)",
            organization
        );
        Ok(self.directory_rows::<DirectoryRow>(statement).await?.into_iter().next().map(Placement::from))
    }

    /// Where many organizations live, in one batch; those that there are not are missing.
    pub async fn placements(&self, organizations: &[OrganizationId]) -> Result<Vec<Placement>> {
        if organizations.is_empty() {
            return Ok(Vec::new());
        }
        let ids: Vec<String> = organizations.iter().map(OrganizationId::to_string).collect();
        let statement = platform_sql!(
            "SELECT o.id, o.shard, o.status, o.test_clock_id, c.now AS clock_now
             FROM json_each(?1) wanted
             CROSS JOIN organizations o ON o.id = wanted.value
             LEFT JOIN test_clocks c ON c.id = o.test_clock_id
             WHERE NOT EXISTS (SELECT 1 FROM erasures e WHERE e.organization_id = o.id)",
            serde_json::Value::from(ids).to_string()
        );
        Ok(self.directory_rows::<DirectoryRow>(statement).await?.into_iter().map(Placement::from).collect())
    }

    /// Opens one organization, whose placement is known, for `actor`.
    pub fn tenant_at(&self, placement: Placement, actor: Actor) -> Result<Tenant> {
        Tenant::open(self.app.clone(), placement, actor, None)
    }

    /// Opens every organization on a test clock for `actor`.
    pub async fn tenants_on(&self, clock: TestClockId, actor: Actor) -> Result<Vec<Tenant>> {
        let statement = platform_sql!(
            "SELECT o.id, o.shard, o.status, o.test_clock_id, c.now AS clock_now
             FROM organizations o
             JOIN test_clocks c ON c.id = o.test_clock_id
             WHERE o.test_clock_id = ?1
               AND o.status = 'placed'
               AND NOT EXISTS (SELECT 1 FROM erasures e WHERE e.organization_id = o.id)
             ORDER BY o.id",
            clock
        );
        let rows = self.directory_rows::<DirectoryRow>(statement).await?;
        rows.into_iter().map(|row| Tenant::open(self.app.clone(), row.into(), actor.clone(), None)).collect()
    }

    /// Opens one organization for `actor`; None when there is no such organization.
    pub async fn tenant(&self, organization: OrganizationId, actor: Actor, request: Option<RequestId>) -> Result<Option<Tenant>> {
        let placement = self.placement(organization).await?;
        placement.map(|placement| Tenant::open(self.app.clone(), placement, actor, request)).transpose()
    }
}

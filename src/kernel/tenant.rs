//! The tenant handle: the only way to an organization's rows.
//!
//! Owns: the scope of every tenant statement. Does not own: authentication (`identity/authentication`), nor who gets a `Tenant` (the
//! actors in `identity/callers`).
//! Invariants: a tenant statement is scoped by `organization_id = ?1`, checked when it is compiled; the handle binds `?1` itself; a row
//! that names another organization is an error, never an answer.

use std::sync::Arc;

use serde::de::DeserializeOwned;

use super::audit;
use super::audit::{Entries, Head, KnownHead, OnBehalfOf, Origin};
use super::error::{Error, Result};
use super::ids::{Moment, OrganizationId, PersonId, RequestId, TestClockId};
use super::placement::Placement;
use super::ports::App;
use super::sql::{Outcome, Row, Sql, SqlError, Statement, Value, decode};
use super::time::{Timestamp, seconds};

pub use super::actor::Actor;

/// One organization's data, in the hands of one actor.
#[derive(Clone)]
pub struct Tenant {
    app: App,
    placement: Placement,
    actor: Actor,
    behalf: Option<OnBehalfOf>,
    request: Option<RequestId>,
    head: KnownHead,
}

/// A statement that is scoped to one organization. Made by [`tenant_sql!`] only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TenantStatement {
    text: &'static str,
    params: Vec<Value>,
}

impl TenantStatement {
    /// For [`tenant_sql!`], which has checked the text.
    #[doc(hidden)]
    pub fn checked(text: &'static str, params: Vec<Value>) -> Self {
        Self { text, params }
    }

    fn bind(self, organization: OrganizationId) -> Statement {
        let mut params = Vec::with_capacity(self.params.len().saturating_add(1));
        params.push(Value::from(organization));
        params.extend(self.params);
        Statement { text: self.text, params }
    }
}

/// A statement over the tables of one organization: the organization is `?1`, the parameters given begin at `?2`.
/// Does not compile when the text is not scoped to the organization.
#[macro_export]
macro_rules! tenant_sql {
    ($text:literal $(, $param:expr)* $(,)?) => {{
        const TEXT: &str = {
            assert!(
                $crate::kernel::tenant::is_scoped($text),
                "scope this statement by `organization_id = ?1`, or insert ?1 as organization_id"
            );
            $text
        };
        $crate::kernel::tenant::TenantStatement::checked(TEXT, vec![$($crate::kernel::sql::Value::from($param)),*])
    }};
}

/// Whether `text` reads and writes only rows of organization `?1`. Run by the compiler.
pub const fn is_scoped(text: &str) -> bool {
    let inserts = contains(text, "(organization_id,") && (contains(text, "VALUES (?1,") || contains(text, "SELECT ?1,"));
    let filters = contains(text, "organization_id = ?1");
    let joins = !contains(text, " JOIN ") || contains(text, "USING (organization_id");
    (inserts || filters) && joins
}

/// Whether `text` has `part` in it. A space of `part` stands for any white space: statements are written over several lines.
#[allow(clippy::indexing_slicing, clippy::arithmetic_side_effects, reason = "runs in the compiler only, over text that is known there")]
const fn contains(text: &str, part: &str) -> bool {
    let (text, part) = (text.as_bytes(), part.as_bytes());
    let mut start = 0;
    while start < text.len() {
        let (mut at, mut matched) = (start, 0);
        while at < text.len() && matched < part.len() {
            if part[matched] == b' ' && text[at].is_ascii_whitespace() {
                while at < text.len() && text[at].is_ascii_whitespace() {
                    at += 1;
                }
            } else if text[at] == part[matched] {
                at += 1;
            } else {
                break;
            }
            matched += 1;
        }
        if matched == part.len() {
            return true;
        }
        start += 1;
    }
    false
}

impl Tenant {
    /// Opens an organization's data. Only actors (after authentication) and the runners of committed work call this; tidy holds the list.
    pub fn open(app: App, placement: Placement, actor: Actor, request: Option<RequestId>) -> Result<Self> {
        if app.shards.get(placement.shard).is_none() {
            return Err(Error::internal(format!("{} lives on shard {}, which is not bound", placement.organization, placement.shard)));
        }
        Ok(Self { app, placement, actor, behalf: None, request, head: KnownHead::default() })
    }

    pub fn organization(&self) -> OrganizationId {
        self.placement.organization
    }

    /// Where it lives.
    pub fn placement(&self) -> &Placement {
        &self.placement
    }

    /// Whether its own database was known to have it when this handle was opened.
    pub fn is_placed(&self) -> bool {
        self.placement.is_placed
    }

    pub fn app(&self) -> &App {
        &self.app
    }

    pub fn actor(&self) -> &Actor {
        &self.actor
    }

    pub fn request(&self) -> Option<RequestId> {
        self.request
    }

    /// Where the request comes from that this handle serves; nowhere when it serves none.
    pub fn origin(&self) -> Origin {
        self.request.map_or_else(Origin::default, |request| Origin { request: Some(request), ..self.app.origin().clone() })
    }

    /// The member in whose hands this is: who calls, or who made the key or the client that calls.
    pub fn person_behind(&self) -> Option<PersonId> {
        match (&self.actor, self.behalf) {
            (Actor::Person(person, _), _) => Some(*person),
            (_, Some(OnBehalfOf::Person(person))) => Some(person),
            _ => None,
        }
    }

    /// On whose behalf it acts: the vendor on the organization's, unless something else was said.
    pub fn behalf(&self) -> Option<OnBehalfOf> {
        self.behalf.or_else(|| self.actor.is_vendor().then_some(OnBehalfOf::Organization(self.placement.organization)))
    }

    pub fn test_clock(&self) -> Option<TestClockId> {
        self.placement.test_clock.map(|(id, _)| id)
    }

    /// This organization's now (its test clock's, if it is on one) and the source of ids.
    pub fn moment(&self) -> Moment<'_> {
        let real = self.app.moment();
        Moment { now: self.placement.test_clock.map_or(real.now, |(_, now)| now), ..real }
    }

    /// The same tenant, acting as `actor`. A step of the system serves no request, also when one waits for it.
    #[must_use]
    pub fn acting_as(&self, actor: Actor) -> Self {
        let request = if let Actor::System(_) = actor { None } else { self.request };
        Self { actor, behalf: None, request, ..self.clone() }
    }

    /// The same tenant, acting for somebody.
    #[must_use]
    pub fn on_behalf_of(&self, behalf: OnBehalfOf) -> Self {
        Self { behalf: Some(behalf), ..self.clone() }
    }

    /// Runs statements in one transaction and gives each one's rows.
    pub async fn run(&self, statements: Vec<TenantStatement>) -> Result<Vec<Vec<Row>>> {
        let outcomes = self.batch(statements).await?;
        for row in outcomes.iter().flat_map(|outcome| &outcome.rows) {
            self.assert_mine(row)?;
        }
        Ok(outcomes.into_iter().map(|outcome| outcome.rows).collect())
    }

    /// The rows of one statement.
    pub async fn rows<T: DeserializeOwned>(&self, statement: TenantStatement) -> Result<Vec<T>> {
        let rows = self.run(vec![statement]).await?.into_iter().next().unwrap_or_default();
        rows.into_iter().map(|row| decode(row).map_err(Error::from)).collect()
    }

    /// The only row of one statement, if there is one.
    pub async fn row<T: DeserializeOwned>(&self, statement: TenantStatement) -> Result<Option<T>> {
        Ok(self.rows(statement).await?.into_iter().next())
    }

    /// Reads what a decision is taken on, in one transaction, and with it the end of the audit log: the commit that follows is one batch.
    pub async fn load(&self, mut statements: Vec<TenantStatement>) -> Result<Vec<Vec<Row>>> {
        statements.push(audit::read_head!(tenant_sql));
        let mut read = self.run(statements).await?;
        let head = read.pop().unwrap_or_default().into_iter().next().map(decode::<Head>).transpose()?;
        self.head.set(Some(head.unwrap_or_else(|| self.log_begins())));
        Ok(read)
    }

    /// The only row of one statement, if there is one, for a decision on it.
    pub async fn load_row<T: DeserializeOwned>(&self, statement: TenantStatement) -> Result<Option<T>> {
        let rows = self.load(vec![statement]).await?.into_iter().next().unwrap_or_default();
        rows.into_iter().next().map(|row| decode(row).map_err(Error::from)).transpose()
    }

    fn log_begins(&self) -> Head {
        Head::genesis(&self.placement.organization.to_string())
    }

    /// Runs a batch; a read-only one may be repeated by the caller, a write is atomic and guarded.
    async fn batch(&self, statements: Vec<TenantStatement>) -> std::result::Result<Vec<Outcome>, SqlError> {
        let writes = statements.iter().any(|statement| !statement.text.starts_with("SELECT"));
        // First, so that where writing is refused nothing else refuses before.
        let fence = writes.then(|| unless_fenced(self.app.moment().now));
        let bound = fence.into_iter().chain(statements).map(|statement| statement.bind(self.placement.organization)).collect();
        Ok(self.database()?.batch(bound).await?.into_iter().skip(usize::from(writes)).collect())
    }

    /// The database it lives on, for what reads whole tables; tests/it/tidy/bans.rs holds the list.
    pub fn database(&self) -> std::result::Result<&Arc<dyn Sql>, SqlError> {
        self.app.shards.get(self.placement.shard).ok_or_else(|| SqlError::Broken("the shard is not bound".into()))
    }

    /// Runs a batch with its entries at the end of the audit log, as far as this handle knows it. A commit in between takes the batch back,
    /// and it is run again behind that one; what it decided stands, for its guards are run again, too.
    pub(super) async fn run_audited(&self, batch: Vec<TenantStatement>, entries: &Entries) -> Result<()> {
        if entries.is_empty() {
            return self.run(batch).await.map(|_| ());
        }
        for _ in 0..audit::TRIES_MAX {
            let head = match self.head.get() {
                Some(head) => Some(head),
                None => self.row::<Head>(audit::read_head!(tenant_sql)).await?,
            };
            let (links, last) = entries.after(head);
            let chained = links.into_iter().map(|link| audit::append!(tenant_sql, link));
            let outcome = self.batch(batch.iter().cloned().chain(chained).collect()).await;
            // Whoever failed may have been overtaken, and doesn't know whether it was committed when the database went away.
            self.head.set(outcome.is_ok().then_some(last));
            match outcome {
                Err(SqlError::Unique(what)) if audit::is_overtaken(&what) => {}
                Err(error) => return Err(error.into()),
                Ok(outcomes) => return outcomes.iter().flat_map(|outcome| &outcome.rows).try_for_each(|row| self.assert_mine(row)),
            }
        }
        Err(Error::Unavailable("others write to this audit log all the time".into()))
    }

    /// A row that this tenant reads must say that it is this tenant's.
    fn assert_mine(&self, row: &Row) -> Result<()> {
        let owner = row.get("organization_id").and_then(serde_json::Value::as_str);
        if owner == Some(self.placement.organization.to_string().as_str()) {
            Ok(())
        } else {
            Err(Error::internal(format!("a row of {owner:?} was read as {}", self.placement.organization)))
        }
    }
}

/// A freeze that is older than this has lapsed: who froze it was killed, or was too slow and will notice.
pub const FREEZE_LAPSES_AFTER: std::time::Duration = seconds(6);

/// Violates `CONSTRAINT fenced` where the organization may not be written here, see `tenancy/data_movement/moves.rs`.
fn unless_fenced(now: Timestamp) -> TenantStatement {
    tenant_sql!(
        "UPDATE fences SET refuses = 0 WHERE organization_id = ?1 AND (state <> 'frozen' OR since > ?2)",
        now.minus(FREEZE_LAPSES_AFTER)
    )
}

/// How often a decision is taken anew when somebody else commits in between.
const STALE_TRIES_MAX: usize = 5;

/// Loads, decides and commits, and does it again when the commit finds its reads stale.
pub async fn until_fresh<T, Work, Attempt>(mut work: Work) -> Result<T>
where
    Work: FnMut() -> Attempt,
    Attempt: Future<Output = Result<T>>,
{
    for _ in 1..STALE_TRIES_MAX {
        match work().await {
            Err(Error::Stale) => {}
            other => return other,
        }
    }
    work().await
}

#[cfg(test)]
mod tests {
    use super::is_scoped;

    #[test]
    fn only_scoped_statements_compile() {
        assert!(is_scoped("SELECT organization_id, id FROM invoices WHERE organization_id = ?1 AND id = ?2"));
        assert!(is_scoped("INSERT INTO invoices (organization_id, id) VALUES (?1, ?2)"));
        assert!(!is_scoped("SELECT * FROM invoices WHERE id = ?1"));
        assert!(!is_scoped("DELETE FROM invoices"));
        assert!(!is_scoped("SELECT i.id FROM invoices i JOIN subscriptions s ON s.id = i.subscription_id WHERE i.organization_id = ?1"));
    }

    #[test]
    fn a_statement_is_scoped_however_its_lines_are_broken() {
        assert!(is_scoped("SELECT organization_id\n FROM invoices\n WHERE organization_id\n   = ?1"));
        assert!(is_scoped("INSERT INTO invoices\n   (organization_id, id)\n VALUES\n   (?1, ?2)"));
        assert!(!is_scoped("SELECT i.id\n FROM invoices i\nJOIN\n subscriptions s\n WHERE i.organization_id = ?1"));
        assert!(is_scoped("SELECT id\n FROM invoices\nJOIN subscriptions\n USING (organization_id, id)\n WHERE organization_id = ?1"));
        assert!(!is_scoped("SELECT id FROM invoices WHERE organization_id = "));
    }
}

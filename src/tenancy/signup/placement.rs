//! The placement of new organizations: the directory's side of a sign-up.

use serde::{Deserialize, Serialize};

use crate::identity::members::member::Profile;
use crate::identity::members::{self, directory};
use crate::kernel::audit::OnBehalfOf;
use crate::kernel::decision::Decision;
use crate::kernel::error::{Error, OrInternal, Result};
use crate::kernel::idempotency::Answer;
use crate::kernel::ids::{OrganizationId, PersonId, TestClockId};
use crate::kernel::platform::Platform;
use crate::kernel::problem::Problem;
use crate::kernel::sql;
use crate::kernel::sql::Statement;
use crate::kernel::tenant::{Actor, Tenant};
use crate::kernel::time::{Timestamp, minutes};
use crate::platform_sql;
use crate::tenancy::organizations::organization::Organization;
use crate::tenancy::organizations::rules;

/// A sign-up that is not placed after this time was interrupted.
const CUT_OFF_AFTER: std::time::Duration = minutes(1);
/// The actor that finishes them.
const FINISHING: &str = "finish_sign_up";

/// The shard of a new organization: spread evenly, decided once, then remembered.
fn choose_shard(organization: OrganizationId, shards: usize) -> usize {
    let [.., last] = organization.to_bytes();
    usize::from(last).checked_rem(shards).unwrap_or(0)
}

/// A sign-up in the directory, until the organization has its rows.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Requested {
    #[serde(flatten)]
    pub organization: Organization,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<FirstOwner>,
}

/// The person who signs a company up and becomes its first member.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FirstOwner {
    /// In lower case.
    pub email: String,
    pub given_name: Option<String>,
    pub family_name: Option<String>,
}

impl FirstOwner {
    pub fn profile(&self) -> Profile {
        Profile { given_name: self.given_name.clone(), family_name: self.family_name.clone(), ..Profile::default() }
    }
}

/// Enters a new organization into the directory, with its owner and the answer to its sign-up. From here on the sign-up is finished by the
/// sweep if need be.
pub async fn enter(platform: &Platform, requested: &Requested, answer: Option<&Answer>) -> Result<()> {
    let organization = &requested.organization;
    let now = platform.app().moment().now;
    let shard = choose_shard(organization.id, platform.app().shards.len());
    let request = serde_json::to_string(requested).or_internal()?;
    let mut batch = vec![platform_sql!(
        "INSERT INTO organizations (id, shard, status, test_clock_id, request, created_at)
         VALUES (?1, ?2, 'provisioning', ?3, ?4, ?5)",
        organization.id,
        u32::try_from(shard).unwrap_or(0),
        organization.test_clock,
        request,
        now
    )];
    if let Some(owner) = &requested.owner {
        batch.extend(directory::enter_first(PersonId::new(platform.app().moment()), &owner.email, organization.id, now));
    }
    batch.extend(answer.into_iter().flat_map(|answer| answer.record_for_vendor(now)));
    platform.directory(batch).await.map(|_| ())
}

/// Makes the owner a member, in the organization's time.
async fn owner_joins(platform: &Platform, owner: &FirstOwner, tenant: &Tenant) -> Result<(PersonId, Decision)> {
    let person = directory::find(platform, &owner.email).await?;
    let person = person.ok_or_else(|| Error::internal("the owner is missing beside the entered organization"))?;
    Ok((person, members::rules::sign_up_owner(person, &owner.email, owner.profile(), tenant.moment())?.1))
}

/// Creates the rows of an entered organization, unless they exist.
pub async fn place(platform: &Platform, requested: &Requested, actor: Actor) -> Result<()> {
    let organization = &requested.organization;
    // A sign-up that is finished later is not an effect of the request running then.
    let request = if actor == Actor::System(FINISHING) { None } else { platform.app().origin().request };
    let mut tenant = platform
        .tenant(organization.id, actor, request)
        .await?
        .ok_or_else(|| Error::internal("an entered organization has no placement"))?;
    let mut decision = rules::sign_up(organization);
    if let Some(owner) = &requested.owner {
        let (person, joining) = owner_joins(platform, owner, &tenant).await?;
        tenant = tenant.on_behalf_of(OnBehalfOf::Person(person));
        decision = decision.and(joining);
    }
    match tenant.commit(decision, None).await {
        // Stale: the interrupted attempt has placed the organization.
        Ok(()) | Err(Error::Stale) => {}
        Err(error) => return Err(error),
    }
    platform.directory(vec![platform_sql!("UPDATE organizations SET status = 'placed' WHERE id = ?1", organization.id)]).await.map(|_| ())
}

/// Places an organization whose sign-up was interrupted, and runs its steps.
pub async fn finish_interrupted_of(platform: &Platform, id: OrganizationId) -> Result<()> {
    for row in platform.directory_rows::<CutOff>(cut_off(id)).await? {
        place(platform, &row.request, Actor::System(FINISHING)).await?;
    }
    finish(platform, id).await
}

/// Runs the steps of a sign-up that were not run.
pub async fn finish(platform: &Platform, id: OrganizationId) -> Result<()> {
    if let Some(tenant) = platform.tenant(id, Actor::System(FINISHING), None).await? {
        tenant.follow_up_or_leave().await;
    }
    Ok(())
}

fn cut_off(id: OrganizationId) -> Statement {
    platform_sql!("SELECT request FROM organizations WHERE id = ?1 AND status = 'provisioning'", id)
}

#[derive(Deserialize)]
struct CutOff {
    #[serde(deserialize_with = "sql::json::deserialize")]
    request: Requested,
}

/// Finishes sign-ups that were interrupted between the directory and the tenant's database. Run each minute.
pub async fn finish_interrupted(platform: &Platform) -> Result<usize> {
    let before = platform.app().moment().now.minus(CUT_OFF_AFTER);
    let statement = platform_sql!(
        "SELECT request
         FROM organizations
         WHERE status = 'provisioning' AND created_at <= ?1
         ORDER BY created_at
         LIMIT 50",
        before
    );
    let cut_off = platform.directory_rows::<CutOff>(statement).await?;
    for row in &cut_off {
        place(platform, &row.request, Actor::System(FINISHING)).await?;
    }
    Ok(cut_off.len())
}

#[derive(Deserialize)]
struct ClockRow {
    id: TestClockId,
    #[serde(deserialize_with = "sql::millis::deserialize")]
    now: Timestamp,
}

/// The test clock of a sign-up, and its time.
pub async fn test_clock(platform: &Platform, text: &str) -> Result<(TestClockId, Timestamp)> {
    let unknown = || Problem::invalid("/testClock", "unknown_test_clock", "Send the $id of a test clock made by POST /v1/test-clocks.");
    let id: TestClockId = text.parse().map_err(|_| unknown())?;
    let rows = platform.directory_rows::<ClockRow>(platform_sql!("SELECT id, now FROM test_clocks WHERE id = ?1", id)).await?;
    rows.into_iter().next().map(|row| (row.id, row.now)).ok_or_else(|| unknown().into())
}

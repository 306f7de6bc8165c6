//! Where somebody who proved an email belongs. The directory's memberships are an index; the truth is each organization's own.

use serde::Deserialize;

use super::store;
use crate::identity::members;
use crate::kernel::error::Result;
use crate::kernel::ids::{OrganizationId, PersonId, RequestId};
use crate::kernel::platform::Platform;
use crate::kernel::tenant::{Actor, Tenant};
use crate::tenant_sql;

/// A person's membership in one organization.
#[derive(Clone)]
pub struct Belonging {
    pub person: PersonId,
    pub tenant: Tenant,
    pub name: String,
}

/// The organizations of whoever has this email, by id.
pub async fn of_email(platform: &Platform, email: &str, request: Option<RequestId>) -> Result<Vec<Belonging>> {
    let entered = store::memberships(platform, email).await?;
    let looked_at = entered.into_iter().map(|(person, organization)| look(platform, person, organization, request));
    Ok(futures::future::try_join_all(looked_at).await?.into_iter().flatten().collect())
}

async fn look(
    platform: &Platform,
    person: PersonId,
    organization: OrganizationId,
    request: Option<RequestId>,
) -> Result<Option<Belonging>> {
    let Some(tenant) = platform.tenant(organization, Actor::System("login"), request).await? else { return Ok(None) };
    if !members::store::is_member(&tenant, person).await? {
        return Ok(None);
    }
    Ok(name(&tenant).await?.map(|name| Belonging { person, tenant, name }))
}

#[derive(Deserialize)]
struct NameRow {
    name: String,
}

/// The organization's name; None while it is still being set up.
async fn name(tenant: &Tenant) -> Result<Option<String>> {
    let statement = tenant_sql!("SELECT organization_id, name FROM organizations WHERE organization_id = ?1");
    Ok(tenant.row::<NameRow>(statement).await?.map(|row| row.name))
}

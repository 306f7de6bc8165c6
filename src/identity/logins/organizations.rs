//! Where somebody who proved an email belongs. The directory's memberships are an index; the truth is each organization's own.

use super::store;
use crate::identity::roles;
use crate::kernel::error::{Error, Result};
use crate::kernel::ids::{OrganizationId, PersonId, RequestId};
use crate::kernel::platform::Platform;
use crate::kernel::tenant::{Actor, Tenant};
use crate::tenancy::organizations;

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
    if roles::store::standing(&tenant, person).await?.is_none() {
        return Ok(None);
    }
    match organizations::store::load(&tenant).await {
        Ok(organization) => Ok(Some(Belonging { person, tenant, name: organization.name })),
        // It is still being set up.
        Err(Error::Unavailable(_)) => Ok(None),
        Err(error) => Err(error),
    }
}

//! Actors on teams: who may do something on the team that the path names, or on some team.
//!
//! Keys, clients and the vendor hold what they hold on every team. A person's role on a team reaches it and what is below.

use std::collections::HashMap;
use std::marker::PhantomData;

use axum::extract::{FromRequestParts, Path};
use http::request::Parts;
use utoipa::openapi::security::SecurityRequirement;

use super::store;
use super::team::Team;
use crate::http::security;
use crate::http::security::Secured;
use crate::identity::callers::identity::{Holder, Identity};
use crate::identity::permissions::standing::TeamPath;
use crate::identity::permissions::{Need, Permission, lacking};
use crate::kernel::error::{Error, Result};
use crate::kernel::ids::TeamId;
use crate::kernel::problem::Problem;
use crate::kernel::tenant::Tenant;

/// Somebody who may do `N` on the team of the path `/v1/teams/{id}/...`.
pub struct OnTeam<N: Need> {
    pub somewhere: OnTeams<N>,
    /// As it was when the request came in. What is decided about it is decided about [`OnTeam::fresh`].
    pub team: Team,
}

/// Somebody who may do `N` on some team, or organization-wide: on which one, the handler asks.
pub struct OnTeams<N: Need> {
    identity: Identity,
    need: PhantomData<N>,
}

impl<N: Need> OnTeam<N> {
    pub fn tenant(&self) -> &Tenant {
        self.somewhere.tenant()
    }

    /// The team as it is now, if the caller still may do `N` on it: it may have been moved away.
    pub async fn fresh(&self) -> Result<Team> {
        self.somewhere.team(self.team.id).await
    }
}

impl<N: Need> OnTeams<N> {
    pub fn tenant(&self) -> &Tenant {
        &self.identity.tenant
    }

    /// That team, if the caller may do `N` on it.
    pub async fn team(&self, id: TeamId) -> Result<Team> {
        let team = store::find(self.tenant(), id).await?.ok_or_else(|| Problem::not_found("team"))?;
        self.check(Some(&team.path))?;
        Ok(team)
    }

    /// The caller may do `N` on the team at `on` (None: organization-wide).
    pub fn check(&self, on: Option<&TeamPath>) -> Result<()> {
        if self.identity.holder.may(N::PERMISSION, on) { Ok(()) } else { Err(lacks(N::PERMISSION, on).into()) }
    }

    /// Nobody grants what they don't hold there.
    pub fn may_grant(&self, wanted: &[String], on: &TeamPath) -> Result<()> {
        lacking(&self.identity.holder.scopes(Some(on)), wanted).map_or(Ok(()), |scope| Err(lacks_to_grant(scope).into()))
    }

    /// The paths at or below which the caller may do `N`; an empty path is above all.
    pub fn reach(&self) -> Vec<String> {
        match &self.identity.holder {
            holder if holder.may(N::PERMISSION, None) => vec![String::new()],
            Holder::Scopes(_) => Vec::new(),
            Holder::Person(standing) => {
                let assignments = standing.assignments.iter().filter(|assignment| assignment.scope_for(N::PERMISSION).is_some());
                assignments.filter_map(|assignment| assignment.team.as_ref()).map(|(_, path)| path.0.clone()).collect()
            }
        }
    }
}

/// 403 that says where the permission is missing.
pub fn lacks(permission: Permission, on: Option<&TeamPath>) -> Problem {
    let Some(path) = on else { return Problem::lacks_permission(permission.wire_name()) };
    let team = path.teams().last().map(TeamId::to_string).unwrap_or_default();
    let name = permission.wire_name();
    Problem::forbidden(format!(
        "You lack the permission {name} on {team}. A role with it on this team, on one above it or organization-wide gives it."
    ))
    .with_member("missingPermission", name)
}

fn lacks_to_grant(scope: &str) -> Problem {
    Problem::forbidden(format!("You lack the permission {scope} there, and nobody gives to others what they don't hold themselves."))
        .with_member("missingPermission", scope)
}

impl<N: Need> Secured for OnTeams<N> {
    fn accepts() -> Vec<SecurityRequirement> {
        security::of_organization(&[N::PERMISSION.wire_name()])
    }
}

impl<N: Need> Secured for OnTeam<N> {
    fn accepts() -> Vec<SecurityRequirement> {
        OnTeams::<N>::accepts()
    }
}

impl<N: Need, S: Send + Sync> FromRequestParts<S> for OnTeams<N> {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self> {
        let caller = Self { identity: Identity::from_request_parts(parts, state).await?, need: PhantomData };
        if caller.reach().is_empty() {
            return Err(lacks(N::PERMISSION, None).into());
        }
        Ok(caller)
    }
}

impl<N: Need, S: Send + Sync> FromRequestParts<S> for OnTeam<N> {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self> {
        let somewhere = OnTeams::<N>::from_request_parts(parts, state).await?;
        let named = Path::<HashMap<String, String>>::from_request_parts(parts, state).await.map(|path| path.0).unwrap_or_default();
        let id = named.get("id").and_then(|id| id.parse().ok()).ok_or_else(|| Problem::not_found("team"))?;
        let team = somewhere.team(id).await?;
        Ok(Self { somewhere, team })
    }
}

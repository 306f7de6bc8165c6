//! An invitation.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

use crate::events::InvitationRenewed;
use crate::identity::members::member::TeamRole;
use crate::kernel::ids::{InvitationId, ReservationId, TeamId};
use crate::kernel::problem::Problem;
use crate::kernel::time::Timestamp;

/// Teams of one invitation.
pub const TEAMS_MAX: usize = 50;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = InvitationStatus)]
pub enum Status {
    Pending,
    Accepted,
    Revoked,
    Expired,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invitation {
    pub id: InvitationId,
    /// In lower case.
    pub email: String,
    pub role: Option<String>,
    pub teams: Vec<TeamRole>,
    pub status: Status,
    /// Only the token of the last mail opens it.
    pub generation: u32,
    pub invited_by: String,
    pub created_at: Timestamp,
    pub expires_at: Timestamp,
    pub ended_at: Option<Timestamp>,
    /// The seat that is held for it.
    pub seat: ReservationId,
    pub version: i64,
}

/// An invitation as clients write it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    pub email: String,
    /// None: not said, which is enough where teams are named; `Some(None)`: none, on purpose.
    pub role: Option<Option<String>>,
    /// Without a role: the team's default.
    pub teams: Vec<(TeamId, Option<String>)>,
}

/// A team as far as it matters who is invited to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Team {
    pub id: TeamId,
    /// None: any.
    pub allowed_roles: Option<Vec<String>>,
    pub default_role: Option<String>,
}

/// What an invitation is decided with.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Known {
    /// Of those that are named.
    pub teams: Vec<Team>,
    /// What the roles permit that are given.
    pub permissions: BTreeMap<String, Vec<String>>,
    pub is_member: bool,
    /// What waits for the same address.
    pub pending: Option<Invitation>,
    /// Of the seats.
    pub version: i64,
}

/// The roles that are given, each with the place where it is said: what does not exist or is not allowed is refused.
pub fn roles_given(wanted: &Wanted, teams: &[Team]) -> Result<Vec<(String, String)>, Problem> {
    if wanted.role.is_none() && wanted.teams.is_empty() {
        let detail = "Say what the new member will be: send a role, or teams with a role on each, or \"role\": null for nothing yet.";
        return Err(Problem::invalid("/role", "role_required", detail));
    }
    if wanted.teams.len() > TEAMS_MAX {
        return Err(Problem::invalid("/teams", "invalid_value", format!("Send at most {TEAMS_MAX} teams.")));
    }
    let mut given: Vec<(String, String)> = wanted.role.iter().flatten().map(|role| ("/role".to_owned(), role.clone())).collect();
    let mut seen = BTreeSet::new();
    for (index, (id, role)) in wanted.teams.iter().enumerate() {
        let pointer = |field: &str| format!("/teams/{index}/{field}");
        let team = teams.iter().find(|team| team.id == *id);
        let unknown = || Problem::refused(pointer("team"), "unknown_team", "There is no such team. GET /v1/teams lists them.");
        let team = team.ok_or_else(unknown)?;
        if !seen.insert(*id) {
            return Err(Problem::invalid(pointer("team"), "invalid_value", "Send each team once."));
        }
        let missing = || Problem::invalid(pointer("role"), "role_required", "This team has no default role. Send the key of a role.");
        let role = role.as_ref().or(team.default_role.as_ref()).ok_or_else(missing)?;
        if team.allowed_roles.as_ref().is_some_and(|allowed| !allowed.contains(role)) {
            let detail = "This team's settings.allowedRoles don't include this role. Send one of them.";
            return Err(Problem::refused(pointer("role"), "role_not_allowed", detail));
        }
        given.push((pointer("role"), role.clone()));
    }
    Ok(given)
}

impl Invitation {
    /// Whether its time is over, whether or not anybody noticed.
    pub fn is_over(&self, now: Timestamp) -> bool {
        self.expires_at <= now
    }

    pub fn status_at(&self, now: Timestamp) -> Status {
        if self.status == Status::Pending && self.is_over(now) { Status::Expired } else { self.status }
    }

    /// Whether a token of `generation` opens it.
    pub fn opens_for(&self, generation: u32, now: Timestamp) -> bool {
        self.status_at(now) == Status::Pending && self.generation == generation
    }

    /// The keys of all roles that it gives.
    pub fn role_keys(&self) -> BTreeSet<&str> {
        self.role.as_deref().into_iter().chain(self.teams.iter().map(|team| team.role.as_str())).collect()
    }

    pub(super) fn renewed(&self) -> InvitationRenewed {
        let Self { id, email, generation, expires_at, .. } = self;
        InvitationRenewed { invitation: *id, email: email.clone(), generation: *generation, expires_at: *expires_at }
    }

    /// For the audit log; no token is ever in here.
    pub(super) fn facts(&self) -> Json {
        json!({"email": self.email, "role": self.role, "teams": self.teams, "generation": self.generation, "expiresAt": self.expires_at})
    }
}

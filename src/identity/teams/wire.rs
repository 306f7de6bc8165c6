//! Teams as clients write and read them.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::rules;
use super::rules::Changes;
use super::team::{Settings, Team, TeamMember};
use crate::kernel::ids::{OrganizationId, PersonId, TeamId};
use crate::kernel::json::given;
use crate::kernel::time::Timestamp;

/// A team to be made.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewTeam {
    #[schema(example = "Backend", min_length = 1, max_length = 200)]
    pub name: String,
    #[schema(max_length = 2000)]
    pub description: Option<String>,
    /// The team above it; topmost when absent.
    pub parent_team: Option<TeamId>,
    pub settings: Option<TeamSettingsInput>,
}

/// Settings as sent: what is absent stays, `null` takes back.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TeamSettingsInput {
    /// Keys of the roles that may be given on the team; `null`: all.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<Vec<String>>, example = json!(["admin", "developer", "viewer"]), min_items = 1)]
    pub allowed_roles: Option<Option<Vec<String>>>,
    /// The role that is given when nobody names one.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>, example = "developer")]
    pub default_role: Option<Option<String>>,
}

/// Changes: what is absent stays, `null` clears what may be absent (JSON merge patch, RFC 7396).
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TeamChanges {
    #[serde(default, deserialize_with = "given")]
    #[schema(nullable = false, min_length = 1, max_length = 200)]
    pub name: Option<String>,
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>, max_length = 2000)]
    pub description: Option<Option<String>>,
    /// Moves the team, with all that is below it; `null` makes it topmost.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<TeamId>)]
    pub parent_team: Option<Option<TeamId>>,
    #[serde(default, deserialize_with = "given")]
    #[schema(nullable = false)]
    pub settings: Option<TeamSettingsInput>,
}

/// The role to give on a team.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewTeamRole {
    /// The key of a role; the team's default role when absent.
    #[schema(example = "developer")]
    pub role: Option<String>,
}

/// A team (schema.org vocabulary).
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Team)]
pub struct TeamView {
    #[serde(rename = "$type")]
    #[schema(example = "PerformingGroup")]
    pub type_name: &'static str,
    #[serde(rename = "$id")]
    pub id: TeamId,
    pub name: String,
    pub description: Option<String>,
    pub parent_organization: OrganizationId,
    pub parent_team: Option<TeamId>,
    /// The teams from the topmost one down to this one.
    pub path: Vec<TeamId>,
    /// How many teams that is; 1: topmost.
    pub depth: u32,
    pub settings: TeamSettings,
    pub created_at: Timestamp,
}

/// Which roles may be given on a team.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct TeamSettings {
    /// `null`: all.
    pub allowed_roles: Option<Vec<String>>,
    pub default_role: Option<String>,
}

/// A role that a member holds on a team (schema.org vocabulary).
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = TeamMember)]
pub struct TeamMemberView {
    #[serde(rename = "$type")]
    #[schema(example = "OrganizationRole")]
    pub type_name: &'static str,
    /// The person.
    pub member: PersonId,
    /// The team.
    pub member_of: TeamId,
    /// The key of the role.
    pub role_name: String,
    /// Who gave it: a person, a key, a client, or `platform`.
    pub assigned_by: String,
    /// Since when they are on the team.
    pub start_date: Timestamp,
}

impl NewTeam {
    pub fn wanted(&self) -> rules::NewTeam {
        let TeamSettingsInput { allowed_roles, default_role } = self.settings.clone().unwrap_or_default();
        let settings = Settings { allowed_roles: allowed_roles.flatten(), default_role: default_role.flatten() };
        rules::NewTeam { name: self.name.clone(), description: self.description.clone(), settings }
    }
}

impl TeamChanges {
    pub fn wanted(&self) -> Changes {
        let TeamSettingsInput { allowed_roles, default_role } = self.settings.clone().unwrap_or_default();
        Changes { name: self.name.clone(), description: self.description.clone(), allowed_roles, default_role }
    }
}

impl TeamView {
    pub fn new(team: Team, organization: OrganizationId) -> Self {
        Self {
            type_name: "PerformingGroup",
            id: team.id,
            name: team.name,
            description: team.description,
            parent_organization: organization,
            parent_team: team.parent,
            path: team.path.teams(),
            depth: team.depth,
            settings: TeamSettings { allowed_roles: team.settings.allowed_roles, default_role: team.settings.default_role },
            created_at: team.created_at,
        }
    }
}

impl From<TeamMember> for TeamMemberView {
    fn from(member: TeamMember) -> Self {
        Self {
            type_name: "OrganizationRole",
            member: member.person,
            member_of: member.team,
            role_name: member.role,
            assigned_by: member.assigned_by,
            start_date: member.start_date,
        }
    }
}

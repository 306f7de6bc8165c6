//! Teams as clients write and read them.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::rules;
use super::rules::Changes;
use super::team::{Settings, Team, TeamMember};
use crate::kernel::ids::{OrganizationId, PersonId, TeamId};
use crate::kernel::json::given;
use crate::kernel::time::Timestamp;

/// A team to create.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewTeam {
    /// The name of the team.
    #[schema(example = "Backend", min_length = 1, max_length = 200)]
    pub name: String,
    /// What the team does.
    #[schema(example = "Builds the API", max_length = 2000)]
    pub description: Option<String>,
    /// The parent team; the new team is a top-level team when absent.
    pub parent_team: Option<TeamId>,
    /// Which roles may be assigned on the team.
    pub settings: Option<TeamSettingsInput>,
}

/// Settings as sent: an absent field keeps its value, `null` clears it.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TeamSettingsInput {
    /// The keys of the roles that may be assigned on the team; `null` for all.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<Vec<String>>, example = json!(["admin", "developer", "viewer"]), min_items = 1)]
    pub allowed_roles: Option<Option<Vec<String>>>,
    /// The key of the role that is assigned when none is sent; it must be one of the allowed ones.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>, example = "developer")]
    pub default_role: Option<Option<String>>,
}

/// Changes: what is absent stays, `null` clears what may be absent (JSON merge patch, RFC 7396).
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TeamChanges {
    /// The name of the team.
    #[serde(default, deserialize_with = "given")]
    #[schema(example = "Backend", nullable = false, min_length = 1, max_length = 200)]
    pub name: Option<String>,
    /// What the team does; `null` removes it.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>, example = "Builds the API", max_length = 2000)]
    pub description: Option<Option<String>>,
    /// The parent team to move the team to, with all teams below it; `null` makes it a top-level team.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<TeamId>)]
    pub parent_team: Option<Option<TeamId>>,
    /// Which roles may be assigned on the team.
    #[serde(default, deserialize_with = "given")]
    #[schema(nullable = false)]
    pub settings: Option<TeamSettingsInput>,
}

/// A role to assign on a team.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewTeamRole {
    /// The key of a role; the default role of the team when absent.
    #[schema(example = "developer")]
    pub role: Option<String>,
}

/// A team (schema.org vocabulary).
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Team)]
pub struct TeamView {
    /// The type of the resource: `PerformingGroup`.
    #[serde(rename = "$type")]
    #[schema(example = "PerformingGroup")]
    pub type_name: &'static str,
    /// The id.
    #[serde(rename = "$id")]
    pub id: TeamId,
    /// The name of the team.
    #[schema(example = "Backend")]
    pub name: String,
    /// What the team does.
    #[schema(example = "Builds the API")]
    pub description: Option<String>,
    /// The organization of the team.
    pub parent_organization: OrganizationId,
    /// The parent team; `null` for a top-level team.
    pub parent_team: Option<TeamId>,
    /// The teams from the top-level team down to this one.
    pub path: Vec<TeamId>,
    /// The number of teams in the path; 1 for a top-level team.
    #[schema(example = 1)]
    pub depth: u32,
    /// Which roles may be assigned on the team.
    pub settings: TeamSettings,
    /// When it was created.
    pub created_at: Timestamp,
}

/// Which roles may be assigned on a team.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct TeamSettings {
    /// The keys of the roles that may be assigned on the team; `null` for all.
    #[schema(example = json!(["admin", "developer", "viewer"]))]
    pub allowed_roles: Option<Vec<String>>,
    /// The key of the role that is assigned when none is sent; `null` if there is none.
    #[schema(example = "developer")]
    pub default_role: Option<String>,
}

/// A role that a member holds on a team (schema.org vocabulary).
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = TeamMember)]
pub struct TeamMemberView {
    /// The type of the resource: `OrganizationRole`.
    #[serde(rename = "$type")]
    #[schema(example = "OrganizationRole")]
    pub type_name: &'static str,
    /// The member.
    pub member: PersonId,
    /// The team.
    pub member_of: TeamId,
    /// The key of the role.
    #[schema(example = "developer")]
    pub role_name: String,
    /// Who assigned it: `platform`, or the id of a member, API key or OAuth client.
    #[schema(example = "platform")]
    pub assigned_by: String,
    /// Since when the member is on the team.
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

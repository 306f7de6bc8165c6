//! A team.

use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

use crate::identity::permissions::standing::TeamPath;
use crate::kernel::ids::{PersonId, TeamId};
use crate::kernel::problem::Problem;
use crate::kernel::time::Timestamp;

/// Teams on a path: what is deeper nobody oversees.
pub const DEPTH_MAX: u32 = 8;
/// Teams of one organization, so that moving or deleting one changes a bounded number of rows.
pub const TEAMS_MAX: u32 = 1_000;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Team {
    pub id: TeamId,
    pub name: String,
    pub description: Option<String>,
    /// None: topmost.
    pub parent: Option<TeamId>,
    pub path: TeamPath,
    /// 1: topmost.
    pub depth: u32,
    pub settings: Settings,
    pub created_at: Timestamp,
    pub version: i64,
}

/// Which roles may be given on a team, and which is given when nobody says.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Settings {
    /// None: all.
    pub allowed_roles: Option<Vec<String>>,
    pub default_role: Option<String>,
}

/// What is in a team.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Contents {
    pub has_children: bool,
    /// Of the deepest team at or below it.
    pub deepest: u32,
    /// The roles that people hold on it, each once.
    pub roles: Vec<String>,
    /// Pending invitations name it.
    pub is_invited_to: bool,
}

/// A role that a member holds on a team.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TeamMember {
    pub team: TeamId,
    pub person: PersonId,
    pub role: String,
    pub assigned_by: String,
    pub start_date: Timestamp,
}

impl Settings {
    /// Whether the role may be given on the team.
    pub fn check_allows(&self, key: &str) -> Result<(), Problem> {
        match &self.allowed_roles {
            Some(allowed) if !allowed.iter().any(|role| role == key) => {
                let detail = format!("The role {key} is not given on this team. Its settings.allowedRoles are: {}.", allowed.join(", "));
                Err(Problem::conflict("role_not_allowed", detail))
            }
            _ => Ok(()),
        }
    }

    /// The roles it names.
    pub fn roles(&self) -> Vec<&str> {
        self.allowed_roles.iter().flatten().chain(&self.default_role).map(String::as_str).collect()
    }
}

impl Team {
    /// For the audit log.
    pub(super) fn facts(&self) -> Json {
        json!({"name": self.name, "description": self.description, "parentTeam": self.parent, "settings": self.settings})
    }
}

impl TeamMember {
    /// For the audit log.
    pub(super) fn facts(&self) -> Json {
        json!({"role": self.role})
    }
}

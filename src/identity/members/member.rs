//! A member.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

use crate::identity::roles::built_in::OWNER;
use crate::kernel::ids::{PersonId, TeamId};
use crate::kernel::time::Timestamp;

/// A role on a team.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema)]
pub struct TeamRole {
    #[schema(example = "team_...")]
    pub team: TeamId,
    /// The key of a role.
    #[schema(example = "developer")]
    pub role: String,
}

/// What an organization keeps of a person.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Profile {
    pub given_name: Option<String>,
    pub family_name: Option<String>,
    pub job_title: Option<String>,
    pub telephone: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    pub id: PersonId,
    /// In lower case.
    pub email: String,
    pub profile: Profile,
    /// The organization-wide role; None: on teams only.
    pub role: Option<String>,
    pub teams: Vec<TeamRole>,
    /// Who invited them; None for who signed the organization up.
    pub invited_by: Option<String>,
    pub joined_at: Timestamp,
    pub email_verified_at: Option<Timestamp>,
    /// Into this organization.
    pub last_login_at: Option<Timestamp>,
    pub version: i64,
}

impl Member {
    pub fn is_owner(&self) -> bool {
        self.role.as_deref() == Some(OWNER)
    }

    /// The keys of all roles that this member holds anywhere.
    pub fn role_keys(&self) -> BTreeSet<&str> {
        self.role.as_deref().into_iter().chain(self.teams.iter().map(|team| team.role.as_str())).collect()
    }

    /// For the audit log.
    pub(super) fn facts(&self) -> Json {
        json!({"email": self.email, "profile": self.profile, "role": self.role, "teams": self.teams})
    }
}

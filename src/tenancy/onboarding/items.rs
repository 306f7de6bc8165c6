//! The five items, in their order. Knows nothing else, so that facts can name them.

use serde::{Deserialize, Serialize};

/// What a new company does first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum ItemKey {
    VerifyEmail,
    AddTeamMembers,
    ConfigureSettings,
    CreateFirstProject,
    SetUpBilling,
}

impl ItemKey {
    pub const ALL: [ItemKey; 5] =
        [Self::VerifyEmail, Self::AddTeamMembers, Self::ConfigureSettings, Self::CreateFirstProject, Self::SetUpBilling];

    pub fn name(self) -> &'static str {
        match self {
            Self::VerifyEmail => "Verify email",
            Self::AddTeamMembers => "Add team members",
            Self::ConfigureSettings => "Configure settings",
            Self::CreateFirstProject => "Create first project",
            Self::SetUpBilling => "Set up billing",
        }
    }

    /// The name in paths, rows and answers.
    pub fn wire_name(self) -> &'static str {
        match self {
            Self::VerifyEmail => "verifyEmail",
            Self::AddTeamMembers => "addTeamMembers",
            Self::ConfigureSettings => "configureSettings",
            Self::CreateFirstProject => "createFirstProject",
            Self::SetUpBilling => "setUpBilling",
        }
    }

    pub fn read(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|key| key.wire_name() == text)
    }
}

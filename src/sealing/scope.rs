//! Whose secrets are sealed.

use crate::kernel::ids::OrganizationId;

/// Whose secrets: each scope has a key of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    Platform,
    Organization(OrganizationId),
}

impl Scope {
    pub fn text(self) -> String {
        match self {
            Self::Platform => "platform".to_owned(),
            Self::Organization(organization) => organization.to_string(),
        }
    }
}

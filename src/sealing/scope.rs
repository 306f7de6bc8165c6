//! The scope of a secret.

use crate::kernel::ids::OrganizationId;

/// The owner of secrets: each scope has a sealing key of its own.
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

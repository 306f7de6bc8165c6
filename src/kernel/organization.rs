//! The status of an organization, which every group needs.

use serde::{Deserialize, Serialize};

/// The status of an organization.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = OrganizationStatus)]
pub enum Status {
    Active,
    Onboarded,
    Suspended,
    Cancelled,
}

impl Status {
    pub fn wire_name(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Onboarded => "onboarded",
            Self::Suspended => "suspended",
            Self::Cancelled => "cancelled",
        }
    }
}

/// One @ with text before it and a dotted or bracketed host after it. Only a mail shows whether the address works.
pub fn is_email(text: &str) -> bool {
    let printable = text.chars().all(|letter| !letter.is_whitespace() && !letter.is_control());
    let parts = text.split_once('@').is_some_and(|(name, host)| {
        !name.is_empty() && !host.is_empty() && !host.contains('@') && !host.starts_with('.') && !host.ends_with('.')
    });
    printable && parts && text.len() <= 254
}

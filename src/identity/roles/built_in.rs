//! The roles that every organization has. They are code: nobody changes them, and a later version of us may widen them.

use super::role::{Role, Roles};
use crate::kernel::ids::RoleId;

/// A role that every organization has.
pub struct BuiltIn {
    pub key: &'static str,
    pub name: &'static str,
    pub description: &'static str,
    pub permissions: &'static [&'static str],
}

/// The role that owns the organization; there is always somebody who has it.
pub const OWNER: &str = "owner";

pub const BUILT_IN: &[BuiltIn] = &[
    BuiltIn {
        key: OWNER,
        name: "Owner",
        description: "Everything, also to cancel the organization or to hand it over.",
        permissions: &["*"],
    },
    BuiltIn {
        key: "admin",
        name: "Administrator",
        description: "Runs the organization: people, teams, keys, money. Can't cancel it or hand it over.",
        permissions: &[
            "organization.read",
            "organization.write",
            "onboarding.*",
            "usage.*",
            "subscription.*",
            "invoices.*",
            "ledger.*",
            "apiKeys.*",
            "members.*",
            "teams.*",
            "roles.*",
            "sessions.*",
            "oauthClients.*",
            "auditLog.*",
            "exports.*",
        ],
    },
    BuiltIn {
        key: "developer",
        name: "Developer",
        description: "Builds on us: keys, clients and usage.",
        permissions: &[
            "organization.read",
            "usage.*",
            "apiKeys.*",
            "oauthClients.*",
            "subscription.read",
            "members.read",
            "teams.read",
            "roles.read",
        ],
    },
    BuiltIn {
        key: "viewer",
        name: "Viewer",
        description: "Sees how things are and changes nothing.",
        permissions: &[
            "organization.read",
            "onboarding.read",
            "usage.read",
            "subscription.read",
            "members.read",
            "teams.read",
            "roles.read",
        ],
    },
    BuiltIn {
        key: "billing",
        name: "Billing",
        description: "Subscription and invoices.",
        permissions: &["organization.read", "usage.read", "subscription.*", "invoices.*", "ledger.read", "members.read"],
    },
    BuiltIn {
        key: "support",
        name: "Support",
        description: "Helps the organization's people: sees them, what they use, and what was done.",
        permissions: &[
            "organization.read",
            "usage.read",
            "subscription.read",
            "invoices.read",
            "ledger.read",
            "members.read",
            "teams.read",
            "roles.read",
            "auditLog.read",
        ],
    },
];

/// The built-in role of that key.
pub fn built_in(key: &str) -> Option<&'static BuiltIn> {
    BUILT_IN.iter().find(|role| role.key == key)
}

impl BuiltIn {
    /// As a role like any other, always with the same id.
    pub fn role(&self) -> Role {
        Role {
            id: RoleId::derived(&["built-in role", self.key]),
            key: self.key.to_owned(),
            name: self.name.to_owned(),
            description: Some(self.description.to_owned()),
            permissions: self.permissions.iter().map(|scope| (*scope).to_owned()).collect(),
            created_at: None,
            version: 0,
        }
    }
}

impl Roles {
    /// The organization's own roles, and the built-in ones.
    pub fn new(own: Vec<Role>) -> Self {
        Self(own.into_iter().chain(BUILT_IN.iter().map(BuiltIn::role)).collect())
    }
}

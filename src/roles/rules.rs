//! The algebra of roles: what somebody may do where, and which assignment says so.

use crate::access::permissions::{Permission, permits};
use crate::kernel::ids::{PersonId, TeamId};

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
        permissions: &["organization.read", "usage.read", "subscription.*", "invoices.*", "members.read"],
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

/// Where a team is: the ids from the topmost team down to it, each followed by a slash.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct TeamPath(pub String);

impl TeamPath {
    /// Whether `other` is this team or below it.
    pub fn reaches(&self, other: &TeamPath) -> bool {
        other.0.starts_with(&self.0)
    }
}

/// A role that somebody holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assignment {
    /// The role's key.
    pub role: String,
    pub permissions: Vec<String>,
    /// None: organization-wide.
    pub team: Option<(TeamId, TeamPath)>,
}

impl Assignment {
    /// Whether it says that its holder may do `permission` on the team at `on` (None: organization-wide).
    pub fn permits(&self, permission: Permission, on: Option<&TeamPath>) -> bool {
        self.is_held_on(on) && self.permissions.iter().any(|scope| permits(scope, permission))
    }

    fn is_held_on(&self, on: Option<&TeamPath>) -> bool {
        match (&self.team, on) {
            (None, _) => true,
            (Some((_, held_on)), Some(on)) => held_on.reaches(on),
            (Some(_), None) => false,
        }
    }
}

/// All roles of one member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    pub person: PersonId,
    /// Organization-wide ones first.
    pub assignments: Vec<Assignment>,
}

impl Standing {
    /// The assignment because of which this person may do `permission` on the team at `on` (None: organization-wide); None when they may not.
    pub fn reason(&self, permission: Permission, on: Option<&TeamPath>) -> Option<&Assignment> {
        self.assignments.iter().find(|assignment| assignment.permits(permission, on))
    }

    /// Everything this person holds on the team at `on` (None: organization-wide), as scopes.
    pub fn scopes(&self, on: Option<&TeamPath>) -> Vec<String> {
        let held = self.assignments.iter().filter(|assignment| assignment.is_held_on(on));
        held.flat_map(|assignment| assignment.permissions.iter().cloned()).collect()
    }
}

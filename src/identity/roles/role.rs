//! A role, and what a person holds by it.

use serde_json::{Value as Json, json};

use super::built_in::{BUILT_IN, BuiltIn};
use crate::identity::callers::permissions::{Permission, lacking, permits};
use crate::kernel::ids::{PersonId, RoleId, TeamId};
use crate::kernel::problem::Problem;
use crate::kernel::time::Timestamp;

/// Where a team is: the ids from the topmost team down to it, each followed by a slash.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct TeamPath(pub String);

impl TeamPath {
    /// The path of the team `id` below `parent` (None: topmost).
    pub fn of(id: TeamId, parent: Option<&TeamPath>) -> Self {
        Self(format!("{}{id}/", parent.map_or("", |parent| parent.0.as_str())))
    }

    /// Whether `other` is this team or below it.
    pub fn reaches(&self, other: &TeamPath) -> bool {
        other.0.starts_with(&self.0)
    }

    /// After the paths of this team and of all below it, and before any other path after it.
    pub fn end(&self) -> String {
        format!("{}0", self.0.trim_end_matches('/'))
    }

    /// The team above it; None: it is topmost.
    pub fn above(&self) -> Option<TeamPath> {
        let (above, _) = self.0.trim_end_matches('/').rsplit_once('/')?;
        Some(TeamPath(format!("{above}/")))
    }

    /// The teams that come above this one when it moves below `parent`: whoever has a role on one of them gets it here, too.
    pub fn comes_under(&self, parent: &TeamPath) -> Vec<TeamId> {
        let already = self.teams();
        parent.teams().into_iter().filter(|id| !already.contains(id)).collect()
    }

    /// The teams on the way, the topmost first, the team itself last.
    pub fn teams(&self) -> Vec<TeamId> {
        self.0.split('/').filter_map(|id| id.parse().ok()).collect()
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
        self.is_held_on(on) && self.scope_for(permission).is_some()
    }

    /// Which of its permissions includes `permission`.
    pub fn scope_for(&self, permission: Permission) -> Option<&String> {
        self.permissions.iter().find(|scope| permits(scope, permission))
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

/// A role as it is defined: built in, or by the organization.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Role {
    pub id: RoleId,
    /// What assignments name it by. It never changes.
    pub key: String,
    pub name: String,
    pub description: Option<String>,
    pub permissions: Vec<String>,
    /// None: built in.
    pub created_at: Option<Timestamp>,
    pub version: i64,
}

/// All roles of an organization: its own, newest first, then the built-in ones.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Roles(pub Vec<Role>);

/// Where a role is used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Uses {
    pub by_members: bool,
    pub on_teams: bool,
    pub in_invitations: bool,
    pub in_settings: bool,
}

impl Role {
    pub fn is_built_in(&self) -> bool {
        self.created_at.is_none()
    }

    /// The permissions of `wanted` that this role does not have: who widens it must hold them.
    pub fn added(&self, wanted: &[String]) -> Vec<String> {
        wanted.iter().filter(|scope| lacking(&self.permissions, std::slice::from_ref(scope)).is_some()).cloned().collect()
    }

    /// For the audit log.
    pub(super) fn facts(&self) -> Json {
        json!({"key": self.key, "name": self.name, "description": self.description, "permissions": self.permissions})
    }

    pub(super) fn check_is_own(&self) -> Result<(), Problem> {
        if self.is_built_in() {
            let detail = format!("The role {} is built in and can't be changed. Define one of your own with POST /v1/roles.", self.key);
            return Err(Problem::conflict("built_in_role", detail));
        }
        Ok(())
    }
}

impl Roles {
    pub fn new(own: Vec<Role>) -> Self {
        Self(own.into_iter().chain(BUILT_IN.iter().map(BuiltIn::role)).collect())
    }

    pub fn find(&self, key: &str) -> Option<&Role> {
        self.0.iter().find(|role| role.key == key)
    }

    pub fn with_id(&self, id: RoleId) -> Option<&Role> {
        self.0.iter().find(|role| role.id == id)
    }

    /// The role of that key, which a client sent at `pointer`.
    pub fn require(&self, key: &str, pointer: &str) -> Result<&Role, Problem> {
        self.find(key).ok_or_else(|| Problem::refused(pointer, "unknown_role", "There is no such role. GET /v1/roles lists the keys."))
    }

    pub(super) fn own(&self) -> usize {
        self.0.iter().filter(|role| !role.is_built_in()).count()
    }
}

//! A role.

use serde_json::{Value as Json, json};

use crate::identity::permissions::lacking;
use crate::kernel::ids::RoleId;
use crate::kernel::problem::Problem;
use crate::kernel::time::Timestamp;

/// Roles that one organization may define: they are read together.
pub const ROLES_MAX: usize = 100;

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

//! Who calls in an organization, and what their credential holds there.

use crate::identity::permissions::standing::{Standing, TeamPath};
use crate::identity::permissions::{Permission, lacking, permits};
use crate::kernel::error::Result;
use crate::kernel::ids::{PersonId, SessionId};
use crate::kernel::problem::Problem;
use crate::kernel::tenant::{Actor, Tenant};

/// What a credential holds in its organization.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Holder {
    /// The scopes of a key or of a machine's token; `*` for the vendor. They count on every team.
    Scopes(Vec<String>),
    /// The roles of a member.
    Person(Standing),
}

impl Holder {
    /// Whether `permission` is held on the team at `on` (None: organization-wide).
    pub fn may(&self, permission: Permission, on: Option<&TeamPath>) -> bool {
        match self {
            Self::Scopes(scopes) => scopes.iter().any(|scope| permits(scope, permission)),
            Self::Person(standing) => standing.reason(permission, on).is_some(),
        }
    }

    pub fn scopes(&self, on: Option<&TeamPath>) -> Vec<String> {
        match self {
            Self::Scopes(scopes) => scopes.clone(),
            Self::Person(standing) => standing.scopes(on),
        }
    }

    /// Nobody grants what they don't hold.
    pub fn may_grant(&self, wanted: &[String], on: Option<&TeamPath>) -> Result<()> {
        lacking(&self.scopes(on), wanted).map_or(Ok(()), |scope| Err(Problem::lacks_permission(scope).into()))
    }
}

/// Who calls, in which organization, and what they hold there. What they may do is not checked yet.
#[derive(Clone)]
pub struct Identity {
    pub tenant: Tenant,
    pub holder: Holder,
}

impl Identity {
    /// The member who calls; None for keys, machines and the vendor.
    pub fn person(&self) -> Option<PersonId> {
        match self.tenant.actor() {
            Actor::Person(person, _) => Some(*person),
            _ => None,
        }
    }

    /// The session in which a member calls.
    pub fn session(&self) -> Option<SessionId> {
        match self.tenant.actor() {
            Actor::Person(_, session) => Some(*session),
            _ => None,
        }
    }

    /// Whether this is that person.
    pub fn is(&self, person: PersonId) -> bool {
        self.person() == Some(person)
    }

    /// Refuses who does not hold `permission` on the team at `on` (None: organization-wide).
    pub fn need(&self, permission: Permission, on: Option<&TeamPath>) -> Result<()> {
        if self.holder.may(permission, on) { Ok(()) } else { Err(Problem::lacks_permission(permission.wire_name()).into()) }
    }
}

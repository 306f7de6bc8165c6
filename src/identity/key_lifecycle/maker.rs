//! The creator of a key.

use crate::kernel::ids::PersonId;
use crate::kernel::tenant::Tenant;

/// The creator of a key as its row names them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Maker {
    pub name: String,
    /// The member whose key it is, which ends with their membership; None if it belongs to no member.
    pub person: Option<PersonId>,
}

impl Maker {
    pub fn of(tenant: &Tenant) -> Self {
        Self { name: tenant.actor().name(), person: tenant.person_behind() }
    }
}

//! Who makes a key.

use crate::kernel::ids::PersonId;
use crate::kernel::tenant::Tenant;

/// Who makes a key: what stands in its row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Maker {
    pub name: String,
    /// In whose hands the key is; None: in nobody's of the organization.
    pub person: Option<PersonId>,
}

impl Maker {
    pub fn of(tenant: &Tenant) -> Self {
        Self { name: tenant.actor().name(), person: tenant.person_behind() }
    }
}

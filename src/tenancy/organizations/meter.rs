//! The Meter's copy of an organization's status.

use super::organization::Organization;
use crate::kernel::error::Result;
use crate::kernel::tenant::Tenant;
use crate::meter::client::call;
use crate::meter::contract::{Call, Done};

/// Sends to the Meter whether the organization's keys may write.
pub async fn put_status(tenant: &Tenant, organization: &Organization) -> Result<()> {
    call::<Done>(tenant, Call::PutStatus { version: organization.version, status: organization.status }).await.map(|_| ())
}

//! The own limits of an organization, sent to its Meter.

use super::agreed::Limits;
use crate::kernel::error::Result;
use crate::kernel::tenant::Tenant;
use crate::meter::client::call;
use crate::meter::contract::{Call, Done};
use crate::meter::vocabulary::{Grant, LimitOverride};

/// Sends all own limits of the organization to its Meter.
pub async fn put_limits(tenant: &Tenant, limits: &Limits) -> Result<()> {
    let overrides = limits
        .overrides
        .iter()
        .map(|(metric, given)| (metric.clone(), LimitOverride { limit: given.limit, enforcement: given.enforcement }))
        .collect();
    let grants = limits
        .grants
        .iter()
        .map(|grant| Grant {
            id: grant.id.to_string(),
            metric: grant.metric.clone(),
            amount: grant.amount,
            starts_at: grant.starts_at,
            ends_at: grant.ends_at,
        })
        .collect();
    call::<Done>(tenant, Call::PutLimits { version: limits.version, overrides, grants }).await.map(|_| ())
}

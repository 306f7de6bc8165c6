//! Buckets: the hourly roll-up of the Meter, stored in the tenant's database.

use super::store;
use crate::kernel::error::{Error, Result};
use crate::kernel::problem::Problem;
use crate::kernel::tenant::Tenant;
use crate::meter::client;
use crate::meter::contract::Bucket;

/// Pages of buckets that one request waits for.
const ROUNDS_MAX: usize = 100;

/// Rolls up and stores all usage that the Meter has recorded.
pub async fn roll_up(tenant: &Tenant) -> Result<()> {
    for _ in 0..ROUNDS_MAX {
        let rolled = client::roll_up(tenant).await?;
        if let Some(last) = rolled.buckets.last() {
            match record(tenant, &rolled.buckets).await {
                // While the organization is moved nothing can be stored; the history is read without the newest usage.
                Err(Error::Refused(problem)) if problem.code == "organization_moving" => return Ok(()),
                stored => stored?,
            }
            client::acknowledge_buckets(tenant, last.version).await?;
        }
        if !rolled.has_more {
            return Ok(());
        }
    }
    Err(Problem::unavailable("The recorded usage is still being rolled up. Retry in a moment.").into())
}

/// Stores buckets of this organization's Meter. A bucket that arrives twice, late or out of order changes nothing.
pub async fn record(tenant: &Tenant, buckets: &[Bucket]) -> Result<()> {
    if !buckets.is_empty() {
        tenant.run(vec![store::put_buckets(buckets)]).await?;
    }
    Ok(())
}

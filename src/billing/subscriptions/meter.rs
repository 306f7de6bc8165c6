//! Sends the entitlements of a subscription to the Meter.

use super::entitlements;
use super::subscription::Subscription;
use crate::catalog::plans;
use crate::kernel::error::Result;
use crate::kernel::tenant::Tenant;
use crate::meter::client::call;
use crate::meter::contract::{Call, Done};

/// Configures the Meter with the entitlements of the subscription.
pub async fn configure(tenant: &Tenant, subscription: &Subscription) -> Result<()> {
    let clock = tenant.test_clock().map(|_| tenant.moment().now);
    let plan = plans::store::pinned(tenant.app(), &subscription.shape.plan, subscription.shape.plan_version).await?;
    let entitlements = entitlements::of(subscription, &plan, clock)?;
    call::<Done>(tenant, Call::Configure { entitlements }).await.map(|_| ())
}

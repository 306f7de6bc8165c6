//! The current account of a subscription before a command, and its closing by the Meter.

use crate::billing::billing_run::period::Run;
use crate::billing::charging::account::Account;
use crate::billing::subscriptions::store;
use crate::billing::subscriptions::subscription::Subscription;
use crate::kernel::error::{Error, Result};
use crate::kernel::period::Period;
use crate::kernel::problem::Problem;
use crate::kernel::tenant::{Actor, Tenant};
use crate::meter::client;
use crate::meter::contract::Closing;

/// Periods billed before a command, at most: two years of a subscription that no run has billed.
const PERIODS_MAX: usize = 24;

/// The account of the current subscription, with all due periods billed.
pub(super) async fn billed_account(tenant: &Tenant) -> Result<Account> {
    let id = store::require(tenant).await?.id;
    let run = tenant.acting_as(Actor::System("bill_before_the_act"));
    for _ in 0..PERIODS_MAX {
        let account = load(tenant, id).await?;
        if !account.subscription.is_due(tenant.moment().now) {
            return Ok(account);
        }
        if crate::billing::billing_run::period::bill_one_period(&run, id).await? == Run::NothingDue {
            return load(tenant, id).await;
        }
    }
    Err(Error::Unavailable("many periods are waiting for their invoices; try again in a moment".into()))
}

/// The account of the current subscription; refused while a due period is not billed.
pub(super) async fn current_account(tenant: &Tenant) -> Result<Account> {
    let account = load(tenant, store::require(tenant).await?.id).await?;
    if account.subscription.is_due(tenant.moment().now) {
        let detail = "A period has just ended and its invoice is being created. \
                      Preview again within the hour, or make the change: it does not have to wait.";
        return Err(Problem::conflict("period_being_billed", detail).into());
    }
    Ok(account)
}

async fn load(tenant: &Tenant, id: crate::kernel::ids::SubscriptionId) -> Result<Account> {
    Account::load(tenant, id).await?.ok_or_else(|| Error::internal(format!("{id} is gone")))
}

/// The counts of the usage period that a command may close now.
pub(super) async fn peek(tenant: &Tenant, subscription: &Subscription) -> Result<Closing> {
    client::peek_period(tenant, subscription.period).await
}

/// Closes a usage period for good. If the commit that follows is interrupted, the next one finds the same closing; usage counted after it
/// is late usage, so nothing is lost and nothing is billed twice.
pub(super) async fn close(tenant: &Tenant, subscription: &Subscription, period: Period) -> Result<Closing> {
    // The Meter must know the periods before it closes one.
    crate::billing::subscriptions::meter::configure(tenant, subscription).await?;
    client::close_period(tenant, period).await
}

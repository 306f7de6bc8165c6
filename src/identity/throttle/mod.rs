//! Throttle: how often the endpoints that need no credential may be called.
//!
//! Owns: the buckets, one for each address that calls and one for each target that is named. Does not own: the rates of an
//! organization's own requests (the Meter does).
//! Words: an *address* is the client's, of IPv6 its /64; a *target* is what could be guessed or flooded: an email, an invitation, a client.
//! Invariants: what was admitted is never more than the quota, whatever the interleaving; a refused request costs one read and no write,
//! and takes nothing from its target; no address and no email is stored, only a MAC of it.

mod address;
pub mod quotas;
mod store;

pub use address::Address;
pub use quotas::{Admission, Endpoint, at};

use crate::kernel::error::Result;
use crate::kernel::ports::App;
use quotas::{Kind, LOCAL_FACTOR};

/// Takes one request out of the buckets of `endpoint`: the address's, and the target's if there is one. Refuses with 429.
pub async fn check(app: &App, endpoint: Endpoint, address: &Address, target: Option<&str>) -> Result<Admission> {
    let policy = endpoint.policy();
    let factor = if address.is_local(app.settings.development) { LOCAL_FACTOR } else { 1 };
    let admission = store::take(app, endpoint, Kind::Address, address.as_text(), policy.address.times(factor)).await?;
    // One after the other: a client that is refused by its address must not be able to use up the target of others.
    if let Some(target) = target {
        store::take(app, endpoint, Kind::Target, target, policy.target.times(factor)).await?;
    }
    Ok(admission)
}

/// Forgets the buckets that are full again: a bucket that is not there is full.
pub async fn forget_full(app: &App) -> Result<usize> {
    store::forget_full(app).await
}

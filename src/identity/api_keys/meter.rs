//! What the Meter has to know of an API key.

use super::api_key::ApiKey;
use crate::kernel::error::Result;
use crate::kernel::tenant::Tenant;
use crate::meter::client::{call, remove_key};
use crate::meter::contract::{Call, Done};

/// Puts a key into the Meter, or removes it if it is revoked.
pub async fn put_key(tenant: &Tenant, key: &ApiKey) -> Result<()> {
    if key.revoked_at.is_some() {
        return remove_key(tenant, key.id).await;
    }
    call::<Done>(tenant, Call::PutKey { key: key.id, scopes: key.scopes.clone(), expires_at: key.expires_at }).await.map(|_| ())
}

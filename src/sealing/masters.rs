//! Master keys: derived from the operator's secrets, the newest first.

use crate::kernel::error::{Error, Result};
use crate::kernel::mac::mac;
use crate::kernel::ports::Settings;
use crate::kernel::problem::Problem;

/// A master key. Never printed: it opens everything.
pub struct Master {
    /// Identifies the key without revealing it.
    pub id: String,
    pub key: [u8; 32],
}

/// The master key that wraps.
pub fn current(settings: &Settings) -> Result<Master> {
    let newest = settings.master_secrets.first().ok_or_else(|| Error::internal("there is no master secret"))?;
    Ok(master(newest))
}

/// The master key of that id, if its secret is still configured.
pub fn find(settings: &Settings, id: &str) -> Result<Master> {
    let mut known = settings.master_secrets.iter().map(|secret| master(secret));
    known.find(|master| master.id == id).ok_or_else(|| {
        let detail = format!(
            "{id} still wraps keys and is not among TENANTRY_MASTER_KEYS. Add its secret behind the newest one until a rotation is \
             complete."
        );
        Problem::conflict("master_key_missing", detail).into()
    })
}

/// One HMAC as the derivation is enough: the configured secrets are long and random.
fn master(secret: &[u8]) -> Master {
    let id: String = mac(secret, "master key's id v1", &[]).iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    Master { id: format!("master_{id}"), key: mac(secret, "master key v1", &[]) }
}

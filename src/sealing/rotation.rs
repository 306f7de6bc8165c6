//! Rotation of the master key: every sealing key is wrapped again, the secrets themselves stay unchanged.

use super::{masters, store, vault};
use crate::kernel::audit::Audit;
use crate::kernel::error::Result;
use crate::kernel::platform::Platform;
use crate::kernel::sql::Statement;

/// Keys that one call wraps again.
const BATCH: u32 = 100;

/// The progress of a rotation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// The number of keys that this call wrapped.
    pub rewrapped: usize,
    /// Whether there are more keys to wrap.
    pub has_more: bool,
}

/// Wraps keys of older master keys under the newest one, as many as one call should; gives the statements that store them. Interrupted or
/// run twice at once, nothing is lost: each key is wrapped by one master key or the other.
pub async fn advance(platform: &Platform) -> Result<(Progress, Vec<Statement>)> {
    let app = platform.app();
    let master = masters::current(&app.settings)?;
    let keys = store::wrapped_by_others(app, &master.id, "", BATCH.saturating_add(1)).await?;
    let batch = usize::try_from(BATCH).unwrap_or(usize::MAX);
    let has_more = keys.len() > batch;
    let mut statements = Vec::new();
    for key in keys.iter().take(batch) {
        let plain = vault::unwrap_stored(app, key).await?;
        let (master, wrapped) = vault::wrap(app, &key.scope, &plain).await?;
        statements.push(store::rewrap(key, &master, &wrapped));
    }
    Ok((Progress { rewrapped: statements.len(), has_more }, statements))
}

/// The entry of the audit log for this progress.
pub fn audit(platform: &Platform, Progress { rewrapped, has_more }: Progress) -> Result<Audit> {
    let after = serde_json::json!({"rewrapped": rewrapped, "hasMore": has_more});
    let target = masters::current(&platform.app().settings)?.id;
    Ok(Audit { action: "sealingKeys.rotated", target, before: None, after: Some(after) })
}

//! Whether a text is a platform key that is good now.

use std::sync::Arc;

use sha2::{Digest, Sha256};

use super::platform_key::PlatformKey;
use super::store;
use super::token::{PLATFORM_PREFIX, PlatformToken};
use crate::identity::key_lifecycle::rules::is_use_to_be_noted;
use crate::kernel::error::Result;
use crate::kernel::ids::PlatformKeyId;
use crate::kernel::mac::same;
use crate::kernel::ports::App;
use crate::kernel::tenant::Actor;
use crate::kernel::time::seconds;

/// How long an isolate goes by what it knows of a key: a revocation elsewhere is heard of by then.
const REMEMBERED: std::time::Duration = seconds(60);

/// Who calls with this text; None when it is no platform key, or one that is not good. A forged one costs no database.
pub async fn find(app: &App, text: &str) -> Result<Option<Actor>> {
    if !text.starts_with(PLATFORM_PREFIX) {
        return Ok(None);
    }
    if is_root(app, text) {
        return Ok(Some(Actor::Platform));
    }
    let Some(token) = PlatformToken::verify(text, &app.settings.secret) else { return Ok(None) };
    let key = known(app, token.0).await?.filter(|key| key.is_usable(app.moment().now));
    Ok(key.map(|key| Actor::PlatformKey(key.id)))
}

/// Forgets what this isolate knows of a key, after a change to it.
pub fn forget(app: &App, id: PlatformKeyId) {
    app.memory.forget(&name(id));
}

async fn known(app: &App, id: PlatformKeyId) -> Result<Option<Arc<PlatformKey>>> {
    let now = app.moment().now;
    if let Some(key) = app.memory.recall::<PlatformKey>(&name(id), now) {
        return Ok(Some(key));
    }
    let Some(key) = store::find(app, id).await?.map(Arc::new) else { return Ok(None) };
    app.memory.keep(&name(id), now.plus(REMEMBERED), key.clone());
    if key.is_usable(now) && is_use_to_be_noted(key.last_used_at, now) {
        // For people to look at: a call does not fail because of it.
        let _noted = app.directory.batch(vec![store::note_use(id, now)]).await;
    }
    Ok(Some(key))
}

fn name(id: PlatformKeyId) -> String {
    format!("platform key {id}")
}

/// Whether this is the root key, of which only the hash is configured.
fn is_root(app: &App, text: &str) -> bool {
    let hash: String = Sha256::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect();
    same(hash.as_bytes(), app.settings.root_platform_key_hash.as_bytes())
}

//! The use of signing keys: made on first need, remembered for a minute, replaced in time.

use std::sync::Arc;

use ed25519_compact::{KeyPair, SecretKey, Seed};

use super::rules::{PUBLISHED_BEFORE, Ring, SigningKey};
use super::store;
use crate::kernel::audit::Audit;
use crate::kernel::error::{Error, Result};
use crate::kernel::ids::{SigningKeyId, secret_bytes};
use crate::kernel::platform::Platform;
use crate::kernel::ports::App;
use crate::kernel::tenant::{Actor, until_fresh};
use crate::kernel::time::{Timestamp, minutes, seconds};
use crate::sealing::Scope;

/// How long an isolate remembers the keys: a key that was deleted stops verifying here by then.
const REMEMBERED: std::time::Duration = seconds(60);
const RING: &str = "signing keys";
/// Longer than clocks differ and than making a key takes.
const FIRST_SIGNS_BEFORE: std::time::Duration = minutes(10);

/// All keys there are; the first one is made when there is none.
pub async fn ring(app: &App) -> Result<Arc<Ring>> {
    let now = app.moment().now;
    if let Some(ring) = app.memory.recall::<Ring>(RING, now) {
        return Ok(ring);
    }
    let mut ring = store::ring(app).await?;
    if ring.is_empty() {
        // It is not published before it signs, so it signs as of a while ago: clocks of machines differ, and time passes while it is made.
        ring = store::insert_first(app, &new_key(app, now.minus(FIRST_SIGNS_BEFORE)).await?).await?;
    }
    let ring = Arc::new(ring);
    app.memory.keep(RING, now.plus(REMEMBERED), ring.clone());
    Ok(ring)
}

/// The key that signs now, opened.
pub async fn signer(app: &App) -> Result<(SigningKeyId, Arc<SecretKey>)> {
    let ring = ring(app).await?;
    let now = app.moment().now;
    let key = ring.signer(now).ok_or_else(|| Error::internal("no key signs tokens"))?;
    let name = format!("signing key {}", key.id);
    if let Some(secret) = app.memory.recall::<SecretKey>(&name, now) {
        return Ok((key.id, secret));
    }
    let seed = app.open_sealed(Scope::Platform, &sealed_as(key.id), &key.sealed).await?;
    let seed = seed.try_into().map_err(|_| Error::internal("a signing key has the wrong length"))?;
    let secret = Arc::new(KeyPair::from_seed(Seed::new(seed)).sk);
    app.memory.keep(&name, now.plus(REMEMBERED), secret.clone());
    Ok((key.id, secret))
}

/// Creates the next key, which signs once all verifiers have had the time to fetch it. If one waits already, gives that one.
pub async fn rotate(platform: &Platform) -> Result<SigningKey> {
    let app = platform.app();
    // The first key, too, is published before it signs where there is time for that.
    ring(app).await?;
    until_fresh(|| async {
        let now = app.moment().now;
        if let Some(key) = store::ring(app).await?.waiting(now) {
            return Ok(key.clone());
        }
        let key = new_key(app, now.plus(PUBLISHED_BEFORE)).await?;
        let after = serde_json::json!({"signsFrom": key.signs_from});
        let audit = Audit { action: "signingKey.created", target: key.id.to_string(), before: None, after: Some(after) };
        platform.commit(vec![store::none_waits(now), store::insert(&key)], vec![audit]).await?;
        app.memory.forget(RING);
        Ok(key)
    })
    .await
}

/// The housekeeping of a day: a new key when the old one has signed for long enough, and what verifies nothing any more is deleted.
/// Gives how many keys were created or deleted.
pub async fn keep_fresh(platform: &Platform) -> Result<usize> {
    let app = platform.app();
    let now = app.moment().now;
    let ring = store::ring(app).await?;
    let ended: Vec<_> = ring.ended(now).map(|key| store::delete(key.id)).collect();
    let is_due = ring.is_due(now);
    let changes = ended.len().saturating_add(usize::from(is_due));
    if !ended.is_empty() {
        app.directory.batch(ended).await?;
    }
    if is_due {
        rotate(&platform.acting_as(Actor::System("housekeeping"))).await?;
    }
    Ok(changes)
}

async fn new_key(app: &App, signs_from: Timestamp) -> Result<SigningKey> {
    let moment = app.moment();
    let id = SigningKeyId::new(moment);
    let seed = secret_bytes(moment.entropy)?;
    let public = KeyPair::from_seed(Seed::new(seed)).pk;
    let sealed = app.seal(Scope::Platform, &sealed_as(id), &seed).await?;
    Ok(SigningKey { id, public: *public, sealed, created_at: moment.now, signs_from })
}

fn sealed_as(id: SigningKeyId) -> String {
    format!("signing_keys.private_key/{id}")
}

//! All SQL of tokens: the signing keys, in the directory.

use base64ct::{Base64UrlUnpadded, Encoding};
use serde::Deserialize;

use super::rules::{Ring, SigningKey};
use crate::kernel::error::{Error, Result};
use crate::kernel::ids::SigningKeyId;
use crate::kernel::ports::App;
use crate::kernel::sql;
use crate::kernel::sql::{Statement, decode};
use crate::kernel::time::Timestamp;
use crate::{platform_sql, stale_if};

#[derive(Deserialize)]
struct KeyRow {
    id: SigningKeyId,
    public_key: String,
    private_key: String,
    #[serde(deserialize_with = "sql::millis::deserialize")]
    created_at: Timestamp,
    #[serde(deserialize_with = "sql::millis::deserialize")]
    signs_from: Timestamp,
}

impl KeyRow {
    fn key(self) -> Result<SigningKey> {
        let public = Base64UrlUnpadded::decode_vec(&self.public_key).ok().and_then(|bytes| bytes.try_into().ok());
        let public = public.ok_or_else(|| Error::internal(format!("the public half of {} can't be read", self.id)))?;
        Ok(SigningKey { id: self.id, public, sealed: self.private_key, created_at: self.created_at, signs_from: self.signs_from })
    }
}

pub async fn ring(app: &App) -> Result<Ring> {
    read(app, vec![select()]).await
}

/// Stores the first key, unless another was first; gives all there are.
pub async fn insert_first(app: &App, key: &SigningKey) -> Result<Ring> {
    let insert = platform_sql!(
        "INSERT INTO signing_keys (id, public_key, private_key, created_at, signs_from)
         SELECT ?1, ?2, ?3, ?4, ?5
         WHERE NOT EXISTS (SELECT 1 FROM signing_keys)",
        key.id,
        Base64UrlUnpadded::encode_string(&key.public),
        key.sealed.as_str(),
        key.created_at,
        key.signs_from
    );
    read(app, vec![insert, select()]).await
}

pub fn insert(key: &SigningKey) -> Statement {
    platform_sql!(
        "INSERT INTO signing_keys (id, public_key, private_key, created_at, signs_from)
         VALUES (?1, ?2, ?3, ?4, ?5)",
        key.id,
        Base64UrlUnpadded::encode_string(&key.public),
        key.sealed.as_str(),
        key.created_at,
        key.signs_from
    )
}

/// Guard: no key waits for its time to sign.
pub fn none_waits(now: Timestamp) -> Statement {
    stale_if!(directory, "EXISTS (SELECT 1 FROM signing_keys WHERE signs_from > ?1)", now)
}

pub fn delete(id: SigningKeyId) -> Statement {
    platform_sql!("DELETE FROM signing_keys WHERE id = ?1", id)
}

fn select() -> Statement {
    platform_sql!("SELECT id, public_key, private_key, created_at, signs_from FROM signing_keys ORDER BY signs_from, id")
}

/// The keys that the last statement reads.
async fn read(app: &App, statements: Vec<Statement>) -> Result<Ring> {
    let outcomes = app.directory.batch(statements).await?;
    let rows = outcomes.into_iter().last().map(|outcome| outcome.rows).unwrap_or_default();
    let keys = rows.into_iter().map(|row| decode::<KeyRow>(row).map_err(Error::from)?.key());
    Ok(Ring::new(keys.collect::<Result<_>>()?))
}

//! The organization's keys as the Meter knows them, and whether one may do something here.
//!
//! Invariant: a key is good when its MAC is right, it was put here, it is not revoked, and it has not expired.

use std::collections::HashMap;

use serde::Deserialize;
use subtle::ConstantTimeEq;

use crate::access::permissions::{Permission, permits};
use crate::access::token::{OrganizationToken, prefix};
use crate::kernel::ids::{KeyId, OrganizationId};
use crate::kernel::problem::Problem;
use crate::kernel::sql as columns;
use crate::kernel::sql::{LocalSql, SqlError, Value, decode};
use crate::kernel::time::Timestamp;
use crate::usage::meter::HotCaller;

use super::schema;

/// Keys by the part of their text that names them, so that a request needs no decoding to find its key.
#[derive(Default)]
pub(super) struct Keys {
    by_prefix: HashMap<String, Key>,
}

struct Key {
    scopes: Vec<String>,
    expires_at: Option<Timestamp>,
    revoked: bool,
    /// The text that was once found right, so that its MAC is computed once.
    verified: Option<String>,
}

#[derive(Deserialize)]
struct Row {
    key: KeyId,
    #[serde(with = "columns::json")]
    scopes: Vec<String>,
    #[serde(with = "columns::optional_millis")]
    expires_at: Option<Timestamp>,
    #[serde(with = "columns::truth")]
    revoked: bool,
}

impl Keys {
    pub fn load<S: LocalSql>(sql: &S) -> Result<Self, SqlError> {
        let mut keys = Self::default();
        for row in sql.run("SELECT key, scopes, expires_at, revoked FROM keys", &[])? {
            let Row { key, scopes, expires_at, revoked } = decode(row)?;
            keys.by_prefix.insert(prefix(key), Key { scopes, expires_at, revoked, verified: None });
        }
        Ok(keys)
    }

    /// Makes a key known, unless it was revoked already.
    pub fn put<S: LocalSql>(&mut self, sql: &S, key: KeyId, scopes: Vec<String>, expires_at: Option<Timestamp>) -> Result<(), SqlError> {
        if self.by_prefix.get(&prefix(key)).is_some_and(|known| known.revoked) {
            return Ok(());
        }
        self.write(sql, key, Key { scopes, expires_at, revoked: false, verified: None })
    }

    /// Revokes a key, also one that was not heard of yet.
    pub fn remove<S: LocalSql>(&mut self, sql: &S, key: KeyId) -> Result<(), SqlError> {
        self.write(sql, key, Key { scopes: Vec::new(), expires_at: None, revoked: true, verified: None })
    }

    fn write<S: LocalSql>(&mut self, sql: &S, id: KeyId, key: Key) -> Result<(), SqlError> {
        let text = "INSERT OR REPLACE INTO keys (key, scopes, expires_at, revoked) VALUES (?1, ?2, ?3, ?4)";
        sql.run(text, &[id.into(), Value::Text(schema::json(&key.scopes)?), key.expires_at.into(), key.revoked.into()])?;
        self.by_prefix.insert(prefix(id), key);
        Ok(())
    }

    /// Whether the caller of a hot request may do what needs `permission`. Gives the part of the key that names it; None for a caller
    /// that the Worker has verified.
    pub fn authorize<'c>(
        &mut self,
        caller: &'c HotCaller<'_>,
        permission: Permission,
        secret: &[u8],
        organization: OrganizationId,
        wall: Timestamp,
    ) -> Result<Option<&'c str>, Problem> {
        let header = match caller {
            HotCaller::Trusted => return Ok(None),
            HotCaller::Header(header) => header,
        };
        let text = match header.split_once(' ') {
            Some((scheme, text)) if scheme.eq_ignore_ascii_case("bearer") => text.trim(),
            _ => return Err(Problem::unauthenticated("Send the header Authorization: Bearer tk_org_....")),
        };
        let key = text.get(..PREFIX_LENGTH).and_then(|prefix| self.by_prefix.get_mut(prefix)).ok_or_else(unknown)?;
        let is_genuine = key.is_verified(text) || key.verify(text, secret, organization);
        if !is_genuine || key.revoked || key.expires_at.is_some_and(|expires_at| expires_at <= wall) {
            return Err(unknown());
        }
        if !key.scopes.iter().any(|scope| permits(scope, permission)) {
            return Err(Problem::lacks_permission(permission.wire_name()));
        }
        Ok(text.get(..PREFIX_LENGTH))
    }
}

/// `tk_org_` and 26 letters.
const PREFIX_LENGTH: usize = 33;

impl Key {
    fn is_verified(&self, text: &str) -> bool {
        self.verified.as_ref().is_some_and(|verified| bool::from(verified.as_bytes().ct_eq(text.as_bytes())))
    }

    fn verify(&mut self, text: &str, secret: &[u8], organization: OrganizationId) -> bool {
        let is_ours = OrganizationToken::verify(text, secret).is_some_and(|token| token.organization == organization);
        if is_ours {
            self.verified = Some(text.to_owned());
        }
        is_ours
    }
}

/// The same for unknown, forged, foreign, expired and revoked ones, so that nobody learns which it was.
fn unknown() -> Problem {
    Problem::unauthenticated("This credential is unknown, expired or revoked. Create a new key with POST /v1/api-keys.")
}

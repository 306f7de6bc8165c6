//! The organization's keys as the Meter knows them, and the permission check of each.
//!
//! Invariant: a key is valid when its MAC is right, it was put here, it is not revoked, and it has not expired. Its last use is written
//! at most every few minutes, so that it costs the hot path nothing.

use std::collections::HashMap;

use serde::Deserialize;
use subtle::ConstantTimeEq;

use super::schema;
use crate::identity::api_keys::token::{OrganizationToken, prefix};
use crate::identity::key_lifecycle::rules::is_use_to_be_noted;
use crate::identity::permissions::{Permission, permits};
use crate::kernel::ids::{KeyId, OrganizationId};
use crate::kernel::problem::Problem;
use crate::kernel::sql as columns;
use crate::kernel::sql::{LocalSql, SqlError, Value, decode};
use crate::kernel::time::Timestamp;
use crate::meter::contract::KeyUses;
use crate::meter::wire::HotCaller;

/// Keys by the part of their text that names them, so that a request needs no decoding to find its key.
#[derive(Default)]
pub(super) struct Keys {
    by_prefix: HashMap<String, Key>,
    /// Uses that are to be written with this group.
    to_note: Vec<(KeyId, Timestamp)>,
}

struct Key {
    id: KeyId,
    scopes: Vec<String>,
    expires_at: Option<Timestamp>,
    revoked: bool,
    /// The text that was once found right, so that its MAC is computed once.
    verified: Option<String>,
    used_at: Option<Timestamp>,
    /// The use that was written last.
    noted_at: Option<Timestamp>,
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
    #[serde(with = "columns::optional_millis")]
    used_at: Option<Timestamp>,
}

impl Keys {
    pub fn load<S: LocalSql>(sql: &S) -> Result<Self, SqlError> {
        let mut keys = Self::default();
        let text = "SELECT keys.key, scopes, expires_at, revoked, used_at FROM keys LEFT JOIN key_uses USING (key)";
        for row in sql.run(text, &[])? {
            let Row { key, scopes, expires_at, revoked, used_at } = decode(row)?;
            let known = Key { used_at, noted_at: used_at, ..Key::new(key, scopes, expires_at, revoked) };
            keys.by_prefix.insert(prefix(key), known);
        }
        Ok(keys)
    }

    /// Makes a key known, unless it was revoked already.
    pub fn put<S: LocalSql>(&mut self, sql: &S, key: KeyId, scopes: Vec<String>, expires_at: Option<Timestamp>) -> Result<(), SqlError> {
        if self.by_prefix.get(&prefix(key)).is_some_and(|known| known.revoked) {
            return Ok(());
        }
        self.write(sql, Key::new(key, scopes, expires_at, false))
    }

    /// Revokes a key, also one that was not put here yet.
    pub fn remove<S: LocalSql>(&mut self, sql: &S, key: KeyId) -> Result<(), SqlError> {
        self.write(sql, Key::new(key, Vec::new(), None, true))
    }

    fn write<S: LocalSql>(&mut self, sql: &S, key: Key) -> Result<(), SqlError> {
        let text = "INSERT OR REPLACE INTO keys (key, scopes, expires_at, revoked) VALUES (?1, ?2, ?3, ?4)";
        sql.run(text, &[key.id.into(), Value::Text(schema::json(&key.scopes)?), key.expires_at.into(), key.revoked.into()])?;
        let name = prefix(key.id);
        let (used_at, noted_at) = self.by_prefix.get(&name).map_or((None, None), |known| (known.used_at, known.noted_at));
        self.by_prefix.insert(name, Key { used_at, noted_at, ..key });
        Ok(())
    }

    /// The last use of each of these keys.
    pub fn uses(&self, keys: &[KeyId]) -> KeyUses {
        let used = |key: &KeyId| Some((*key, self.by_prefix.get(&prefix(*key))?.used_at?));
        KeyUses { uses: keys.iter().filter_map(used).collect() }
    }

    /// Writes the uses of a group of requests.
    pub fn note_uses<S: LocalSql>(&mut self, sql: &S) -> Result<(), SqlError> {
        for (key, used_at) in self.to_note.drain(..) {
            sql.run("INSERT OR REPLACE INTO key_uses (key, used_at) VALUES (?1, ?2)", &[key.into(), used_at.into()])?;
        }
        Ok(())
    }

    /// Checks that the caller of a hot request has `permission`. Gives the part of the key that names it; None for a caller
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
        if key.is_use_to_be_noted(wall) {
            self.to_note.push((key.id, wall));
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
    fn new(id: KeyId, scopes: Vec<String>, expires_at: Option<Timestamp>, revoked: bool) -> Self {
        Self { id, scopes, expires_at, revoked, verified: None, used_at: None, noted_at: None }
    }

    /// Notes a use in memory; gives whether it has to be stored.
    fn is_use_to_be_noted(&mut self, wall: Timestamp) -> bool {
        self.used_at = Some(wall);
        let is_due = is_use_to_be_noted(self.noted_at, wall);
        if is_due {
            self.noted_at = Some(wall);
        }
        is_due
    }

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

/// The same for unknown, forged, foreign, expired and revoked ones, so that the answer does not reveal which it was.
fn unknown() -> Problem {
    Problem::unauthenticated("This credential is unknown, expired or revoked. Create a new key with POST /v1/api-keys.")
}

//! Idempotency of `POST`: the claim of a key commits in the same batch as the effect, so a retry finds either both or neither.

use serde::Deserialize;
use sha2::{Digest, Sha256};

use super::actor::Actor;
use super::error::{Error, Result};
use super::platform::Platform;
use super::problem::Problem;
use super::sql::Statement;
use super::tenant::{Tenant, TenantStatement};
use super::time::{Timestamp, hours};
use crate::{platform_sql, tenant_sql};

/// Characters of a key at most.
pub const KEY_LENGTH_MAX: usize = 255;

/// The retention of an answer, except for usage (35 days, kept by the Meter).
pub const KEPT: std::time::Duration = hours(48);

/// The `Idempotency-Key` of one request and the fingerprint of the request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    pub key: String,
    pub fingerprint: String,
}

impl Claim {
    /// `key` as sent, bare or quoted; the fingerprint covers method, path and body.
    pub fn new(key: &str, method: &str, path: &str, body: &[u8]) -> std::result::Result<Self, Problem> {
        let bare = key.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(key);
        let printable = bare.bytes().all(|byte| (0x20..0x7f).contains(&byte));
        if bare.is_empty() || bare.len() > KEY_LENGTH_MAX || !printable {
            return Err(invalid_key());
        }
        Ok(Self { key: bare.to_owned(), fingerprint: fingerprint(&[method.as_bytes(), path.as_bytes(), body]) })
    }
}

impl Claim {
    /// The same claim, limited to `target`: without a credential, two clients may use the same key.
    #[must_use]
    pub fn within(self, target: &str) -> Self {
        let Self { key, fingerprint: of_request } = self;
        Self { key: format!("{}:{key}", fingerprint(&[b"public", target.as_bytes()])), fingerprint: of_request }
    }

    /// The key as an organization's answers are stored: an answer belongs to the actor that asked, because another one may not be allowed
    /// to read it.
    fn key_of(&self, actor: &Actor) -> String {
        format!("{}:{}", actor.name(), self.key)
    }
}

/// SHA-256 over the parts, in hex.
pub fn fingerprint(parts: &[&[u8]]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
        hash.update(part);
    }
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The stored answer of a request, for its retries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    pub claim: Claim,
    pub status: u16,
    pub body: String,
}

#[derive(Deserialize)]
struct Stored {
    fingerprint: String,
    status: u16,
    body: String,
}

/// The header is not a valid key.
pub fn invalid_key() -> Problem {
    let detail = format!("Send an Idempotency-Key of 1 to {KEY_LENGTH_MAX} printable ASCII characters.");
    Problem::refused("Idempotency-Key", "invalid_idempotency_key", detail)
}

/// The same key was sent with another request.
pub fn mismatch() -> Problem {
    Problem::new(
        422,
        "idempotency_mismatch",
        "The Idempotency-Key was used for another request",
        "Use a new Idempotency-Key for a new request; send the same body to repeat the earlier one.",
    )
}

impl Answer {
    /// Stores the answer with a tenant's commit, for the actor that asked; an expired answer under the same key is replaced.
    pub(super) fn record(&self, actor: &Actor, now: Timestamp) -> [TenantStatement; 2] {
        let key = self.claim.key_of(actor);
        [
            tenant_sql!(
                "DELETE FROM idempotency_keys WHERE organization_id = ?1 AND key = ?2 AND created_at <= ?3",
                key.as_str(),
                now.minus(KEPT)
            ),
            tenant_sql!(
                "INSERT INTO idempotency_keys (organization_id, key, fingerprint, status, body, created_at)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                key.as_str(),
                self.claim.fingerprint.as_str(),
                u32::from(self.status),
                self.body.as_str(),
                now
            ),
        ]
    }

    /// The same for a request of the vendor without an organization: its answer is in the directory.
    pub fn record_for_vendor(&self, now: Timestamp) -> [Statement; 2] {
        [
            platform_sql!("DELETE FROM idempotency_keys WHERE key = ?1 AND created_at <= ?2", self.claim.key.as_str(), now.minus(KEPT)),
            platform_sql!(
                "INSERT INTO idempotency_keys (key, fingerprint, status, body, created_at)
                 VALUES (?1, ?2, ?3, ?4, ?5)",
                self.claim.key.as_str(),
                self.claim.fingerprint.as_str(),
                u32::from(self.status),
                self.body.as_str(),
                now
            ),
        ]
    }
}

impl Stored {
    /// The stored answer; a refusal when the key belongs to another request.
    fn answer(self, claim: &Claim) -> Result<Answer> {
        if self.fingerprint == claim.fingerprint {
            Ok(Answer { claim: claim.clone(), status: self.status, body: self.body })
        } else {
            Err(Error::from(mismatch()))
        }
    }
}

impl Tenant {
    /// The stored answer of an earlier request of the same actor with this key, if any.
    pub async fn answered(&self, claim: &Claim) -> Result<Option<Answer>> {
        let statement = tenant_sql!(
            "SELECT organization_id, fingerprint, status, body
             FROM idempotency_keys
             WHERE organization_id = ?1 AND key = ?2 AND created_at > ?3",
            claim.key_of(self.actor()),
            self.app().moment().now.minus(KEPT)
        );
        self.row::<Stored>(statement).await?.map(|stored| stored.answer(claim)).transpose()
    }
}

impl Platform {
    /// The stored answer of an earlier request of the vendor with this key, if any.
    pub async fn answered(&self, claim: &Claim) -> Result<Option<Answer>> {
        let statement = platform_sql!(
            "SELECT fingerprint, status, body FROM idempotency_keys WHERE key = ?1 AND created_at > ?2",
            claim.key.as_str(),
            self.app().moment().now.minus(KEPT)
        );
        let stored = self.directory_rows::<Stored>(statement).await?.into_iter().next();
        stored.map(|stored| stored.answer(claim)).transpose()
    }
}

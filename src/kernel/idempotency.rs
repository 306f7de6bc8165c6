//! Idempotency of `POST`: the claim of a key commits in the same batch as the effect, so a retry finds either both or neither.

use serde::Deserialize;
use sha2::{Digest, Sha256};

use super::error::{Error, Result};
use super::problem::Problem;
use super::tenant::{Tenant, TenantStatement};
use super::time::{Timestamp, hours};
use crate::tenant_sql;

/// Longest key a client may send.
pub const KEY_LENGTH_MAX: usize = 255;

/// How long an answer is kept, except for usage (35 days, kept by the Meter).
pub const KEPT: std::time::Duration = hours(48);

/// The `Idempotency-Key` of one request and the fingerprint of what was asked.
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
            return Err(Problem::invalid(
                "Idempotency-Key",
                "invalid_idempotency_key",
                format!("Send an Idempotency-Key of 1 to {KEY_LENGTH_MAX} printable ASCII characters."),
            ));
        }
        Ok(Self { key: bare.to_owned(), fingerprint: fingerprint(&[method.as_bytes(), path.as_bytes(), body]) })
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

/// What a request was answered with, to be given again to a retry.
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

/// The same key was sent with another request.
pub fn mismatch() -> Problem {
    Problem::new(
        422,
        "idempotency_mismatch",
        "The Idempotency-Key was used for another request",
        "Use a new Idempotency-Key for a new request; send the very same body to repeat the old one.",
    )
}

impl Answer {
    pub(super) fn record(&self, now: Timestamp) -> TenantStatement {
        tenant_sql!(
            "INSERT INTO idempotency_keys (organization_id, key, fingerprint, status, body, created_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            self.claim.key.as_str(),
            self.claim.fingerprint.as_str(),
            u32::from(self.status),
            self.body.as_str(),
            now
        )
    }
}

impl Tenant {
    /// The stored answer of an earlier request with this key, if any.
    pub async fn answered(&self, claim: &Claim) -> Result<Option<Answer>> {
        let statement = tenant_sql!(
            "SELECT organization_id, fingerprint, status, body FROM idempotency_keys WHERE organization_id = ?1 AND key = ?2 AND created_at > ?3",
            claim.key.as_str(),
            self.app().moment().now.minus(KEPT)
        );
        match self.row::<Stored>(statement).await? {
            None => Ok(None),
            Some(stored) if stored.fingerprint != claim.fingerprint => Err(Error::from(mismatch())),
            Some(stored) => Ok(Some(Answer { claim: claim.clone(), status: stored.status, body: stored.body })),
        }
    }
}

//! The secrets of API keys: `tk_org_` + key id + organization id + MAC, each 26 letters of base32.
//!
//! MAC = the first 16 bytes of HMAC-SHA256(secret, "tk_org" ‖ key ‖ organization): a forged key costs no database anything.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::identity::key_lifecycle::secret as form;
use crate::kernel::ids::{KeyId, OrganizationId};

pub const ORGANIZATION_PREFIX: &str = "tk_org_";

/// What an organization key says of itself, once its MAC was found right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OrganizationToken {
    pub organization: OrganizationId,
    pub key: KeyId,
}

impl OrganizationToken {
    /// The secret text of this key.
    pub fn mint(self, secret: &[u8]) -> String {
        form::write(ORGANIZATION_PREFIX, &[self.key.to_bytes(), self.organization.to_bytes()], self.mac(secret))
    }

    /// Reads and verifies a secret text, in constant time as to the MAC. None for everything that was not minted here.
    pub fn verify(text: &str, secret: &[u8]) -> Option<Self> {
        form::read(ORGANIZATION_PREFIX, text, |ids| Self::of(ids).mac(secret)).map(Self::of)
    }

    fn of([key, organization]: [[u8; 16]; 2]) -> Self {
        Self { organization: OrganizationId::from_bytes(organization), key: KeyId::from_bytes(key) }
    }

    fn mac(self, secret: &[u8]) -> [u8; 16] {
        let mut first_half = [0; 16];
        // HMAC takes keys of any length, so there is always a MAC.
        if let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret) {
            mac.update(b"tk_org");
            mac.update(&self.key.to_bytes());
            mac.update(&self.organization.to_bytes());
            for (to, from) in first_half.iter_mut().zip(mac.finalize().into_bytes()) {
                *to = from;
            }
        }
        first_half
    }
}

/// The part of a key that may be shown: it identifies the key and grants no access.
pub fn prefix(key: KeyId) -> String {
    form::shown(ORGANIZATION_PREFIX, key.to_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_minted_verifies() {
        let token = OrganizationToken { organization: OrganizationId::from_bytes([1; 16]), key: KeyId::from_bytes([2; 16]) };
        let text = token.mint(b"secret");
        assert_eq!(OrganizationToken::verify(&text, b"secret"), Some(token));
        assert_eq!(OrganizationToken::verify(&text, b"other"), None);
        assert!(text.starts_with(&prefix(token.key)));
        for cut in 0..text.len() {
            assert_eq!(OrganizationToken::verify(&text[..cut], b"secret"), None);
        }
        let forged = text.replacen('0', "1", 1);
        assert_eq!(OrganizationToken::verify(&forged, b"secret"), None);
    }
}

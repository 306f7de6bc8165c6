//! The secrets of API keys: `tk_org_` + key id + organization id + MAC, each 26 letters of base32.
//!
//! MAC = the first 16 bytes of HMAC-SHA256(secret, "tk_org" ‖ key ‖ organization): a forged key costs no database anything.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use subtle::ConstantTimeEq;

use crate::kernel::ids::{KeyId, OrganizationId, decode_base32, encode_base32};

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
        let key = encode_base32(self.key.to_bytes());
        let organization = encode_base32(self.organization.to_bytes());
        format!("{ORGANIZATION_PREFIX}{key}{organization}{}", encode_base32(self.mac(secret)))
    }

    /// Reads and verifies a secret text, in constant time as to the MAC. None for everything that was not minted here.
    pub fn verify(text: &str, secret: &[u8]) -> Option<Self> {
        let letters = text.strip_prefix(ORGANIZATION_PREFIX)?;
        let key = KeyId::from_bytes(decode_base32(letters.get(..26)?)?);
        let organization = OrganizationId::from_bytes(decode_base32(letters.get(26..52)?)?);
        let mac = decode_base32(letters.get(52..)?)?;
        let token = Self { organization, key };
        bool::from(token.mac(secret).ct_eq(&mac)).then_some(token)
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

/// The part of a key that may be shown: it names the key and opens nothing.
pub fn prefix(key: KeyId) -> String {
    format!("{ORGANIZATION_PREFIX}{}", encode_base32(key.to_bytes()))
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

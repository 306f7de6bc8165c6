//! The secrets of platform keys: `tk_platform_` + key id + MAC, each 26 letters of base32.

use crate::identity::key_lifecycle::secret as form;
use crate::kernel::ids::PlatformKeyId;
use crate::kernel::mac;

pub const PLATFORM_PREFIX: &str = "tk_platform_";

/// What a platform key says of itself: `tk_platform_` + key id + MAC. The configured root key has no such form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PlatformToken(pub PlatformKeyId);

impl PlatformToken {
    pub fn mint(self, secret: &[u8]) -> String {
        form::write(PLATFORM_PREFIX, &[self.0.to_bytes()], self.mac(secret))
    }

    /// Reads and verifies a secret text, in constant time as to the MAC. None for everything that was not minted here.
    pub fn verify(text: &str, secret: &[u8]) -> Option<Self> {
        form::read(PLATFORM_PREFIX, text, |ids| Self::of(ids).mac(secret)).map(Self::of)
    }

    fn of([key]: [[u8; 16]; 1]) -> Self {
        Self(PlatformKeyId::from_bytes(key))
    }

    fn mac(self, secret: &[u8]) -> [u8; 16] {
        mac::short(mac::mac(secret, "platform key", &[&self.0.to_bytes()]))
    }
}

/// The part of a key that may be shown: it identifies the key and grants no access.
pub fn prefix(key: PlatformKeyId) -> String {
    form::shown(PLATFORM_PREFIX, key.to_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::api_keys::token::OrganizationToken;

    #[test]
    fn a_platform_key_is_verified_alike_and_is_no_other_keys() {
        let (key, token) = (PlatformKeyId::from_bytes([3; 16]), PlatformToken(PlatformKeyId::from_bytes([3; 16])));
        let text = token.mint(b"secret");
        assert_eq!(PlatformToken::verify(&text, b"secret"), Some(token));
        assert_eq!(PlatformToken::verify(&text, b"other"), None);
        assert!(text.starts_with(&prefix(key)));
        for cut in 0..text.len() {
            assert_eq!(PlatformToken::verify(&text[..cut], b"secret"), None);
        }
        assert_eq!(OrganizationToken::verify(&text, b"secret"), None);
    }
}

//! The secret of an invitation's email: `tk_invite_` + invitation, organization, generation and MAC in letters of base32.
//!
//! MAC = the first 16 bytes of HMAC-SHA256(secret, "tk_invite" ‖ invitation ‖ organization ‖ generation): a forged token finds nothing to
//! look up.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use subtle::ConstantTimeEq;

use crate::kernel::ids::{InvitationId, OrganizationId, decode_base32, encode_base32};

pub const INVITATION_PREFIX: &str = "tk_invite_";

/// What a token says of itself, once its MAC was found right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvitationToken {
    pub organization: OrganizationId,
    pub invitation: InvitationId,
    pub generation: u32,
}

impl InvitationToken {
    /// The secret text of this token.
    pub fn mint(self, secret: &[u8]) -> String {
        let invitation = encode_base32(self.invitation.to_bytes());
        let organization = encode_base32(self.organization.to_bytes());
        format!("{INVITATION_PREFIX}{invitation}{organization}{:08x}{}", self.generation, encode_base32(self.mac(secret)))
    }

    /// Reads and verifies a secret text, in constant time as to the MAC. None for everything that was not minted here.
    pub fn verify(text: &str, secret: &[u8]) -> Option<Self> {
        let letters = text.strip_prefix(INVITATION_PREFIX)?;
        let invitation = InvitationId::from_bytes(decode_base32(letters.get(..26)?)?);
        let organization = OrganizationId::from_bytes(decode_base32(letters.get(26..52)?)?);
        let generation = u32::from_str_radix(letters.get(52..60)?, 16).ok()?;
        let token = Self { organization, invitation, generation };
        let mac = decode_base32(letters.get(60..)?)?;
        bool::from(token.mac(secret).ct_eq(&mac)).then_some(token)
    }

    /// The invitation that a text names, true or not: the target of the throttle.
    pub fn target(text: &str) -> Option<&str> {
        text.strip_prefix(INVITATION_PREFIX)?.get(..26)
    }

    fn mac(self, secret: &[u8]) -> [u8; 16] {
        let mut first_half = [0; 16];
        // HMAC takes keys of any length, so there is always a MAC.
        if let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret) {
            mac.update(b"tk_invite");
            mac.update(&self.invitation.to_bytes());
            mac.update(&self.organization.to_bytes());
            mac.update(&self.generation.to_be_bytes());
            for (to, from) in first_half.iter_mut().zip(mac.finalize().into_bytes()) {
                *to = from;
            }
        }
        first_half
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn token(generation: u32) -> InvitationToken {
        let (organization, invitation) = (OrganizationId::from_bytes([1; 16]), InvitationId::from_bytes([2; 16]));
        InvitationToken { organization, invitation, generation }
    }

    #[test]
    fn only_what_was_minted_verifies() {
        let text = token(3).mint(b"secret");
        assert_eq!(InvitationToken::verify(&text, b"secret"), Some(token(3)));
        assert_eq!(InvitationToken::verify(&text, b"other"), None);
        for cut in 0..text.len() {
            assert_eq!(InvitationToken::verify(&text[..cut], b"secret"), None);
        }
        let renewed = text.replace("00000003", "00000004");
        assert_eq!(InvitationToken::verify(&renewed, b"secret"), None, "the MAC covers the generation");
        assert_eq!(InvitationToken::verify(&format!("{text}0"), b"secret"), None);
    }

    proptest! {
        #[test]
        fn no_text_opens_anything(text in "(tk_invite_)?.{0,120}") {
            prop_assert_eq!(InvitationToken::verify(&text, b"secret"), None);
            let _ = InvitationToken::target(&text);
        }

        #[test]
        fn every_generation_has_a_token_of_its_own(one: u32, other: u32) {
            prop_assert_eq!(token(one).mint(b"secret") == token(other).mint(b"secret"), one == other);
        }
    }
}

//! The refresh token: `tk_refresh_` + session + organization + MAC, each 26 letters of base32, + generation.

use crate::kernel::ids::{OrganizationId, SessionId, decode_base32, encode_base32};
use crate::kernel::mac::{mac, same, short};

const PREFIX: &str = "tk_refresh_";

/// What a refresh token says of itself, once its MAC was found right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RefreshToken {
    pub organization: OrganizationId,
    pub session: SessionId,
    pub generation: u32,
}

impl RefreshToken {
    pub fn mint(self, secret: &[u8]) -> String {
        let (session, organization) = (encode_base32(self.session.to_bytes()), encode_base32(self.organization.to_bytes()));
        format!("{PREFIX}{session}{organization}{}{}", encode_base32(self.mac(secret)), self.generation)
    }

    /// Reads and verifies a text. None for everything that was not minted here.
    pub fn verify(text: &str, secret: &[u8]) -> Option<Self> {
        let letters = text.strip_prefix(PREFIX)?;
        let generation = letters.get(78..).filter(|digits| digits.len() <= 10 && !digits.starts_with('0') && !digits.starts_with('+'))?;
        let token = Self {
            session: SessionId::from_bytes(decode_base32(letters.get(..26)?)?),
            organization: OrganizationId::from_bytes(decode_base32(letters.get(26..52)?)?),
            generation: generation.parse().ok()?,
        };
        let given = decode_base32(letters.get(52..78)?)?;
        same(&token.mac(secret), &given).then_some(token)
    }

    fn mac(self, secret: &[u8]) -> [u8; 16] {
        let parts: [&[u8]; 3] = [&self.session.to_bytes(), &self.organization.to_bytes(), &self.generation.to_be_bytes()];
        short(mac(secret, "refresh token", &parts))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_minted_verifies() {
        let token = |generation| RefreshToken {
            organization: OrganizationId::from_bytes([1; 16]),
            session: SessionId::from_bytes([2; 16]),
            generation,
        };
        for generation in [1, 10, u32::MAX] {
            let text = token(generation).mint(b"secret");
            assert_eq!(RefreshToken::verify(&text, b"secret"), Some(token(generation)));
            assert_eq!(RefreshToken::verify(&text, b"other"), None);
            (0..text.len()).for_each(|cut| assert_eq!(RefreshToken::verify(&text[..cut], b"secret"), None, "{cut}"));
        }
        let text = token(1).mint(b"secret");
        let other_generations = [
            format!("{text}0"),
            text.replacen("1", "2", 1),
            format!("{}2", &text[..text.len() - 1]),
            format!("{}01", &text[..text.len() - 1]),
        ];
        other_generations.iter().for_each(|text| assert_eq!(RefreshToken::verify(text, b"secret"), None, "{text}"));
    }
}

//! A client's secret: `tk_client_` + client + organization + MAC, each 26 letters of base32, + generation.

use crate::kernel::ids::{ClientId, OrganizationId, decode_base32, encode_base32};
use crate::kernel::mac::{mac, same, short};

const PREFIX: &str = "tk_client_";

/// What a secret says of itself, once its MAC was found right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClientSecret {
    pub organization: OrganizationId,
    pub client: ClientId,
    pub generation: u32,
}

impl ClientSecret {
    pub fn mint(self, secret: &[u8]) -> String {
        let organization = encode_base32(self.organization.to_bytes());
        format!("{}{organization}{}{}", prefix(self.client), encode_base32(self.mac(secret)), self.generation)
    }

    /// Reads and verifies a text, in constant time as to the MAC. None for everything that was not minted here.
    pub fn verify(text: &str, secret: &[u8]) -> Option<Self> {
        let letters = text.strip_prefix(PREFIX)?;
        let generation = letters.get(78..).filter(|digits| digits.len() <= 10 && !digits.starts_with(['0', '+']))?;
        let token = Self {
            client: ClientId::from_bytes(decode_base32(letters.get(..26)?)?),
            organization: OrganizationId::from_bytes(decode_base32(letters.get(26..52)?)?),
            generation: generation.parse().ok()?,
        };
        let given = decode_base32(letters.get(52..78)?)?;
        same(&token.mac(secret), &given).then_some(token)
    }

    fn mac(self, secret: &[u8]) -> [u8; 16] {
        let parts: [&[u8]; 3] = [&self.client.to_bytes(), &self.organization.to_bytes(), &self.generation.to_be_bytes()];
        short(mac(secret, "client secret", &parts))
    }
}

/// The part of a secret that may be shown: it identifies the client and grants no access.
pub fn prefix(client: ClientId) -> String {
    format!("{PREFIX}{}", encode_base32(client.to_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_minted_verifies() {
        let secret = |generation| ClientSecret {
            organization: OrganizationId::from_bytes([1; 16]),
            client: ClientId::from_bytes([2; 16]),
            generation,
        };
        for generation in [1, 10, u32::MAX] {
            let text = secret(generation).mint(b"secret");
            assert_eq!(ClientSecret::verify(&text, b"secret"), Some(secret(generation)));
            assert_eq!(ClientSecret::verify(&text, b"other"), None);
            (0..text.len()).for_each(|cut| assert_eq!(ClientSecret::verify(&text[..cut], b"secret"), None, "{cut}"));
        }
        let text = secret(1).mint(b"secret");
        for other in [format!("{text}0"), format!("{}2", &text[..text.len() - 1]), format!("{}01", &text[..text.len() - 1])] {
            assert_eq!(ClientSecret::verify(&other, b"secret"), None, "{other}");
        }
    }
}

//! A sealed text: `v1.<key>.<nonce>.<ciphertext>`, the last two in base64url without padding.

use std::fmt;

use base64ct::{Base64UrlUnpadded, Encoding};

const VERSION: &str = "v1";

/// What is stored of a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SealedText {
    /// The id of the key that it is sealed under.
    pub key: String,
    pub nonce: [u8; 12],
    pub sealed: Vec<u8>,
}

impl SealedText {
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('.');
        let (version, key, nonce, sealed) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        if version != VERSION || parts.next().is_some() {
            return None;
        }
        let nonce = Base64UrlUnpadded::decode_vec(nonce).ok()?.try_into().ok()?;
        Some(Self { key: key.to_owned(), nonce, sealed: Base64UrlUnpadded::decode_vec(sealed).ok()? })
    }
}

impl fmt::Display for SealedText {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let encode = Base64UrlUnpadded::encode_string;
        write!(out, "{VERSION}.{}.{}.{}", self.key, encode(&self.nonce), encode(&self.sealed))
    }
}

/// What is authenticated beside the secret: where it belongs. The name comes last, so that no name can pass for another scope.
pub fn context(key: &str, scope: &str, name: &str) -> Vec<u8> {
    format!("tenantry sealed {VERSION}\n{key}\n{scope}\n{name}").into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sealed_text_reads_back_and_nothing_else_reads() {
        let sealed = SealedText { key: "sealingkey_1".into(), nonce: [7; 12], sealed: vec![1, 2, 3] };
        let text = sealed.to_string();
        assert_eq!(SealedText::parse(&text), Some(sealed));
        for other in ["", "v1", "v1.k.n.c", &text.replacen("v1", "v2", 1), &format!("{text}.x"), &format!("{text}="), &text[1..]] {
            assert_eq!(SealedText::parse(other), None, "{other}");
        }
    }
}

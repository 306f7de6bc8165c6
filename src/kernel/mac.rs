//! Message authentication codes under the server's secret: proof that this service created a text.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use subtle::ConstantTimeEq;

/// HMAC-SHA256 over the parts, each with its length, for one purpose: a code of another purpose never matches.
pub fn mac(secret: &[u8], purpose: &str, parts: &[&[u8]]) -> [u8; 32] {
    // HMAC takes keys of any length, so there is always a MAC.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret) else { return [0; 32] };
    for part in std::iter::once(&purpose.as_bytes()).chain(parts) {
        mac.update(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

/// The first 16 bytes of a MAC: too many to guess, and short enough to be part of a text.
pub fn short(mac: [u8; 32]) -> [u8; 16] {
    let mut half = [0; 16];
    half.iter_mut().zip(mac).for_each(|(to, from)| *to = from);
    half
}

/// Whether both are equal, in constant time.
pub fn same(one: &[u8], other: &[u8]) -> bool {
    bool::from(one.ct_eq(other))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn purpose_parts_and_secret_all_matter() {
        let one = mac(b"secret", "purpose", &[b"ab", b"c"]);
        assert_eq!(one, mac(b"secret", "purpose", &[b"ab", b"c"]));
        for other in
            [mac(b"secret", "purpose", &[b"a", b"bc"]), mac(b"secret", "other", &[b"ab", b"c"]), mac(b"other", "purpose", &[b"ab", b"c"])]
        {
            assert!(!same(&one, &other));
        }
    }
}

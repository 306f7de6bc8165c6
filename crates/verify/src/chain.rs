//! The hash chain: each commit's hash is of the hash before it and its body.

use std::fmt::Write;

use sha2::{Digest, Sha256};

/// What the first commit of an organization is chained to.
pub(crate) fn genesis(organization: &str) -> String {
    hex(&Sha256::digest(format!("tenantry-usage-chain-v1\n{organization}").as_bytes()))
}

/// What the first entry of an audit log is chained to.
pub(crate) fn audit_genesis(log: &str) -> String {
    hex(&Sha256::digest(format!("tenantry-audit-chain-v1\n{log}").as_bytes()))
}

/// `previous` as it is written, a line feed, and the body as it is written.
pub(crate) fn chained(previous: &str, body: &str) -> String {
    let mut hasher = Sha256::new();
    hasher.update(previous.as_bytes());
    hasher.update(b"\n");
    hasher.update(body.as_bytes());
    hex(&hasher.finalize())
}

pub(crate) fn is_hash(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(64), |mut text, byte| {
        // Writing into a text cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_are_those_of_sha256sum() {
        // printf 'tenantry-usage-chain-v1\norg_1' | sha256sum
        let genesis = genesis("org_1");
        assert_eq!(genesis, GENESIS);
        // printf '%s\n%s' "$genesis" '{"number":1}' | sha256sum
        assert_eq!(chained(&genesis, "{\"number\":1}"), FIRST);
        assert!(is_hash(&genesis) && !is_hash(&genesis.to_uppercase()) && !is_hash(""));
    }

    const GENESIS: &str = "76e02b32087e2dabee5e49dfaec36b7fe806ff5413d0a63c019b0291d737aa0e";
    const FIRST: &str = "8793464c3591c75f84948e6c0722e81f8e9c5c6fabdfeefe80f8deeed77a21c5";
}

//! Idempotency keys: one counts once within 35 days, which is how long the Meter remembers it.

use std::collections::{HashMap, VecDeque};

use sha2::{Digest, Sha256};

const REMEMBERED_MILLIS: i64 = 35 * 86_400_000;

/// Half a SHA-256: enough that two keys never share one, and small however long the keys are.
type Fingerprint = u128;

#[derive(Default)]
pub(crate) struct Keys {
    /// When each was used last.
    used: HashMap<Fingerprint, i64>,
    /// In the order of the file.
    order: VecDeque<(i64, Fingerprint)>,
}

impl Keys {
    /// Whether the key is new at `at`; from now on it isn't.
    pub fn take(&mut self, key: &str, at: i64) -> bool {
        let lapsed = at.saturating_sub(REMEMBERED_MILLIS);
        while let Some((used_at, fingerprint)) = self.order.front().copied().filter(|(used_at, _)| *used_at <= lapsed) {
            self.order.pop_front();
            if self.used.get(&fingerprint) == Some(&used_at) {
                self.used.remove(&fingerprint);
            }
        }
        let fingerprint = Sha256::digest(key.as_bytes()).iter().take(16).fold(0_u128, |sum, byte| (sum << 8) | u128::from(*byte));
        self.order.push_back((at, fingerprint));
        self.used.insert(fingerprint, at).is_none_or(|used_at| used_at <= lapsed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_new_again_after_35_days() {
        let mut keys = Keys::default();
        assert!(keys.take("a", 0) && keys.take("b", 5));
        assert!(!keys.take("b", REMEMBERED_MILLIS + 4));
        assert!(keys.take("a", REMEMBERED_MILLIS));
        assert!(!keys.take("a", REMEMBERED_MILLIS + 1));
        assert!(keys.take("b", 2 * REMEMBERED_MILLIS + 4));
        assert!(keys.used.len() <= keys.order.len() && keys.order.len() <= 4);
    }
}

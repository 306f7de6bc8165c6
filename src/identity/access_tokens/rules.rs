//! Which key signs, which ones verify, and when it is time for a new one.

use std::time::Duration;

use crate::kernel::ids::SigningKeyId;
use crate::kernel::time::{Timestamp, days, minutes};

/// A new key is published for so long before it signs: longer than anybody keeps the published keys.
pub const PUBLISHED_BEFORE: Duration = minutes(60);
/// How long the published keys may be kept by who verifies with them.
pub const PUBLISHED_FOR: Duration = minutes(10);
/// A key that was replaced verifies for so long: a token's ten minutes, and some for clocks that differ.
const VERIFIES_AFTER: Duration = minutes(15);
/// A key signs for so long before the daily housekeeping makes the next one.
const SIGNS_FOR: Duration = days(90);

/// A signing key, its private half sealed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SigningKey {
    pub id: SigningKeyId,
    pub public: [u8; 32],
    pub sealed: String,
    pub created_at: Timestamp,
    pub signs_from: Timestamp,
}

/// All keys there are, by when they sign.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ring(Vec<SigningKey>);

impl Ring {
    pub fn new(mut keys: Vec<SigningKey>) -> Self {
        keys.sort_by_key(|key| (key.signs_from, key.id));
        Self(keys)
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The key that signs now.
    pub fn signer(&self, now: Timestamp) -> Option<&SigningKey> {
        self.0.iter().rfind(|key| key.signs_from <= now)
    }

    /// The key of that id, if it verifies now.
    pub fn verifier(&self, id: SigningKeyId, now: Timestamp) -> Option<&SigningKey> {
        self.published(now).find(|key| key.id == id && key.signs_from <= now)
    }

    /// What is published: the keys that verify now, and those that will sign soon.
    pub fn published(&self, now: Timestamp) -> impl Iterator<Item = &SigningKey> {
        self.0.iter().filter(move |key| self.ends_at(key).is_none_or(|end| now < end))
    }

    /// When the last token that this key signed has expired; None while no other key follows it.
    fn ends_at(&self, key: &SigningKey) -> Option<Timestamp> {
        let next = self.0.iter().skip_while(|other| other.id != key.id).nth(1)?;
        Some(next.signs_from.plus(VERIFIES_AFTER))
    }

    /// The key that waits for its time to sign.
    pub fn waiting(&self, now: Timestamp) -> Option<&SigningKey> {
        self.0.iter().find(|key| now < key.signs_from)
    }

    /// Whether the signer has signed for long enough and no other waits.
    pub fn is_due(&self, now: Timestamp) -> bool {
        self.waiting(now).is_none() && self.signer(now).is_some_and(|key| key.signs_from.plus(SIGNS_FOR) <= now)
    }

    /// The keys that verify nothing any more.
    pub fn ended(&self, now: Timestamp) -> impl Iterator<Item = &SigningKey> {
        self.0.iter().filter(move |key| self.ends_at(key).is_some_and(|end| end <= now))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(number: u8, signs_from: u64) -> SigningKey {
        let at = |minute| Timestamp::from_millis(0).plus(minutes(minute));
        SigningKey {
            id: SigningKeyId::from_bytes([number; 16]),
            public: [number; 32],
            sealed: String::new(),
            created_at: at(0),
            signs_from: at(signs_from),
        }
    }

    #[test]
    fn a_key_is_published_then_signs_then_only_verifies_then_ends() {
        let ring = Ring::new(vec![key(2, 60), key(1, 0)]);
        let check = |minute, signer: u8, verifying: &[u8], published: &[u8]| {
            let now = Timestamp::from_millis(0).plus(minutes(minute));
            assert_eq!(ring.signer(now).map(|key| key.public[0]), Some(signer), "signs at {minute}");
            let verifies = |number: &u8| ring.verifier(SigningKeyId::from_bytes([*number; 16]), now).is_some();
            assert_eq!([1, 2].into_iter().filter(verifies).collect::<Vec<u8>>(), verifying, "verify at {minute}");
            assert_eq!(ring.published(now).map(|key| key.public[0]).collect::<Vec<_>>(), published, "published at {minute}");
        };
        check(0, 1, &[1], &[1, 2]);
        check(59, 1, &[1], &[1, 2]);
        check(60, 2, &[1, 2], &[1, 2]);
        check(74, 2, &[1, 2], &[1, 2]);
        check(75, 2, &[2], &[2]);
    }

    #[test]
    fn a_key_is_replaced_after_ninety_days_once() {
        let at = |day| Timestamp::from_millis(0).plus(days(day));
        let ring = Ring::new(vec![key(1, 0)]);
        assert!(!ring.is_due(at(89)) && ring.is_due(at(90)));
        let waiting = SigningKey { signs_from: at(91), ..key(2, 0) };
        assert!(!Ring::new(vec![key(1, 0), waiting]).is_due(at(90)));
        assert!(!Ring::default().is_due(at(90)));
    }
}

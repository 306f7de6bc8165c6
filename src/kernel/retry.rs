//! Retries: the one policy of all background work that may fail.
//!
//! Owns: the number of attempts, the pauses, and when work becomes a dead letter. Does not own: the columns of each owner that record
//! them, nor how dead letters are listed and replayed (`jobs/dead_letters/`).
//! Words: an *attempt* fails or completes the work; a *pause* lies between two attempts; a *dead letter* has no attempt left until it is
//! replayed.
//! Invariants: pure, the time and the seed are arguments; a pause is between half and all of the policy's pause, so that work that failed
//! together is not retried together; the same seed gives the same pause, so that a decision is repeatable.

use std::time::Duration;

use super::ids::derive_bytes;
use super::time::Timestamp;

/// The attempts and pauses of one kind of work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// The number of attempts; the last failed one makes a dead letter.
    pub attempts_max: u32,
    /// The pause after the first failure; doubles with each further failure.
    pub pause_first: Duration,
    /// The longest pause.
    pub pause_max: Duration,
}

/// The consequence of a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The number of failed attempts, with this one.
    pub attempts: u32,
    /// The time of the next attempt; None for a dead letter.
    pub next_attempt_at: Option<Timestamp>,
}

impl Failure {
    pub fn is_dead_letter(self) -> bool {
        self.next_attempt_at.is_none()
    }
}

impl Policy {
    /// The consequence of a failure at `now`, after `attempts` failed ones. `seed` is the id of the work.
    pub fn failed_again(&self, attempts: u32, now: Timestamp, seed: &str) -> Failure {
        let attempts = attempts.saturating_add(1);
        let is_last = attempts >= self.attempts_max;
        Failure { attempts, next_attempt_at: (!is_last).then(|| now.plus(self.pause(attempts, seed))) }
    }

    /// The pause after this many failures, shortened by up to half, in whole milliseconds.
    fn pause(&self, attempts: u32, seed: &str) -> Duration {
        let whole = u64::try_from(self.longest_pause(attempts).as_millis()).unwrap_or(u64::MAX);
        let half = whole / 2;
        let [a, b, c, d, ..] = derive_bytes(&["retry", seed, &attempts.to_string()]);
        let share = u32::from_be_bytes([a, b, c, d]);
        let taken_off = u128::from(half).saturating_mul(u128::from(share)) >> u32::BITS;
        Duration::from_millis(whole.saturating_sub(u64::try_from(taken_off).unwrap_or(half)))
    }

    /// The pause after this many failures, before it is shortened.
    fn longest_pause(&self, attempts: u32) -> Duration {
        let doublings = attempts.saturating_sub(1);
        let factor = 1_u32.checked_shl(doublings).unwrap_or(u32::MAX);
        self.pause_first.saturating_mul(factor).min(self.pause_max)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::time::{hours, seconds};
    use super::*;

    const POLICY: Policy = Policy { attempts_max: 8, pause_first: seconds(10), pause_max: hours(1) };
    const NOON: Timestamp = Timestamp::from_millis(1_770_000_000_000);

    fn policies() -> impl Strategy<Value = Policy> {
        (1_u32..50, 0_u64..100_000, 0_u64..10_000_000).prop_map(|(attempts_max, first, max)| Policy {
            attempts_max,
            pause_first: Duration::from_millis(first),
            pause_max: Duration::from_millis(max),
        })
    }

    #[test]
    fn pauses_double_up_to_the_longest() {
        let longest: Vec<u64> = [1, 2, 3, 8, 9, 10, 40, u32::MAX].into_iter().map(|n| POLICY.longest_pause(n).as_secs()).collect();
        assert_eq!(longest, [10, 20, 40, 1_280, 2_560, 3_600, 3_600, 3_600]);
    }

    #[test]
    fn work_that_failed_together_is_retried_apart() {
        let seeds: Vec<String> = (0..1_000).map(|n| format!("sub_{n}")).collect();
        let mut quarters = [0_usize; 4];
        for seed in &seeds {
            let pause = POLICY.pause(4, seed).as_millis();
            let quarter = (pause - 40_000) / 10_001;
            quarters[usize::try_from(quarter).unwrap()] += 1;
        }
        assert!(quarters.iter().all(|count| (200..300).contains(count)), "spread over the second half of 80 s: {quarters:?}");
    }

    proptest! {
        #[test]
        fn a_pause_is_between_half_and_all_of_what_the_policy_says(policy in policies(), attempts in 1_u32..100, seed in ".{0,20}") {
            let (pause, longest) = (policy.pause(attempts, &seed), policy.longest_pause(attempts));
            prop_assert!(longest / 2 <= pause && pause <= longest, "{pause:?} of {longest:?}");
            prop_assert!(longest <= policy.pause_max && longest <= policy.longest_pause(attempts + 1));
            prop_assert_eq!(pause, policy.pause(attempts, &seed));
        }

        #[test]
        fn work_that_always_fails_is_tried_as_often_as_the_policy_says(policy in policies(), seed in "[a-z]{1,8}") {
            let (mut now, mut attempts) = (NOON, 0);
            let tried = loop {
                let failure = policy.failed_again(attempts, now, &seed);
                prop_assert_eq!(failure.attempts, attempts + 1);
                attempts = failure.attempts;
                let Some(next) = failure.next_attempt_at else { break attempts };
                prop_assert!(next >= now && !failure.is_dead_letter());
                now = next;
            };
            prop_assert_eq!(tried, policy.attempts_max);
        }

        #[test]
        fn no_count_and_no_time_is_too_large(attempts in any::<u32>(), millis in any::<i64>(), first in any::<u64>(), max in any::<u64>()) {
            let policy = Policy { attempts_max: u32::MAX, pause_first: Duration::from_secs(first), pause_max: Duration::from_secs(max) };
            let now = Timestamp::from_millis(millis);
            let failure = policy.failed_again(attempts, now, "sub_1");
            prop_assert!(failure.next_attempt_at.is_none_or(|next| next >= now));
            prop_assert_eq!(failure.is_dead_letter(), attempts >= u32::MAX - 1);
        }
    }
}

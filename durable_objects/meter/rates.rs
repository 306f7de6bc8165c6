//! Rate limits: token buckets, one of the organization and one of each of its keys.
//!
//! They are kept in memory only: a restarted object begins with full buckets. They protect the service, not the bill.
//! Words: a bucket holds thousandths of a request, so that it refills without fractions.

use std::collections::HashMap;

use crate::kernel::problem::Problem;
use crate::kernel::time::Timestamp;
use crate::meter::vocabulary::{Rate, RateLimits};

/// Buckets of keys that are kept at most; a forged key has none, so only keys of the organization are among them.
const BUCKETS_MAX: usize = 10_000;

#[derive(Default)]
pub(super) struct Rates {
    organization: Option<Bucket>,
    keys: HashMap<String, Bucket>,
}

#[derive(Clone, Copy)]
struct Bucket {
    /// Thousandths of a request.
    level: u64,
    filled_at: Timestamp,
}

/// The state of the tighter of both buckets after a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct RateState {
    rate: Rate,
    /// Thousandths of a request.
    left: u64,
}

impl Rates {
    /// Takes one request out of the buckets; `key` is None for a caller that the Worker has verified.
    pub fn take(&mut self, limits: &RateLimits, key: Option<&str>, wall: Timestamp) -> Result<RateState, (RateState, Problem)> {
        let RateLimits { organization, key: of_key } = *limits;
        let mut buckets = [Some((organization, refilled(self.organization, organization, wall))), None];
        if let (Some(key), [_, second]) = (key, &mut buckets) {
            *second = Some((of_key, refilled(self.keys.get(key).copied(), of_key, wall)));
        }
        let is_empty = buckets.iter().flatten().any(|(_, bucket)| bucket.level < THOUSAND);
        if !is_empty {
            for (_, bucket) in buckets.iter_mut().flatten() {
                bucket.level = bucket.level.saturating_sub(THOUSAND);
            }
        }
        let tightest =
            buckets.iter().flatten().map(|(rate, bucket)| RateState { rate: *rate, left: bucket.level }).min_by_key(|state| state.left);
        let [whole, own] = buckets;
        self.organization = whole.map(|(_, bucket)| bucket);
        if let (Some(key), Some((_, bucket))) = (key, own) {
            self.keep(key, bucket);
        }
        let state = tightest.unwrap_or(RateState { rate: organization, left: 0 });
        if is_empty { Err((state, state.refusal())) } else { Ok(state) }
    }

    fn keep(&mut self, key: &str, bucket: Bucket) {
        if let Some(known) = self.keys.get_mut(key) {
            *known = bucket;
            return;
        }
        if self.keys.len() >= BUCKETS_MAX {
            self.keys.clear();
        }
        self.keys.insert(key.to_owned(), bucket);
    }
}

const THOUSAND: u64 = 1_000;

fn refilled(bucket: Option<Bucket>, rate: Rate, wall: Timestamp) -> Bucket {
    let full = u64::from(rate.burst).saturating_mul(THOUSAND);
    let Some(Bucket { level, filled_at }) = bucket else { return Bucket { level: full, filled_at: wall } };
    // A thousandth for each millisecond and request a second.
    let passed = u64::try_from(filled_at.until(wall).as_millis()).unwrap_or(u64::MAX);
    let level = level.saturating_add(passed.saturating_mul(u64::from(rate.per_second))).min(full);
    Bucket { level, filled_at: filled_at.max(wall) }
}

impl RateState {
    /// The fields of draft-ietf-httpapi-ratelimit-headers: policy `q` requests in `w` seconds; `r` left, full again in `t` seconds.
    pub fn headers(&self) -> String {
        let Rate { per_second, burst } = self.rate;
        let seconds = |thousandths: u64| thousandths.div_ceil(u64::from(per_second.max(1)).saturating_mul(THOUSAND));
        let full = u64::from(burst).saturating_mul(THOUSAND);
        let (window, reset) = (seconds(full).max(1), seconds(full.saturating_sub(self.left)));
        let left = self.left.div_euclid(THOUSAND);
        format!("RateLimit-Policy: \"default\";q={burst};w={window}\nRateLimit: \"default\";r={left};t={reset}\n")
    }

    fn refusal(&self) -> Problem {
        let missing = THOUSAND.saturating_sub(self.left);
        let seconds = missing.div_ceil(u64::from(self.rate.per_second.max(1)).saturating_mul(THOUSAND)).max(1);
        let detail = format!(
            "Too many requests: {} a second are allowed, {} at once. Wait {seconds} s, or send several events in one batch.",
            self.rate.per_second, self.rate.burst
        );
        Problem::new(429, "rate_limited", "Too many requests", detail).with_header("Retry-After", seconds.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits(organization: (u32, u32), key: (u32, u32)) -> RateLimits {
        let rate = |(per_second, burst)| Rate { per_second, burst };
        RateLimits { organization: rate(organization), key: rate(key) }
    }

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millis(1_000_000 + millis)
    }

    #[test]
    fn a_burst_is_admitted_and_then_the_rate() {
        let (mut rates, limits) = (Rates::default(), limits((10, 5), (10, 5)));
        let mut admitted = |millis| rates.take(&limits, None, at(millis)).is_ok();
        assert_eq!((0..8).filter(|_| admitted(0)).count(), 5);
        assert!(!admitted(99));
        assert!(admitted(100) && !admitted(100));
        assert_eq!((0..20).filter(|_| admitted(10_000)).count(), 5, "it never holds more than a burst");
    }

    #[test]
    fn one_key_cannot_take_all_of_the_organization() {
        let (mut rates, limits) = (Rates::default(), limits((1, 4), (1, 3)));
        let mut admitted = |key| rates.take(&limits, Some(key), at(0)).is_ok();
        assert_eq!((0..5).filter(|_| admitted("one")).count(), 3);
        assert_eq!((0..5).filter(|_| admitted("two")).count(), 1, "what a refused request asked for was not taken");
    }

    #[test]
    fn the_fields_tell_the_tighter_bucket() {
        let (mut rates, limits) = (Rates::default(), limits((100, 1000), (10, 20)));
        let state = rates.take(&limits, Some("one"), at(0)).unwrap();
        assert_eq!(state.headers(), "RateLimit-Policy: \"default\";q=20;w=2\nRateLimit: \"default\";r=19;t=1\n");
        let refused = (0..30).find_map(|_| rates.take(&limits, Some("one"), at(0)).err()).unwrap().1;
        assert_eq!((refused.status, refused.code), (429, "rate_limited"));
        assert!(refused.headers.contains(&("Retry-After", "1".to_owned())));
    }

    #[test]
    fn a_clock_that_goes_back_gives_nothing_away() {
        let (mut rates, limits) = (Rates::default(), limits((10, 2), (10, 2)));
        let mut admitted = |millis| rates.take(&limits, None, at(millis)).is_ok();
        assert!(admitted(1_000) && admitted(0) && !admitted(0));
        assert!(!admitted(1_000) && admitted(1_100));
    }
}

//! Random histories against a reference that is too simple to be wrong (`model/reference.rs`).
//!
//! A seed is a run: `SEED=7 cargo test --test it meter::model` repeats one and tells its steps, `SEEDS=5000` runs so many, and both so many
//! from there on.

mod asks;
mod checks;
mod draw;
mod history;
pub mod random;
mod reference;
mod reservations;
mod rules;
mod run;

use std::collections::BTreeMap;

use proptest::prelude::*;

use crate::meter::world::World;
use run::Run;

/// Runs without `SEEDS`.
const SEEDS: u64 = 50;
const STEPS: u32 = 60;

/// The answers that all runs together must come to.
const KINDS: [&str; 23] = [
    "200",
    "201",
    "204",
    "amount_negative",
    "amount_not_counted",
    "amount_zero",
    "idempotency_mismatch",
    "level_below_zero",
    "not_found",
    "quota_exceeded",
    "reservation_expired",
    "reservation_released",
    "reservation_settled",
    "reservation_unsupported",
    "settlement_exceeds_reservation",
    "tell metrics",
    "the same receipt",
    "the same text",
    "timestamp_before_subscription",
    "timestamp_in_future",
    "timestamp_too_old",
    "unique_property_missing",
    "unknown_metric",
];

/// Says which run it was when one fails.
struct Named(u64);

impl Drop for Named {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("This run can be had again: SEED={} cargo test --test it meter::model", self.0);
        }
    }
}

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().expect("a number"))
}

#[test]
fn any_history_agrees_with_the_reference() {
    let (first, count) = match (number("SEED"), number("SEEDS")) {
        (Some(seed), None) => (seed, 1),
        (first, count) => (first.unwrap_or(1), count.unwrap_or(SEEDS)),
    };
    let mut seen: BTreeMap<String, u64> = BTreeMap::new();
    for seed in first..first + count {
        let _named = Named(seed);
        let mut run = Run::new(seed, count == 1);
        for _ in 0..STEPS {
            run.step();
        }
        run.finish();
        run.seen.into_iter().for_each(|(name, count)| *seen.entry(name).or_default() += count);
    }
    if count >= SEEDS {
        let unseen: Vec<_> = KINDS.iter().filter(|kind| !seen.contains_key(**kind)).collect();
        assert!(unseen.is_empty(), "the runs never came to {unseen:?}");
    }
}

proptest! {
    #[test]
    fn no_text_makes_the_meter_fail(texts in proptest::collection::vec("\\PC{0,60}(\n\\PC{0,30}){0,6}", 1..5)) {
        let mut world = World::new();
        let replies = world.raw(&texts);
        prop_assert_eq!(replies.len(), texts.len());
    }
}

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
use std::sync::Mutex;

use proptest::prelude::*;

use crate::meter::world::World;
use crate::support::seeds::Seeds;
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
    "metrics needed",
    "not_found",
    "quota_exceeded",
    "reservation_expired",
    "reservation_released",
    "reservation_settled",
    "reservation_unsupported",
    "settlement_exceeds_reservation",
    "the same receipt",
    "the same text",
    "timestamp_before_subscription",
    "timestamp_in_future",
    "timestamp_too_old",
    "unique_property_missing",
    "unknown_metric",
];

#[test]
fn any_history_agrees_with_the_reference() {
    let seeds = Seeds::asked_or(SEEDS);
    let seen: Mutex<BTreeMap<String, u64>> = Mutex::default();
    seeds.run("meter::model", |seed| {
        let mut run = Run::new(seed, seeds.count == 1);
        for _ in 0..STEPS {
            run.step();
        }
        run.finish();
        let mut seen = seen.lock().unwrap();
        run.seen.into_iter().for_each(|(name, count)| *seen.entry(name).or_default() += count);
    });
    if seeds.count >= SEEDS {
        let seen = seen.into_inner().unwrap();
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

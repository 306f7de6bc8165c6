//! The log as others read it: pages of events, and proofs that hold.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use tenantry::kernel::time::{Timestamp, days, minutes};
use tenantry::meter::contract::{Call, ExportPage};
use tenantry::meter::vocabulary::{Enforcement, LimitOverride};

use crate::meter::world::{World, at, batch, consumption, usage};

fn pages(world: &mut World, call: impl Fn(u64) -> Call) -> Vec<String> {
    let (mut pages, mut after) = (Vec::new(), 0);
    loop {
        let page: ExportPage = serde_json::from_value(world.call(call(after))).unwrap();
        pages.push(page.lines);
        match page.next {
            Some(next) => after = next,
            None => return pages,
        }
    }
}

fn events(world: &mut World, from: Timestamp, to: Timestamp) -> Vec<Value> {
    let pages = pages(world, |after| Call::ExportEvents { from, to, after });
    pages.iter().flat_map(|page| page.lines()).map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn proof(world: &mut World, from: Timestamp, to: Timestamp) -> verify::Verification {
    let text = pages(world, |after| Call::ExportProof { from, to, after }).concat();
    let verification = verify::verify(text.as_bytes()).unwrap();
    assert_eq!(verification.verdict, Ok(()), "{verification}\n{text}");
    verification
}

const START: &str = "2020-01-01T00:00:00Z";
const END: &str = "2030-01-01T00:00:00Z";

#[test]
fn what_a_soft_limit_admits_is_no_breach() {
    let mut world = World::new();
    let soft = LimitOverride { limit: Some(5.into()), enforcement: Enforcement::Soft };
    world.call(Call::PutLimits { version: 1, overrides: BTreeMap::from([("apiCalls".to_owned(), soft)]), grants: Vec::new() });
    let sent = consumption(json!({"metric": "apiCalls", "amount": 7, "idempotencyKey": "k"}));
    assert_eq!(world.send(sent.clone()).short(), "200 7");
    assert_eq!(world.send(sent).body["replayed"], true, "the commit reads back");
    proof(&mut world, at(START), at(END));
}

#[test]
fn a_level_that_was_only_carried_over_is_proven_too() {
    let mut world = World::new();
    world.send(usage(json!({"metric": "users", "amount": 5})));
    world.wall = at("2026-03-02T00:00:00Z");
    for (starts_at, ends_at) in [("2026-01-01", "2026-02-01"), ("2026-02-01", "2026-03-01")] {
        let day = |text: &str| at(&format!("{text}T00:00:00Z"));
        let closing = world.call(Call::ClosePeriod { starts_at: day(starts_at), ends_at: day(ends_at) });
        assert_eq!(closing["used"]["users"], 5);
    }
    let verification = proof(&mut world, at(START), at(END));
    assert!(verification.reaches_head && verification.is_complete);
}

#[test]
fn events_are_those_whose_timestamp_lies_in_the_range() {
    let mut world = World::new();
    for timestamp in ["2026-01-10T11:00:00Z", "2026-01-10T10:00:00Z", "2026-01-10T12:05:00Z", "2026-01-09T23:59:59.999Z"] {
        world.send(usage(json!({"metric": "tokens", "timestamp": timestamp, "metadata": {"b": 1, "a": "ü"}, "idempotencyKey": timestamp})));
    }
    world.send(consumption(json!({"metric": "tokens", "amount": "0.5"})));
    let mut sequences =
        |from, to| events(&mut world, at(from), at(to)).into_iter().map(|event| event["sequence"].clone()).collect::<Vec<_>>();
    assert_eq!(sequences(START, END), [1, 2, 3, 4, 5], "in the order of recording");
    assert_eq!(sequences("2026-01-10T00:00:00Z", "2026-01-10T11:00:00Z"), [2], "the end is not in it");
    assert_eq!(sequences("2026-01-10T12:05:00Z", "2026-01-10T12:05:00.001Z"), [3], "an event may be ahead of its commit");
    assert_eq!(sequences("2026-01-10T11:30:00Z", "2026-01-10T12:01:00Z"), [5]);
    let all = events(&mut world, at(START), at(END));
    assert_eq!(
        all[0],
        json!({"sequence": 1, "commit": 1, "metric": "tokens", "amount": 1, "timestamp": "2026-01-10T11:00:00Z",
            "recordedAt": "2026-01-10T12:00:00Z", "idempotencyKey": "2026-01-10T11:00:00Z", "mode": "usage", "metadata": {"a": "ü", "b": 1}})
    );
    assert_eq!(
        all[4],
        json!({"sequence": 5, "commit": 5, "metric": "tokens", "amount": "0.5", "timestamp": "2026-01-10T12:00:00Z",
            "recordedAt": "2026-01-10T12:00:00Z", "mode": "consumption"})
    );
}

#[test]
fn long_exports_come_in_pages_without_a_gap_and_without_a_double() {
    let mut world = World::new();
    let event = json!({"metric": "tokens", "metadata": {"pad": "x".repeat(500)}});
    for _ in 0..12 {
        world.send(batch(json!(vec![event.clone(); 100])));
    }
    for _ in 0..1_100 {
        world.send(usage(json!({"metric": "tokens"})));
    }
    let call = |after| Call::ExportEvents { from: at(START), to: at(END), after };
    let pages = pages(&mut world, call);
    assert!(
        pages.len() >= 4 && pages.iter().all(|page| page.len() < 512 * 1024),
        "{:?}",
        pages.iter().map(String::len).collect::<Vec<_>>()
    );
    let sequences: Vec<u64> = events(&mut world, at(START), at(END)).iter().map(|event| event["sequence"].as_u64().unwrap()).collect();
    assert_eq!(sequences, (1..=2_300).collect::<Vec<_>>());
    let verification = proof(&mut world, at(START), at(END));
    assert!(verification.reaches_head && verification.is_complete);
    // What is recorded between two pages is in the next one.
    let first: ExportPage = serde_json::from_value(world.call(call(0))).unwrap();
    world.send(usage(json!({"metric": "tokens"})));
    let mut after = first.next;
    let mut last = String::new();
    while let Some(next) = after {
        let page: ExportPage = serde_json::from_value(world.call(call(next))).unwrap();
        (last, after) = (page.lines, page.next);
    }
    assert!(last.contains("\"sequence\":2301,"), "{last}");
}

#[test]
fn a_part_of_the_chain_is_proven_by_itself() {
    let mut world = World::new();
    for _ in 0..5 {
        world.send(usage(json!({"metric": "users", "amount": 2})));
        world.wall = world.wall.plus(days(1));
    }
    let (begin, middle) = (at("2026-01-10T12:00:00Z"), at("2026-01-12T12:00:00Z"));
    let early = proof(&mut world, begin, middle);
    assert!(early.is_complete && !early.reaches_head);
    let late = proof(&mut world, middle, at(END));
    assert!(!late.is_complete && late.reaches_head);
    let after = world.wall.plus(minutes(1));
    assert!(proof(&mut world, after, at(END)).reaches_head, "nothing is there, and it ends with the head");
    let untouched = pages(&mut World::untouched(), |after| Call::ExportEvents { from: begin, to: middle, after });
    assert_eq!(untouched, [""]);
}

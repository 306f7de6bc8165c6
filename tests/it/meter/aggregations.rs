//! The count of each aggregation: by examples computed by hand, and in any order, batches and repetitions.

use serde_json::{Value, json};
use tenantry::kernel::time::Timestamp;
use tenantry::meter::contract::{Call, Closing};
use tenantry::meter::vocabulary::{Aggregation, MetricKind, MetricRule};

use crate::meter::model::random::Random;
use crate::meter::world::{World, at, batch, entitlements, rule, usage};

use Aggregation::{Count, Latest, Max, Sum, Unique, WeightedSum};
use MetricKind::{Consumable, Level};

const ALL: [(Aggregation, MetricKind); 10] = [
    (Sum, Consumable),
    (Sum, Level),
    (Count, Consumable),
    (Count, Level),
    (Max, Consumable),
    (Max, Level),
    (Latest, Consumable),
    (Latest, Level),
    (Unique, Consumable),
    (WeightedSum, Level),
];

/// Acme with one metric, `it`. Periods are 40 days long, so that quarters of them are whole days; today is the last day of the second.
fn world(aggregation: Aggregation, kind: MetricKind) -> World {
    let mut entitlements = entitlements();
    let unique_property = (aggregation == Unique).then(|| "user".to_owned());
    entitlements.metrics.insert("it".to_owned(), MetricRule { aggregation, unique_property, ..rule(kind, None) });
    entitlements.subscription_started_at = day(0);
    entitlements.boundaries = (0..6).map(|period| day(period * 40)).collect();
    let mut world = World::with(entitlements);
    world.wall = day(0);
    world
}

/// Days after the first period's start.
fn day(number: u64) -> Timestamp {
    at("2026-01-01T00:00:00Z").plus(tenantry::kernel::time::days(number))
}

/// Sends an amount on a day, which becomes today, and gives the count of its period.
fn on(world: &mut World, number: u64, amount: &str) -> Value {
    world.wall = world.wall.max(day(number));
    let answer = world.send(usage(json!({"metric": "it", "amount": amount, "timestamp": day(number)})));
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.body["current"].clone()
}

fn visit(world: &mut World, number: u64, user: Value) -> Value {
    world.wall = world.wall.max(day(number));
    let answer = world.send(usage(json!({"metric": "it", "timestamp": day(number), "metadata": {"user": user}})));
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.body["current"].clone()
}

fn billed(world: &mut World, period: u64) -> Value {
    let call = Call::ClosePeriod { starts_at: day(period * 40), ends_at: day(period * 40 + 40) };
    let closing: Closing = serde_json::from_value(world.call(call)).unwrap();
    json!(closing.used["it"])
}

#[test]
fn a_weighted_sum_is_the_average_level_of_the_period() {
    let mut it = world(WeightedSum, Level);
    assert_eq!(on(&mut it, 0, "10"), 10, "all of the period");
    assert_eq!(on(&mut it, 20, "10"), 15, "and ten more for half of it");
    assert_eq!(on(&mut it, 30, "-20"), 10, "nothing in the last quarter: 15 less a quarter of 20");
    it.wall = day(41);
    assert_eq!((it.current("it"), billed(&mut it, 0)), (json!(0), json!(10)));
}

#[test]
fn the_level_of_a_weighted_sum_is_carried_over() {
    let mut it = world(WeightedSum, Level);
    on(&mut it, 0, "10");
    on(&mut it, 20, "10");
    it.wall = day(45);
    assert_eq!(it.current("it"), 20, "the level, not the average");
    assert_eq!(on(&mut it, 60, "-20"), 10, "20 for half of the period");
    assert_eq!(on(&mut it, 70, "4"), 11, "and 4 for a quarter");
    it.wall = day(81);
    assert_eq!((it.current("it"), billed(&mut it, 0), billed(&mut it, 1)), (json!(4), json!(15), json!(11)));
}

#[test]
fn a_late_part_of_a_weighted_sum_counts_for_what_was_left_and_fully_afterwards() {
    let mut it = world(WeightedSum, Level);
    on(&mut it, 0, "10");
    on(&mut it, 50, "2");
    assert_eq!(it.current("it"), "11.5", "10, and 2 for three quarters");
    assert_eq!(on(&mut it, 30, "8"), 12, "10, and 8 for a quarter of the first period");
    assert_eq!(it.current("it"), "19.5");
}

#[test]
fn a_weighted_sum_is_rounded_at_a_billionth_and_never_below_zero() {
    let mut it = world(WeightedSum, Level);
    it.wall = day(39).plus(tenantry::kernel::time::hours(16));
    let sent = json!({"metric": "it", "amount": 1, "timestamp": it.wall});
    // Eight hours of 40 days are a 120th: 0.008333333...
    assert_eq!(it.send(usage(sent)).body["current"], "0.008333333");
    let mut it = world(WeightedSum, Level);
    on(&mut it, 30, "10");
    assert_eq!(on(&mut it, 10, "-10"), 0, "taken back before it was there: no average is below zero");
}

#[test]
fn a_unique_metric_counts_each_value_once_a_period() {
    let mut it = world(Unique, Consumable);
    let counts = [(1, json!("ada")), (2, json!("bob")), (3, json!("ada")), (4, json!(7)), (5, json!("7")), (6, json!(true)), (7, json!(7))]
        .map(|(number, user)| visit(&mut it, number, user));
    assert_eq!(counts, [1, 2, 2, 3, 4, 5, 5].map(Value::from), "7 and \"7\" are two");
    assert_eq!(visit(&mut it, 41, json!("ada")), 1, "a new period has seen nobody");
    assert_eq!((visit(&mut it, 10, json!("eve")), visit(&mut it, 10, json!("bob"))), (json!(6), json!(6)), "late, into the first period");
    assert_eq!((it.current("it"), billed(&mut it, 0)), (json!(1), json!(6)));
    let long = "x".repeat(5_000);
    assert_eq!(
        (visit(&mut it, 42, json!(long)), visit(&mut it, 42, json!(long)), visit(&mut it, 42, json!(long + "y"))),
        (2.into(), 2.into(), 3.into())
    );
    let none = it.send(usage(json!({"metric": "it", "metadata": {"user": null}})));
    assert_eq!(none.short(), "400 unique_property_missing");
}

#[test]
fn a_latest_amount_is_that_of_the_latest_instant() {
    let mut it = world(Latest, Level);
    assert_eq!([on(&mut it, 10, "5"), on(&mut it, 8, "9"), on(&mut it, 10, "6"), on(&mut it, 11, "2")], [5, 5, 6, 2].map(Value::from));
    it.wall = day(41);
    assert_eq!((it.current("it"), billed(&mut it, 0)), (json!(2), json!(2)), "a level is carried over");
    assert_eq!(on(&mut it, 30, "4"), 4);
    assert_eq!(it.current("it"), 4, "nothing later was ever said");
    on(&mut it, 42, "1");
    assert_eq!((on(&mut it, 31, "8"), it.current("it")), (json!(8), json!(1)));
    let mut it = world(Latest, Consumable);
    on(&mut it, 10, "5");
    it.wall = day(41);
    assert_eq!(it.current("it"), 0, "a consumable is not");
}

#[test]
fn a_max_is_the_highest_amount() {
    let mut it = world(Max, Consumable);
    assert_eq!([on(&mut it, 1, "5"), on(&mut it, 2, "3"), on(&mut it, 3, "7.5")], [json!(5), json!(5), json!("7.5")]);
    assert_eq!((on(&mut it, 41, "2"), on(&mut it, 20, "9")), (json!(2), json!(9)));
    assert_eq!(it.current("it"), 2);
    let mut it = world(Max, Level);
    on(&mut it, 1, "5");
    assert_eq!((on(&mut it, 41, "2"), on(&mut it, 20, "9")), (json!(5), json!(9)));
    assert_eq!(it.current("it"), 9, "a level remembers the periods before");
}

#[test]
fn a_count_counts_events() {
    let mut it = world(Count, Level);
    assert_eq!([on(&mut it, 1, "1"), on(&mut it, 41, "1"), on(&mut it, 20, "1")], [1, 2, 2].map(Value::from));
    assert_eq!(it.current("it"), 3);
    for amount in ["2", "-1", "0.5"] {
        assert_eq!(it.send(usage(json!({"metric": "it", "amount": amount}))).short(), "400 amount_not_counted");
    }
}

/// Events over two periods, at most 35 days old on day 44. No two of a latest metric are at the same instant.
fn events(random: &mut Random, aggregation: Aggregation, kind: MetricKind) -> Vec<Value> {
    let mut events = Vec::new();
    for number in 0..random.between(2, 14) {
        let amount = match aggregation {
            Count | Unique => json!(1),
            _ => json!(*random.pick(&["0.5", "1", "3", "12", "0.000000001"])),
        };
        let instant = day(random.between(10, 43) as u64).plus(std::time::Duration::from_millis(number as u64));
        let user = random.between(1, 4);
        let key = format!("{aggregation:?} {kind:?} {number}");
        events.push(json!({"metric": "it", "amount": amount, "timestamp": instant, "idempotencyKey": key, "metadata": {"user": user}}));
    }
    events
}

/// Both periods' counts, and what the first is billed by; of a level summed that is its peak, which the order decides.
fn outcome(world: &mut World, is_peak: bool) -> Value {
    let present = world.current("it");
    let billed = billed(world, 0);
    json!([present, if is_peak { Value::Null } else { billed }])
}

fn sent(aggregation: Aggregation, kind: MetricKind, groups: &[Vec<Value>]) -> World {
    let mut world = world(aggregation, kind);
    world.wall = day(44);
    for events in groups {
        let answer = world.send(batch(json!(events)));
        assert_eq!((answer.status, &answer.body["rejected"]), (200, &json!([])), "{answer:?}");
    }
    world
}

#[test]
fn neither_order_nor_batches_nor_repetitions_change_a_count() {
    for (aggregation, kind) in ALL {
        let is_peak = kind == Level && matches!(aggregation, Sum | Count);
        for seed in 0..40 {
            let mut random = Random::new(seed);
            let events = events(&mut random, aggregation, kind);
            let expected = outcome(&mut sent(aggregation, kind, std::slice::from_ref(&events)), is_peak);

            let mut shuffled = events.clone();
            random.shuffle(&mut shuffled);
            let found = outcome(&mut sent(aggregation, kind, &[shuffled.clone()]), is_peak);
            assert_eq!(found, expected, "{aggregation:?} {kind:?}, seed {seed}, in another order: {shuffled:?}");

            let at = random.between(1, events.len() as i64 - 1) as usize;
            let halves = [events[..at].to_vec(), events[at..].to_vec()];
            let found = outcome(&mut sent(aggregation, kind, &halves), is_peak);
            assert_eq!(found, expected, "{aggregation:?} {kind:?}, seed {seed}, split at {at}");

            let mut repeated = sent(aggregation, kind, &[events.clone(), shuffled, events[at..].to_vec()]);
            for event in &events {
                assert_eq!(repeated.send(usage(event.clone())).body["replayed"], true);
            }
            assert_eq!(outcome(&mut repeated, is_peak), expected, "{aggregation:?} {kind:?}, seed {seed}, sent again and again");
        }
    }
}

#[test]
fn of_two_at_the_same_instant_the_one_that_arrived_last_is_the_latest() {
    for kind in [Consumable, Level] {
        let mut it = world(Latest, kind);
        assert_eq!([on(&mut it, 5, "3"), on(&mut it, 5, "8"), on(&mut it, 5, "1")], [3, 8, 1].map(Value::from));
    }
}

//! Concurrent requests, in any groups: the admitted usage is that of sequential requests.

use serde_json::{Value, json};

use crate::meter::model::random::Random;
use crate::meter::world::{HotRequest, World, batch, consumption, usage};

const LIMIT: i64 = 1_000;
const ALL: [&str; 4] = ["Usage.started apiCalls", "Usage.approaching apiCalls", "Usage.warning apiCalls", "Usage.exceeded apiCalls"];

/// Sends all in groups of any size, restarting now and then, and gives the answers in short.
fn in_groups(random: &mut Random, world: &mut World, mut rest: &[HotRequest]) -> Vec<String> {
    let mut answers = Vec::new();
    while !rest.is_empty() {
        let size = (random.between(1, 64) as usize).min(rest.len());
        answers.extend(world.group(&rest[..size]).iter().map(crate::meter::world::Answer::short));
        rest = &rest[size..];
        if random.percent(10) {
            world.restart();
        }
    }
    answers
}

#[test]
fn any_grouping_admits_what_one_after_the_other_would_and_retries_change_nothing() {
    for seed in 0..25 {
        let mut random = Random::new(seed);
        let amounts: Vec<i64> = (0..300).map(|_| random.between(1, 40)).collect();
        let sent = |(number, amount): (usize, &i64)| {
            consumption(json!({"metric": "apiCalls", "amount": amount, "idempotencyKey": format!("{number}")}))
        };
        let requests: Vec<HotRequest> = amounts.iter().enumerate().map(sent).collect();
        let mut used = 0;
        let one_by_one = |amount: &i64| {
            if used + amount > LIMIT {
                return "429 quota_exceeded".to_owned();
            }
            used += amount;
            format!("200 {used}")
        };
        let expected: Vec<String> = amounts.iter().map(one_by_one).collect();
        let mut world = World::new();
        assert_eq!(in_groups(&mut random, &mut world, &requests), expected, "seed {seed}");
        assert_eq!((world.current("apiCalls"), world.fact_names().len()), (json!(used), if used == LIMIT { 4 } else { 3 }));
        // A repeated request gets its first answer, twice and in any order.
        let mut again: Vec<usize> =
            (0..requests.len()).chain(0..requests.len()).filter(|number| expected[*number].starts_with("200")).collect();
        random.shuffle(&mut again);
        let retried: Vec<HotRequest> = again.iter().map(|number| requests[*number].clone()).collect();
        let wanted: Vec<String> = again.iter().map(|number| expected[*number].clone()).collect();
        assert_eq!(in_groups(&mut random, &mut world, &retried), wanted, "seed {seed}");
        assert_eq!(world.current("apiCalls"), used);
    }
}

#[test]
fn each_threshold_is_raised_once_by_concurrent_requests() {
    for seed in 0..25 {
        let mut random = Random::new(seed);
        let one = |random: &mut Random, number: i64| {
            let event = |random: &mut Random, part: i64| -> Value {
                json!({"metric": "apiCalls", "amount": random.between(1, 9), "idempotencyKey": format!("{number} {part}")})
            };
            match random.between(1, 3) {
                1 => usage(event(random, 0)),
                2 => consumption(event(random, 0)),
                _ => batch(json!([event(random, 1), event(random, 2)])),
            }
        };
        let requests: Vec<HotRequest> = (0..400).map(|number| one(&mut random, number)).collect();
        let mut sent: Vec<HotRequest> = requests.iter().chain(&requests).cloned().collect();
        random.shuffle(&mut sent);
        let mut world = World::new();
        in_groups(&mut random, &mut world, &sent);
        assert_eq!(world.fact_names(), ALL, "seed {seed}");
    }
}

#[test]
fn an_event_of_a_batch_is_answered_alone_as_it_would_have_been() {
    let event = json!({"metric": "apiCalls", "amount": "2.5", "idempotencyKey": "k", "timestamp": "2026-01-10T10:00:00Z", "metadata": {"b": 1, "a": [2]}});
    let before = json!({"metric": "apiCalls", "amount": 7});
    let mut alone = World::new();
    let expected = alone.group(&[usage(before.clone()), usage(event.clone())]).remove(1);
    let mut world = World::new();
    world.send(batch(json!([before, event.clone(), {"metric": "apiCalls"}])));
    world.restart();
    let replay = world.send(usage(event));
    assert_eq!(replay.text, expected.text.replace(r#""replayed":false"#, r#""replayed":true"#));
}

#[test]
fn a_group_larger_than_a_commit_is_decided_as_one() {
    let large = |number: u32| {
        let pad = "x".repeat(900);
        let events: Vec<Value> = (0..900)
            .map(|event| json!({"metric": "apiCalls", "idempotencyKey": format!("{number} {event}"), "metadata": {"pad": pad}}))
            .collect();
        batch(json!(events))
    };
    let mut world = World::new();
    let group = [large(1), large(2), large(1), consumption(json!({"metric": "apiCalls"})), large(3)];
    let answers = world.group(&group);
    let results: Vec<Value> =
        answers.iter().map(|answer| json!([answer.body["accepted"], answer.body["replayed"], answer.status])).collect();
    assert_eq!(results, [json!([900, 0, 200]), json!([900, 0, 200]), json!([0, 900, 200]), json!([null, null, 429]), json!([900, 0, 200])]);
    assert_eq!((world.current("apiCalls"), world.fact_names()), (json!(2_700), ALL.map(str::to_owned).to_vec()));
    let commits = world.sql.dump().iter().filter(|line| line.starts_with("commits ")).count();
    assert!(commits >= 3, "{commits}");
    let mut failing = World::new();
    failing.sql.fail_after(9);
    assert!(failing.try_serve(&group).is_err(), "in the second commit");
    failing.sql.recover();
    assert_eq!(failing.current("apiCalls"), 0, "the first is taken back, too");
    assert_eq!(failing.group(&group).len(), 5);
    assert_eq!(failing.current("apiCalls"), 2_700);
}

//! Seats: the Worker sends the number of members, invitations hold free seats, and `users` can't be recorded otherwise.

use std::collections::BTreeSet;

use proptest::prelude::*;
use serde_json::{Value, json};
use tenantry::kernel::ids::ReservationId;
use tenantry::kernel::time::{hours, minutes};
use tenantry::meter::contract::{Call, ExportPage, SeatAnswer, SeatUsage};
use tenantry::meter::vocabulary::{Enforcement, LimitOverride};

use crate::meter::world::{World, at, batch, consumption, entitlements, get, keyed, request, usage};

fn seat(name: &str) -> ReservationId {
    ReservationId::derived(&["seat", name])
}

/// Whether the seat is held, or the code with which the call is refused.
fn hold(world: &mut World, name: &str) -> String {
    match serde_json::from_value(world.call(Call::HoldSeat { seat: seat(name) })).unwrap() {
        SeatAnswer::Hold(hold) => hold.is_held.to_string(),
        SeatAnswer::Refused(refused) => refused.refused,
    }
}

fn put(world: &mut World, version: i64, members: u32, held: &[&str]) {
    let held = held.iter().map(|name| seat(name)).collect();
    assert_eq!(world.call(Call::PutSeats { version, members, held }), json!({}));
}

fn seat_usage(world: &mut World) -> SeatUsage {
    serde_json::from_value(world.call(Call::Seats)).unwrap()
}

/// Members and seats held for good.
fn counted(world: &mut World) -> (String, usize) {
    let SeatUsage { taken, held, .. } = seat_usage(world);
    (taken.to_string(), held.len())
}

fn reserved(world: &mut World) -> Value {
    world.send(get("/v1/quotas/users")).body["reserved"].clone()
}

#[test]
fn of_two_invitations_for_the_last_seat_one_is_refused() {
    let mut world = World::new();
    put(&mut world, 1, 9, &[]);
    assert_eq!(hold(&mut world, "ada"), "true");
    assert_eq!(hold(&mut world, "bob"), "false");
    assert_eq!(hold(&mut world, "ada"), "true", "asked again, it is the same seat");
    let refused: SeatAnswer = serde_json::from_value(world.call(Call::HoldSeat { seat: seat("bob") })).unwrap();
    let SeatAnswer::Hold(refused) = refused else { panic!("{refused:?}") };
    assert_eq!((refused.taken, refused.held, refused.limit), (9.into(), 1.into(), Some(10.into())));
}

#[test]
fn an_unconfirmed_seat_is_free_after_an_hour() {
    let mut world = World::new();
    hold(&mut world, "ada");
    hold(&mut world, "bob");
    put(&mut world, 1, 1, &["bob"]);
    assert_eq!(reserved(&mut world), 2);
    world.wall = world.wall.plus(minutes(59));
    put(&mut world, 2, 1, &["bob"]);
    assert_eq!(reserved(&mut world), 2, "an invitation may still be on its way to its commit");
    world.wall = world.wall.plus(minutes(1));
    assert_eq!(reserved(&mut world), 1);
    world.wall = at("2026-06-01T00:00:00Z");
    world.restart();
    assert_eq!(
        (reserved(&mut world), counted(&mut world)),
        (json!(1), ("1".to_owned(), 1)),
        "what is confirmed stays until it is taken back"
    );
    put(&mut world, 3, 1, &[]);
    assert_eq!(reserved(&mut world), 0);
}

#[test]
fn who_accepts_takes_the_seat_that_was_held() {
    let mut world = World::new();
    put(&mut world, 1, 9, &[]);
    hold(&mut world, "ada");
    put(&mut world, 2, 9, &["ada"]);
    put(&mut world, 3, 10, &[]);
    assert_eq!((counted(&mut world), hold(&mut world, "bob")), (("10".to_owned(), 0), "false".to_owned()));
    put(&mut world, 4, 9, &[]);
    assert_eq!(hold(&mut world, "bob"), "true", "a member who goes leaves their seat");
}

#[test]
fn what_comes_late_or_twice_changes_nothing() {
    let mut world = World::new();
    put(&mut world, 5, 3, &["ada"]);
    let (before, sequence) = (world.sql.dump(), world.send(usage(json!({"metric": "tokens"}))).body["sequence"].clone());
    put(&mut world, 4, 7, &["bob", "eve"]);
    put(&mut world, 5, 3, &["ada"]);
    assert_eq!(counted(&mut world), ("3".to_owned(), 1));
    assert_eq!(sequence, 2, "one event for the members, however many");
    assert_ne!(before, world.sql.dump());
    assert_eq!(world.send(usage(json!({"metric": "tokens"}))).body["sequence"], 3);
}

#[test]
fn from_the_first_member_on_users_is_counted_here_only() {
    let mut world = World::new();
    let one = || usage(json!({"metric": "users", "amount": 5, "idempotencyKey": "first"}));
    assert_eq!(world.send(one()).short(), "200 5", "a vendor that manages its people itself reports them");
    put(&mut world, 1, 0, &["ada"]);
    assert_eq!(world.send(consumption(json!({"metric": "users"}))).short(), "200 6", "an invitation alone changes nothing");
    let held = world.send(request("POST", "/v1/reservations", r#"{"metric":"users"}"#)).body["$id"].as_str().unwrap().to_owned();
    put(&mut world, 2, 1, &[]);
    assert_eq!(world.current("users"), 1, "what was reported gives way to what is known");
    let settle = request("POST", &format!("/v1/reservations/{held}/settlement"), r#"{"amount":1}"#);
    let cloud_event = r#"{"specversion":"1.0","id":"e","source":"/tests","type":"users"}"#;
    for ask in [
        usage(json!({"metric": "users"})),
        usage(json!({"metric": "users", "amount": -1, "timestamp": "2026-01-02T00:00:00Z"})),
        consumption(json!({"metric": "users"})),
        request("POST", "/v1/reservations", r#"{"metric":"users"}"#),
        settle,
        tenantry::meter::wire::HotRequest {
            content_type: "application/cloudevents+json".into(),
            ..request("POST", "/v1/events", cloud_event)
        },
    ] {
        assert_eq!(world.send(ask.clone()).short(), "409 metric_is_counted", "{ask:?}");
        world.restart();
    }
    let answer = world.send(batch(json!([{"metric": "users"}, {"metric": "tokens"}])));
    assert_eq!((&answer.body["accepted"], &answer.body["rejected"][0]["code"]), (&json!(1), &json!("metric_is_counted")), "{answer:?}");
    assert_eq!(world.send(one()).body["replayed"], true, "a repeated request has its first answer");
    assert_eq!(world.send(get("/v1/quotas/users?amount=8")).body["allowed"], true);
    put(&mut world, 3, 0, &[]);
    assert_eq!(world.send(usage(json!({"metric": "users"}))).short(), "409 metric_is_counted", "also when the last one has gone");
    assert_eq!(world.current("users"), 0);
}

#[test]
fn a_client_ends_no_seat() {
    let mut world = World::new();
    put(&mut world, 1, 0, &["ada"]);
    let path = format!("/v1/reservations/{}", seat("ada"));
    for ask in [get(&path), request("DELETE", &path, ""), keyed("k", request("POST", &format!("{path}/settlement"), r#"{"amount":0}"#))] {
        assert_eq!(world.send(ask).short(), "404 not_found");
    }
    assert_eq!(counted(&mut world), ("0".to_owned(), 1));
}

#[test]
fn members_who_come_before_the_plan_are_counted_with_it() {
    let mut world = World::untouched();
    assert_eq!(hold(&mut world, "ada"), "not_configured");
    put(&mut world, 1, 2, &[]);
    assert_eq!(seat_usage(&mut world), SeatUsage { version: 1, is_counted: true, ..SeatUsage::default() });
    world.restart();
    world.call(Call::Configure { entitlements: entitlements() });
    assert_eq!(counted(&mut world), ("2".to_owned(), 0));
    assert_eq!(world.send(usage(json!({"metric": "users"}))).short(), "409 metric_is_counted");
    world.call(Call::Configure { entitlements: tenantry::meter::vocabulary::Entitlements { version: 2, ..entitlements() } });
    assert_eq!(world.send(usage(json!({"metric": "users"}))).short(), "409 metric_is_counted", "another plan counts them, too");
}

#[test]
fn a_lowered_limit_takes_no_seat_away_and_gives_none() {
    let mut world = World::new();
    put(&mut world, 1, 4, &["ada"]);
    let limit = |limit: u32, enforcement| LimitOverride { limit: Some(limit.into()), enforcement };
    let overrides = [("users".to_owned(), limit(3, Enforcement::Hard))].into();
    world.call(Call::PutLimits { version: 1, overrides, grants: Vec::new() });
    assert_eq!((counted(&mut world), hold(&mut world, "bob")), (("4".to_owned(), 1), "false".to_owned()));
    put(&mut world, 2, 5, &[]);
    assert_eq!(counted(&mut world), ("5".to_owned(), 0), "the seat was promised");
    let overrides = [("users".to_owned(), limit(3, Enforcement::Soft))].into();
    world.call(Call::PutLimits { version: 2, overrides, grants: Vec::new() });
    assert_eq!(hold(&mut world, "bob"), "true", "a soft limit stops nobody");
}

#[test]
fn so_many_seats_are_held_and_reservations_have_their_own_room() {
    let mut world = World::new();
    let overrides = [("users".to_owned(), LimitOverride { limit: None, enforcement: Enforcement::Hard })].into();
    world.call(Call::PutLimits { version: 1, overrides, grants: Vec::new() });
    let names: Vec<String> = (0..1_000).map(|number| number.to_string()).collect();
    put(&mut world, 1, 1, &names.iter().map(String::as_str).collect::<Vec<_>>());
    assert_eq!(hold(&mut world, "one more"), "too_many_seats_held");
    assert_eq!(hold(&mut world, "7"), "true");
    assert_eq!(world.send(request("POST", "/v1/reservations", r#"{"metric":"apiCalls"}"#)).status, 201);
}

#[test]
fn members_are_in_the_log_its_hours_and_its_proof() {
    let mut world = World::new();
    world.send(usage(json!({"metric": "users", "amount": 4})));
    put(&mut world, 1, 1, &["ada"]);
    world.wall = world.wall.plus(hours(2));
    put(&mut world, 2, 2, &[]);
    let buckets = world.roll_up();
    let hours: Vec<_> = buckets.iter().filter(|bucket| bucket.metric == "users").map(|bucket| (bucket.count, bucket.sum)).collect();
    assert_eq!(hours, [(2, 1.into()), (1, 1.into())], "4, then 3 fewer; 1 more two hours later");
    assert_eq!(world.fact_names(), ["Usage.started users"]);
    verify_proof(&mut world);
}

fn verify_proof(world: &mut World) {
    let (from, to) = (at("2025-12-01T00:00:00Z"), at("2027-01-01T00:00:00Z"));
    let (mut lines, mut after) = (String::new(), 0);
    loop {
        let page: ExportPage = serde_json::from_value(world.call(Call::ExportProof { from, to, after })).unwrap();
        lines += &page.lines;
        let Some(next) = page.next else { break };
        after = next;
    }
    let verification = verify::verify(lines.as_bytes()).unwrap();
    assert_eq!(verification.verdict, Ok(()), "{lines}");
}

#[test]
fn wherever_a_call_about_seats_fails_a_retry_finds_the_state_before_it() {
    let calls: [fn() -> Call; 2] =
        [|| Call::HoldSeat { seat: seat("eve") }, || Call::PutSeats { version: 2, members: 3, held: vec![seat("bob")] }];
    for call in calls {
        let mut failures = 0;
        for statements in 0.. {
            let mut world = World::new();
            hold(&mut world, "bob");
            put(&mut world, 1, 2, &["ada"]);
            let before = world.sql.dump();
            world.sql.fail_after(statements);
            let result = world.try_call(call());
            world.sql.recover();
            if result.is_ok() {
                break;
            }
            failures += 1;
            assert_eq!(world.sql.dump(), before, "failed after {statements} statements");
            world.call(call());
            let (users, held) = (world.current("users"), reserved(&mut world));
            assert!((users, held) == (json!(2), json!(3)) || (world.current("users"), reserved(&mut world)) == (json!(3), json!(1)));
        }
        assert!(failures >= 1, "{failures}");
    }
}

/// The Worker's calls, in any order, late, twice, with restarts in between.
#[derive(Clone, Debug)]
enum Step {
    /// Holds a seat and, if it got one and was not cut off, commits the invitation.
    Invite {
        name: u8,
        is_cut_off: bool,
    },
    Accept(prop::sample::Index),
    Revoke(prop::sample::Index),
    Remove,
    /// Sends the seats of a few versions ago, as a delayed step does.
    Tell {
        ago: usize,
    },
    Restart,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (0..30_u8, prop::bool::weighted(0.1)).prop_map(|(name, is_cut_off)| Step::Invite { name, is_cut_off }),
        4 => any::<prop::sample::Index>().prop_map(Step::Accept),
        2 => any::<prop::sample::Index>().prop_map(Step::Revoke),
        2 => Just(Step::Remove),
        6 => (0..4_usize).prop_map(|ago| Step::Tell { ago }),
        1 => Just(Step::Restart),
    ]
}

/// The database: each change has a version, and steps may still send any of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Database {
    version: i64,
    members: u32,
    pending: BTreeSet<ReservationId>,
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]
    #[test]
    fn members_and_invitations_never_pass_the_limit_and_in_the_end_both_say_the_same(steps in prop::collection::vec(step(), 1..80)) {
        let mut world = World::new();
        let mut versions = vec![Database { version: 1, members: 1, ..Database::default() }];
        for step in steps {
            let mut next = versions.last().unwrap().clone();
            next.version += 1;
            let picked = |index: &prop::sample::Index, pending: &BTreeSet<ReservationId>| {
                let pending: Vec<_> = pending.iter().copied().collect();
                (!pending.is_empty()).then(|| *index.get(&pending))
            };
            match step {
                Step::Invite { name, is_cut_off } => {
                    let seat = seat(&format!("{name} at {}", next.version));
                    let answer: SeatAnswer = serde_json::from_value(world.call(Call::HoldSeat { seat })).unwrap();
                    if matches!(answer, SeatAnswer::Hold(hold) if hold.is_held) && !is_cut_off {
                        next.pending.insert(seat);
                    }
                }
                Step::Accept(index) => {
                    if let Some(seat) = picked(&index, &next.pending) {
                        next.pending.remove(&seat);
                        next.members += 1;
                    }
                }
                Step::Revoke(index) => {
                    if let Some(seat) = picked(&index, &next.pending) {
                        next.pending.remove(&seat);
                    }
                }
                Step::Remove => next.members = next.members.saturating_sub(1).max(1),
                Step::Tell { ago } => {
                    let then = versions[versions.len().saturating_sub(1 + ago)].clone();
                    world.call(Call::PutSeats { version: then.version, members: then.members, held: then.pending.into_iter().collect() });
                }
                Step::Restart => world.restart(),
            }
            let before = versions.last().unwrap();
            if (next.members, &next.pending) != (before.members, &before.pending) {
                versions.push(next);
            }
            let now = versions.last().unwrap();
            prop_assert!(now.members as usize + now.pending.len() <= 10, "{now:?}");
        }
        let last = versions.last().unwrap().clone();
        world.call(Call::PutSeats { version: last.version, members: last.members, held: last.pending.iter().copied().collect() });
        let standing = seat_usage(&mut world);
        prop_assert_eq!((standing.version, standing.taken, standing.held), (last.version, last.members.into(), last.pending.into_iter().collect()));
        prop_assert_eq!(world.current("users"), last.members);
        verify_proof(&mut world);
    }
}

//! Seats over HTTP: races for the last one, and what stays true whatever gets lost.

use proptest::prelude::*;
use serde_json::{Value, json};
use tenantry::kernel::time::{hours, minutes};

use crate::api::cast::{Cast, text};
use crate::api::check::{ask, check, refusal};
use crate::support::world::{Answer, Credential};

impl Cast {
    fn limit_users(&self, limit: u32) {
        let path = format!("/v1/organizations/{}/limits/users", self.acme);
        self.world.write(&crate::support::world::vendor(), "PUT", &path, &json!({"limit": limit})).expect(200);
    }

    fn try_invite(&self, name: &str) -> Answer {
        self.world.post(&self.acme().vendor(), "/v1/invitations", &json!({"email": format!("{name}@acme.example"), "role": null}))
    }

    /// Members, pending invitations, consistent.
    fn standing(&self) -> (u64, u64, bool) {
        let seats = self.acme().get("/v1/seats");
        (seats["taken"].as_u64().unwrap(), seats["held"].as_u64().unwrap(), seats["isConsistent"] == true)
    }
}

#[test]
fn invitations_at_once_never_pass_the_limit() {
    let cast = Cast::new();
    cast.limit_users(7);
    cast.join("ada", None);
    let statuses: Vec<u16> = std::thread::scope(|scope| {
        let cast = &cast;
        let threads: Vec<_> = (0..20).map(|number| scope.spawn(move || cast.try_invite(&format!("guest{number}")).status)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let count = |status: u16| statuses.iter().filter(|found| **found == status).count();
    assert_eq!((count(201), count(403)), (6, 14), "{statuses:?}");
    assert_eq!(cast.standing(), (1, 6, true));
}

#[test]
fn one_address_invited_at_once_is_invited_once() {
    let cast = Cast::new();
    let statuses: Vec<u16> = std::thread::scope(|scope| {
        let cast = &cast;
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(move || cast.try_invite("ada").status)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert_eq!(statuses.iter().filter(|status| **status == 201).count(), 1, "{statuses:?}");
    assert!(statuses.iter().all(|status| [201, 409].contains(status)), "{statuses:?}");
    assert_eq!(cast.standing(), (0, 1, true));
}

#[test]
fn the_plan_s_last_seat_is_given_once() {
    let cast = Cast::new();
    cast.limit_users(2);
    let ada = cast.join("ada", None);
    let bob = text(&cast.try_invite("bob").expect(201)["$id"]);
    let invite = ask(&cast.acme().vendor(), "POST", "/v1/invitations").json(r#"{"email":"eve@acme.example","role":null}"#);
    let answer = check(&cast.world, &invite, refusal(403, "quota_exceeded", ""));
    let shown = ["metric", "current", "reserved", "limit", "required"].map(|member| answer.body[member].clone());
    assert_eq!(shown, [json!("users"), json!(1), json!(1), json!(2), json!(1)]);
    cast.world.send(&cast.acme().vendor(), "DELETE", &format!("/v1/invitations/{bob}"), &[], "").expect(204);
    cast.try_invite("eve").expect(201);
    check(
        &cast.world,
        &ask(&cast.acme().vendor(), "POST", "/v1/invitations").json(r#"{"email":"bob@acme.example","role":null}"#),
        refusal(403, "quota_exceeded", ""),
    );
    cast.world.send(&cast.acme().vendor(), "DELETE", &format!("/v1/members/{ada}"), &[], "").expect(204);
    cast.try_invite("bob").expect(201);
}

#[test]
fn a_seat_held_for_an_invitation_that_was_cut_off_is_used_by_its_retry() {
    let cast = Cast::new();
    cast.limit_users(1);
    let placement = futures::executor::block_on(cast.world.platform().placement(cast.acme.parse().unwrap())).unwrap().unwrap();
    let shard = &cast.world.shards[placement.shard];
    let mut cut_off = 0;
    for passing in 0..12 {
        shard.fail_after(passing, 1);
        let status = cast.try_invite("ada").status;
        shard.fail(0);
        match status {
            503 => cut_off += 1,
            201 | 409 => break,
            _ => panic!("{status}"),
        }
    }
    assert!(cut_off >= 2, "{cut_off}");
    cast.world.pass(hours(1));
    cast.world.cron("* * * * *");
    cast.world.deliver();
    assert_eq!(cast.standing(), (0, 1, true));
}

#[test]
fn the_calendar_updates_the_meter_after_a_dead_letter() {
    let cast = Cast::new();
    cast.join("ada", None);
    cast.world.meters_fail(1, 1_000);
    cast.try_invite("bob").expect(201);
    for _ in 0..12 {
        cast.world.pass(minutes(30));
        cast.world.try_cron("* * * * *");
        cast.world.try_deliver();
    }
    cast.world.meters_fail(0, 0);
    assert_eq!(cast.standing(), (1, 1, false), "the step is a dead letter");
    cast.world.cron("0 * * * *");
    assert_eq!(cast.standing(), (1, 1, true));
}

#[derive(Clone, Debug)]
enum Step {
    Invite(u8),
    Accept(prop::sample::Index),
    Revoke(prop::sample::Index),
    Remove(prop::sample::Index),
    /// So many calls reach the Meter, then so many get lost.
    LoseCalls(u32, u32),
    Deliver,
}

fn step() -> impl Strategy<Value = Step> {
    let index = any::<prop::sample::Index>;
    prop_oneof![
        5 => (0..12_u8).prop_map(Step::Invite),
        4 => index().prop_map(Step::Accept),
        2 => index().prop_map(Step::Revoke),
        3 => index().prop_map(Step::Remove),
        2 => (0..3_u32, 1..4_u32).prop_map(|(passing, failing)| Step::LoseCalls(passing, failing)),
        1 => Just(Step::Deliver),
    ]
}

/// One of `ids` in a list of Acme's.
fn picked(cast: &Cast, path: &str, index: &prop::sample::Index) -> Option<String> {
    let page = cast.acme().get(path);
    let rows: Vec<&Value> = page["data"].as_array().unwrap().iter().collect();
    (!rows.is_empty()).then(|| text(&index.get(&rows)["$id"]))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, max_shrink_iters: 50, ..ProptestConfig::default() })]
    #[test]
    fn whatever_happens_the_meter_counts_the_members(steps in prop::collection::vec(step(), 1..30)) {
        let cast = Cast::new();
        cast.limit_users(5);
        for step in steps {
            let delete = |path: String| cast.world.send(&cast.acme().vendor(), "DELETE", &path, &[], "");
            match step {
                Step::Invite(name) => drop(cast.try_invite(&format!("guest{name}"))),
                Step::Accept(index) => {
                    if let Some(id) = picked(&cast, "/v1/invitations?status=pending", &index) {
                        cast.world.post(&Credential::Nobody, "/v1/invitation-acceptances", &json!({"token": cast.token_of(&id)})).expect(201);
                    }
                }
                Step::Revoke(index) => {
                    picked(&cast, "/v1/invitations?status=pending", &index).map(|id| delete(format!("/v1/invitations/{id}")).expect(204));
                }
                Step::Remove(index) => {
                    picked(&cast, "/v1/members", &index).map(|id| delete(format!("/v1/members/{id}")).expect(204));
                }
                Step::LoseCalls(passing, failing) => cast.world.meters_fail(passing, failing),
                Step::Deliver => {
                    cast.world.pass(minutes(2));
                    cast.world.cron("* * * * *");
                    cast.world.try_deliver();
                }
            }
            let members = cast.acme().get("/v1/members?limit=100")["data"].as_array().unwrap().len();
            let pending = cast.acme().get("/v1/invitations?status=pending&limit=100")["data"].as_array().unwrap().len();
            prop_assert!(members + pending <= 5, "{members} members and {pending} invitations");
        }
        cast.world.meters_fail(0, 0);
        for _ in 0..3 {
            cast.world.pass(hours(1));
            cast.world.cron("* * * * *");
            cast.world.deliver();
        }
        let seats = cast.acme().get("/v1/seats");
        prop_assert_eq!(&seats["isConsistent"], &json!(true), "{}", seats);
        prop_assert_eq!(&seats["meter"]["taken"], &seats["taken"]);
        let usage = cast.acme().get("/v1/usage");
        prop_assert_eq!(&usage["metrics"]["users"]["current"], &seats["taken"]);
    }
}

//! Rate limits: what a burst leaves is told with each answer, and what is refused counts nothing.

use serde_json::json;
use tenantry::kernel::time::seconds;
use tenantry::meter::vocabulary::{Rate, RateLimits};

use crate::meter::world::{Answer, HotRequest, World, entitlements, from, get, usage};

fn limited(organization: (u32, u32), key: (u32, u32)) -> World {
    let rate = |(per_second, burst)| Rate { per_second, burst };
    let mut entitlements = entitlements();
    entitlements.rate_limits = Some(RateLimits { organization: rate(organization), key: rate(key) });
    World::with(entitlements)
}

fn event() -> HotRequest {
    HotRequest { has_all_metrics: false, ..usage(json!({"metric": "apiCalls"})) }
}

fn told(answer: &Answer) -> String {
    format!("{} {} {}", answer.status, answer.header("RateLimit").unwrap_or("-"), answer.header("Retry-After").unwrap_or("-"))
}

#[test]
fn every_answer_tells_what_is_left_and_a_refusal_when_to_come_again() {
    let mut world = limited((100, 100), (2, 3));
    let key = world.key(1, &["usage.read", "usage.write"], None);
    let sent: Vec<_> = [event(), get("/v1/quotas/apiCalls"), event(), event(), event()].into_iter().map(|sent| from(&key, sent)).collect();
    let untold: Vec<_> = sent.into_iter().map(|sent| HotRequest { has_all_metrics: false, ..sent }).collect();
    let answers = world.group(&untold);
    let expected = [
        "200 \"default\";r=2;t=1 -",
        "200 \"default\";r=1;t=1 -",
        "200 \"default\";r=0;t=2 -",
        "429 \"default\";r=0;t=2 1",
        "429 \"default\";r=0;t=2 1",
    ];
    assert_eq!(answers.iter().map(told).collect::<Vec<_>>(), expected);
    assert!(answers.iter().all(|answer| answer.header("RateLimit-Policy") == Some("\"default\";q=3;w=2")));
    assert_eq!(answers[4].code(), "rate_limited");
    assert_eq!(world.current("apiCalls"), 2);
    world.wall = world.wall.plus(seconds(1));
    let answers = world.group(&[from(&key, event()), from(&key, event()), from(&key, event())]);
    assert_eq!(answers.iter().map(|answer| answer.status).collect::<Vec<_>>(), [200, 200, 429], "two a second");
}

#[test]
fn keys_have_a_share_each_and_all_together_one() {
    let mut world = limited((1, 5), (1, 3));
    let keys = [1, 2].map(|number| world.key(number, &["usage.write"], None));
    let mut admitted = |key: &str| {
        let answers = world.group(&[from(key, event()), from(key, event()), from(key, event()), from(key, event())]);
        answers.iter().filter(|answer| answer.status == 200).count()
    };
    assert_eq!([admitted(&keys[0]), admitted(&keys[1])], [3, 2]);
    assert_eq!(world.send(event()).status, 429, "the Worker's callers share the organization's");
    let forged = world.send(from("Bearer tk_org_nonsense", event()));
    assert_eq!((forged.status, forged.header("RateLimit")), (401, None), "who is not known is told nothing");
}

#[test]
fn a_request_that_comes_again_with_the_metrics_told_is_not_limited_twice() {
    let mut world = limited((1, 1), (1, 1));
    assert_eq!(world.send(event()).status, 200);
    assert_eq!(world.send(HotRequest { has_all_metrics: true, ..event() }).status, 200);
    assert_eq!(world.send(event()).status, 429);
}

#[test]
fn without_limits_nothing_is_said_of_them() {
    let answer = World::new().send(event());
    assert_eq!((answer.header("RateLimit"), answer.header("RateLimit-Policy")), (None, None));
}

//! How often the endpoints without credentials may be asked.

use futures::executor::block_on;
use serde_json::json;
use tenantry::identity::throttle::quotas::Endpoint;
use tenantry::kernel::time::{hours, minutes, seconds};
use tenantry::platform_sql;

use crate::api::check::{Ask, accept};
use crate::api::document;
use crate::logins::people::{ADA, NOBODY, acme, post, with_code};
use crate::support::world::{Answer, World};

fn from(address: &str, ask: Ask) -> Ask {
    ask.header("cf-connecting-ip", address)
}

fn login(email: &str) -> Ask {
    post("/v1/login", &json!({"email": email}))
}

/// Asks until it is refused, at most `times`; how often it was not, and the refusal.
fn until_refused(world: &World, times: u32, ask: impl Fn(u32) -> Ask) -> (u32, Option<Answer>) {
    let answers = (0..times).map(|number| ask(number).send(world));
    let refused = answers.enumerate().find(|(_, answer)| answer.status == 429);
    refused.map_or((times, None), |(number, answer)| (u32::try_from(number).unwrap(), Some(answer)))
}

/// A forged secret of a machine costs nothing and is not counted, so this one is asked with a good one, in the tests of credentials.
const ELSEWHERE: [&str; 1] = ["createAccessToken"];

#[test]
fn every_public_operation_that_does_something_is_throttled() {
    let public: Vec<_> = document::operations()
        .into_iter()
        .filter(|operation| operation.is_public() && operation.method != "GET" && !ELSEWHERE.contains(&operation.id))
        .collect();
    assert!(public.len() >= 4, "{public:?}");
    for operation in public {
        let world = World::new();
        let body = match operation.id {
            "signUp" => json!({"name": "Acme", "email": "{fresh}@acme.example"}),
            "createLogin" => json!({"email": "{fresh}@acme.example"}),
            "createSession" => json!({"email": "{fresh}@acme.example", "code": "123456"}),
            "refreshSession" => json!({"refreshToken": "tk_refresh_{fresh}"}),
            "acceptInvitation" => json!({"token": "tk_invitation_{fresh}"}),
            other => panic!("{other} needs no credential: say here how it is asked, and throttle it"),
        };
        let ask = |number: u32| {
            from(
                "203.0.113.7",
                post(operation.path, &serde_json::from_str(&body.to_string().replace("{fresh}", &number.to_string())).unwrap()),
            )
        };
        let (admitted, refused) = until_refused(&world, 1_000, ask);
        let refused = refused.unwrap_or_else(|| panic!("{} is never refused", operation.id));
        assert!(admitted >= 10, "{}: {admitted}", operation.id);
        assert!(refused.header("ratelimit").starts_with("\"address\";r=0;t="), "{}: {:?}", operation.id, refused.headers);
        let elsewhere = from("203.0.113.8", ask(2_000));
        let elsewhere = Ask { headers: elsewhere.headers.into_iter().filter(|(_, value)| value != "203.0.113.7").collect(), ..elsewhere };
        assert_ne!(elsewhere.send(&world).status, 429, "{}: another address is not refused", operation.id);
    }
}

#[test]
fn a_refusal_says_when_to_come_back() {
    let world = World::new();
    let first = accept(&world, &from("203.0.113.7", login(NOBODY)), 202);
    assert_eq!((first.header("ratelimit-policy"), first.header("ratelimit")), ("\"address\";q=60;w=3600", "\"address\";r=59;t=60"));
    let (_, refused) = until_refused(&world, 10, |_| from("203.0.113.7", login(NOBODY)));
    let refused = refused.unwrap();
    assert_eq!((refused.body["code"].as_str(), refused.header("retry-after")), (Some("rate_limited"), "720"));
    assert_eq!((refused.header("ratelimit-policy"), refused.header("ratelimit")), ("\"target\";q=5;w=3600", "\"target\";r=0;t=3600"));
    world.pass(seconds(719));
    assert_eq!(from("203.0.113.7", login(NOBODY)).send(&world).status, 429);
    world.pass(seconds(1));
    accept(&world, &from("203.0.113.7", login(NOBODY)), 202);
    assert_eq!(from("203.0.113.7", login(NOBODY)).send(&world).status, 429, "one came back, not all");
    world.pass(hours(1));
    assert_eq!(until_refused(&world, 10, |_| from("203.0.113.7", login(NOBODY))).0, 5);
}

#[test]
fn a_target_is_protected_from_all_addresses_together_whether_it_is_known_or_not() {
    for email in [ADA, NOBODY] {
        let world = World::new();
        acme(&world);
        let (admitted, refused) = until_refused(&world, 20, |number| from(&format!("203.0.113.{number}"), login(email)));
        assert_eq!((admitted, refused.unwrap().header("ratelimit-policy")), (5, "\"target\";q=5;w=3600"), "{email}");
        let (guesses, _) = until_refused(&world, 20, |number| from(&format!("203.0.113.{number}"), with_code(email, "123456")));
        assert_eq!(guesses, 10, "{email}");
    }
}

#[test]
fn who_is_refused_by_address_uses_up_nobodys_target() {
    let world = World::new();
    until_refused(&world, 100, |number| from("203.0.113.7", login(&format!("{number}@acme.example"))));
    for _ in 0..20 {
        assert_eq!(from("203.0.113.7", login(ADA)).send(&world).status, 429);
    }
    accept(&world, &from("203.0.113.8", login(ADA)), 202);
}

#[test]
fn one_house_of_ipv6_is_one_address() {
    let world = World::new();
    let (admitted, _) =
        until_refused(&world, 100, |number| from(&format!("2001:db8:1:2::{number:x}"), login(&format!("{number}@acme.example"))));
    assert_eq!(admitted, 60);
    accept(&world, &from("2001:db8:1:3::1", login(ADA)), 202);
}

#[test]
fn nothing_says_whose_bucket_it_is_and_full_ones_are_forgotten() {
    let world = World::new();
    accept(&world, &from("203.0.113.7", login(ADA)), 202);
    let count = || platform_sql!("SELECT count(*) AS count FROM throttles");
    let buckets = |world: &World| block_on(world.platform().directory(vec![count()])).unwrap()[0][0]["count"].as_i64().unwrap();
    assert_eq!(buckets(&world), 2);
    world.cron("0 5 * * *");
    assert_eq!(buckets(&world), 2);
    world.pass(minutes(12));
    world.cron("0 5 * * *");
    assert_eq!(buckets(&world), 0);
    assert_eq!(Endpoint::ALL.len(), Endpoint::ALL.iter().map(|endpoint| endpoint.name()).collect::<std::collections::BTreeSet<_>>().len());
}

//! What another plan would have cost: by the code that bills, and without effect.

use serde_json::{Value, json};

use crate::support::rows;
use crate::support::world::{Company, World};

/// On professional since 2026-01-31 with 150,000, 90,000 and 210,000 calls in its first three paid months.
fn acme(world: &World) -> Company<'_> {
    let acme = world.sign_up_at("Acme", "2026-01-17T09:00:00Z");
    let backend = acme.key(&["usage.write"]);
    for (now, calls, end) in [
        ("2026-02-10T00:00:00Z", 150_000, "2026-02-28T09:00:00Z"),
        ("2026-03-10T00:00:00Z", 90_000, "2026-03-31T09:00:00Z"),
        ("2026-04-10T00:00:00Z", 210_000, "2026-04-30T09:00:00Z"),
    ] {
        acme.advance(now);
        world.post(&backend, "/v1/usage", &json!({"metric": "apiCalls", "amount": calls})).expect(200);
        acme.advance(end);
    }
    acme
}

fn simulate(company: &Company<'_>, body: &Value) -> Value {
    company.world.post(&company.vendor(), "/v1/simulations", body).expect(200)
}

#[test]
fn the_plan_that_it_has_costs_what_was_charged() {
    let world = World::new();
    let acme = acme(&world);
    let simulation = simulate(&acme, &json!({}));
    // 199 + 50,000 x 0.002, 199, 199 + 110,000 x 0.002.
    let totals: Vec<&Value> = simulation["periods"].as_array().unwrap().iter().map(|period| &period["total"]["price"]).collect();
    assert_eq!(totals, ["299.00", "199.00", "419.00"]);
    assert_eq!((&simulation["total"]["price"], &simulation["charged"]["price"]), (&json!("917.00"), &json!("917.00")));
    assert_eq!(simulation["difference"]["amountMinor"], 0);
}

#[test]
fn the_last_quarter_under_another_plan() {
    let world = World::new();
    let acme = acme(&world);
    let home = world.shards[rows::home(&world, &acme.id)].as_ref();
    let before = rows::of(home, &acme.id);
    let starter = simulate(&acme, &json!({"plan": "starter"}));
    // 3 x 49 + (140,000 + 80,000 + 200,000) x 0.005.
    assert_eq!(starter["total"]["price"], "2247.00");
    assert_eq!(starter["difference"]["price"], "1330.00", "it would have cost so much more");
    let enterprise = simulate(&acme, &json!({"plan": "enterprise"}));
    assert_eq!((&enterprise["total"]["price"], &enterprise["periods"][0]["lines"].as_array().unwrap().len()), (&json!("2997.00"), &1));
    let one = simulate(&acme, &json!({"plan": "starter", "from": "2026-03-31T09:00:00Z", "to": "2026-04-30T09:00:00Z"}));
    assert_eq!((&one["total"]["price"], &one["charged"]["price"]), (&json!("1049.00"), &json!("419.00")));
    assert_eq!(rows::of(home, &acme.id), before, "nothing was changed");
}

#[test]
fn what_is_to_come_is_supposed() {
    let world = World::new();
    let acme = acme(&world);
    let body = json!({"plan": "starter", "from": "2026-04-30T09:00:00Z", "to": "2026-06-30T00:00:00Z", "usage": {"apiCalls": 12_000}});
    let simulation = simulate(&acme, &body);
    assert_eq!(simulation["periods"].as_array().unwrap().len(), 2);
    assert!(simulation["periods"].as_array().unwrap().iter().all(|period| period["isSupposed"] == true));
    // 2 x (49 + 2,000 x 0.005); nothing was charged for it yet.
    assert_eq!((&simulation["total"]["price"], &simulation["charged"]["price"]), (&json!("118.00"), &json!("0.00")));
    assert_eq!(simulation["difference"]["price"], "0.00", "only closed periods are compared");
}

#[test]
fn what_can_not_be_supposed_is_refused() {
    let world = World::new();
    let acme = acme(&world);
    let key = acme.key(&["subscription.read"]);
    for (body, code) in [
        (json!({"plan": "gold"}), "unknown_plan"),
        (json!({"plan": "starter", "planVersion": 7}), "unknown_plan"),
        (json!({"plan": "starter", "billingPeriod": "year"}), "plan_not_sold_in_currency"),
        (json!({"quantity": 0}), "invalid_quantity"),
        (json!({"addOns": {"support": 1}}), "unknown_add_on"),
        (json!({"from": "2026-03-01T00:00:00Z", "to": "2026-02-01T00:00:00Z"}), "invalid_range"),
        (json!({"from": "2026-01-17T09:00:00Z", "to": "2026-01-20T00:00:00Z"}), "nothing_to_simulate"),
        (json!({"from": "2026-01-17T09:00:00Z", "to": "2096-01-20T00:00:00Z"}), "too_many_periods"),
    ] {
        let answer = world.post(&key, "/v1/simulations", &body);
        assert_eq!((answer.status, &answer.body["code"]), (400, &json!(code)), "{body}");
    }
}

//! Pauses and ends: what comes back, what is billed after, and what time does to what rests.

use serde_json::{Value, json};
use tenantry::catalog::plans::plan::{Trial, TrialEnding};

use super::invoice_proofs::assert_all_verified;
use super::subscription_changes::{line, lines};
use crate::support::plans::{publish, team};
use crate::support::world::{Company, World, vendor};

impl Company<'_> {
    fn pause(&self, body: &Value) -> Value {
        self.world.post(&self.vendor(), "/v1/subscription/pause", body).expect(201)
    }

    fn cancel(&self, body: &Value) -> Value {
        self.world.post(&self.vendor(), "/v1/subscription/cancellation", body).expect(201)
    }

    fn consume(&self) -> u16 {
        self.world.post(&self.vendor(), "/v1/usage/consumption", &json!({"metric": "apiCalls"})).status
    }

    fn standing(&self) -> Value {
        self.get("/v1/subscription")["status"].clone()
    }
}

/// Acme on January 25: of its period, January 15 to February 15, 21 of 31 days are left.
fn acme(world: &World) -> Company<'_> {
    let acme = world.sign_up_at("Acme", "2026-01-01T00:00:00Z");
    acme.advance("2026-01-25T00:00:00Z");
    acme
}

#[test]
fn a_pause_gives_the_unused_time_back_and_ends_by_itself() {
    let world = World::new();
    let acme = acme(&world);
    acme.use_up("apiCalls", 100_500);
    let paused = acme.pause(&json!({"resumesAt": "2026-03-01T00:00:00Z"}));
    assert_eq!((&paused["status"], &paused["pause"]["policy"]), (&json!("paused"), &json!("credit_unused")));
    assert_ne!(acme.consume(), 200, "nothing is admitted");
    for period in ["currentPeriod", "usagePeriod"] {
        assert_eq!(paused[period], json!({"start": "2026-01-15T00:00:00Z", "end": "2026-02-15T00:00:00Z"}), "{period}");
    }
    acme.advance("2026-02-28T23:59:59Z");
    let invoices = acme.invoices();
    assert_eq!(invoices.len(), 2, "nothing falls due while it rests");
    assert_eq!(lines(&invoices[1], "referencesOrder"), [line("overage", 100), line("unusedTime", -13_481)]);
    acme.advance("2026-03-01T00:00:00Z");
    assert_eq!(acme.standing(), "active");
    assert_eq!(acme.get("/v1/subscription")["currentPeriod"], json!({"start": "2026-03-01T00:00:00Z", "end": "2026-04-01T00:00:00Z"}));
    assert_eq!((acme.consume(), acme.get("/v1/quotas/apiCalls")["current"].clone()), (200, json!(1)));
    acme.advance("2026-04-01T00:00:00Z");
    let invoices = acme.invoices();
    let later: Vec<_> = invoices[2..].iter().map(|invoice| lines(invoice, "referencesOrder")).collect();
    assert_eq!(
        later,
        [[line("basePrice", 19_900)], [line("basePrice", 19_900)]],
        "a new period from March on; what was billed is billed once"
    );
    assert!(acme.mails().contains(&"subscription-resumed".to_owned()));
    assert_all_verified(&acme);
}

#[test]
fn a_pause_that_keeps_the_time_goes_on_with_what_was_left() {
    let world = World::new();
    let acme = acme(&world);
    acme.use_up("apiCalls", 40);
    acme.pause(&json!({"policy": "keep_time"}));
    acme.advance("2026-02-20T00:00:00Z");
    assert_eq!(acme.invoices().len(), 1, "nothing to bill, nothing due");
    world.send(&acme.vendor(), "DELETE", "/v1/subscription/pause", &[], "").expect(204);
    assert_eq!(acme.get("/v1/subscription")["usagePeriod"], json!({"start": "2026-01-15T00:00:00Z", "end": "2026-03-13T00:00:00Z"}));
    assert_eq!(acme.get("/v1/quotas/apiCalls")["current"], 40, "the usage period goes on");
    acme.advance("2026-03-12T23:59:59Z");
    assert_eq!(acme.invoices().len(), 1);
    acme.advance("2026-04-13T00:00:00Z");
    assert_eq!(acme.invoices().len(), 3, "March 13 and April 13: 26 days later than without the pause");
    assert_all_verified(&acme);
}

#[test]
fn pausing_and_going_on_at_once_changes_nothing_but_the_bill() {
    let world = World::new();
    let acme = acme(&world);
    for policy in ["keep_time", "credit_unused"] {
        acme.pause(&json!({"policy": policy}));
        world.send(&acme.vendor(), "DELETE", "/v1/subscription/pause", &[], "").expect(204);
        assert_eq!((acme.standing(), acme.consume()), (json!("active"), 200), "{policy}");
    }
    acme.advance("2026-01-25T00:00:01Z");
    let billed: Vec<_> = acme.invoices()[1..].iter().map(|invoice| lines(invoice, "referencesOrder")).collect();
    assert_eq!(billed, [[line("unusedTime", -13_481)], [line("basePrice", 19_900)]]);
    assert_all_verified(&acme);
}

#[test]
fn an_end_now_settles_and_late_usage_follows_once() {
    let world = World::new();
    let acme = acme(&world);
    acme.use_up("apiCalls", 100_500);
    let ended = acme.cancel(&json!({"effective": "now", "reason": "we stop"}));
    assert_eq!((&ended["status"], &ended["endDate"]), (&json!("cancelled"), &json!("2026-01-25T00:00:00Z")));
    assert_ne!(acme.consume(), 200);
    acme.advance("2026-01-26T00:00:00Z");
    let last = acme.invoices().pop().unwrap();
    assert_eq!(lines(&last, "referencesOrder"), [line("overage", 100), line("unusedTime", -13_481)]);
    assert_eq!(last["billingReason"], "subscription_end");
    let late = json!({"metric": "apiCalls", "amount": 1_000, "timestamp": "2026-01-24T00:00:00Z"});
    world.post(&acme.vendor(), "/v1/usage", &late).expect(200);
    acme.use_up("apiCalls", 5_000);
    acme.advance("2026-06-01T00:00:00Z");
    let invoices = acme.invoices();
    assert_eq!(invoices.len(), 3, "nothing more falls due");
    assert_eq!(lines(&invoices[2], "referencesOrder"), [line("lateUsage", 200)], "what came after the end is nobody's");
    assert_eq!((&invoices[2]["billingReason"], &invoices[2]["dateIssued"]), (&json!("late_usage"), &json!("2026-03-01T00:00:00Z")));
    assert!(acme.mails().contains(&"subscription-ended".to_owned()));
    assert_all_verified(&acme);
}

#[test]
fn late_usage_is_settled_when_another_subscription_begins() {
    let world = World::new();
    let acme = acme(&world);
    acme.use_up("apiCalls", 100_000);
    acme.cancel(&json!({"effective": "now"}));
    acme.advance("2026-01-27T00:00:00Z");
    let late = json!({"metric": "apiCalls", "amount": 1_000, "timestamp": "2026-01-24T00:00:00Z"});
    world.post(&acme.vendor(), "/v1/usage", &late).expect(200);
    world.post(&acme.vendor(), "/v1/subscription", &json!({"plan": "professional"})).expect(201);
    assert_eq!(acme.get("/v1/quotas/apiCalls")["current"], 0);
    acme.advance("2026-03-27T00:00:00Z");
    let reasons: Vec<Value> = acme.invoices().iter().map(|invoice| invoice["billingReason"].clone()).collect();
    let wanted =
        ["subscription_create", "subscription_end", "late_usage", "subscription_create", "subscription_cycle", "subscription_cycle"];
    assert_eq!(reasons, wanted);
    assert_all_verified(&acme);
}

#[test]
fn an_end_can_wait_and_be_withdrawn() {
    let world = World::new();
    let acme = acme(&world);
    let cancelled = acme.cancel(&json!({"effective": "period_end", "reason": "too dear"}));
    assert_eq!((&cancelled["status"], &cancelled["cancellation"]["effectiveAt"]), (&json!("active"), &json!("2026-02-15T00:00:00Z")));
    world.send(&acme.vendor(), "DELETE", "/v1/subscription/cancellation", &[], "").expect(204);
    acme.advance("2026-02-20T00:00:00Z");
    assert_eq!((acme.standing(), acme.invoices().len()), (json!("past_due"), 2), "its first bill is not paid");
    acme.cancel(&json!({"effective": "period_end"}));
    acme.use_up("apiCalls", 100_500);
    acme.advance("2026-05-20T00:00:00Z");
    assert_eq!(acme.standing(), "cancelled");
    let last = acme.invoices().pop().unwrap();
    assert_eq!((lines(&last, "referencesOrder"), &last["billingReason"]), (vec![line("overage", 100)], &json!("subscription_end")));
    assert_all_verified(&acme);
}

#[test]
fn a_trial_expires_without_a_payment_method_where_the_plan_says_so() {
    let world = World::new();
    let trial = Trial { days: 7, ending: TrialEnding::ExpireWithoutPaymentMethod };
    publish(&world, &tenantry::catalog::plans::plan::Plan { trial, ..team() });
    for (name, method, status) in [("Payer", json!("card"), "active"), ("Looker", Value::Null, "expired")] {
        let clock = world.post(&vendor(), "/v1/test-clocks", &json!({"now": "2026-01-01T00:00:00Z"})).expect(201);
        let company = world.sign_up_with(json!({"name": name, "email": "a@acme.example", "testClock": clock["$id"], "plan": "team"}));
        world.write(&company.vendor(), "PATCH", "/v1/subscription", &json!({"paymentMethod": method})).expect(200);
        company.advance("2026-01-08T00:00:00Z");
        assert_eq!(company.standing(), status, "{name}");
        assert_eq!(company.invoices().len(), usize::from(status == "active"), "{name}");
    }
}

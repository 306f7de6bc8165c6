//! A company from its sign-up to its first invoices.

use serde_json::{Value, json};

use crate::support::world::World;

#[test]
fn a_company_signs_up_and_is_taken_by_the_hand() {
    let world = World::new();
    let acme = world.sign_up_at("Acme", "2026-01-01T09:00:00Z");
    let checklist = acme.get("/v1/onboarding");
    assert_eq!(checklist["itemListElement"].as_array().unwrap().len(), 5);
    let subscription = acme.get("/v1/subscription");
    assert_eq!((&subscription["isTrial"], &subscription["plan"]["key"]), (&json!(true), &json!("professional")));
    assert_eq!(subscription["trialEndDate"], "2026-01-15T09:00:00Z");
    assert_eq!(acme.get("/v1/organization")["status"], "active");
    acme.advance("2026-01-01T09:00:01Z");
    assert_eq!(acme.mails(), ["organization-welcome"]);
    acme.advance("2026-01-04T09:00:00Z");
    assert_eq!(acme.mails(), ["organization-welcome", "onboarding-checkin-day3"]);
    acme.advance("2026-01-12T09:00:00Z");
    assert_eq!(acme.mails()[2..], ["onboarding-checkin-day7", "trial-ending-soon"]);
}

#[test]
fn check_ins_are_dropped_when_they_are_pointless() {
    let world = World::new();
    let acme = world.sign_up_at("Acme", "2026-01-01T09:00:00Z");
    for item in ["verifyEmail", "addTeamMembers", "configureSettings", "createFirstProject", "setUpBilling"] {
        world.write(&acme.vendor(), "PUT", &format!("/v1/onboarding/items/{item}"), &json!({"status": "completed"})).expect(200);
    }
    let organization = acme.get("/v1/organization");
    assert_eq!((&organization["status"], &organization["onboardingProgress"]), (&json!("onboarded"), &json!(100)));
    assert_eq!(organization["onboardedAt"], "2026-01-01T09:00:00Z");
    acme.advance("2026-01-10T00:00:00Z");
    assert_eq!(acme.mails(), ["organization-welcome", "onboarding-complete"]);
}

#[test]
fn items_complete_themselves_when_the_fact_happens() {
    let world = World::new();
    let acme = world.sign_up_at("Acme", "2026-01-01T09:00:00Z");
    world.write(&acme.vendor(), "PATCH", "/v1/organization", &json!({"settings": {"timezone": "Europe/Vienna"}})).expect(200);
    let backend = acme.key(&["usage.write"]);
    world.post(&backend, "/v1/usage", &json!({"metric": "projects", "amount": 1})).expect(200);
    world.post(&backend, "/v1/usage", &json!({"metric": "users", "amount": 2})).expect(200);
    acme.advance("2026-01-01T09:00:01Z");
    let done: Vec<Value> = acme.get("/v1/onboarding")["itemListElement"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|item| item["status"] == "completed")
        .map(|item| item["key"].clone())
        .collect();
    assert_eq!(done, ["addTeamMembers", "configureSettings", "createFirstProject"]);
    assert_eq!(acme.get("/v1/organization")["onboardingProgress"], json!(60));
}

#[test]
fn the_trial_converts_and_each_period_has_one_invoice() {
    let world = World::new();
    let acme = world.sign_up_at("Acme", "2026-01-17T09:00:00Z");
    let backend = acme.key(&["usage.write", "usage.read"]);
    world.post(&backend, "/v1/usage", &json!({"metric": "apiCalls", "amount": 500_000})).expect(200);
    acme.advance("2026-01-31T09:00:00Z");
    let invoices = acme.invoices();
    assert_eq!(invoices.len(), 1, "the trial's usage costs nothing");
    let first = &invoices[0];
    assert_eq!(first["identifier"], "INV-000001");
    assert_eq!(first["totalPaymentDue"]["price"], "199.00");
    assert_eq!(first["paymentStatus"], "due");
    assert_eq!((&first["dateIssued"], &first["paymentDueDate"]), (&json!("2026-01-31T09:00:00Z"), &json!("2026-03-02T09:00:00Z")));
    assert_eq!(acme.get("/v1/subscription")["isTrial"], false);

    world.post(&backend, "/v1/usage", &json!({"metric": "apiCalls", "amount": 100_500})).expect(200);
    acme.advance("2026-02-28T09:00:00Z");
    let second = &acme.invoices()[1];
    assert_eq!(second["totalPaymentDue"]["price"], "200.00", "500 calls past 100,000 at 0.002");
    let overage = &second["referencesOrder"][1];
    assert_eq!((&overage["orderItem"], &overage["orderQuantity"], &overage["price"]), (&json!("apiCalls"), &json!(500), &json!("0.002")));
    assert_eq!(overage["billingPeriod"], json!({"startDate": "2026-01-31T09:00:00Z", "endDate": "2026-02-28T09:00:00Z"}));

    world.post(&backend, "/v1/usage", &json!({"metric": "apiCalls", "amount": 10, "timestamp": "2026-02-20T00:00:00Z"})).expect(200);
    acme.advance("2026-03-31T09:00:00Z");
    let third = &acme.invoices()[2];
    let late = &third["referencesOrder"][1];
    assert_eq!((&late["kind"], &late["counted"], &late["amount"]["price"]), (&json!("lateUsage"), &json!(10), &json!("0.02")));
    assert_eq!(late["billingPeriod"]["startDate"], "2026-01-31T09:00:00Z", "the correction names the period it belongs to");
    assert_eq!(third["totalPaymentDue"]["amountMinor"], 19_902);

    for _ in 0..3 {
        world.cron("0 * * * *");
        world.deliver();
    }
    assert_eq!(acme.invoices().len(), 3, "running the billing again changes nothing");
    assert_eq!(acme.mails().iter().filter(|template| *template == "invoice-payment-required").count(), 3);
}

#[test]
fn the_limit_is_announced_once_a_period() {
    let world = World::new();
    let acme = world.sign_up_at("Acme", "2026-01-01T00:00:00Z");
    let backend = acme.key(&["usage.write"]);
    world.post(&backend, "/v1/usage/consumption", &json!({"metric": "apiCalls", "amount": 100_000})).expect(200);
    let refused = world.post(&backend, "/v1/usage/consumption", &json!({"metric": "apiCalls"}));
    assert_eq!((refused.status, &refused.body["code"]), (429, &json!("quota_exceeded")));
    assert!(refused.header("retry-after").parse::<u64>().unwrap() > 0);
    world.post(&backend, "/v1/usage", &json!({"metric": "apiCalls", "amount": 5})).expect(200);
    acme.advance("2026-01-01T00:00:01Z");
    assert_eq!(acme.mails().iter().filter(|template| *template == "quota-exceeded").count(), 1);
    acme.advance("2026-01-20T00:00:00Z");
    world.post(&backend, "/v1/usage", &json!({"metric": "apiCalls", "amount": 100_001})).expect(200);
    acme.advance("2026-01-21T00:00:00Z");
    assert_eq!(acme.mails().iter().filter(|template| *template == "quota-exceeded").count(), 2);
}

#[test]
fn in_real_time_cron_and_queues_do_the_same() {
    let world = World::new();
    let acme = world.sign_up("Acme");
    world.deliver();
    assert_eq!(acme.mails(), ["organization-welcome"]);
    for _ in 0..14 {
        world.pass(tenantry::kernel::time::days(1));
        world.cron("* * * * *");
        world.deliver();
    }
    assert_eq!(acme.mails()[1..], ["onboarding-checkin-day3", "onboarding-checkin-day7", "trial-ending-soon"]);
    world.cron("0 * * * *");
    world.cron("0 * * * *");
    world.deliver();
    assert_eq!(acme.invoices().len(), 1);
    assert_eq!(acme.mails().last().unwrap(), "invoice-payment-required");
}

#[test]
fn two_hundred_months_in_one_step_are_billed_in_order() {
    let world = World::new();
    let acme = world.sign_up_at("Acme", "2026-01-17T09:00:00Z");
    acme.advance("2042-10-01T00:00:00Z");
    let mut invoices = Vec::new();
    let mut path = "/v1/invoices?limit=100".to_owned();
    loop {
        let page = acme.get(&path);
        invoices.extend(page["data"].as_array().unwrap().clone());
        let Some(cursor) = page["nextCursor"].as_str() else { break };
        path = format!("/v1/invoices?limit=100&cursor={cursor}");
    }
    invoices.reverse();
    // From 2026-01-31 on, a month each; the last one opens on 2042-09-30.
    assert_eq!(invoices.len(), 16 * 12 + 9);
    for (index, pair) in invoices.windows(2).enumerate() {
        assert_eq!(pair[0]["billingPeriod"]["endDate"], pair[1]["billingPeriod"]["startDate"], "no gap");
        assert_eq!(pair[0]["identifier"], format!("INV-{:06}", index + 1));
    }
    let leap = invoices.iter().find(|invoice| invoice["billingPeriod"]["startDate"] == "2028-02-29T09:00:00Z").unwrap();
    assert_eq!(leap["billingPeriod"]["endDate"], "2028-03-31T09:00:00Z", "it snaps back to its day");
    assert_eq!(acme.get("/v1/subscription")["status"], "past_due", "nobody has paid");
}

//! What a company's mails say of its own plan: how long the trial is, that there is none, what is open.

use rating::BillingInterval;
use serde_json::{Value, json};
use tenantry::catalog::plans::built_in::built_in;
use tenantry::catalog::plans::plan::{Plan, Trial, TrialEnding};

use crate::support::plans::{dollars, flat, publish};
use crate::support::world::{Company, Credential, World, vendor};

/// A company that signed up for a plan with a trial of so many days, on a clock that stands at its sign-up.
fn signed_up(world: &World, days: u32) -> Company<'_> {
    signed_up_for(world, Trial { days, ending: TrialEnding::Convert })
}

fn signed_up_for(world: &World, trial: Trial) -> Company<'_> {
    let prices = vec![dollars(BillingInterval::Month, flat(1_200))];
    publish(world, &Plan { key: "tried".into(), name: "Tried".into(), prices, trial, ..built_in("professional").unwrap() });
    let clock = world.post(&vendor(), "/v1/test-clocks", &json!({"now": "2026-01-01T09:00:00Z"})).expect(201);
    let acme = world.sign_up_with(json!({"name": "Acme", "email": "admin@acme.example", "plan": "tried", "testClock": clock["$id"]}));
    acme.advance("2026-01-01T09:00:01Z");
    acme
}

/// Subject and text of the mails of one template.
fn written(company: &Company<'_>, template: &str) -> Vec<(String, String)> {
    let mails = company.world.get(&Credential::Nobody, &format!("/dev/emails?to={}", company.email)).expect(200);
    let text = |mail: &Value, member: &str| mail[member].as_str().unwrap().to_owned();
    let of_template = mails.as_array().unwrap().iter().filter(|mail| mail["template"] == template);
    of_template.map(|mail| (text(mail, "subject"), text(mail, "text"))).collect()
}

fn only(company: &Company<'_>, template: &str) -> (String, String) {
    let mails = written(company, template);
    assert_eq!(mails.len(), 1, "{template}");
    mails.into_iter().next().unwrap()
}

#[test]
fn the_welcome_names_the_end_of_the_trial_or_no_trial() {
    for (days, sentence) in [
        (0, "Acme is set up.\n"),
        (7, "Acme is set up. Your trial ends on 2026-01-08.\n"),
        (14, "Acme is set up. Your trial ends on 2026-01-15.\n"),
        (30, "Acme is set up. Your trial ends on 2026-01-31.\n"),
    ] {
        let world = World::new();
        let acme = signed_up(&world, days);
        let (subject, text) = only(&acme, "organization-welcome");
        assert_eq!(subject, "Welcome, Acme");
        assert!(text.starts_with(sentence), "{days} days: {text}");
        let items = acme.get("/v1/onboarding")["itemListElement"].as_array().unwrap().len();
        assert!(text.contains(&format!("Complete these {items} steps to get started:\n1. ")), "{text}");
        assert!(text.contains(&format!("\n{items}. ")) && !text.contains(&format!("\n{}. ", items + 1)), "{text}");
    }
}

#[test]
fn mails_name_the_day_where_the_company_is() {
    for (timezone, trial_ends, due) in [("America/Los_Angeles", "2026-01-07", "2026-02-06"), ("Asia/Tokyo", "2026-01-08", "2026-02-07")] {
        let world = World::new();
        let prices = vec![dollars(BillingInterval::Month, flat(1_200))];
        let trial = Trial { days: 7, ending: TrialEnding::Convert };
        publish(&world, &Plan { key: "tried".into(), name: "Tried".into(), prices, trial, ..built_in("professional").unwrap() });
        let clock = world.post(&vendor(), "/v1/test-clocks", &json!({"now": "2026-01-01T03:00:00Z"})).expect(201);
        let acme = world.sign_up_with(json!({"name": "Acme", "email": "admin@acme.example", "plan": "tried", "testClock": clock["$id"],
            "settings": {"timezone": timezone}}));
        acme.advance("2026-01-08T04:00:00Z");
        assert!(only(&acme, "organization-welcome").1.contains(&format!("Your trial ends on {trial_ends}.")), "{timezone}");
        assert!(only(&acme, "invoice-payment-required").1.contains(&format!("is due on {due}.")), "{timezone}");
        let due_at = acme.get("/v1/invoices")["data"][0]["paymentDueDate"].clone();
        assert_eq!(due_at, "2026-02-07T03:00:00Z", "{timezone}");
    }
}

#[test]
fn a_week_in_only_a_trial_that_still_runs_is_mentioned() {
    for (days, sentence) in [
        (0, "You signed up 7 days ago.\n"),
        (7, "You signed up 7 days ago.\n"),
        (14, "You signed up 7 days ago. Your trial ends on 2026-01-15.\n"),
        (30, "You signed up 7 days ago. Your trial ends on 2026-01-31.\n"),
    ] {
        let world = World::new();
        let acme = signed_up(&world, days);
        acme.advance("2026-01-04T09:00:00Z");
        let (subject, text) = only(&acme, "onboarding-checkin-day3");
        assert_eq!(subject, "How is it going, Acme?");
        assert!(text.starts_with("You signed up 3 days ago.\n") && !text.contains("trial"), "{days} days: {text}");
        acme.advance("2026-01-08T09:00:00Z");
        let (subject, text) = only(&acme, "onboarding-checkin-day7");
        assert_eq!(subject, "Can we help you get started, Acme?");
        assert!(text.starts_with(sentence), "{days} days: {text}");
    }
}

#[test]
fn the_end_of_a_trial_is_announced_three_days_before_if_there_is_one() {
    for (days, before, notice) in [
        (7, "2026-01-05T08:59:59Z", "2026-01-05T09:00:00Z"),
        (14, "2026-01-12T08:59:59Z", "2026-01-12T09:00:00Z"),
        (30, "2026-01-28T08:59:59Z", "2026-01-28T09:00:00Z"),
    ] {
        let world = World::new();
        let acme = signed_up(&world, days);
        acme.advance(before);
        assert_eq!(written(&acme, "trial-ending-soon"), [], "{days} days");
        acme.advance(notice);
        let ends_on = acme.get("/v1/subscription")["trialEndDate"].as_str().unwrap()[..10].to_owned();
        assert_eq!(only(&acme, "trial-ending-soon").0, format!("Your trial ends on {ends_on}"));
    }
    let world = World::new();
    let acme = signed_up(&world, 0);
    acme.advance("2026-03-01T09:00:00Z");
    let mails = world.get(&Credential::Nobody, &format!("/dev/emails?to={}", acme.email)).expect(200);
    for mail in mails.as_array().unwrap() {
        assert!(!mail["text"].as_str().unwrap().contains("trial") && !mail["subject"].as_str().unwrap().contains("trial"), "{mail}");
    }
    assert!(acme.mails().contains(&"onboarding-checkin-day7".to_owned()));
}

#[test]
fn the_announcement_says_what_follows_the_trial() {
    let advised = |settings: Value, cancelled: bool| {
        let world = World::new();
        let acme = signed_up(&world, 14);
        if settings != json!({}) {
            world.write(&acme.vendor(), "PATCH", "/v1/subscription", &settings).expect(200);
        }
        if cancelled {
            world.post(&acme.vendor(), "/v1/subscription/cancellation", &json!({})).expect(201);
        }
        acme.advance("2026-01-12T09:00:00Z");
        only(&acme, "trial-ending-soon").1.lines().nth(2).unwrap().to_owned()
    };
    assert_eq!(advised(json!({}), false), "Review your plan and add a payment method before then: https://app.example/billing");
    assert_eq!(
        advised(json!({"paymentMethod": "card"}), false),
        "You do not need to do anything: your subscription continues and is billed from then on."
    );
    let ends = "No subscription follows it. You can change that before then: https://app.example/billing";
    assert_eq!(advised(json!({"autoRenew": false}), false), ends);
    assert_eq!(advised(json!({"paymentMethod": "card"}), true), ends);
}

#[test]
fn a_trial_that_nothing_follows_is_said_to_have_ended() {
    let world = World::new();
    let acme = signed_up_for(&world, Trial { days: 7, ending: TrialEnding::ExpireWithoutPaymentMethod });
    acme.advance("2026-01-08T09:00:00Z");
    let (subject, text) = only(&acme, "subscription-ended");
    assert_eq!(subject, "Your trial has ended");
    assert!(text.starts_with("The trial of Acme has ended, and no subscription follows it. Your data is kept.\n"), "{text}");
}

#[test]
fn a_second_subscription_is_no_second_welcome() {
    let world = World::new();
    let acme = signed_up(&world, 0);
    world.post(&acme.vendor(), "/v1/subscription/cancellation", &json!({"effective": "now"})).expect(201);
    acme.advance("2026-01-01T09:00:02Z");
    assert_eq!(only(&acme, "subscription-ended").0, "Your subscription has ended");
    world.post(&acme.vendor(), "/v1/subscription", &json!({"plan": "tried"})).expect(201);
    acme.advance("2026-01-02T09:00:00Z");
    only(&acme, "organization-welcome");
}

#[test]
fn an_invoice_is_announced_with_its_amount() {
    let world = World::new();
    let acme = signed_up(&world, 0);
    let (subject, text) = only(&acme, "invoice-payment-required");
    assert_eq!(subject, "Invoice INV-000001 for $12.00");
    assert!(text.starts_with("Invoice INV-000001 for Acme is available. The amount of $12.00 is due on 2026-01-31.\n"), "{text}");
}

#[test]
fn only_the_trial_that_runs_is_announced() {
    let world = World::new();
    let acme = signed_up(&world, 7);
    acme.advance("2026-01-03T09:00:00Z");
    world.post(&acme.vendor(), "/v1/subscription/cancellation", &json!({"effective": "now"})).expect(201);
    world.post(&acme.vendor(), "/v1/subscription", &json!({"plan": "tried", "trial": true})).expect(201);
    acme.advance("2026-01-06T09:00:00Z");
    assert_eq!(written(&acme, "trial-ending-soon"), [], "the first trial is over");
    acme.advance("2026-01-07T09:00:00Z");
    let ends_on = acme.get("/v1/subscription")["trialEndDate"].as_str().unwrap()[..10].to_owned();
    assert_eq!((ends_on.as_str(), only(&acme, "trial-ending-soon").0.as_str()), ("2026-01-10", "Your trial ends on 2026-01-10"));
}

#[test]
fn the_mail_at_a_limit_says_what_the_limit_does() {
    for (enforcement, sentence) in [("hard", "are rejected until"), ("soft", "are still admitted.")] {
        let world = World::new();
        let acme = signed_up(&world, 7);
        let limit = format!("/v1/organizations/{}/limits/apiCalls", acme.id);
        world.write(&vendor(), "PUT", &limit, &json!({"limit": 10, "enforcement": enforcement})).expect(200);
        world.post(&acme.vendor(), "/v1/usage", &json!({"metric": "apiCalls", "amount": 15})).expect(200);
        acme.advance("2026-01-01T09:00:02Z");
        let mails = written(&acme, "quota-exceeded");
        assert!(mails.len() == 1 && mails[0].1.contains(sentence), "{enforcement}: {mails:?}");
    }
}

//! What can't be done to a subscription: each refusal with its code, and nothing changed.

use serde_json::{Value, json};
use tenantry::billing::subscriptions::lifecycle::Status;
use tenantry::billing::subscriptions::lifecycle::{Trigger, next};
use tenantry::catalog::plans::built_in::built_in;
use tenantry::catalog::plans::plan::Plan;
use tenantry::kernel::ids::OrganizationId;

use crate::api::cast::Cast;
use crate::api::check::{Ask, accept, ask, check, refusal};
use crate::support::plans::{publish, team};
use crate::support::world::vendor;

impl Cast {
    fn subscription(&self, method: &str, path: &str, body: &Value) -> Ask {
        let asked = ask(&self.acme().vendor(), method, &format!("/v1/subscription{path}"));
        if method == "DELETE" { asked } else { asked.json(body.to_string()) }
    }

    fn change(&self, body: &Value) -> Ask {
        self.subscription("POST", "/changes", body)
    }

    fn suspension(&self, method: &str) -> Ask {
        ask(&vendor(), method, &format!("/v1/organizations/{}/subscription/suspension", self.acme))
    }

    /// Whatever asks for a trigger.
    fn asking_for(&self, trigger: Trigger) -> Option<Ask> {
        Some(match trigger {
            Trigger::Change => self.change(&json!({"plan": "enterprise", "effective": "now"})),
            Trigger::ScheduleChange => self.change(&json!({"plan": "starter", "effective": "period_end"})),
            Trigger::RevokeChange => self.subscription("DELETE", "/scheduled-change", &json!({})),
            Trigger::CancelNow => self.subscription("POST", "/cancellation", &json!({"effective": "now"})),
            Trigger::CancelAtEnd => self.subscription("POST", "/cancellation", &json!({"effective": "period_end"})),
            Trigger::WithdrawCancellation => self.subscription("DELETE", "/cancellation", &json!({})),
            Trigger::Pause => self.subscription("POST", "/pause", &json!({})),
            Trigger::Resume => self.subscription("DELETE", "/pause", &json!({})),
            Trigger::Suspend => self.suspension("PUT"),
            Trigger::Unsuspend => self.suspension("DELETE"),
            Trigger::Convert | Trigger::Renew | Trigger::PaymentOverdue | Trigger::PaymentsCurrent | Trigger::End | Trigger::Expire => {
                return None;
            }
        })
    }
}

fn cast_with(status: Status) -> Cast {
    let cast = Cast::new();
    let acme = cast.acme();
    match status {
        Status::Active => {}
        Status::Trialing => {
            accept(&cast.world, &cast.subscription("POST", "/cancellation", &json!({"effective": "now"})), 201);
            accept(&cast.world, &cast.subscription("POST", "", &json!({"plan": "professional", "trial": true})), 201);
        }
        Status::PastDue => {
            for shard in &cast.world.shards {
                shard.meddle(&format!("UPDATE subscriptions SET status = 'past_due' WHERE organization_id = '{}'", cast.acme)).unwrap();
            }
        }
        Status::Paused => drop(accept(&cast.world, &cast.subscription("POST", "/pause", &json!({})), 201)),
        Status::Suspended => drop(accept(&cast.world, &cast.suspension("PUT"), 200)),
        Status::Cancelled => drop(accept(&cast.world, &cast.subscription("POST", "/cancellation", &json!({"effective": "now"})), 201)),
        Status::Expired => {
            accept(&cast.world, &cast.subscription("PATCH", "", &json!({"autoRenew": false})), 200);
            let clock = format!("/v1/test-clocks/{}", cast.clock);
            cast.world.write(&vendor(), "PUT", &clock, &json!({"now": "2026-04-20T00:00:00Z"})).expect(200);
        }
    }
    let found = acme.get("/v1/subscription")["status"].clone();
    assert_eq!(found, serde_json::to_value(status).unwrap());
    cast
}

/// The code with which a status refuses what its row of the table has not.
fn code(status: Status, trigger: Trigger) -> &'static str {
    match (status, trigger) {
        (Status::Cancelled | Status::Expired, _) => "subscription_ended",
        (_, Trigger::Resume) => "not_paused",
        (_, Trigger::Unsuspend) => "not_suspended",
        (Status::Paused, _) => "subscription_paused",
        (Status::Suspended, _) => "subscription_suspended",
        (Status::Trialing, _) => "subscription_on_trial",
        (Status::PastDue, Trigger::Pause) => "payment_past_due",
        (status, trigger) => panic!("{status:?} refuses {trigger:?}"),
    }
}

#[test]
fn what_the_table_has_not_is_refused_and_changes_nothing() {
    let mut refused = 0;
    let statuses =
        [Status::Trialing, Status::Active, Status::PastDue, Status::Paused, Status::Suspended, Status::Cancelled, Status::Expired];
    for status in statuses {
        let cast = cast_with(status);
        for trigger in Trigger::ALL.iter().filter(|trigger| next(status, **trigger).is_none()) {
            let Some(asked) = cast.asking_for(*trigger) else { continue };
            check(&cast.world, &asked, refusal(409, code(status, *trigger), ""));
            refused += 1;
        }
    }
    assert_eq!(refused, 42);
}

#[test]
fn a_change_that_cannot_be_is_refused() {
    let cast = Cast::new();
    let foreign: OrganizationId = cast.globex.parse().unwrap();
    publish(&cast.world, &team());
    publish(&cast.world, &Plan { key: "contract".into(), organization: Some(foreign), ..built_in("enterprise").unwrap() });
    for (body, status, code, pointer) in [
        (json!({}), 409, "no_change", ""),
        (json!({"plan": "professional"}), 409, "no_change", ""),
        (json!({"quantity": 1, "addOns": {"backup": 0}}), 409, "no_change", ""),
        (json!({"plan": "gold"}), 400, "unknown_plan", "/plan"),
        (json!({"plan": "contract"}), 400, "unknown_plan", "/plan"),
        (json!({"planVersion": 7}), 400, "unknown_plan_version", "/planVersion"),
        (json!({"plan": "contract", "planVersion": 1}), 400, "unknown_plan_version", "/planVersion"),
        (json!({"billingPeriod": "year"}), 400, "plan_not_sold_in_currency", "/plan"),
        (json!({"plan": "team", "billingPeriod": "week"}), 400, "plan_not_sold_in_currency", "/plan"),
        (json!({"quantity": 0}), 400, "invalid_value", "/quantity"),
        (json!({"quantity": 1_000_001}), 400, "invalid_value", "/quantity"),
        (json!({"addOns": {"backup": 1}}), 400, "unknown_add_on", "/addOns/backup"),
        (json!({"plan": "team", "addOns": {"backup": 1_000_001}}), 400, "invalid_value", "/addOns/backup"),
        (json!({"plan": "team", "billingPeriod": "year", "prorationPolicy": "none"}), 409, "interval_needs_proration", ""),
    ] {
        let body = if body.as_object().is_some_and(serde_json::Map::is_empty) { body } else { with_now(body) };
        for path in ["/changes", "/change-previews"] {
            check(&cast.world, &cast.subscription("POST", path, &body), refusal(status, code, pointer));
        }
    }
}

fn with_now(mut body: Value) -> Value {
    body["effective"] = "now".into();
    body
}

#[test]
fn what_is_in_use_must_fit_a_lower_limit() {
    let cast = Cast::new();
    cast.world.post(&cast.acme().vendor(), "/v1/usage", &json!({"metric": "users", "amount": 12})).expect(200);
    let down = cast.change(&json!({"plan": "starter", "effective": "now"}));
    let refused = check(&cast.world, &down, refusal(409, "usage_above_new_limit", ""));
    assert_eq!([&refused.body["metric"], &refused.body["current"], &refused.body["limit"]], [&json!("users"), &json!("12"), &json!("5")]);
    accept(&cast.world, &cast.change(&json!({"plan": "starter"})), 201);
    accept(&cast.world, &cast.subscription("DELETE", "/scheduled-change", &json!({})), 204);
    let limit = format!("/v1/organizations/{}/limits/users", cast.acme);
    cast.world.write(&vendor(), "PUT", &limit, &json!({"limit": 20})).expect(200);
    accept(&cast.world, &down, 201);
}

#[test]
fn what_waits_is_in_the_way_and_can_be_taken_back_once() {
    let cast = Cast::new();
    let delete = |path: &str| cast.subscription("DELETE", path, &json!({}));
    check(&cast.world, &delete("/scheduled-change"), refusal(409, "no_scheduled_change", ""));
    check(&cast.world, &delete("/cancellation"), refusal(409, "no_cancellation", ""));
    accept(&cast.world, &cast.change(&json!({"plan": "starter"})), 201);
    for (path, body) in [("/changes", json!({"plan": "enterprise"})), ("/pause", json!({}))] {
        check(&cast.world, &cast.subscription("POST", path, &body), refusal(409, "change_scheduled", ""));
    }
    accept(&cast.world, &delete("/scheduled-change"), 204);
    let cancel = cast.subscription("POST", "/cancellation", &json!({"effective": "period_end"}));
    accept(&cast.world, &cancel, 201);
    check(&cast.world, &cancel, refusal(409, "cancellation_pending", ""));
    for effective in ["now", "period_end"] {
        let body = json!({"plan": "enterprise", "effective": effective});
        check(&cast.world, &cast.change(&body), refusal(409, "cancellation_pending", ""));
    }
    check(&cast.world, &cast.subscription("POST", "/pause", &json!({})), refusal(409, "cancellation_pending", ""));
    accept(&cast.world, &delete("/cancellation"), 204);
}

#[test]
fn a_second_subscription_waits_for_the_end_of_the_first_and_has_no_trial() {
    let cast = Cast::new();
    let begin = |body: &Value| cast.subscription("POST", "", body);
    check(&cast.world, &begin(&json!({"plan": "starter"})), refusal(409, "subscription_running", ""));
    let key = cast.acme().key(&["subscription.write"]);
    accept(&cast.world, &cast.subscription("POST", "/cancellation", &json!({"effective": "now"})), 201);
    check(&cast.world, &begin(&json!({"plan": "starter", "trial": true})).by(&key), refusal(409, "trial_used", ""));
    check(&cast.world, &begin(&json!({"plan": "gold"})).by(&key), refusal(400, "unknown_plan", "/plan"));
    check(&cast.world, &begin(&json!({"plan": "starter", "currency": "EUR"})).by(&key), refusal(400, "plan_not_sold_in_currency", "/plan"));
    let begun = accept(&cast.world, &begin(&json!({"plan": "starter"})).by(&key), 201).body;
    assert_eq!([&begun["status"], &begun["plan"]["key"]], [&json!("active"), &json!("starter")]);
    check(&cast.world, &begin(&json!({"plan": "starter"})).by(&key), refusal(409, "subscription_running", ""));
}

#[test]
fn a_body_of_which_all_may_be_left_out_may_be_left_out() {
    let cast = Cast::new();
    let post = |path: &str| ask(&cast.acme().vendor(), "POST", &cast.fill(path));
    accept(&cast.world, &post("/v1/subscription/pause"), 201);
    accept(&cast.world, &cast.subscription("DELETE", "/pause", &json!({})), 204);
    let cancelled = accept(&cast.world, &post("/v1/subscription/cancellation"), 201).body;
    assert_eq!(cancelled["cancellation"]["effectiveAt"], cancelled["currentPeriod"]["end"], "what is paid for is not taken away");
    assert_eq!(accept(&cast.world, &post("/v1/invoices/{openInvoice}/void"), 200).body["paymentStatus"], "void");
    check(&cast.world, &post("/v1/api-keys"), refusal(400, "invalid_value", ""));
}

#[test]
fn settings_and_pauses_have_bounds() {
    let cast = Cast::new();
    let set = |body: Value| cast.subscription("PATCH", "", &body);
    check(&cast.world, &set(json!({"paymentMethod": " "})), refusal(400, "invalid_value", "/paymentMethod"));
    check(&cast.world, &set(json!({"paymentMethod": "x".repeat(201)})), refusal(400, "invalid_value", "/paymentMethod"));
    let shown = accept(&cast.world, &set(json!({"paymentMethod": "card", "autoRenew": false})), 200).body;
    assert_eq!([&shown["paymentMethod"], &shown["autoRenew"]], [&json!("card"), &json!(false)]);
    assert_eq!(accept(&cast.world, &set(json!({"paymentMethod": null})), 200).body["paymentMethod"], Value::Null);
    for at in ["2026-02-20T00:00:00Z", "2030-01-01T00:00:00Z"] {
        check(&cast.world, &cast.subscription("POST", "/pause", &json!({"resumesAt": at})), refusal(400, "invalid_value", "/resumesAt"));
    }
    let reason = json!({"effective": "now", "reason": ""});
    check(&cast.world, &cast.subscription("POST", "/cancellation", &reason), refusal(400, "invalid_value", "/reason"));
}

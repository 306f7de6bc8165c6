//! What is subscribed to changes in the middle of things, and every cent is as it was computed by hand.

use serde_json::{Value, json};

use super::invoice_proofs::assert_all_verified;
use crate::support::plans::{publish, team};
use crate::support::world::{Company, World, vendor};

impl Company<'_> {
    /// Changes the subscription; what the preview just said is what is billed.
    pub fn change(&self, body: &Value) -> Value {
        let preview = self.world.post(&self.vendor(), "/v1/subscription/change-previews", body).expect(200);
        let mut change = self.world.post(&self.vendor(), "/v1/subscription/changes", body).expect(201);
        assert_eq!(preview["invoice"], Value::Null);
        let invoice = change["invoice"].take();
        assert_eq!(preview, change, "the preview is the bill");
        change["invoice"] = invoice;
        change
    }

    fn quota(&self, metric: &str) -> (Value, Value) {
        let quota = self.get(&format!("/v1/quotas/{metric}"));
        (quota["current"].clone(), quota["limit"].clone())
    }

    pub fn use_up(&self, metric: &str, amount: u32) {
        self.world.post(&self.vendor(), "/v1/usage", &json!({"metric": metric, "amount": amount})).expect(200);
    }
}

/// Kinds and amounts of lines, in minor units.
pub fn lines(document: &Value, member: &str) -> Vec<(String, i64)> {
    let lines = document[member].as_array().unwrap().iter();
    lines.map(|line| (line["kind"].as_str().unwrap().to_owned(), line["amount"]["amountMinor"].as_i64().unwrap())).collect()
}

pub fn line(kind: &str, minor: i64) -> (String, i64) {
    (kind.to_owned(), minor)
}

/// Period January 15 to February 15, 31 days; on January 25 there are 21 left. Credit 199 × 21/31 = 134.806..., charge 999 × 21/31 =
/// 676.741..., and 500 calls past 100,000 at 0.002 = 1.00.
#[test]
fn an_upgrade_bills_the_rest_of_the_month_and_the_usage_so_far() {
    let world = World::new();
    let acme = world.sign_up_at("Acme", "2026-01-01T00:00:00Z");
    acme.advance("2026-01-25T00:00:00Z");
    acme.use_up("apiCalls", 100_500);
    let change = acme.change(&json!({"plan": "enterprise"}));
    assert_eq!(lines(&change, "lines"), [line("overage", 100), line("unusedTime", -13_481), line("remainingTime", 67_674)]);
    assert_eq!(change["total"]["amountMinor"], 54_293);
    assert_eq!(acme.quota("apiCalls"), (json!(100_500), json!(1_000_000)), "the limit is new when the answer arrives, the count is not");
    acme.advance("2026-01-25T00:00:01Z");
    let invoice = acme.get(&format!("/v1/invoices/{}", change["invoice"].as_str().unwrap()));
    assert_eq!((&invoice["billingReason"], &invoice["total"]["amountMinor"]), (&json!("subscription_update"), &json!(54_293)));
    assert_eq!(lines(&invoice, "referencesOrder"), lines(&change, "lines"));
    // 999,600 more make 1,100,100: 100,100 past the million at 0.001 = 100.10. What was billed at the change is not billed again.
    acme.use_up("apiCalls", 999_600);
    acme.advance("2026-02-15T00:00:00Z");
    let renewal = acme.invoices().pop().unwrap();
    assert_eq!(lines(&renewal, "referencesOrder"), [line("basePrice", 99_900), line("overage", 10_010)]);
    acme.advance("2026-03-15T00:00:00Z");
    assert_eq!(lines(&acme.invoices().pop().unwrap(), "referencesOrder"), [line("basePrice", 99_900)]);
    assert_all_verified(&acme);
}

/// Ten ups and downs within a minute give back exactly what they charge but for the seconds between; going back and forth earns nothing.
#[test]
fn going_back_and_forth_earns_nothing_and_frees_no_unit() {
    let world = World::new();
    let acme = world.sign_up_at("Acme", "2026-01-01T00:00:00Z");
    acme.advance("2026-01-25T00:00:00Z");
    acme.use_up("apiCalls", 90_000);
    let mut net = 0;
    for _ in 0..5 {
        for plan in ["enterprise", "professional"] {
            let change = acme.change(&json!({"plan": plan, "effective": "now"}));
            net += change["subtotal"]["amountMinor"].as_i64().unwrap();
        }
    }
    assert_eq!(net, 0);
    acme.use_up("apiCalls", 20_000);
    acme.advance("2026-02-15T00:00:00Z");
    let renewal = acme.invoices().pop().unwrap();
    assert_eq!(lines(&renewal, "referencesOrder"), [line("basePrice", 19_900), line("overage", 2_000)], "10,000 past 100,000 at 0.002");
    assert_all_verified(&acme);
}

#[test]
fn a_downgrade_waits_for_the_end_can_be_seen_and_revoked() {
    let world = World::new();
    let acme = world.sign_up_at("Acme", "2026-01-01T00:00:00Z");
    acme.advance("2026-01-25T00:00:00Z");
    acme.use_up("apiCalls", 50_000);
    let change = acme.change(&json!({"plan": "starter"}));
    assert_eq!((&change["effectiveAt"], lines(&change, "lines")), (&json!("2026-02-15T00:00:00Z"), Vec::new()));
    assert_eq!(acme.get("/v1/subscription")["scheduledChange"]["to"]["plan"], "starter");
    world.send(&acme.vendor(), "DELETE", "/v1/subscription/scheduled-change", &[], "").expect(204);
    assert_eq!(acme.get("/v1/subscription")["scheduledChange"], Value::Null);
    acme.change(&json!({"plan": "starter"}));
    acme.advance("2026-02-15T00:00:00Z");
    let subscription = acme.get("/v1/subscription");
    assert_eq!((&subscription["plan"]["key"], &subscription["scheduledChange"]), (&json!("starter"), &Value::Null));
    let renewal = acme.invoices().pop().unwrap();
    assert_eq!(lines(&renewal, "referencesOrder"), [line("basePrice", 4_900)], "50,000 calls were included when they were used");
    assert_eq!(acme.quota("apiCalls"), (json!(0), json!(10_000)));
    assert_all_verified(&acme);
}

/// Period January 31 to February 28, 28 days. On February 14 half of it is left, on February 21 a quarter.
#[test]
fn seats_add_ons_and_a_year() {
    let world = World::new();
    publish(&world, &team());
    let acme = world.sign_up_at("Acme", "2026-01-17T09:00:00Z");
    acme.advance("2026-02-14T09:00:00Z");
    let change = acme.change(&json!({"plan": "team", "quantity": 3, "effective": "now"}));
    assert_eq!(lines(&change, "lines"), [line("unusedTime", -9_950), line("remainingTime", 1_500)], "199/2 back, 3 seats at 10 for half");
    assert_eq!((&change["total"]["amountMinor"], &change["creditIssued"]["amountMinor"]), (&json!(0), &json!(8_450)));
    let change = acme.change(&json!({"quantity": 5}));
    assert_eq!(lines(&change, "lines"), [line("unusedTime", -1_500), line("remainingTime", 2_500)]);
    let change = acme.change(&json!({"addOns": {"backup": 1}}));
    assert_eq!(lines(&change, "lines"), [line("remainingTime", 250)], "5 for half");
    assert_eq!(acme.quota("storage").1, 200, "100 of the plan, 100 of the add-on");

    acme.advance("2026-02-21T09:00:00Z");
    let change = acme.change(&json!({"billingPeriod": "year"}));
    // A quarter of 5 seats at 10 and of 5 comes back; a year of 5 seats at 100 and of 50 begins.
    let wanted = [line("unusedTime", -1_250), line("unusedTime", -125), line("basePrice", 50_000), line("addOn", 5_000)];
    assert_eq!((lines(&change, "lines"), &change["total"]["amountMinor"]), (wanted.to_vec(), &json!(53_625)));
    let subscription = acme.get("/v1/subscription");
    assert_eq!(subscription["currentPeriod"], json!({"start": "2026-02-21T09:00:00Z", "end": "2027-02-21T09:00:00Z"}));
    assert_eq!(subscription["usagePeriod"], json!({"start": "2026-02-21T09:00:00Z", "end": "2026-03-21T09:00:00Z"}));
    let before = acme.invoices().len();
    acme.use_up("apiCalls", 101_000);
    acme.advance("2026-04-22T00:00:00Z");
    let billed: Vec<_> = acme.invoices()[before..].iter().map(|invoice| lines(invoice, "referencesOrder")).collect();
    assert_eq!(billed, [[line("overage", 200)]], "1,000 past 100,000 at 0.002; months of a year have no base price");

    world.write(&acme.vendor(), "PATCH", "/v1/subscription", &json!({"autoRenew": false})).expect(200);
    acme.advance("2027-01-22T09:00:00Z");
    assert_eq!(acme.mails().last().unwrap(), "subscription-expiring", "30 days before");
    acme.advance("2027-02-21T09:00:00Z");
    let subscription = acme.get("/v1/subscription");
    assert_eq!((&subscription["status"], &subscription["endDate"]), (&json!("expired"), &json!("2027-02-21T09:00:00Z")));
    world.post(&acme.vendor(), "/v1/subscription/changes", &json!({"plan": "starter"})).expect(409);
    acme.advance("2027-02-25T00:00:00Z");
    let begun = world.post(&acme.vendor(), "/v1/subscription", &json!({"plan": "starter"})).expect(201);
    assert_eq!((&begun["status"], &begun["currentPeriod"]["end"]), (&json!("active"), &json!("2027-03-25T00:00:00Z")));
    assert_eq!(acme.quota("apiCalls"), (json!(0), json!(10_000)));
    acme.advance("2027-02-25T00:00:01Z");
    let first = acme.invoices().pop().unwrap();
    assert_eq!((&first["billingReason"], &first["total"]["amountMinor"]), (&json!("subscription_create"), &json!(4_900)));
    assert_all_verified(&acme);
}

/// Days are Vienna's, whose clocks go forward on March 29: from midnight of March 15 to that of April 15 are 31 days. March 30 belongs to
/// the new plan: 16 days. 199 × 16/31 = 102.709..., 999 × 16/31 = 515.612...
#[test]
fn days_are_the_customers_also_when_clocks_change() {
    let world = World::new();
    let clock = world.post(&vendor(), "/v1/test-clocks", &json!({"now": "2026-02-28T23:00:00Z"})).expect(201);
    let settings = json!({"timezone": "Europe/Vienna"});
    let acme = world.sign_up_with(json!({"name": "Acme", "email": "a@acme.example", "testClock": clock["$id"], "settings": settings}));
    acme.advance("2026-03-30T10:00:00Z");
    let period = json!({"start": "2026-03-14T23:00:00Z", "end": "2026-04-14T22:00:00Z"});
    assert_eq!(acme.get("/v1/subscription")["currentPeriod"], period);
    let change = acme.change(&json!({"plan": "enterprise", "prorationPolicy": "day"}));
    assert_eq!(lines(&change, "lines"), [line("unusedTime", -10_271), line("remainingTime", 51_561)]);
    assert_all_verified(&acme);
}

#[test]
fn a_trial_changes_without_a_bill() {
    let world = World::new();
    let acme = world.sign_up_at("Acme", "2026-01-01T00:00:00Z");
    let change = acme.change(&json!({"plan": "enterprise"}));
    assert_eq!((lines(&change, "lines"), &change["invoice"]), (Vec::new(), &Value::Null));
    assert_eq!(acme.quota("apiCalls").1, 1_000_000);
    acme.advance("2026-01-15T00:00:00Z");
    assert_eq!(lines(&acme.invoices()[0], "referencesOrder"), [line("basePrice", 99_900)]);
    assert_all_verified(&acme);
}

#[test]
fn without_proration_nothing_is_billed_before_the_next_period() {
    let world = World::new();
    let acme = world.sign_up_at("Acme", "2026-01-01T00:00:00Z");
    acme.advance("2026-01-25T00:00:00Z");
    let change = acme.change(&json!({"plan": "enterprise", "prorationPolicy": "none"}));
    assert_eq!((lines(&change, "lines"), &change["invoice"]), (Vec::new(), &Value::Null));
    // What comes back later is of what was paid: 199 × 21/31, not of the 999 that nobody paid. 49 × 21/31 = 33.193...
    let change = acme.change(&json!({"plan": "starter", "effective": "now", "prorationPolicy": "second"}));
    assert_eq!(lines(&change, "lines"), [line("unusedTime", -13_481), line("remainingTime", 3_319)]);
    assert_all_verified(&acme);
}

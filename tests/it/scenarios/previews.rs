//! Whatever is changed, whenever and by whatever policy: the preview is the bill, and the bill holds together.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::invoice_proofs::assert_all_verified;
use crate::support::plans::{publish, team};
use crate::support::world::{Company, World};

const POLICIES: [&str; 9] =
    ["second", "day", "day_fixed_30", "none", "lago", "killbill", "killbill_fixed30", "openmeter_seconds", "flexprice"];
const PLANS: [&str; 4] = ["starter", "professional", "enterprise", "team"];

#[derive(Clone, Debug)]
struct Step {
    minutes: u64,
    calls: u32,
    plan: Option<usize>,
    quantity: Option<u32>,
    backups: Option<u32>,
    yearly: Option<bool>,
    policy: usize,
}

fn step() -> impl Strategy<Value = Step> {
    let wish = (prop::option::of(0..PLANS.len()), prop::option::of(1..40_u32), prop::option::of(0..3_u32), prop::option::of(any::<bool>()));
    (0..30_000_u64, 0..150_000_u32, wish, 0..POLICIES.len()).prop_map(|(minutes, calls, (plan, quantity, backups, yearly), policy)| Step {
        minutes,
        calls,
        plan,
        quantity,
        backups,
        yearly,
        policy,
    })
}

impl Step {
    fn body(&self) -> Value {
        let mut body = json!({"effective": "now", "prorationPolicy": POLICIES[self.policy]});
        let plan = self.plan.map(|plan| PLANS[plan]);
        for (name, value) in [
            ("plan", plan.map(Value::from)),
            ("quantity", self.quantity.map(Value::from)),
            ("addOns", self.backups.map(|count| json!({"backup": count}))),
            ("billingPeriod", self.yearly.map(|yearly| if yearly { "year" } else { "month" }.into())),
        ] {
            if let Some(value) = value {
                body[name] = value;
            }
        }
        body
    }
}

fn minor(document: &Value) -> i64 {
    document["amountMinor"].as_i64().unwrap()
}

/// What a change says is whole: lines sum up, nothing but unused time is below zero, nothing comes back that was not charged.
fn holds_together(change: &Value, policy: &str, in_advance: i64) -> Result<i64, TestCaseError> {
    let lines = change["lines"].as_array().unwrap();
    let of_kind = |kind: &str| lines.iter().filter(|line| line["kind"] == kind).map(|line| minor(&line["amount"])).sum::<i64>();
    prop_assert_eq!(lines.iter().map(|line| minor(&line["amount"])).sum::<i64>(), minor(&change["subtotal"]));
    prop_assert_eq!(minor(&change["total"]) - minor(&change["creditIssued"]), minor(&change["subtotal"]));
    prop_assert!(lines.iter().all(|line| line["kind"] == "unusedTime" || minor(&line["amount"]) >= 0), "{}", change);
    prop_assert!(-of_kind("unusedTime") <= in_advance, "{} comes back of {}", of_kind("unusedTime"), in_advance);
    if policy == "none" {
        prop_assert!(lines.iter().all(|line| line["kind"] == "overage"), "{}", change);
    }
    Ok(in_advance + of_kind("unusedTime") + of_kind("remainingTime") + of_kind("basePrice") + of_kind("addOn"))
}

/// What was charged in advance so far, less what came back of it: no more can come back.
fn in_advance(acme: &Company<'_>) -> i64 {
    let invoices = acme.invoices();
    let lines = invoices.iter().flat_map(|invoice| invoice["referencesOrder"].as_array().unwrap());
    lines.filter(|line| line["kind"] != "overage" && line["kind"] != "lateUsage").map(|line| minor(&line["amount"])).sum()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 30, max_shrink_iters: 60, ..ProptestConfig::default() })]
    #[test]
    fn the_preview_is_the_bill(steps in prop::collection::vec(step(), 1..6)) {
        let world = World::new();
        publish(&world, &team());
        let acme = world.sign_up_at("Acme", "2026-01-17T09:00:00Z");
        let mut now = tenantry::kernel::time::Timestamp::parse("2026-01-31T09:00:00Z").unwrap();
        let mut calls = 0_i64;
        for step in steps {
            now = now.plus(tenantry::kernel::time::minutes(step.minutes));
            acme.advance(&now.to_string());
            if step.calls > 0 {
                acme.use_up("apiCalls", step.calls);
                calls += i64::from(step.calls);
            }
            acme.advance(&now.plus(tenantry::kernel::time::seconds(1)).to_string());
            now = now.plus(tenantry::kernel::time::seconds(1));
            let body = step.body();
            let charged = in_advance(&acme);
            let preview = world.post(&acme.vendor(), "/v1/subscription/change-previews", &body);
            let change = world.post(&acme.vendor(), "/v1/subscription/changes", &body);
            if change.status != 201 {
                prop_assert_eq!((preview.status, &preview.body["code"]), (change.status, &change.body["code"]), "{}", change.text);
                continue;
            }
            let (preview, mut change) = (preview.expect(200), change.expect(201));
            let invoice = change["invoice"].take();
            prop_assert_eq!(&preview, &change);
            prop_assert_eq!(invoice.is_null(), preview["lines"].as_array().unwrap().is_empty());
            let left = holds_together(&change, POLICIES[step.policy], charged)?;
            now = now.plus(tenantry::kernel::time::seconds(1));
            acme.advance(&now.to_string());
            prop_assert_eq!(in_advance(&acme), left, "the invoice has the lines of the change");
        }
        // Every call is in one usage period, and all of them are counted.
        acme.advance(&now.plus(tenantry::kernel::time::days(40)).to_string());
        let invoices = acme.invoices();
        let closed = invoices.iter().flat_map(|invoice| invoice["usage"].as_array().unwrap()).filter(|usage| usage["metric"] == "apiCalls" && usage["late"] == false);
        let mut periods: Vec<(String, i64)> = closed
            .map(|usage| (usage["billingPeriod"]["startDate"].as_str().unwrap().to_owned(), usage["counted"].as_i64().unwrap()))
            .collect();
        periods.sort();
        let starts: std::collections::BTreeSet<&String> = periods.iter().map(|(start, _)| start).collect();
        prop_assert_eq!(starts.len(), periods.len(), "no period is closed twice: {:?}", periods);
        prop_assert!(periods.iter().map(|(_, counted)| counted).sum::<i64>() <= calls);
        assert_all_verified(&acme);
    }
}

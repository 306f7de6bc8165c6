//! The check of the billing run finds what should not be, and nothing else.

use serde_json::{Value, json};
use tenantry::kernel::time::{days, hours};

use crate::billing_run::{due_companies, findings, sweep};
use crate::support::world::{World, vendor};

#[test]
fn what_is_due_and_not_billed_is_found_when_the_run_is_late() {
    let world = World::new();
    let acme = world.sign_up("Acme");
    world.pass(days(14));
    assert_eq!(findings(&world, 2), [] as [Value; 0], "the next run is soon enough");
    world.pass(hours(3));
    let found = findings(&world, 2);
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!((&found[0]["kind"], &found[0]["organization"]), (&json!("overdue"), &json!(acme.id)));
    sweep(&world);
    assert_eq!(findings(&world, 0), [] as [Value; 0]);
}

#[test]
fn a_period_without_an_invoice_is_found() {
    let world = World::new();
    let companies = due_companies(&world, 3);
    world.pass(days(62));
    sweep(&world);
    assert_eq!(findings(&world, 2), [] as [Value; 0]);
    let gone = |which: &str, company: &str| {
        let own = format!("organization_id = '{company}'");
        for shard in &world.shards {
            shard
                .meddle(&format!("DELETE FROM invoices WHERE {own} AND period_starts_at = (SELECT {which} FROM invoices WHERE {own})"))
                .unwrap();
        }
    };
    gone("max(period_starts_at)", &companies[0].id);
    let middle = companies[2].invoices()[1]["identifier"].as_str().unwrap().trim_start_matches("INV-").parse::<u32>().unwrap();
    for shard in &world.shards {
        shard.meddle(&format!("DELETE FROM invoices WHERE organization_id = '{}' AND number = {middle}", companies[2].id)).unwrap();
    }
    let found: Vec<(Value, Value)> =
        findings(&world, 2).into_iter().map(|found| (found["organization"].clone(), found["kind"].clone())).collect();
    for company in [&companies[0], &companies[2]] {
        assert!(found.contains(&(json!(company.id), json!("missingInvoice"))), "{found:?}");
    }
}

#[test]
fn a_pause_is_no_period_without_an_invoice() {
    let world = World::new();
    let companies = due_companies(&world, 2);
    sweep(&world);
    world.pass(days(5));
    for (company, policy) in companies.iter().zip(["credit_unused", "keep_time"]) {
        world.post(&company.vendor(), "/v1/usage", &json!({"metric": "apiCalls", "amount": 100_500})).expect(200);
        world.post(&company.vendor(), "/v1/subscription/pause", &json!({"policy": policy})).expect(201);
        let invoices = company.invoices();
        let [first, of_pause] = invoices.as_slice() else { panic!("{invoices:?}") };
        let [began, paused] = [&first["billingPeriod"]["startDate"], &of_pause["dateIssued"]];
        assert_eq!(of_pause["billingPeriod"], json!({"startDate": began, "endDate": paused}), "what was before the pause");
    }
    for rests in [true, false] {
        world.pass(days(62));
        sweep(&world);
        assert_eq!(findings(&world, 2), [] as [Value; 0], "rests: {rests}");
        if rests {
            for company in &companies {
                world.send(&company.vendor(), "DELETE", "/v1/subscription/pause", &[], "").expect(204);
            }
        }
    }
}

#[test]
fn it_goes_through_all_shards_page_by_page() {
    let world = World::new();
    due_companies(&world, 4);
    let first = world.get(&vendor(), "/v1/billing/audit").expect(200);
    let cursor = first["nextCursor"].as_str().unwrap().to_owned();
    let second = world.get(&vendor(), &format!("/v1/billing/audit?cursor={cursor}")).expect(200);
    assert_eq!(first["subscriptions"].as_u64().unwrap() + second["subscriptions"].as_u64().unwrap(), 4);
    assert_eq!(second["nextCursor"], Value::Null);
    for (query, code) in [
        ("cursor=9", "invalid_cursor"),
        ("cursor=0:org_1", "invalid_cursor"),
        ("cursor=0:org_1:sub_1", "invalid_cursor"),
        ("cursor=", "invalid_cursor"),
        ("graceHours=745", "invalid_grace_hours"),
        ("graceHours=-1", "invalid_grace_hours"),
        ("graceHours=x", "invalid_grace_hours"),
    ] {
        let refused = world.get(&vendor(), &format!("/v1/billing/audit?{query}")).expect(400);
        assert_eq!(refused["errors"][0]["code"], code, "{query}: {refused}");
    }
}

//! The pages reach everybody who is due, once, however many there are.

use std::collections::BTreeSet;

use futures::executor::block_on;
use tenantry::jobs::messages;
use tenantry::kernel::ports::Message;

use crate::billing_run::{HOUR, due_companies, due_messages};
use crate::support::world::{World, vendor};

/// Enters subscriptions of the first shard that are due at `at`, one for each of `numbers`, as rows.
fn enter(world: &World, numbers: std::ops::RangeInclusive<u32>, at: &str, clock: Option<&str>) {
    let (first, last) = numbers.into_inner();
    let clock = clock.map_or("NULL".to_owned(), |clock| format!("'{clock}'"));
    let counted = format!("WITH RECURSIVE counted (n) AS (SELECT {first} UNION ALL SELECT n + 1 FROM counted WHERE n < {last})");
    world.shards[0]
        .meddle(&format!(
            "INSERT INTO organizations (organization_id, name, email, details, settings, status, test_clock_id, created_at) {counted} SELECT printf('org_%026d', n), 'x', 'x@x.example', '{{}}', '{{}}', 'active', {clock}, 0 FROM counted;
             INSERT INTO subscriptions (organization_id, id, plan, plan_version, billing_period, quantity, add_ons, currency, status, started_at, time_zone, anchored_at, period_index, period_starts_at, period_ends_at, earlier_periods, next_billing_at, advance, usage_billed, auto_renew, test_clock_id, version) {counted} SELECT printf('org_%026d', n), printf('sub_%026d', n), 'professional', 1, 'month', 1, '{{}}', 'USD', 'active', 0, 'UTC', 0, 0, 0, 1, '[]', {at}, '[]', '{{}}', 1, {clock}, 1 FROM counted;"
        ))
        .unwrap();
}

fn organizations(due: &[Message]) -> BTreeSet<String> {
    due.iter().map(|message| message.organization().unwrap().to_string()).collect()
}

#[test]
fn everybody_who_is_due_is_named_once() {
    let world = World::new();
    // Many at one instant, so that a page ends in the middle of it; some not due, some pausing, some dead letters.
    enter(&world, 1..=1_203, "1000", None);
    enter(&world, 2_001..=2_400, "1000 + n % 7", None);
    enter(&world, 3_001..=3_010, "9000000000000", None);
    world.shards[0]
        .meddle(
            "INSERT INTO billing_failures SELECT organization_id, id, 1, 'x', 0, 9000000000000, NULL FROM subscriptions WHERE id LIKE '%77';
             INSERT INTO billing_failures SELECT organization_id, id, 8, 'x', 0, NULL, 0 FROM subscriptions WHERE id LIKE '%88';
             INSERT INTO billing_failures SELECT organization_id, id, 1, 'x', 0, 1, NULL FROM subscriptions WHERE id LIKE '%99';",
        )
        .unwrap();
    let due = due_messages(&world);
    let skipped = (1..=1_203).chain(2_001..=2_400).filter(|n| n % 100 == 77 || n % 100 == 88).count();
    assert_eq!(due.len(), 1_603 - skipped);
    assert_eq!(organizations(&due).len(), due.len(), "each once");
}

#[test]
fn a_page_sends_a_bounded_number_of_messages() {
    let world = World::new();
    enter(&world, 1..=1_700, "1000", None);
    world.cron(HOUR);
    let mut sizes = Vec::new();
    loop {
        let sent = std::mem::take(&mut *world.queues.messages.lock().unwrap());
        let pages: Vec<Message> = sent.into_iter().filter(|message| matches!(message, Message::BillingPage(_))).collect();
        if pages.is_empty() {
            break;
        }
        for page in pages {
            // Through the queue's JSON, as it goes.
            let page: Message = serde_json::from_str(&serde_json::to_string(&page).unwrap()).unwrap();
            let before = world.queues.messages.lock().unwrap().len();
            block_on(messages::handle(&world.platform(), page)).unwrap();
            sizes.push(world.queues.messages.lock().unwrap().len() - before);
        }
    }
    sizes.retain(|size| *size > 0);
    assert_eq!(sizes, [501, 501, 501, 200]);
}

#[test]
fn on_test_clocks_those_whose_clock_has_passed_are_due() {
    let world = World::new();
    let mut late = BTreeSet::new();
    for number in 0..230_u32 {
        let created = world.post(&vendor(), "/v1/test-clocks", &serde_json::json!({"now": "2026-01-01T00:00:00Z"})).expect(201);
        let clock = created["$id"].as_str().unwrap();
        let first = 10 * number + 1;
        if number % 115 == 7 {
            enter(&world, first..=first + 2, "1000", Some(clock));
            late.extend((first..=first + 2).map(|n| format!("org_{n:026}")));
        } else {
            enter(&world, first..=first, "9000000000000", Some(clock));
        }
    }
    let due = due_messages(&world);
    assert_eq!(due.len(), late.len(), "each once");
    assert_eq!(organizations(&due), late);
}

#[test]
fn one_clock_may_have_more_due_than_a_page_holds() {
    let world = World::new();
    let created = world.post(&vendor(), "/v1/test-clocks", &serde_json::json!({"now": "2026-01-01T00:00:00Z"})).expect(201);
    enter(&world, 1..=1_100, "1000", Some(created["$id"].as_str().unwrap()));
    let due = due_messages(&world);
    assert_eq!((due.len(), organizations(&due).len()), (1_100, 1_100));
}

#[test]
fn a_page_that_comes_again_sends_messages_that_find_nothing_to_do() {
    let world = World::new();
    let companies = due_companies(&world, 3);
    world.cron(HOUR);
    let pages = std::mem::take(&mut *world.queues.messages.lock().unwrap());
    for page in pages.iter().chain(&pages) {
        block_on(messages::handle(&world.platform(), page.clone())).unwrap();
    }
    assert_eq!(world.queues.messages.lock().unwrap().len(), 6);
    world.deliver();
    crate::billing_run::assert_billed_once(&companies, 1, "two runs that overlap");
}

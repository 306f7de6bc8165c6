//! The billing run: one invoice a subscription and period, whatever is repeated, overtaken, cut off or broken, and at what cost.

mod audit;
mod cost;
mod dead_letters;
mod faults;
mod pages;

use crate::support::world::{Company, World, vendor};
use futures::executor::block_on;
use serde_json::Value;
use tenantry::jobs::messages;
use tenantry::kernel::error::Result;
use tenantry::kernel::ports::Message;
use tenantry::kernel::time::{days, minutes};

const HOUR: &str = "0 * * * *";
const MINUTE: &str = "* * * * *";

/// Companies in real time whose trial is over, and nothing else to do for them.
fn due_companies(world: &World, count: usize) -> Vec<Company<'_>> {
    let companies: Vec<Company<'_>> = (1..=count).map(|number| world.sign_up(&format!("Company{number}"))).collect();
    world.pass(days(15));
    for _ in 0..3 {
        world.cron(MINUTE);
        world.deliver();
    }
    companies
}

/// Begins a run and goes through its pages; what is due is a message each.
fn due_messages(world: &World) -> Vec<Message> {
    world.cron(HOUR);
    let mut due = Vec::new();
    while let Some(message) = { world.queues.messages.lock().unwrap().pop_front() } {
        match message {
            Message::BillingPage(_) => block_on(messages::handle(&world.platform(), message)).unwrap(),
            Message::Billing { .. } => due.push(message),
            other => panic!("a billing run sends no {other:?}"),
        }
    }
    due
}

fn handle_all(world: &World, messages: Vec<Message>) -> Vec<Result<()>> {
    block_on(messages::handle_all(&world.platform(), messages))
}

/// What was lost or failed on the way is found by the sweeps.
fn sweep(world: &World) {
    for _ in 0..30 {
        world.pass(minutes(10));
        world.try_cron(MINUTE);
        world.try_cron(HOUR);
        world.try_deliver();
    }
    world.deliver();
}

/// Each company has these many invoices, one a period without a gap, each with its mail; the numbers of all are 1, 2, 3, ...
#[track_caller]
fn assert_billed_once(companies: &[Company<'_>], periods: usize, why: &str) {
    let mut numbers = Vec::new();
    for company in companies {
        let invoices = company.invoices();
        assert_eq!(invoices.len(), periods, "{why}: {} has {invoices:?}", company.id);
        let joined = |pair: &[Value]| pair[0]["billingPeriod"]["endDate"] == pair[1]["billingPeriod"]["startDate"];
        assert!(invoices.windows(2).all(joined), "{why}: {invoices:?}");
        let asked = company.mails().iter().filter(|template| *template == "invoice-payment-required").count();
        assert_eq!(asked, periods, "{why}: one mail an invoice");
        numbers.extend(invoices.iter().map(|invoice| invoice["identifier"].as_str().unwrap().to_owned()));
    }
    numbers.sort();
    let wanted: Vec<String> = (1..=numbers.len()).map(|number| format!("INV-{number:06}")).collect();
    assert_eq!(numbers, wanted, "{why}: numbers have no gap");
}

fn dead_letters(world: &World) -> Vec<Value> {
    world.get(&vendor(), "/v1/dead-letters").expect(200)["data"].as_array().unwrap().clone()
}

/// What the check finds on all its pages.
fn findings(world: &World, hours: u32) -> Vec<Value> {
    let (mut found, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = world.get(&vendor(), &format!("/v1/billing/audit?graceHours={hours}{cursor}")).expect(200);
        found.extend(page["findings"].as_array().unwrap().iter().cloned());
        match page["nextCursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return found,
        }
    }
}

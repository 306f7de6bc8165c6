//! Seeded random lives of companies, with databases and Meters that fail, messages that get lost and requests that are sent again, against
//! a model that only adds up. `SEED=7 cargo test --test it simulation` repeats one, `SEEDS=1000` runs more.

use std::collections::BTreeMap;

use crate::support::seeds::Seeds;
use crate::support::world::{Company, Credential, World, vendor};
use serde_json::{Value, json};
use tenantry::kernel::time::{Timestamp, days, minutes, seconds};

const START: &str = "2026-01-31T10:00:00Z";
/// Three periods after the last random day, so that everything is closed, late usage too.
const END: &str = "2027-06-01T00:00:00Z";
const STEPS: u32 = 60;
/// Lives without `SEEDS`.
const SEEDS: u64 = 25;

/// What must be true of one company: every key counted once, with its amount.
#[derive(Default)]
struct Model {
    counted: BTreeMap<String, i64>,
    unanswered: Vec<(String, Value)>,
}

struct Life<'w> {
    company: Company<'w>,
    backend: Credential,
    now: Timestamp,
    model: Model,
}

#[test]
fn whatever_fails_every_unit_is_counted_once_and_every_period_billed_once() {
    Seeds::asked_or(SEEDS).run("simulation", simulate);
}

fn simulate(seed: u64) {
    let world = World::seeded(seed);
    let mut lives: Vec<Life<'_>> = ["Acme", "Bolt", "Coil"].into_iter().map(|name| begin(&world, name)).collect();
    for _ in 0..STEPS {
        let life = pick(&world, 3) as usize;
        step(&world, &mut lives[life]);
    }
    world.heal();
    for life in &mut lives {
        settle(&world, life);
    }
    for life in &lives {
        check(life);
    }
    check_numbers(&lives);
}

fn begin<'w>(world: &'w World, name: &str) -> Life<'w> {
    let company = world.sign_up_at(name, START);
    let backend = company.key(&["usage.write"]);
    Life { company, backend, now: Timestamp::parse(START).unwrap(), model: Model::default() }
}

/// A random number below `bound`, from the world's own repeatable randomness.
fn pick(world: &World, bound: u64) -> u64 {
    let bytes = world.app.entropy.bytes();
    u64::from_be_bytes(bytes[..8].try_into().unwrap()) % bound
}

fn step(world: &World, life: &mut Life<'_>) {
    match pick(world, 10) {
        0..=3 => use_some(world, life),
        4 => resend(world, life),
        5 | 6 => advance(world, life),
        7 => break_something(world),
        8 => {
            world.pass(minutes(1 + pick(world, 90)));
            sweep(world);
        }
        _ => world.heal(),
    }
}

/// Records usage of now or of up to 40 days ago. What gets no answer is kept, to be sent again.
fn use_some(world: &World, life: &mut Life<'_>) {
    let key = format!("use-{}", pick(world, u64::MAX));
    let back = if pick(world, 3) == 0 { days(pick(world, 40)) } else { seconds(0) };
    let body = json!({"metric": "apiCalls", "amount": 1 + pick(world, 60_000), "idempotencyKey": key, "timestamp": life.now.minus(back).to_string()});
    send(world, life, key, body);
}

fn resend(world: &World, life: &mut Life<'_>) {
    if let Some((key, body)) = life.model.unanswered.pop() {
        send(world, life, key, body);
    }
}

fn send(world: &World, life: &mut Life<'_>, key: String, body: Value) {
    let answer = world.post(&life.backend, "/v1/usage", &body);
    match answer.status {
        200 => {
            life.model.counted.insert(key, body["amount"].as_i64().unwrap());
        }
        400 => assert!(
            ["timestamp_too_old", "timestamp_before_subscription"].contains(&answer.body["code"].as_str().unwrap()),
            "{}",
            answer.text
        ),
        503 => life.model.unanswered.push((key, body)),
        status => panic!("{status} {}", answer.text),
    }
}

/// Moves the company's clock; a cut-off advance is tried again with the same time, by and by.
fn advance(world: &World, life: &mut Life<'_>) {
    let target = life.now.plus(days(1 + pick(world, 20)));
    if put_clock(world, life, target) == 200 {
        life.now = target;
    }
}

fn put_clock(world: &World, life: &Life<'_>, target: Timestamp) -> u16 {
    let clock = life.company.clock.as_ref().unwrap();
    let answer = world.write(&vendor(), "PUT", &format!("/v1/test-clocks/{clock}"), &json!({"now": target.to_string()}));
    // A cut-off advance may have moved the clock part of the way, past a time that an earlier one was to reach.
    assert!([200, 400, 503].contains(&answer.status), "{}", answer.text);
    answer.status
}

fn break_something(world: &World) {
    match pick(world, 5) {
        0 => world.directory.fail(1 + pick(world, 3) as u32),
        1 | 2 => world.shards[pick(world, 2) as usize].fail_after(pick(world, 12) as u32, 1 + pick(world, 4) as u32),
        3 => world.meters_fail(pick(world, 6) as u32, 1 + pick(world, 4) as u32),
        _ => *world.queues.lossy.lock().unwrap() = true,
    }
}

/// The calendar and the queues; what fails comes again.
fn sweep(world: &World) {
    world.try_cron("* * * * *");
    world.try_cron("0 * * * *");
    world.try_deliver();
}

/// All is well again: what was unanswered is sent once more, and time goes on until everything is billed.
fn settle(world: &World, life: &mut Life<'_>) {
    for _ in 0..30 {
        world.pass(minutes(30));
        sweep(world);
    }
    while !life.model.unanswered.is_empty() {
        resend(world, life);
    }
    assert_eq!(put_clock(world, life, Timestamp::parse(END).unwrap()), 200);
    sweep(world);
}

fn check(life: &Life<'_>) {
    let invoices = life.company.invoices();
    let counted: i64 = life.model.counted.values().sum();
    let invoiced: i64 = invoices
        .iter()
        .flat_map(|invoice| invoice["usage"].as_array().unwrap())
        .filter(|usage| usage["metric"] == "apiCalls")
        .map(|usage| usage["counted"].as_i64().unwrap())
        .sum();
    assert_eq!(invoiced, counted, "every acknowledged unit is on one invoice");
    let periods: Vec<(&Value, &Value)> =
        invoices.iter().map(|invoice| (&invoice["billingPeriod"]["startDate"], &invoice["billingPeriod"]["endDate"])).collect();
    assert_eq!(periods.len(), 16, "one invoice a period from 2026-02-14 to 2027-06-14: {periods:?}");
    assert!(periods.windows(2).all(|pair| pair[0].1 == pair[1].0), "no gap and no overlap: {periods:?}");
    for invoice in &invoices {
        let lines: i64 =
            invoice["referencesOrder"].as_array().unwrap().iter().map(|line| line["amount"]["amountMinor"].as_i64().unwrap()).sum();
        assert_eq!(invoice["totalPaymentDue"]["amountMinor"], lines, "lines sum to the total");
    }
    let asked = life.company.mails().iter().filter(|template| *template == "invoice-payment-required").count();
    assert_eq!(asked, invoices.len(), "one mail an invoice");
}

fn check_numbers(lives: &[Life<'_>]) {
    let mut numbers: Vec<String> =
        lives.iter().flat_map(|life| life.company.invoices()).map(|invoice| invoice["identifier"].as_str().unwrap().to_owned()).collect();
    numbers.sort();
    let wanted: Vec<String> = (1..=numbers.len()).map(|number| format!("INV-{number:06}")).collect();
    assert_eq!(numbers, wanted, "numbers have no gap");
}

//! Random operations: mostly valid, some invalid, and often one that was sent before.

use std::time::Duration;

use rating::Quantity;
use serde_json::{Map, Value, json};
use tenantry::kernel::ids::ReservationId;
use tenantry::kernel::time::{Timestamp, days, hours, minutes};

use super::asks::{Ask, Event, Sent, Way};
use super::random::Random;
use super::reference::Reference;

const METRICS: [&str; 11] = ["calls", "tokens", "users", "requests", "seats", "largest", "deepest", "speed", "stock", "people", "storage"];
/// Of the platform, some of them later, and one that never is.
const OTHERS: [&str; 3] = ["pages", "devices", "nonsense"];
const TYPES: [&str; 4] = ["com.acme.call", "com.acme.login", "com.acme.page", "com.acme.unheard"];

pub fn metric(random: &mut Random) -> &'static str {
    if random.percent(88) { random.word(&METRICS) } else { random.word(&OTHERS) }
}

fn quantity(text: &str) -> Quantity {
    Quantity::parse(text).unwrap()
}

fn amount(random: &mut Random, metric: &str) -> Quantity {
    if random.percent(3) {
        return quantity(random.word(&["0", "-1", "7.5"]));
    }
    match metric {
        "tokens" | "pages" => quantity(random.word(&["0.5", "2.25", "3", "0.000000001", "1000000"])),
        "users" => Quantity::from(random.between(-3, 5) as i32),
        "storage" => quantity(random.word(&["-5", "-0.3", "0.3", "1", "7", "10"])),
        "largest" | "deepest" | "speed" | "stock" => Quantity::from(random.between(-2, 35) as i32),
        "calls" => Quantity::from(random.between(1, 8) as i32),
        "seats" if random.percent(3) => quantity("-1"),
        _ => Quantity::ONE,
    }
}

fn metadata(random: &mut Random, metric: &str) -> Option<Map<String, Value>> {
    let is_unique = metric == "people" || metric == "devices" || metric == "com.acme.login";
    let wanted = if is_unique { !random.percent(5) } else { random.percent(10) };
    let values = [json!("ada"), json!("bob"), json!(7), json!("7"), json!(true), json!("eve\n\"quoted\""), json!("x".repeat(99))];
    wanted.then(|| json!({"user": random.pick(&values), "more": [1, {"b": 2}]}).as_object().unwrap().clone())
}

/// Mostly none; else of the last hours or weeks, at the end of the period before, a little ahead, or out of bounds.
fn timestamp(random: &mut Random, now: Timestamp) -> Option<Timestamp> {
    let coarse = |instant: Timestamp| Timestamp::from_millis(instant.as_millis() / 600_000 * 600_000);
    match random.between(1, 20) {
        1..=11 => None,
        12..=14 => Some(coarse(now.minus(minutes(random.between(0, 300) as u64)))),
        15..=17 => Some(coarse(now.minus(hours(random.between(0, 860) as u64)))),
        18 => Some(Timestamp::from_millis(now.as_millis() - random.between(0, 40 * 86_400_000))),
        19 => Some(now.plus(Duration::from_secs(random.between(1, 300) as u64))),
        _ => Some(*random.pick(&[now.plus(minutes(6)), now.minus(days(36)), now.plus(minutes(5)), now.minus(days(35))])),
    }
}

/// One of few, so that they repeat.
fn key(random: &mut Random, percent: i64) -> Option<String> {
    random.percent(percent).then(|| format!("key {}", random.between(1, 400)))
}

fn event(random: &mut Random, now: Timestamp, is_cloud: bool, keyed: i64) -> Event {
    let name = if is_cloud && random.percent(40) { random.word(&TYPES) } else { metric(random) };
    Event {
        metric: name.to_owned(),
        amount: amount(random, if name == "com.acme.call" { "calls" } else { name }),
        key: key(random, if is_cloud { 100 } else { keyed }),
        timestamp: timestamp(random, now),
        metadata: metadata(random, name),
    }
}

fn batch(random: &mut Random, now: Timestamp) -> Ask {
    let is_cloud = random.percent(25);
    let count = random.between(1, 8);
    let mut events: Vec<Event> = (0..count).map(|_| event(random, now, is_cloud, 40)).collect();
    if random.percent(20) {
        events.push(events[0].clone());
    }
    let key = key(random, 40);
    if random.percent(2) {
        events[0].key = key.clone().or(events[0].key.take());
    }
    Ask::Batch { events, key, is_cloud }
}

/// A reservation of before, or one that never was.
fn reservation(random: &mut Random, reference: &Reference) -> String {
    let mut known: Vec<&String> = reference.reservations.keys().collect();
    known.sort_by_key(|id| std::cmp::Reverse(reference.reservations[*id].created_at));
    known.truncate(if random.percent(80) { 6 } else { known.len() });
    if known.is_empty() || random.percent(4) { ReservationId::from_bytes([9; 16]).to_string() } else { (*random.pick(&known)).clone() }
}

fn new_ask(random: &mut Random, reference: &Reference) -> Ask {
    let now = reference.now;
    match random.between(1, 100) {
        1..=20 => Ask::Event(event(random, now, false, 40), Way::Usage),
        21..=45 => Ask::Event(event(random, now, false, 40), Way::Consumption),
        46..=52 => {
            let way = *random.pick(&[Way::Structured, Way::Binary]);
            Ask::Event(event(random, now, true, 100), way)
        }
        53..=65 => batch(random, now),
        66..=71 => {
            let amount = quantity(random.word(&["1", "0.5", "12"]));
            Ask::Quota { metric: metric(random).to_owned(), amount, explain: random.percent(50) }
        }
        72..=75 => Ask::Summary,
        76..=85 => {
            let metric = if random.percent(90) { random.word(&["calls", "users", "requests", "seats", "tokens"]) } else { metric(random) };
            let ttl = *random.pick(&[None, Some(1), Some(60), Some(3_600), Some(86_400)]);
            let amount = quantity(random.word(&["1", "2", "5", "0.5"]));
            Ask::Reserve { metric: metric.to_owned(), amount, ttl, key: key(random, 40) }
        }
        86..=93 => {
            let id = reservation(random, reference);
            let held = reference.reservations.get(&id).map_or(Quantity::ONE, |reservation| reservation.amount);
            let amount = if random.percent(50) { held } else { quantity(random.word(&["0", "1", "3", "12"])) };
            Ask::Settle { id, amount, allow_overage: random.percent(40), key: key(random, 40) }
        }
        94..=96 => Ask::Release(reservation(random, reference)),
        _ => Ask::Reservation(reservation(random, reference)),
    }
}

/// A new operation, or one that was sent before: the same, or another under its key.
pub fn ask(random: &mut Random, reference: &Reference, sent: &[Sent]) -> Sent {
    let repeated = if sent.is_empty() || !random.percent(20) { None } else { Some(random.pick(sent).ask.clone()) };
    let ask = match repeated {
        Some(ask) if random.percent(15) => ask.altered(),
        Some(ask) => ask,
        None => new_ask(random, reference),
    };
    Sent { ask, has_all_metrics: random.percent(70) }
}

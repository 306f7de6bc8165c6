//! How many lines are rated a second, on one core: `cargo run --release -p rating --example speed`.
//!
//! Each price rates usages that differ, so that nothing can be computed once; the sum of what they cost is printed,
//! so that nothing can be left out. `--least 1000000` fails when any price is slower.

#![expect(clippy::disallowed_methods, reason = "a benchmark asks for the time")]

use std::process::ExitCode;
use std::time::Instant;

use rating::{Currency, PriceModel, Quantity, Usage, price};
use serde_json::{Value, json};

const LINES_EACH: u64 = 2_000_000;

fn main() -> ExitCode {
    let least = std::env::args().skip_while(|argument| argument != "--least").nth(1).and_then(|least| least.parse().ok()).unwrap_or(0);
    let mut slow = false;
    println!("{:<22}{:>14}{:>10}{:>20}", "price", "lines/s", "lines", "sum in cents");
    for (name, written) in prices() {
        let model: PriceModel = serde_json::from_value(written).expect("a price model");
        let (lines, cents, lines_per_second) = measure(&model);
        slow |= lines_per_second < least;
        println!("{name:<22}{lines_per_second:>14}{lines:>10}{cents:>20}");
    }
    if slow { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

fn prices() -> [(&'static str, Value); 7] {
    let tiers = json!([
        {"upTo": "1000", "unitAmount": "0.01", "flatAmount": "2"},
        {"upTo": "10000", "unitAmount": "0.008"},
        {"upTo": "100000", "unitAmount": "0.005"},
        {"unitAmount": "0.001", "flatAmount": "1"},
    ]);
    [
        ("per unit", json!({"model": "per_unit", "unitAmount": "0.005", "freeUnits": "100"})),
        ("graduated", json!({"model": "graduated", "tiers": tiers})),
        ("volume", json!({"model": "volume", "tiers": tiers})),
        ("package", json!({"model": "package", "packageSize": "100", "amount": "5"})),
        ("graduated percentage", json!({"model": "graduated_percentage", "tiers": [{"upTo": "1000", "rate": "5"}, {"rate": "2.5"}]})),
        ("dynamic", json!({"model": "dynamic", "multiplier": "1.2"})),
        ("percentage, one event", json!({"model": "percentage", "rate": "1.5", "fixedAmount": "0.10"})),
    ]
}

fn measure(model: &PriceModel) -> (u64, i64, u64) {
    let start = Instant::now();
    let (mut lines, mut cents) = (0_u64, 0_i64);
    for round in 0_u64.. {
        // From a few units to some hundred thousand, every third with decimals.
        let units = (round * 7919) % 250_000 + 101;
        let fraction = if round % 3 == 0 { 250_000_000 } else { 0 };
        let quantity = Quantity::from_nanos(i128::from(units) * 1_000_000_000 + fraction).expect("a quantity");
        let usage =
            if matches!(model.charge, rating::Charge::Percentage(_)) { Usage::Events(vec![quantity]) } else { Usage::Total(quantity) };
        let rated = price(model, &usage, Currency::USD).expect("a price");
        lines += rated.len() as u64;
        cents += rated.iter().map(|line| line.amount.minor()).sum::<i64>();
        if lines >= LINES_EACH {
            break;
        }
    }
    let micros = u64::try_from(start.elapsed().as_micros()).unwrap_or(u64::MAX).max(1);
    (lines, cents, lines * 1_000_000 / micros)
}

//! Whatever happens to a Meter, its proof is verified by a program that shares no code with it.

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::{Value, json};
use tenantry::kernel::time::Timestamp;
use tenantry::meter::contract::{Call, ExportPage};
use tenantry::meter::vocabulary::{Aggregation, Enforcement, MetricKind, MetricRule};

use crate::meter::world::{HotRequest, World, at, batch, consumption, entitlements, request, usage};

const METRICS: [(&str, Aggregation, MetricKind, Enforcement); 11] = [
    ("calls", Aggregation::Count, MetricKind::Consumable, Enforcement::Hard),
    ("words", Aggregation::Sum, MetricKind::Consumable, Enforcement::Hard),
    ("softly", Aggregation::Sum, MetricKind::Consumable, Enforcement::Soft),
    ("burst", Aggregation::Max, MetricKind::Consumable, Enforcement::Hard),
    ("latest", Aggregation::Latest, MetricKind::Consumable, Enforcement::Hard),
    ("visitors", Aggregation::Unique, MetricKind::Consumable, Enforcement::Hard),
    ("seats", Aggregation::Sum, MetricKind::Level, Enforcement::Hard),
    ("projects", Aggregation::Count, MetricKind::Level, Enforcement::Hard),
    ("highest", Aggregation::Max, MetricKind::Level, Enforcement::Hard),
    ("disk", Aggregation::Latest, MetricKind::Level, Enforcement::Hard),
    ("storage", Aggregation::WeightedSum, MetricKind::Level, Enforcement::Hard),
];

#[derive(Clone, Debug)]
enum Sent {
    Event { hard: bool, in_batch: bool, metric: usize, milli: i64, key: Option<u8>, days_ago: Option<u32> },
    Reserve { metric: usize, amount: u8 },
    Settle { which: prop::sample::Index, amount: u8 },
}

#[derive(Clone, Debug)]
enum Step {
    Group(Vec<Sent>),
    Restart,
    Later(u32),
    Close,
}

fn sent() -> impl Strategy<Value = Sent> {
    let event = (
        any::<bool>(),
        prop::bool::weighted(0.3),
        0..METRICS.len(),
        -3_000_i64..9_000,
        prop::option::of(0..20_u8),
        prop::option::of(0..34_u32),
    )
        .prop_map(|(hard, in_batch, metric, milli, key, days_ago)| Sent::Event { hard, in_batch, metric, milli, key, days_ago });
    prop_oneof![
        8 => event,
        1 => (0..METRICS.len(), 1..9_u8).prop_map(|(metric, amount)| Sent::Reserve { metric, amount }),
        1 => (any::<prop::sample::Index>(), 1..12_u8).prop_map(|(which, amount)| Sent::Settle { which, amount }),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => prop::collection::vec(sent(), 1..10).prop_map(Step::Group),
        1 => Just(Step::Restart),
        2 => (1..25_u32).prop_map(Step::Later),
        1 => Just(Step::Close),
    ]
}

struct History {
    world: World,
    reservations: Vec<String>,
    closed: usize,
}

impl History {
    fn new() -> Self {
        let rule = |(_, aggregation, kind, enforcement): (&str, Aggregation, MetricKind, Enforcement)| MetricRule {
            kind,
            limit: Some(30.into()),
            aggregation,
            unique_property: (aggregation == Aggregation::Unique).then(|| "visitor".to_owned()),
            enforcement,
        };
        let metrics: BTreeMap<String, MetricRule> = METRICS.into_iter().map(|metric| (metric.0.to_owned(), rule(metric))).collect();
        let mut world = World::with(entitlements());
        world.call(Call::PutMetrics { version: 1, metrics, event_types: BTreeMap::new() });
        Self { world, reservations: Vec::new(), closed: 0 }
    }

    fn step(&mut self, step: &Step) {
        match step {
            Step::Group(group) => {
                let requests: Vec<HotRequest> = group.iter().map(|sent| self.request(sent)).collect();
                for answer in self.world.group(&requests) {
                    if answer.body["$type"] == "Reservation" {
                        self.reservations.push(answer.body["$id"].as_str().unwrap().to_owned());
                    }
                }
            }
            Step::Restart => self.world.restart(),
            Step::Later(days) => self.world.wall = self.world.wall.plus(tenantry::kernel::time::days(u64::from(*days))),
            Step::Close => {
                let boundaries = entitlements().boundaries;
                if let [starts_at, ends_at] = boundaries[self.closed..(self.closed + 2).min(boundaries.len())] {
                    self.world.call(Call::ClosePeriod { starts_at, ends_at });
                    self.closed += 1;
                }
            }
        }
    }

    fn request(&self, sent: &Sent) -> HotRequest {
        match sent {
            Sent::Event { hard, in_batch, metric, milli, key, days_ago } => {
                let (name, aggregation, ..) = METRICS[*metric];
                let mut event = json!({"metric": name, "metadata": {"visitor": milli % 5}});
                if !matches!(aggregation, Aggregation::Count | Aggregation::Unique) {
                    event["amount"] =
                        json!(format!("{}{}.{:03}", if *milli < 0 { "-" } else { "" }, milli.abs() / 1_000, milli.abs() % 1_000));
                }
                if let Some(key) = key {
                    event["idempotencyKey"] = json!(format!("\"key\" {key}"));
                }
                if let Some(days_ago) = days_ago {
                    event["timestamp"] = json!(self.world.wall.minus(tenantry::kernel::time::days(u64::from(*days_ago))));
                }
                if *in_batch {
                    batch(json!([event]))
                } else if *hard {
                    consumption(event)
                } else {
                    usage(event)
                }
            }
            Sent::Reserve { metric, amount } => {
                let amount = if METRICS[*metric].1 == Aggregation::Count { 1 } else { *amount };
                request(
                    "POST",
                    "/v1/reservations",
                    &json!({"metric": METRICS[*metric].0, "amount": amount, "ttlSeconds": 86_400}).to_string(),
                )
            }
            Sent::Settle { which, amount } => {
                let id = if self.reservations.is_empty() { "res_none" } else { which.get(&self.reservations) };
                let body = json!({"amount": amount, "allowOverage": amount % 2 == 0});
                request("POST", &format!("/v1/reservations/{id}/settlement"), &body.to_string())
            }
        }
    }

    fn proof(&mut self, from: Timestamp, to: Timestamp) -> String {
        let (mut lines, mut after) = (String::new(), 0);
        loop {
            let page: ExportPage = serde_json::from_value(self.world.call(Call::ExportProof { from, to, after })).unwrap();
            lines.push_str(&page.lines);
            let Some(next) = page.next else { return lines };
            after = next;
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(400) })]

    #[test]
    fn the_proof_of_any_history_is_verified(steps in prop::collection::vec(step(), 1..40), from in any::<prop::sample::Index>()) {
        let mut history = History::new();
        let mut instants = vec![history.world.wall];
        for step in &steps {
            history.step(step);
            instants.push(history.world.wall);
        }
        let (earliest, latest) = (at("2025-01-01T00:00:00Z"), at("2028-01-01T00:00:00Z"));
        let whole = history.proof(earliest, latest);
        let verification = verify::verify(whole.as_bytes()).unwrap();
        prop_assert_eq!(verification.verdict.clone(), Ok(()), "{}\n{}", whole, verification);
        prop_assert!(verification.is_complete && verification.reaches_head);
        let middle = *from.get(&instants);
        for (from, to) in [(middle, latest), (earliest, middle), (middle, middle.plus(tenantry::kernel::time::days(20)))] {
            let part = history.proof(from, to);
            let verification = verify::verify(part.as_bytes()).unwrap();
            prop_assert_eq!(verification.verdict.clone(), Ok(()), "{}\n{}", part, verification);
        }
    }
}

#[test]
fn a_proof_counts_what_the_quota_says() {
    let mut history = History::new();
    for step in [3, 4, 5] {
        history.step(&Step::Group(vec![Sent::Event {
            hard: false,
            in_batch: false,
            metric: 1,
            milli: step * 1_000,
            key: None,
            days_ago: None,
        }]));
    }
    let proof = history.proof(at("2025-01-01T00:00:00Z"), at("2028-01-01T00:00:00Z"));
    let verification = verify::verify(proof.as_bytes()).unwrap();
    assert!(verification.to_string().contains("events 3  count 12\n"), "{verification}");
    let quota: Value = history.world.send(crate::meter::world::get("/v1/quotas/words")).body;
    assert_eq!(quota["current"], 12);
}

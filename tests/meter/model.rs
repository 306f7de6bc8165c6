//! Random histories against a model that is too simple to be wrong: one map, no groups, no storage, no cache.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use serde_json::json;
use tenantry::kernel::time::Timestamp;
use tenantry::usage::meter::{Call, Closing};

use crate::world::{Answer, HotRequest, World, at, batch, consumption, usage};

#[derive(Clone, Debug)]
struct Sent {
    hard: bool,
    metric: &'static str,
    amount: i64,
    key: Option<u8>,
    late: bool,
    in_batch: bool,
}

#[derive(Clone, Debug)]
enum Step {
    Group(Vec<Sent>),
    /// The storage fails after so many statements, and the clients retry.
    FailingGroup(u32, Vec<Sent>),
    Restart,
    NextMonth,
    Close,
}

fn sent() -> impl Strategy<Value = Sent> {
    let metric = prop_oneof![Just("apiCalls"), Just("tokens"), Just("users")];
    (any::<bool>(), metric, -2_i64..8, proptest::option::of(0_u8..12), proptest::bool::weighted(0.2), proptest::bool::weighted(0.2))
        .prop_map(|(hard, metric, amount, key, late, in_batch)| Sent { hard: hard && !in_batch, metric, amount, key, late, in_batch })
}

fn step() -> impl Strategy<Value = Step> {
    let group = || proptest::collection::vec(sent(), 1..12);
    prop_oneof![
        8 => group().prop_map(Step::Group),
        2 => (0_u32..8, group()).prop_map(|(statements, group)| Step::FailingGroup(statements, group)),
        1 => Just(Step::Restart),
        1 => Just(Step::NextMonth),
        1 => Just(Step::Close),
    ]
}

/// Index of a period: 0 is December.
type Month = usize;

#[derive(Default)]
struct Model {
    month: Month,
    counts: BTreeMap<(&'static str, Month), i64>,
    keys: BTreeMap<u8, (String, String)>,
    facts: BTreeSet<(String, &'static str, Month)>,
    facts_total: usize,
}

fn limit(metric: &str) -> Option<i64> {
    match metric {
        "apiCalls" => Some(40),
        "users" => Some(10),
        _ => None,
    }
}

impl Model {
    fn is_level(metric: &str) -> bool {
        metric == "users"
    }

    /// A level's value in a month is the sum of all changes up to its end.
    fn reading(&self, metric: &'static str, month: Month) -> i64 {
        let counted = self
            .counts
            .iter()
            .filter(|((name, at), _)| *name == metric && if Self::is_level(metric) { *at <= month } else { *at == month });
        counted.map(|(_, amount)| amount).sum()
    }

    /// The short answer that the Meter should give.
    fn expect(&mut self, sent: &Sent) -> String {
        let month = if sent.late { self.month - 1 } else { self.month };
        let asked = format!("{} {} {} {}", sent.hard, sent.metric, sent.amount, if sent.late { self.late() } else { "" });
        if sent.amount == 0 {
            return "400 amount_zero".to_owned();
        }
        if let Some((known, answer)) = sent.key.and_then(|key| self.keys.get(&key)) {
            return if *known == asked { format!("{answer} again") } else { "422 idempotency_mismatch".to_owned() };
        }
        if sent.amount < 0 && !Self::is_level(sent.metric) {
            return "400 amount_negative".to_owned();
        }
        let readings: Vec<i64> = if Self::is_level(sent.metric) {
            (month..=self.month).map(|at| self.reading(sent.metric, at) + sent.amount).collect()
        } else {
            vec![self.reading(sent.metric, month) + sent.amount]
        };
        if readings.iter().any(|reading| *reading < 0) {
            return "400 level_below_zero".to_owned();
        }
        if sent.hard && sent.amount > 0 && limit(sent.metric).is_some_and(|limit| readings.iter().any(|reading| *reading > limit)) {
            return format!("{} quota_exceeded", if Self::is_level(sent.metric) { 403 } else { 429 });
        }
        self.count(sent, month);
        let answer = format!("200 {}", self.reading(sent.metric, month));
        if let Some(key) = sent.key {
            self.keys.insert(key, (asked, answer.clone()));
        }
        answer
    }

    fn count(&mut self, sent: &Sent, month: Month) {
        let mut tell = |fact: &str, month| self.facts_total += usize::from(self.facts.insert((fact.to_owned(), sent.metric, month)));
        tell("started", 0);
        *self.counts.entry((sent.metric, month)).or_default() += sent.amount;
        let reading = self.reading(sent.metric, month);
        if let (Some(limit), true) = (limit(sent.metric), sent.amount > 0 && month == self.month) {
            for tenths in [8, 9, 10] {
                if reading * 10 >= limit * tenths {
                    self.facts_total += usize::from(self.facts.insert((tenths.to_string(), sent.metric, month)));
                }
            }
        }
    }

    /// The timestamp of late usage: the last second of the month before.
    fn late(&self) -> &'static str {
        ["", "2025-12-31T23:59:59Z", "2026-01-31T23:59:59Z", "2026-02-28T23:59:59Z", "2026-03-31T23:59:59Z", "2026-04-30T23:59:59Z"]
            [self.month]
    }
}

fn request(sent: &Sent, model: &Model) -> HotRequest {
    let mut event = json!({"metric": sent.metric, "amount": sent.amount});
    if let Some(key) = sent.key {
        event["idempotencyKey"] = json!(format!("key {key}"));
    }
    if sent.late {
        event["timestamp"] = json!(model.late());
    }
    match (sent.in_batch, sent.hard) {
        (true, _) => batch(json!([event])),
        (_, true) => consumption(event),
        _ => usage(event),
    }
}

fn check_group(world: &mut World, model: &mut Model, group: &[Sent]) -> Result<(), TestCaseError> {
    let requests: Vec<HotRequest> = group.iter().map(|sent| request(sent, model)).collect();
    let answers = world.group(&requests);
    check_answers(model, group, &answers)
}

fn check_answers(model: &mut Model, group: &[Sent], answers: &[Answer]) -> Result<(), TestCaseError> {
    for (sent, answer) in group.iter().zip(answers) {
        let expected = model.expect(sent);
        if sent.in_batch {
            let told = match answer.body["rejected"][0]["code"].as_str() {
                Some(code) => code.to_owned(),
                None if answer.body["replayed"] == 1 => "again".to_owned(),
                None => "200".to_owned(),
            };
            prop_assert!(expected.contains(&told), "{sent:?}: {told}, not {expected}");
        } else {
            let again = if answer.body["replayed"] == true { " again" } else { "" };
            prop_assert_eq!(format!("{}{again}", answer.short()), expected, "{:?}", sent);
        }
    }
    Ok(())
}

fn run(steps: &[Step]) -> Result<(), TestCaseError> {
    let mut entitlements = crate::world::entitlements();
    entitlements.metrics.get_mut("apiCalls").unwrap().limit = Some(40.into());
    let mut world = World::with(entitlements.clone());
    let mut model = Model { month: 1, ..Model::default() };
    let mut closed: Month = 0;
    let mut billed = Bills::new();
    for step in steps {
        match step {
            Step::Group(group) => check_group(&mut world, &mut model, group)?,
            Step::FailingGroup(statements, group) => {
                let before = world.sql.dump();
                let requests: Vec<HotRequest> = group.iter().map(|sent| request(sent, &model)).collect();
                world.sql.fail_after(*statements);
                let answers = world.try_serve(&requests);
                world.sql.recover();
                match answers {
                    Err(_) => {
                        prop_assert_eq!(world.sql.dump(), before);
                        check_group(&mut world, &mut model, group)?;
                    }
                    Ok(answers) => check_answers(&mut model, group, &answers)?,
                }
            }
            Step::Restart => world.restart(),
            Step::NextMonth if model.month < 5 => {
                model.month += 1;
                world.wall = at(&format!("2026-{:02}-10T12:00:00Z", model.month));
                model.keys.clear();
                world = forget_keys(world);
            }
            Step::NextMonth => {}
            Step::Close if closed < model.month => {
                let bounds = &entitlements.boundaries;
                let call = Call::ClosePeriod { starts_at: bounds[closed], ends_at: bounds[closed + 1] };
                bill(&mut billed, bounds, closed, world.call(call));
                closed += 1;
            }
            Step::Close => {}
        }
    }
    prop_assert_eq!(world.facts().len(), model.facts_total);
    world.restart();
    for metric in ["apiCalls", "tokens", "users"] {
        prop_assert_eq!(&world.current(metric), &json!(model.reading(metric, model.month)));
    }
    check_bills(&mut world, &model, &entitlements.boundaries, closed, billed)
}

type Bills = BTreeMap<(String, Month), i64>;

fn bill(billed: &mut Bills, bounds: &[Timestamp], month: Month, closing: serde_json::Value) {
    let closing: Closing = serde_json::from_value(closing).unwrap();
    for (metric, used) in closing.used {
        *billed.entry((metric, month)).or_default() += used.to_integer().unwrap();
    }
    for late in closing.late {
        let month = bounds.iter().position(|start| *start == late.period_starts_at).unwrap();
        *billed.entry((late.metric, month)).or_default() += late.after.to_integer().unwrap() - late.before.to_integer().unwrap();
    }
}

/// Everything that was counted is billed exactly once, in `used` of its period's closing or as late usage in a later one.
fn check_bills(world: &mut World, model: &Model, bounds: &[Timestamp], mut closed: Month, mut billed: Bills) -> Result<(), TestCaseError> {
    while closed <= model.month + 1 {
        let call = Call::ClosePeriod { starts_at: bounds[closed], ends_at: bounds[closed + 1] };
        bill(&mut billed, bounds, closed, world.call(call));
        closed += 1;
    }
    for metric in ["apiCalls", "tokens"] {
        for month in 0..=model.month {
            prop_assert_eq!(
                billed.get(&(metric.to_owned(), month)).copied().unwrap_or(0),
                model.reading(metric, month),
                "{} in month {}",
                metric,
                month
            );
        }
    }
    Ok(())
}

/// The model does not know how old a key is, so a new month begins without any.
fn forget_keys(mut world: World) -> World {
    world.sql.forget("DELETE FROM claims");
    world.restart();
    world
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]
    #[test]
    fn any_history_agrees_with_the_model(steps in proptest::collection::vec(step(), 1..40)) {
        run(&steps)?;
    }

    #[test]
    fn no_text_makes_the_meter_fail(texts in proptest::collection::vec("\\PC{0,60}(\n\\PC{0,30}){0,6}", 1..5)) {
        let mut world = World::new();
        let replies = world.raw(&texts);
        prop_assert_eq!(replies.len(), texts.len());
    }
}

/// However many callers race, in whatever groups: never more than the limit is admitted.
#[test]
fn no_interleaving_admits_more_than_the_limit() {
    for callers_in_group in [1, 2, 7, 64] {
        let mut world = World::new();
        let requests: Vec<HotRequest> =
            (0..300).map(|number| consumption(json!({"metric": "apiCalls", "amount": 1 + number % 7}))).collect();
        let mut admitted = 0;
        for group in requests.chunks(callers_in_group) {
            for (sent, answer) in group.iter().zip(world.group(group)) {
                let amount = serde_json::from_str::<serde_json::Value>(&sent.body).unwrap()["amount"].as_i64().unwrap();
                admitted += if answer.status == 200 { amount } else { 0 };
                assert!(answer.status == 200 || answer.status == 429);
            }
        }
        assert_eq!(admitted, 1000, "all of it was admitted, and no unit more");
    }
}

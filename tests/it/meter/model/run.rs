//! One run: steps by chance, each answer compared with the reference's.

use std::collections::BTreeMap;

use rating::Quantity;
use serde_json::{Value, json};
use tenantry::kernel::time::{Timestamp, days, seconds};
use tenantry::meter::contract::{Bucket, Call, RolledUp};
use tenantry::meter::vocabulary::{Enforcement, Grant, LimitOverride};

use super::asks::Sent;
use super::draw;
use super::history::Period;
use super::random::Random;
use super::reference::{Expected, Reference};
use super::rules::{Limits, Metrics, Rules, of_platform, planned};
use crate::meter::world::{Answer, HotRequest, World, at};

pub struct Run {
    pub random: Random,
    pub world: World,
    pub reference: Reference,
    /// What was sent and can be repeated.
    sent: Vec<Sent>,
    /// What the tenant's database has of the roll-up.
    pub stored: BTreeMap<(String, Timestamp, Timestamp), Bucket>,
    pub acknowledged_facts: usize,
    /// When the Meter last had reason to forget something.
    pub pruned_at: Option<Timestamp>,
    /// Closings by their period, and what each metric's period was last billed by.
    pub closed: BTreeMap<Period, Value>,
    pub billed: BTreeMap<(String, Period), Quantity>,
    /// How often each kind of answer was given.
    pub seen: BTreeMap<String, u64>,
    is_on_clock: bool,
    is_telling: bool,
}

impl Run {
    pub fn new(seed: u64, is_telling: bool) -> Self {
        let mut random = Random::new(seed);
        let is_on_clock = random.percent(30);
        let mut entitlements = planned();
        entitlements.clock = is_on_clock.then(|| at("2026-01-10T12:00:00Z"));
        let world = World::with(entitlements.clone());
        let rules = Rules { entitlements, metrics: Metrics::default(), limits: Limits::default() };
        Self {
            random,
            reference: Reference::new(rules, world.wall),
            world,
            sent: Vec::new(),
            stored: BTreeMap::new(),
            acknowledged_facts: 0,
            pruned_at: None,
            closed: BTreeMap::new(),
            billed: BTreeMap::new(),
            seen: BTreeMap::new(),
            is_on_clock,
            is_telling,
        }
    }

    pub fn step(&mut self) {
        match self.random.between(1, 100) {
            1..=48 => self.group(),
            49..=62 => self.move_on(),
            63..=66 => self.tell("restart", |it| it.world.restart()),
            67..=73 => self.roll_up(),
            74..=78 => self.prune(),
            79..=82 => self.facts(),
            83..=87 => self.close(),
            88..=91 => self.put_limits(),
            92..=93 => self.put_metrics(),
            94..=96 => self.configure(),
            _ => self.check(),
        }
    }

    fn tell(&mut self, what: &str, step: impl FnOnce(&mut Self)) {
        if self.is_telling {
            eprintln!("{} {what}", self.reference.now);
        }
        step(self);
    }

    /// Some of the time the storage fails at any statement; then nothing has happened, and it is tried again.
    fn stumbling<T>(&mut self, mut attempt: impl FnMut(&mut World) -> Option<T>) -> T {
        if self.random.percent(15) {
            let before = self.world.sql.dump();
            self.world.sql.fail_after(self.random.between(0, 25) as u32);
            let result = attempt(&mut self.world);
            self.world.sql.recover();
            match result {
                Some(result) => return result,
                None => assert_eq!(self.world.sql.dump(), before, "what failed has no effect"),
            }
        }
        attempt(&mut self.world).expect("the storage works")
    }

    fn call(&mut self, call: Call) -> Value {
        self.stumbling(|world| world.try_call(call.clone()).ok())
    }

    fn group(&mut self) {
        let size = if self.random.percent(20) { self.random.between(9, 30) } else { self.random.between(1, 8) };
        let group: Vec<Sent> = (0..size).map(|_| draw::ask(&mut self.random, &self.reference, &self.sent)).collect();
        let requests: Vec<HotRequest> = group.iter().map(Sent::request).collect();
        let answers = self.stumbling(|world| world.try_exchange(&requests).ok());
        for (sent, answer) in group.into_iter().zip(answers) {
            let told = answer.as_ref().map_or_else(|| "?metrics".to_owned(), |answer| format!("{} {}", answer.status, answer.text));
            self.tell(&format!("{sent:?}\n    {told}"), |_| {});
            let expected = self.reference.expect(&sent, answer.as_ref());
            agree(&sent, answer.as_ref(), &expected);
            *self.seen.entry(expected.name()).or_default() += 1;
            if sent.ask.is_keyed() {
                self.sent.push(sent);
            }
        }
    }

    /// Time passes: for everybody, or for the organization's clock and less for the wall's.
    fn move_on(&mut self) {
        let span = match self.random.between(1, 20) {
            1..=7 => seconds(self.random.between(1, 90) as u64),
            8..=12 => seconds(self.random.between(60, 7_200) as u64),
            13..=17 => seconds(self.random.between(3_600, 200_000) as u64),
            18..=19 => days(self.random.between(5, 32) as u64),
            _ => days(self.random.between(34, 40) as u64),
        };
        let now = self.reference.now.plus(span);
        if now > at("2028-10-01T00:00:00Z") {
            return;
        }
        self.tell(&format!("until {now}"), |_| {});
        self.reference.now = now;
        if self.is_on_clock {
            self.world.wall = self.world.wall.plus(seconds(self.random.between(0, 100_000) as u64));
            self.call(Call::SetClock { now });
            self.reference.rules.entitlements.clock = Some(now);
        } else {
            self.world.wall = now;
        }
    }

    /// An alarm, whose reply may be lost, or which may not get as far as to acknowledge.
    fn roll_up(&mut self) {
        let rolled: RolledUp = serde_json::from_value(self.call(Call::RollUp)).unwrap();
        let is_lost = self.random.percent(25);
        self.tell(&format!("roll-up of {} buckets{}", rolled.buckets.len(), if is_lost { ", lost" } else { "" }), |_| {});
        if is_lost {
            return;
        }
        let through = rolled.buckets.last().map_or(0, |bucket| bucket.version);
        self.store(rolled.buckets);
        match self.random.between(1, 4) {
            1 => {}
            // An alarm of before comes late.
            2 => drop(self.call(Call::AcknowledgeBuckets { through: through / 2 })),
            _ => drop(self.call(Call::AcknowledgeBuckets { through })),
        }
    }

    /// As the tenant's database does: what has a higher version replaces what has a lower one.
    pub fn store(&mut self, buckets: Vec<Bucket>) {
        for bucket in buckets {
            let place = (bucket.metric.clone(), bucket.period_starts_at, bucket.hour);
            let is_newer = self.stored.get(&place).is_none_or(|known| known.version < bucket.version);
            if is_newer {
                self.stored.insert(place, bucket);
            }
        }
    }

    pub fn prune(&mut self) {
        self.tell("prune", |_| {});
        self.call(Call::Prune);
        self.pruned_at = Some(self.reference.now);
    }

    fn facts(&mut self) {
        self.check_facts();
        let pending = self.reference.facts.len() - self.acknowledged_facts;
        let through = self.acknowledged_facts as i64 + self.random.between(0, pending.min(100) as i64) - self.random.between(0, 3);
        self.call(Call::AcknowledgeFacts { through: through.max(0) as u64 });
        self.acknowledged_facts = self.acknowledged_facts.max(through.max(0) as usize);
        self.check_facts();
    }

    /// Mostly the next period that is over; sometimes one again, one that is not over yet, or one out of order.
    fn close(&mut self) {
        let next = self.closed.keys().next_back().map_or(0, |last| last + 1);
        let today = self.reference.history.period_of(self.reference.now);
        match self.random.between(1, 10) {
            1 => {
                let any = self.random.between(0, today as i64) as usize;
                self.close_period(any);
            }
            2 => self.close_period(today),
            _ if next < today => self.close_period(next),
            _ => {}
        }
    }

    pub fn close_period(&mut self, period: Period) {
        let bounds = &self.reference.history.bounds;
        let call = Call::ClosePeriod { starts_at: bounds[period], ends_at: bounds[period + 1] };
        let told = self.call(call);
        self.tell(&format!("close {period}: {told}"), |_| {});
        self.check_closing(period, told);
    }

    fn put_limits(&mut self) {
        let now = self.reference.now;
        let version = self.reference.rules.limits.version + self.random.between(-1, 2);
        let mut limits = Limits { version, ..Limits::default() };
        for _ in 0..self.random.between(0, 4) {
            let limit = random_limit(&mut self.random);
            let enforcement = *self.random.pick(&[Enforcement::Hard, Enforcement::Hard, Enforcement::Soft]);
            limits.overrides.insert(draw::metric(&mut self.random).to_owned(), LimitOverride { limit, enforcement });
        }
        for number in 0..self.random.between(0, 3) {
            let starts_at = now.plus(seconds(self.random.between(0, 100_000) as u64)).minus(seconds(50_000));
            let ends_at = self.random.percent(60).then(|| starts_at.plus(seconds(self.random.between(1, 3_000_000) as u64)));
            let (metric, amount) = (draw::metric(&mut self.random).to_owned(), Quantity::from(self.random.between(1, 10) as u32));
            limits.grants.push(Grant { id: format!("grant {number}"), metric, amount, starts_at, ends_at });
        }
        self.tell(&format!("limits {version}: {:?} {:?}", limits.overrides, limits.grants), |_| {});
        self.call(Call::PutLimits { version, overrides: limits.overrides.clone(), grants: limits.grants.clone() });
        if version > self.reference.rules.limits.version {
            self.reference.rules.limits = limits;
        }
    }

    fn put_metrics(&mut self) {
        let metrics = of_platform(self.random.between(1, 2));
        self.tell(&format!("metrics {}", metrics.version), |_| {});
        let Metrics { version, metrics, event_types } = metrics.clone();
        self.call(Call::PutMetrics { version, metrics: metrics.clone(), event_types: event_types.clone() });
        if version > self.reference.rules.metrics.version {
            self.reference.rules.metrics = Metrics { version, metrics, event_types };
        }
    }

    /// Another plan: other limits, and metrics that it hasn't.
    fn configure(&mut self) {
        let known = &self.reference.rules.entitlements;
        let mut changed = planned();
        changed.version = known.version + self.random.between(-1, 2);
        changed.plan = format!("plan {}", self.random.between(1, 9));
        changed.clock = known.clock;
        for (_, rule) in changed.metrics.iter_mut() {
            if self.random.percent(30) {
                rule.limit = random_limit(&mut self.random);
            }
        }
        if self.random.percent(30) {
            let lost = draw::metric(&mut self.random);
            changed.metrics.remove(lost);
        }
        self.tell(&format!("configure {}: {:?}", changed.version, changed.metrics.keys()), |_| {});
        self.call(Call::Configure { entitlements: changed.clone() });
        if changed.version >= self.reference.rules.entitlements.version {
            self.reference.rules.entitlements = changed;
        }
    }

    pub fn facts_told(&mut self) -> Vec<Value> {
        let facts = self.world.facts();
        let told = facts.into_iter().map(|fact| json!({"name": fact.name, "data": fact.data, "occurredAt": fact.occurred_at}));
        told.collect()
    }
}

fn random_limit(random: &mut Random) -> Option<Quantity> {
    let limits = ["0", "3", "10.5", "25", "100"];
    random.percent(80).then(|| Quantity::parse(random.word(&limits)).unwrap())
}

fn agree(sent: &Sent, answer: Option<&Answer>, expected: &Expected) {
    let Some(answer) = answer else {
        assert_eq!(&Expected::NeedsMetrics, expected, "{sent:?}");
        return;
    };
    let told = match expected {
        Expected::Refused(..) if answer.status >= 400 => {
            return assert_eq!(format!("{expected:?}"), format!("Refused({}, {:?})", answer.status, answer.code()), "{sent:?}");
        }
        Expected::Again { .. } => Expected::Again { status: answer.status, text: answer.text.clone() },
        _ => {
            let mut body = answer.body.clone();
            // Words for people.
            for rejected in body.get_mut("rejected").and_then(Value::as_array_mut).into_iter().flatten() {
                rejected.as_object_mut().unwrap().remove("detail");
            }
            let is_replay = answer.header("Idempotent-Replayed") == Some("true");
            Expected::Told { status: answer.status, body, replayed: is_replay }
        }
    };
    assert_eq!(&told, expected, "{sent:?}\n{}", answer.text);
    let is_replay = matches!(expected, Expected::Again { .. } | Expected::Told { replayed: true, .. });
    assert_eq!(answer.header("Idempotent-Replayed").is_some(), is_replay, "{sent:?}");
}

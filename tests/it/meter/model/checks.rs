//! What must be true of a run at any time: the facts, the closings, the buckets, the exports and the proof are those of the events.

use std::collections::{BTreeMap, BTreeSet};

use rating::Quantity;
use serde_json::{Value, json};
use tenantry::kernel::time::{Timestamp, days};
use tenantry::meter::contract::{Bucket, Call, ExportPage};
use tenantry::meter::vocabulary::{Aggregation, MetricKind, MetricRule};

use super::history::{Entry, Period};
use super::rules::{of_platform, planned};
use super::run::Run;
use crate::meter::world::{World, at};

/// How a metric counts, independent of the present plan.
fn rule_of(metric: &str) -> MetricRule {
    planned().metrics.get(metric).or(of_platform(2).metrics.get(metric)).unwrap().clone()
}

/// Every page of an export over all time.
fn export(world: &mut World, call: impl Fn(Timestamp, Timestamp, u64) -> Call) -> String {
    let (mut lines, mut after) = (String::new(), 0);
    loop {
        let exported = world.call(call(Timestamp::from_millis(0), at("2099-01-01T00:00:00Z"), after));
        let page: ExportPage = serde_json::from_value(exported).unwrap();
        lines.push_str(&page.lines);
        match page.next {
            Some(next) => after = next,
            None => return lines,
        }
    }
}

fn proof(world: &mut World) -> String {
    export(world, |from, to, after| Call::ExportProof { from, to, after })
}

impl Run {
    pub fn check(&mut self) {
        self.check_facts();
        self.check_live();
        self.check_events();
        self.check_proof();
    }

    /// Everything that may still be done is done, and everything is compared.
    pub fn finish(&mut self) {
        self.check();
        self.world.restart();
        self.check();
        let last = self.reference.history.period_of(self.reference.now) + 1;
        for period in self.closed.keys().next_back().map_or(0, |last| last + 1)..=last {
            self.close_period(period);
        }
        self.check_bills();
        let buckets = self.world.roll_up();
        self.store(buckets);
        self.check_buckets();
        self.check_forgetting();
        self.check();
    }

    pub fn check_facts(&mut self) {
        let raised = self.pending_facts();
        let pending: Vec<Value> = self.reference.facts.iter().skip(self.acknowledged_facts).take(100).cloned().collect();
        assert_eq!(raised, pending);
    }

    /// The live feed agrees with the summary.
    fn check_live(&mut self) {
        let change = self.world.call(Call::Changes { since: 0 });
        let summary = self.reference.summary();
        assert_eq!((&change["metrics"], &change["period"]), (&summary["metrics"], &summary["period"]));
        assert_eq!(change["sequence"], json!(self.reference.history.counted().count()));
    }

    /// The events are exported as they were counted, all but those that are old enough to be forgotten.
    fn check_events(&mut self) {
        let text = export(&mut self.world, |from, to, after| Call::ExportEvents { from, to, after });
        let exported: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let forgotten = self.reference.history.counted().count() - exported.len();
        let oldest = self.pruned_at.map_or(Timestamp::from_millis(0), |pruned_at| pruned_at.minus(days(35)));
        for (index, counted) in self.reference.history.counted().enumerate() {
            if index < forgotten {
                assert!(self.pruned_at.is_some() && counted.recorded_at <= oldest, "{counted:?} was forgotten too early");
                continue;
            }
            let mut line = json!({
                "sequence": counted.sequence, "metric": counted.metric, "amount": counted.amount, "timestamp": counted.at,
                "recordedAt": counted.recorded_at, "mode": counted.mode, "commit": exported[index - forgotten]["commit"],
            });
            if let Some(key) = &counted.key {
                line["idempotencyKey"] = json!(key);
            }
            if let Some(metadata) = &counted.metadata {
                line["metadata"] = json!(metadata);
            }
            assert_eq!(exported[index - forgotten], line);
        }
    }

    /// The proof holds, and its counters are what the events come to.
    fn check_proof(&mut self) {
        let text = proof(&mut self.world);
        let verification = verify::verify(text.as_bytes()).unwrap();
        assert_eq!(verification.verdict, Ok(()), "{verification}\n{text}");
        assert!(verification.reaches_head && (verification.is_complete || self.pruned_at.is_some()), "{verification}");
        let end: Value = serde_json::from_str(text.lines().last().unwrap()).unwrap();
        let mut exported = BTreeMap::new();
        for counter in end["counters"].as_array().unwrap() {
            let quantity = |name: &str| serde_json::from_value::<Quantity>(counter[name].clone()).unwrap();
            let metric = counter["metric"].as_str().unwrap().to_owned();
            let period = self.reference.history.period_of(Timestamp::from_millis(counter["start"].as_i64().unwrap()));
            exported.insert((metric, period), (quantity("used"), quantity("level")));
        }
        for metric in self.metrics() {
            let rule = rule_of(&metric);
            // Those that no event of their own has moved are not in the proof.
            let moved: BTreeSet<Period> =
                self.reference.history.counted().filter(|counted| counted.metric == metric).map(|counted| counted.period).collect();
            for period in moved {
                let counts = self.reference.history.counts(&metric, &rule, period);
                let (used, level) = exported.remove(&(metric.clone(), period)).expect("each counter that was moved is exported");
                assert_eq!(used, counts.billed, "{metric} in period {period}");
                assert!(rule.kind == MetricKind::Consumable || level == counts.level, "{metric} in period {period}: {level}");
            }
        }
        assert_eq!(exported, BTreeMap::new(), "there are no other counters");
    }

    fn metrics(&self) -> BTreeSet<String> {
        let name = |entry: &Entry| match entry {
            Entry::Counted(counted) => counted.metric.clone(),
            Entry::Opened { metric, .. } => metric.clone(),
        };
        self.reference.history.entries.iter().map(name).collect()
    }

    /// A closing bills its period, and what has changed of those billed before.
    pub fn check_closing(&mut self, period: Period, closing: Value) {
        if let Some(known) = self.closed.get(&period) {
            assert_eq!(closing, *known, "asked again it is the same");
            return;
        }
        if self.closed.keys().next_back().is_some_and(|last| *last > period) {
            assert_eq!(closing["refused"], "later_period_closed");
            return;
        }
        // A metric that a closing did not know was billed at zero.
        for metric in self.metrics() {
            let counted = self.reference.history.periods(&metric);
            for closed in self.closed.keys().filter(|closed| counted.contains(closed)) {
                self.billed.entry((metric.clone(), *closed)).or_default();
            }
        }
        let mut late = Vec::new();
        let bounds = self.reference.history.bounds.clone();
        for ((metric, period), before) in &mut self.billed {
            let after = self.reference.history.counts(metric, &rule_of(metric), *period).billed;
            if *before != after {
                let (starts_at, ends_at) = (bounds[*period], bounds[*period + 1]);
                late.push(
                    json!({"metric": metric, "periodStartsAt": starts_at, "periodEndsAt": ends_at, "before": before, "after": after}),
                );
                *before = after;
            }
        }
        let mut used = BTreeMap::new();
        let known = self.reference.rules.known().into_iter();
        let counted = self.metrics().into_iter().filter(|metric| self.reference.history.periods(metric).contains(&period));
        for metric in known.chain(counted).collect::<BTreeSet<_>>() {
            self.reference.history.entries.push(Entry::Opened { metric: metric.clone(), period });
            let billed = self.reference.history.counts(&metric, &rule_of(&metric), period).billed;
            self.billed.insert((metric.clone(), period), billed);
            used.insert(metric, billed);
        }
        assert_eq!(closing, json!({"used": used, "late": late}));
        self.closed.insert(period, closing);
    }

    /// What all closings bill of a closed period is what it stands at: each unit once.
    fn check_bills(&mut self) {
        let mut billed: BTreeMap<(String, Timestamp), i128> = BTreeMap::new();
        let quantity = |value: &Value| serde_json::from_value::<Quantity>(value.clone()).unwrap().nanos();
        for (period, closing) in &self.closed {
            for (metric, used) in closing["used"].as_object().unwrap() {
                *billed.entry((metric.clone(), self.reference.history.bounds[*period])).or_default() += quantity(used);
            }
            for late in closing["late"].as_array().unwrap() {
                let starts_at = serde_json::from_value(late["periodStartsAt"].clone()).unwrap();
                let place = (late["metric"].as_str().unwrap().to_owned(), starts_at);
                *billed.entry(place).or_default() += quantity(&late["after"]) - quantity(&late["before"]);
            }
        }
        for ((metric, starts_at), billed) in billed {
            let period = self.reference.history.period_of(starts_at);
            let counts = self.reference.history.counts(&metric, &rule_of(&metric), period);
            assert_eq!(billed, counts.billed.nanos(), "{metric} in period {period}");
        }
    }

    /// The buckets are what the events come to, hour by hour; of what is summed they add up to the count.
    fn check_buckets(&self) {
        let mut counted: BTreeMap<(String, Timestamp, Timestamp), Bucket> = BTreeMap::new();
        for event in self.reference.history.counted() {
            let period_starts_at = self.reference.history.bounds[event.period];
            let hour = Timestamp::from_millis(event.at.as_millis() / 3_600_000 * 3_600_000);
            let place = (event.metric.clone(), period_starts_at, hour);
            let (metric, amount, last_at) = (event.metric.clone(), event.amount, event.at);
            let nothing = Quantity::ZERO;
            let bucket = counted.entry(place).or_insert_with(|| Bucket {
                metric,
                period_starts_at,
                hour,
                count: 0,
                sum: nothing,
                max: amount,
                last: amount,
                last_at,
                uniques: 0,
                version: 0,
            });
            bucket.count += 1;
            bucket.sum = bucket.sum.checked_add(amount).unwrap();
            bucket.max = bucket.max.max(amount);
            bucket.uniques += u64::from(event.value.is_some() && amount == Quantity::ONE);
            if event.at >= bucket.last_at {
                (bucket.last, bucket.last_at) = (amount, event.at);
            }
        }
        let stored = self.stored.iter().map(|(place, bucket)| (place.clone(), Bucket { version: 0, ..bucket.clone() })).collect();
        assert_eq!(counted, stored);
        let mut sums: BTreeMap<(String, Timestamp), Quantity> = BTreeMap::new();
        for bucket in counted.values() {
            let sum = sums.entry((bucket.metric.clone(), bucket.period_starts_at)).or_default();
            *sum = sum.checked_add(bucket.sum).unwrap();
        }
        for ((metric, starts_at), sum) in sums {
            let rule = rule_of(&metric);
            let is_summed = matches!(rule.aggregation, Aggregation::Sum | Aggregation::Count | Aggregation::Unique);
            if is_summed && rule.kind == MetricKind::Consumable {
                let period = self.reference.history.period_of(starts_at);
                assert_eq!(self.reference.history.counts(&metric, &rule, period).count, sum, "{metric} from {starts_at}");
            }
        }
    }

    /// Two months on, all but the newest commit is forgotten, and everything still agrees.
    fn check_forgetting(&mut self) {
        let now = self.reference.now.plus(days(60));
        self.reference.now = now;
        self.world.wall = self.world.wall.plus(days(60));
        self.world.call(Call::SetClock { now });
        self.reference.rules.entitlements.clock = Some(now);
        for _ in 0..30 {
            self.prune();
            self.world.wall = self.world.wall.plus(days(1));
        }
        let left = |table: &str| self.world.sql.dump().iter().filter(|line| line.starts_with(&format!("{table} "))).count();
        assert!(left("commits") <= 1 && left("claims") == 0 && left("buckets") == 0, "{:?}", self.world.sql.dump());
    }
}

//! A small Meter that writes proofs: it keeps every event and counts by going through all of them again.

use std::collections::{BTreeMap, BTreeSet};

use rating::Quantity;
use sha2::{Digest, Sha256};

pub const ORGANIZATION: &str = "org_01h455vb4pex5vsknk084sn02q";
pub const DAY: i64 = 86_400_000;
/// 2026-01-01T00:00:00Z.
pub const START: i64 = 1_767_225_600_000;

#[derive(Clone, Debug)]
pub struct Metric {
    pub name: &'static str,
    pub aggregation: &'static str,
    pub kind: &'static str,
}

pub const METRICS: [Metric; 10] = [
    metric("calls", "count", "consumable"),
    metric("tokens", "sum", "consumable"),
    metric("burst", "max", "consumable"),
    metric("version", "latest", "consumable"),
    metric("visitors", "unique", "consumable"),
    metric("seats", "sum", "level"),
    metric("projects", "count", "level"),
    metric("highest", "max", "level"),
    metric("disk", "latest", "level"),
    metric("storage", "weighted_sum", "level"),
];

const fn metric(name: &'static str, aggregation: &'static str, kind: &'static str) -> Metric {
    Metric { name, aggregation, kind }
}

#[derive(Clone, Debug)]
pub struct Event {
    /// Index into [`METRICS`].
    pub metric: usize,
    pub nanos: i128,
    pub timestamp: Option<i64>,
    pub key: Option<String>,
}

/// What is sent to the Meter.
#[derive(Clone, Debug)]
pub enum Step {
    Group(Vec<Event>),
    Close,
}

struct Counted {
    metric: usize,
    nanos: i128,
    at: i64,
    period: usize,
}

/// Periods of 30 days.
#[derive(Default)]
pub struct Meter {
    pub lines: Vec<String>,
    pub bodies: Vec<String>,
    hash: String,
    now: i64,
    number: u64,
    sequence: u64,
    counted: Vec<Counted>,
    /// Rows that exist, with their peaks.
    peaks: BTreeMap<(usize, usize), i128>,
    invoiced: BTreeMap<(usize, usize), i128>,
    closed: usize,
    /// Of the commit before the first line.
    previous: String,
    first_line: u64,
}

pub fn sha256(text: &str) -> String {
    Sha256::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

pub fn json(nanos: i128) -> String {
    serde_json::to_string(&Quantity::from_nanos(nanos).unwrap()).unwrap()
}

fn start(period: usize) -> i64 {
    START + 30 * DAY * i64::try_from(period).unwrap()
}

impl Meter {
    pub fn new() -> Self {
        let genesis = sha256(&format!("tenantry-usage-chain-v1\n{ORGANIZATION}"));
        Self { hash: genesis.clone(), previous: genesis, now: START, ..Self::default() }
    }

    /// All that is recorded from here on is in the file, and nothing of what was before.
    pub fn forget(&mut self) {
        self.lines.clear();
        self.bodies.clear();
        self.previous = self.hash.clone();
        self.first_line = self.number;
    }

    pub fn step(&mut self, step: &Step) {
        self.now += 7 * DAY;
        match step {
            Step::Group(events) => self.group(events),
            Step::Close => self.close(),
        }
    }

    fn period_of(at: i64) -> usize {
        usize::try_from((at - START).max(0) / (30 * DAY)).unwrap()
    }

    fn is_level(metric: usize) -> bool {
        METRICS[metric].kind == "level"
    }

    fn group(&mut self, events: &[Event]) {
        let first = self.sequence + 1;
        let (mut standings, mut told) = (Vec::new(), Vec::new());
        for event in events {
            let at = event.timestamp.unwrap_or(self.now);
            let period = Self::period_of(at);
            if !self.is_possible(event, at, period) {
                continue;
            }
            self.open(event.metric, period);
            self.counted.push(Counted { metric: event.metric, nanos: event.nanos, at, period });
            self.sequence += 1;
            self.raise_peaks(event.metric);
            let Metric { name, aggregation, kind } = &METRICS[event.metric];
            let (from, to) = (start(period), start(period + 1));
            standings.push(format!("[\"{name}\",\"{aggregation}\",\"{kind}\",{from},{to},1000000,\"usage\"]"));
            let key = event.key.as_ref().map_or("null".to_owned(), |key| serde_json::to_string(key).unwrap());
            let timestamp = event.timestamp.map_or("null".to_owned(), |at| at.to_string());
            let (amount, count) = (json(event.nanos), json(self.count(event.metric, period)));
            told.push(format!("[{},{amount},{count},{key},{timestamp},null,{{\"a\":[1.5,\"ü\\n\"]}}]", told.len()));
        }
        let (standings, told) = (standings.join(","), told.join(","));
        self.commit(&format!("\"first\":{first},\"standings\":[{standings}],\"events\":[{told}]"));
    }

    /// No level falls below zero.
    fn is_possible(&mut self, event: &Event, at: i64, period: usize) -> bool {
        self.counted.push(Counted { metric: event.metric, nanos: event.nanos, at, period });
        let is_possible = !Self::is_level(event.metric) || (0..20).all(|period| self.level(event.metric, period) >= 0);
        self.counted.pop();
        is_possible
    }

    fn open(&mut self, metric: usize, period: usize) {
        let carried = if Self::is_level(metric) { self.level(metric, period) } else { 0 };
        self.peaks.entry((metric, period)).or_insert(carried);
    }

    fn raise_peaks(&mut self, metric: usize) {
        let periods: Vec<usize> = self.peaks.keys().filter(|(other, _)| *other == metric).map(|(_, period)| *period).collect();
        for period in periods {
            let level = self.level(metric, period);
            let peak = self.peaks.get_mut(&(metric, period)).unwrap();
            *peak = (*peak).max(level);
        }
    }

    fn events(&self, metric: usize, period: usize) -> impl DoubleEndedIterator<Item = &Counted> {
        let is_level = Self::is_level(metric);
        let is_of = move |counted: &&Counted| counted.metric == metric && (counted.period == period || is_level && counted.period < period);
        self.counted.iter().filter(is_of)
    }

    fn level(&self, metric: usize, period: usize) -> i128 {
        match METRICS[metric].aggregation {
            "max" => self.events(metric, period).map(|counted| counted.nanos).max().unwrap_or(0).max(0),
            "latest" => self.events(metric, period).max_by_key(|counted| counted.at).map_or(0, |counted| counted.nanos),
            _ => self.events(metric, period).map(|counted| counted.nanos).sum(),
        }
    }

    pub fn count(&self, metric: usize, period: usize) -> i128 {
        let level = self.level(metric, period);
        if METRICS[metric].aggregation != "weighted_sum" {
            return level;
        }
        let own = self.events(metric, period).filter(|counted| counted.period == period);
        let moment: i128 = own.map(|counted| counted.nanos * i128::from(counted.at - start(period))).sum();
        let length = i128::from(30 * DAY);
        let area = level * length - moment;
        let (whole, rest) = (area.div_euclid(length), area.rem_euclid(length));
        (whole + i128::from(rest * 2 >= length)).max(0)
    }

    fn used(&self, metric: usize, period: usize) -> i128 {
        let is_peak = Self::is_level(metric) && ["sum", "count"].contains(&METRICS[metric].aggregation);
        if is_peak { self.peaks[&(metric, period)] } else { self.count(metric, period) }
    }

    fn close(&mut self) {
        let period = self.closed;
        self.closed += 1;
        // What a closing did not know it billed at nothing.
        for place in self.peaks.keys().filter(|(_, other)| *other < period) {
            self.invoiced.entry(*place).or_insert(0);
        }
        let mut late = Vec::new();
        for ((metric, period), before) in self.invoiced.clone() {
            let after = self.used(metric, period);
            if after != before {
                let (from, to, name) = (instant(start(period)), instant(start(period + 1)), METRICS[metric].name);
                let (told_before, told_after) = (json(before), json(after));
                late.push(format!(
                    "{{\"metric\":\"{name}\",\"periodStartsAt\":{from},\"periodEndsAt\":{to},\"before\":{told_before},\"after\":{told_after}}}"
                ));
                self.invoiced.insert((metric, period), after);
            }
        }
        let mut used = Vec::new();
        // The plan names all but the last two metrics.
        let touched: BTreeSet<usize> = self.peaks.keys().filter(|(_, other)| *other == period).map(|(metric, _)| *metric).collect();
        for metric in (0..METRICS.len()).filter(|metric| *metric < 8 || touched.contains(metric)) {
            self.open(metric, period);
            let nanos = self.used(metric, period);
            self.invoiced.insert((metric, period), nanos);
            used.push(format!("\"{}\":{}", METRICS[metric].name, json(nanos)));
        }
        let (from, to, used, late) = (start(period), start(period + 1), used.join(","), late.join(","));
        self.commit(&format!("\"closing\":{{\"start\":{from},\"end\":{to},\"used\":{{{used}}},\"late\":[{late}]}}"));
    }

    pub fn commit(&mut self, members: &str) {
        self.number += 1;
        let body = format!("{{\"number\":{},\"at\":{},{members}}}", self.number, self.now);
        self.hash = sha256(&format!("{}\n{body}", self.hash));
        self.lines.push(commit_line(self.number, &self.hash, &body));
        self.bodies.push(body);
    }

    pub fn counters(&self) -> String {
        let row = |(metric, period): &(usize, usize)| {
            let Metric { name, aggregation, kind } = &METRICS[*metric];
            let (used, level) = (json(self.used(*metric, *period)), json(self.level(*metric, *period)));
            let start = start(*period);
            format!(
                "{{\"metric\":\"{name}\",\"aggregation\":\"{aggregation}\",\"kind\":\"{kind}\",\"start\":{start},\"used\":{used},\"level\":{level}}}"
            )
        };
        // Rows that only carry over are left out.
        let is_moved = |row: &&(usize, usize)| self.counted.iter().any(|counted| (counted.metric, counted.period) == **row);
        self.peaks.keys().filter(is_moved).map(row).collect::<Vec<_>>().join(",")
    }

    /// The whole file, a text a line.
    pub fn proof(&self) -> Vec<String> {
        let end = end_line(self.number, &self.hash, &self.counters());
        let header = header_line(&self.previous, self.first_line == 0);
        std::iter::once(header).chain(self.lines.iter().cloned()).chain([end]).collect()
    }
}

fn instant(millis: i64) -> String {
    // Whole days of 2026 and 2027 only, which is what periods of 30 days from its first day on are.
    let mut left = (millis - START) / DAY;
    for (year, month, length) in (0..24)
        .map(|month| (2026 + month / 12, month % 12))
        .map(|(year, month)| (year, month + 1, [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][usize::try_from(month).unwrap()]))
    {
        if left < length {
            return format!("\"{year}-{month:02}-{:02}T00:00:00Z\"", left + 1);
        }
        left -= length;
    }
    millis.to_string()
}

pub fn header_line(previous: &str, is_genesis: bool) -> String {
    format!(
        "{{\"$type\":\"UsageProof\",\"version\":1,\"organization\":\"{ORGANIZATION}\",\"from\":\"2026-01-01T00:00:00Z\",\
         \"to\":\"2027-12-31T00:00:00Z\",\"previous\":\"{previous}\",\"isGenesis\":{is_genesis}}}"
    )
}

pub fn commit_line(number: u64, hash: &str, body: &str) -> String {
    format!("{{\"number\":{number},\"hash\":\"{hash}\",\"body\":{}}}", serde_json::to_string(body).unwrap())
}

pub fn end_line(number: u64, hash: &str, counters: &str) -> String {
    format!("{{\"$type\":\"UsageProofEnd\",\"number\":{number},\"hash\":\"{hash}\",\"counters\":[{counters}]}}")
}

pub fn verified(lines: &[String]) -> verify::Verification {
    let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
    verify::verify(text.as_bytes()).unwrap()
}

//! The world of these tests: a Meter, its storage, a clock that is set by hand, and helpers for requests and calls.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use tenantry::durable_objects::meter::{Meter, MeterSettings};
use tenantry::identity::api_keys::token::OrganizationToken;
use tenantry::kernel::ids::{Entropy, KeyId, OrganizationId};
use tenantry::kernel::sql::SqlError;
use tenantry::kernel::time::Timestamp;
use tenantry::meter::contract::{Bucket, Call, Fact, PendingFacts, RolledUp};
use tenantry::meter::vocabulary::{Entitlements, MetricKind, MetricRule};
use tenantry::meter::wire::{HotCaller, HotReply, METRICS_NEEDED};

use crate::support::described;
use crate::support::local_sqlite::LocalSqlite;

/// Requests of these tests own their texts.
pub type HotRequest = tenantry::meter::wire::HotRequest<'static>;

pub const SECRET: &[u8] = b"a secret of this test";

pub struct World {
    pub sql: LocalSqlite,
    pub wall: Timestamp,
    meter: Meter<LocalSqlite>,
    entropy: Counter,
}

#[derive(Default)]
struct Counter(std::sync::atomic::AtomicU64);

impl Entropy for Counter {
    fn bytes(&self) -> [u8; 16] {
        let drawn = self.0.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        (u128::from(drawn) << 64).to_be_bytes()
    }
}

pub fn at(text: &str) -> Timestamp {
    Timestamp::parse(text).unwrap()
}

pub fn acme() -> OrganizationId {
    OrganizationId::from_bytes([7; 16])
}

pub fn key(number: u8) -> KeyId {
    KeyId::from_bytes([number; 16])
}

pub fn rule(kind: MetricKind, limit: Option<u32>) -> MetricRule {
    MetricRule::of(kind, limit.map(Into::into))
}

/// Acme's plan: months of 2026, begun in December.
pub fn entitlements() -> Entitlements {
    let mut boundaries = vec![at("2025-12-01T00:00:00Z")];
    boundaries.extend((1..=12).map(|month| at(&format!("2026-{month:02}-01T00:00:00Z"))));
    let metrics = [
        ("apiCalls", rule(MetricKind::Consumable, Some(1_000))),
        ("tokens", rule(MetricKind::Consumable, None)),
        ("users", rule(MetricKind::Level, Some(10))),
    ];
    Entitlements {
        version: 1,
        plan: "professional".to_owned(),
        plan_version: 3,
        subscription_started_at: at("2025-12-20T00:00:00Z"),
        boundaries,
        metrics: metrics.into_iter().map(|(name, rule)| (name.to_owned(), rule)).collect::<BTreeMap<_, _>>(),
        clock: None,
        rate_limits: None,
        admits_nothing: false,
    }
}

pub fn request(method: &str, target: &str, body: &str) -> HotRequest {
    let content_type = if method == "POST" { "application/json" } else { "" };
    HotRequest {
        caller: HotCaller::Trusted,
        method: method.to_owned().into(),
        target: target.to_owned().into(),
        content_type: content_type.to_owned().into(),
        idempotency_key: "".into(),
        attributes: "".into(),
        has_all_metrics: true,
        body: body.to_owned().into(),
    }
}

/// `POST /v1/usage`.
pub fn usage(body: Value) -> HotRequest {
    request("POST", "/v1/usage", &body.to_string())
}

/// `POST /v1/usage/consumption`.
pub fn consumption(body: Value) -> HotRequest {
    request("POST", "/v1/usage/consumption", &body.to_string())
}

/// `POST /v1/usage/batch`.
pub fn batch(events: Value) -> HotRequest {
    request("POST", "/v1/usage/batch", &json!({ "events": events }).to_string())
}

pub fn get(target: &str) -> HotRequest {
    request("GET", target, "")
}

impl World {
    /// An object that has had no call yet.
    pub fn untouched() -> Self {
        let sql = LocalSqlite::new();
        let meter = Meter::new(sql.clone(), settings(), acme());
        Self { sql, wall: at("2026-01-10T12:00:00Z"), meter, entropy: Counter::default() }
    }

    pub fn new() -> Self {
        Self::with(entitlements())
    }

    pub fn with(entitlements: Entitlements) -> Self {
        let mut world = Self::untouched();
        world.call(Call::Configure { entitlements });
        world
    }

    /// Evicted from memory: only what is stored is left.
    pub fn restart(&mut self) {
        self.meter = Meter::new(self.sql.clone(), settings(), acme());
    }

    pub fn try_serve(&mut self, group: &[HotRequest]) -> Result<Vec<Answer>, SqlError> {
        let answers = self.try_exchange(group)?;
        Ok(answers.into_iter().map(|answer| answer.expect("the Meter knows the metrics")).collect())
    }

    /// The answer is None where the Meter needs the platform's metrics first.
    pub fn try_exchange(&mut self, group: &[HotRequest]) -> Result<Vec<Option<Answer>>, SqlError> {
        let wires: Vec<String> = group.iter().map(HotRequest::to_wire).collect();
        let Self { sql, wall, meter, entropy } = self;
        let result = sql.transaction(|| meter.serve(&wires, *wall, entropy));
        if result.is_err() {
            self.restart();
        }
        let replies = result?;
        assert_eq!(replies.len(), group.len(), "each request has its answer");
        for (request, reply) in group.iter().zip(&replies) {
            if let Some(reply) = HotReply::from_wire(reply) {
                described::check_of_meter(&request.method, &request.target, &reply);
            }
        }
        let read = |wire: &String| Answer::of(HotReply::from_wire(wire).expect("an answer reads back"));
        Ok(replies.iter().map(|wire| (wire != METRICS_NEEDED).then(|| read(wire))).collect())
    }

    /// Whatever texts, not even requests.
    pub fn raw(&mut self, wires: &[String]) -> Vec<String> {
        let Self { sql, wall, meter, entropy } = self;
        sql.transaction(|| meter.serve(wires, *wall, entropy)).expect("the storage works")
    }

    /// Answers requests that arrived together.
    pub fn group(&mut self, group: &[HotRequest]) -> Vec<Answer> {
        self.try_serve(group).expect("the storage works")
    }

    pub fn send(&mut self, request: HotRequest) -> Answer {
        self.group(&[request]).remove(0)
    }

    pub fn try_call(&mut self, call: Call) -> Result<Value, SqlError> {
        let Self { sql, wall, meter, .. } = self;
        // Over the wire and back, as in the object.
        let call = serde_json::from_str(&serde_json::to_string(&call).unwrap()).unwrap();
        let result = sql.transaction(|| meter.call(call, *wall));
        if result.is_err() {
            self.restart();
        }
        result
    }

    pub fn call(&mut self, call: Call) -> Value {
        self.try_call(call).expect("the storage works")
    }

    pub fn facts(&mut self) -> Vec<Fact> {
        serde_json::from_value::<PendingFacts>(self.call(Call::PendingFacts)).unwrap().facts
    }

    /// The pending facts in short: `Usage.warning apiCalls`.
    pub fn fact_names(&mut self) -> Vec<String> {
        self.facts().iter().map(|fact| format!("{} {}", fact.name, fact.data["metric"].as_str().unwrap())).collect()
    }

    pub fn alarm_at(&self) -> Option<Timestamp> {
        self.meter.alarm_at()
    }

    /// Everything that waits to be rolled up, rolled up and acknowledged, as the alarm does.
    pub fn roll_up(&mut self) -> Vec<Bucket> {
        let mut buckets = Vec::new();
        for _ in 0..1_000 {
            let rolled: RolledUp = serde_json::from_value(self.call(Call::RollUp)).unwrap();
            if let Some(last) = rolled.buckets.last() {
                self.call(Call::AcknowledgeBuckets { through: last.version });
            }
            buckets.extend(rolled.buckets);
            if !rolled.has_more {
                return buckets;
            }
        }
        panic!("the roll-up does not come to an end");
    }

    pub fn current(&mut self, metric: &str) -> Value {
        self.call(Call::CurrentUsage)["metrics"][metric].clone()
    }

    /// Makes a key known and gives the header that uses it.
    pub fn key(&mut self, number: u8, scopes: &[&str], expires_at: Option<Timestamp>) -> String {
        self.call(Call::PutKey { key: key(number), scopes: scopes.iter().map(|scope| (*scope).to_owned()).collect(), expires_at });
        header(number, acme(), SECRET)
    }
}

fn settings() -> MeterSettings {
    MeterSettings { secret: SECRET.to_vec(), api_url: "https://api.example".into() }
}

pub fn header(number: u8, organization: OrganizationId, secret: &[u8]) -> String {
    format!("Bearer {}", OrganizationToken { organization, key: key(number) }.mint(secret))
}

pub fn from(header: &str, request: HotRequest) -> HotRequest {
    HotRequest { caller: HotCaller::Header(header.to_owned().into()), ..request }
}

pub fn keyed(key: &str, request: HotRequest) -> HotRequest {
    HotRequest { idempotency_key: key.to_owned().into(), ..request }
}

/// An answer with its body read; `text` is the body as it was sent.
#[derive(Clone, Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub text: String,
    pub body: Value,
}

impl Answer {
    fn of(reply: HotReply) -> Self {
        let body = if reply.status == 204 { Value::Null } else { serde_json::from_str(&reply.body).expect("every answer is JSON") };
        let answer = Self { status: reply.status, headers: reply.headers, text: reply.body, body };
        let content_type = match answer.status {
            200 | 201 => Some("application/json"),
            204 => None,
            _ => Some("application/problem+json"),
        };
        assert_eq!(answer.header("content-type"), content_type);
        let request_id = answer.header("Request-Id").expect("every answer has a Request-Id");
        assert!(request_id.starts_with("req_"));
        if answer.status >= 300 {
            assert_eq!(answer.body["requestId"], request_id);
            assert_eq!(answer.body["status"], answer.status);
        }
        answer
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    pub fn code(&self) -> &str {
        self.body["code"].as_str().unwrap_or_default()
    }

    /// Status and code of a refusal, or `200` and the count.
    pub fn short(&self) -> String {
        if self.status == 200 { format!("200 {}", self.body["current"]) } else { format!("{} {}", self.status, self.code()) }
    }
}

//! A world to tell stories in: a vendor, its companies, and time that the story moves.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::body::Body;
use futures::executor::block_on;
use http::Request;
use http_body_util::BodyExt;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tenantry::business::follow_up::Workflows;
use tenantry::jobs::{calendar, messages};
use tenantry::kernel::mail::local::{LocalMailer, NoProvider};
use tenantry::kernel::platform::Platform;
use tenantry::kernel::ports::{App, Mailer, Ports, Settings};
use tenantry::kernel::time::Timestamp;

use super::described::{self, Seen};
use super::sqlite::Sqlite;
use super::twins::{FontFiles, HandClock, MeterTwins, NoProbes, NumberTwin, QueueTwin, SealingTwin, Seeded};

pub const PLATFORM_KEY: &str = "tk_platform_of_the_test_world";
pub const SECRET: &[u8] = b"the secret of the test world";

pub struct World {
    pub app: App,
    pub directory: Arc<Sqlite>,
    pub shards: Vec<Arc<Sqlite>>,
    pub meters: Arc<MeterTwins>,
    pub queues: Arc<QueueTwin>,
    pub numbers: Arc<NumberTwin>,
    clock: HandClock,
    entropy: Arc<Seeded>,
}

/// What a world keeps.
struct Stores {
    directory: Sqlite,
    shards: Vec<Sqlite>,
    meters: MeterTwins,
    queues: QueueTwin,
    numbers: NumberTwin,
}

/// An answer as the client sees it.
#[derive(Debug, Clone)]
pub struct Answer {
    pub status: u16,
    pub headers: http::HeaderMap,
    pub text: String,
    pub body: Value,
}

impl Answer {
    pub fn expect(self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.text);
        self.body
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }
}

/// Who calls, as whom.
#[derive(Clone, Debug)]
pub enum Credential {
    Nobody,
    Bearer(String),
    VendorFor(String),
}

pub fn vendor() -> Credential {
    Credential::Bearer(PLATFORM_KEY.into())
}

impl World {
    pub fn new() -> Self {
        Self::seeded(1)
    }

    pub fn seeded(seed: u64) -> Self {
        Self::with(seed, |directory| Arc::new(LocalMailer { directory }))
    }

    /// As in production before a mail provider is connected.
    pub fn without_mail_provider() -> Self {
        Self::with(1, |_| Arc::new(NoProvider))
    }

    fn with(seed: u64, mailer: impl FnOnce(Arc<Sqlite>) -> Arc<dyn Mailer>) -> Self {
        let clock = HandClock::at(Timestamp::parse("2026-01-01T00:00:00Z").unwrap());
        let entropy = Arc::new(Seeded(Mutex::new(seed)));
        let shards = (0..2).map(|_| Sqlite::migrated("tenants")).collect();
        let meters = MeterTwins::new(SECRET, clock.clone(), entropy.clone());
        let stores = Stores {
            directory: Sqlite::migrated("directory"),
            shards,
            meters,
            queues: QueueTwin::default(),
            numbers: NumberTwin::default(),
        };
        Self::over(stores, clock, entropy, mailer)
    }

    /// A world of its own in which all is stored as it is in this one, and nothing is remembered: what takes long to set up is set up once.
    pub fn copy(&self) -> Self {
        let clock = HandClock::at(self.app.clock.now());
        let entropy = Arc::new(Seeded(Mutex::new(*self.entropy.0.lock().unwrap())));
        let stores = Stores {
            directory: self.directory.copy(),
            shards: self.shards.iter().map(|shard| shard.copy()).collect(),
            meters: self.meters.copy(clock.clone(), entropy.clone()),
            queues: self.queues.copy(),
            numbers: self.numbers.copy(),
        };
        Self::over(stores, clock, entropy, |directory| Arc::new(LocalMailer { directory }))
    }

    fn over(stores: Stores, clock: HandClock, entropy: Arc<Seeded>, mailer: impl FnOnce(Arc<Sqlite>) -> Arc<dyn Mailer>) -> Self {
        let directory = Arc::new(stores.directory);
        let shards: Vec<Arc<Sqlite>> = stores.shards.into_iter().map(Arc::new).collect();
        let (meters, queues, numbers) = (Arc::new(stores.meters), Arc::new(stores.queues), Arc::new(stores.numbers));
        let app = App::new(Ports {
            directory: directory.clone(),
            shards: shards.iter().map(|shard| shard.clone() as Arc<dyn tenantry::kernel::sql::Sql>).collect(),
            meters: meters.clone(),
            invoice_numbers: numbers.clone(),
            queues: queues.clone(),
            follow_up: Arc::new(Workflows),
            mailer: mailer(directory.clone()),
            probes: Arc::new(NoProbes),
            sealing: Arc::new(SealingTwin),
            fonts: Arc::new(FontFiles),
            clock: Arc::new(clock.clone()),
            entropy: entropy.clone(),
            memory: Arc::default(),
            settings: Settings {
                secret: SECRET.to_vec(),
                master_secrets: vec![SECRET.to_vec()],
                root_platform_key_hash: Sha256::digest(PLATFORM_KEY.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect(),
                development: true,
                app_url: "https://app.example".into(),
                api_url: "https://api.example".into(),
            },
        });
        Self { app, directory, shards, meters, queues, numbers, clock, entropy }
    }

    pub fn platform(&self) -> Platform {
        Platform::open(self.app.clone())
    }

    /// The same world as an operator sees it who configured other master secrets.
    pub fn with_master_secrets(&self, secrets: &[&[u8]]) -> App {
        self.with_settings(|settings| settings.master_secrets = secrets.iter().map(|secret| secret.to_vec()).collect())
    }

    /// The same world after a start with other settings: all is stored, nothing is remembered.
    pub fn with_settings(&self, change: impl FnOnce(&mut Settings)) -> App {
        let mut settings = self.app.settings.clone();
        change(&mut settings);
        App::new(Ports {
            directory: self.app.directory.clone(),
            shards: self.app.shards.clone(),
            meters: self.app.meters.clone(),
            invoice_numbers: self.app.invoice_numbers.clone(),
            queues: self.app.queues.clone(),
            follow_up: self.app.follow_up.clone(),
            mailer: self.app.mailer.clone(),
            probes: self.app.probes.clone(),
            sealing: self.app.sealing.clone(),
            fonts: self.app.fonts.clone(),
            clock: self.app.clock.clone(),
            entropy: self.app.entropy.clone(),
            memory: Arc::default(),
            settings,
        })
    }

    /// Sends a request as it would come from the network.
    pub fn send(&self, who: &Credential, method: &str, path: &str, headers: &[(&str, &str)], body: impl Into<Vec<u8>>) -> Answer {
        self.send_to(&self.app, who, method, path, headers, body)
    }

    /// The same to an isolate of its own.
    pub fn send_to(
        &self,
        app: &App,
        who: &Credential,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<Vec<u8>>,
    ) -> Answer {
        let mut request = Request::builder().method(method).uri(path);
        match who {
            Credential::Nobody => {}
            Credential::Bearer(text) => request = request.header("authorization", format!("Bearer {text}")),
            Credential::VendorFor(organization) => {
                request = request.header("authorization", format!("Bearer {PLATFORM_KEY}")).header("tenantry-organization", organization);
            }
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Body::from(body.into())).unwrap();
        block_on(async {
            let response = tenantry::api::handle(app.clone(), request).await;
            let (parts, body) = response.into_parts();
            let text = String::from_utf8_lossy(&body.collect().await.unwrap().to_bytes()).into_owned();
            let body = serde_json::from_str(&text).unwrap_or(Value::Null);
            let answer = Answer { status: parts.status.as_u16(), headers: parts.headers, text, body };
            described::check(&Seen::of(method, path, &answer));
            answer
        })
    }

    pub fn get(&self, who: &Credential, path: &str) -> Answer {
        self.send(who, "GET", path, &[], "")
    }

    pub fn write(&self, who: &Credential, method: &str, path: &str, body: &Value) -> Answer {
        self.send(who, method, path, &[("content-type", "application/json")], body.to_string())
    }

    pub fn post(&self, who: &Credential, path: &str, body: &Value) -> Answer {
        self.write(who, "POST", path, body)
    }

    pub fn post_once(&self, who: &Credential, path: &str, key: &str, body: &Value) -> Answer {
        self.send(who, "POST", path, &[("content-type", "application/json"), ("idempotency-key", key)], body.to_string())
    }

    /// A company in real time.
    pub fn sign_up(&self, name: &str) -> Company<'_> {
        self.sign_up_with(json!({"name": name, "email": format!("admin@{}.example", name.to_lowercase())}))
    }

    /// A company on a clock of its own that stands at `now`.
    pub fn sign_up_at(&self, name: &str, now: &str) -> Company<'_> {
        let clock = self.post(&vendor(), "/v1/test-clocks", &json!({"now": now})).expect(201)["$id"].as_str().unwrap().to_owned();
        self.sign_up_with(json!({"name": name, "email": format!("admin@{}.example", name.to_lowercase()), "testClock": clock}))
    }

    pub fn sign_up_with(&self, body: Value) -> Company<'_> {
        let organization = self.post(&vendor(), "/v1/organizations", &body).expect(201);
        Company {
            world: self,
            id: organization["$id"].as_str().unwrap().to_owned(),
            email: organization["email"].as_str().unwrap().to_owned(),
            clock: organization["testClock"].as_str().map(str::to_owned),
        }
    }

    /// Delivers what the queues hold, until they are empty.
    pub fn deliver(&self) {
        loop {
            let Some(message) = self.queues.messages.lock().unwrap().pop_front() else { return };
            block_on(messages::handle(&self.platform(), message)).unwrap();
        }
    }

    /// Delivers what the queues hold now; what fails comes again next time.
    pub fn try_deliver(&self) {
        let messages = std::mem::take(&mut *self.queues.messages.lock().unwrap());
        for message in messages {
            if block_on(messages::handle(&self.platform(), message.clone())).is_err() {
                self.queues.messages.lock().unwrap().push_back(message);
            }
        }
    }

    /// The wall clock goes on.
    pub fn pass(&self, span: Duration) {
        let mut now = self.clock.0.lock().unwrap();
        *now = now.plus(span);
    }

    /// The Meters let `passing` calls through, then fail `failing` calls.
    pub fn meters_fail(&self, passing: u32, failing: u32) {
        *self.meters.outage.lock().unwrap() = (passing, failing);
    }

    /// Runs a line of the calendar.
    pub fn cron(&self, cron: &str) {
        for (task, outcome) in block_on(calendar::run(&self.platform(), cron)) {
            outcome.unwrap_or_else(|error| panic!("{task}: {error:?}"));
        }
    }

    /// Runs a line of the calendar; its tasks may fail.
    pub fn try_cron(&self, cron: &str) {
        let _outcomes = block_on(calendar::run(&self.platform(), cron));
    }
}

/// One company of the story.
pub struct Company<'w> {
    pub world: &'w World,
    pub id: String,
    pub email: String,
    pub clock: Option<String>,
}

impl Company<'_> {
    /// The same company in a copy of its world.
    pub fn within<'w>(&self, world: &'w World) -> Company<'w> {
        Company { world, id: self.id.clone(), email: self.email.clone(), clock: self.clock.clone() }
    }

    /// The vendor acting for this company.
    pub fn vendor(&self) -> Credential {
        Credential::VendorFor(self.id.clone())
    }

    pub fn key(&self, scopes: &[&str]) -> Credential {
        let key = self.world.post(&self.vendor(), "/v1/api-keys", &json!({"name": "backend", "scopes": scopes})).expect(201);
        Credential::Bearer(key["secret"].as_str().unwrap().to_owned())
    }

    pub fn get(&self, path: &str) -> Value {
        self.world.get(&self.vendor(), path).expect(200)
    }

    pub fn advance(&self, now: &str) {
        let clock = self.clock.as_ref().unwrap();
        self.world.write(&vendor(), "PUT", &format!("/v1/test-clocks/{clock}"), &json!({"now": now})).expect(200);
    }

    /// The templates of the mails this company got, oldest first.
    pub fn mails(&self) -> Vec<String> {
        let mails = self.world.get(&Credential::Nobody, &format!("/dev/emails?to={}", self.email)).expect(200);
        let mut templates: Vec<String> =
            mails.as_array().unwrap().iter().map(|mail| mail["template"].as_str().unwrap().to_owned()).collect();
        templates.reverse();
        templates
    }

    /// Its invoices, oldest first.
    pub fn invoices(&self) -> Vec<Value> {
        let mut invoices = self.get("/v1/invoices?limit=100")["data"].as_array().unwrap().clone();
        invoices.reverse();
        invoices
    }
}

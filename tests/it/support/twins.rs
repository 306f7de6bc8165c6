//! Twins of the other bindings: the Meter is the real actor over SQLite, the queues are a list.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};

use aes_gcm::aead::{Aead, Payload};
use aes_gcm::{Aes256Gcm, KeyInit};
use futures::future::BoxFuture;
use tenantry::durable_objects::meter::{Meter, MeterSettings};
use tenantry::kernel::error::{Error, Result};
use tenantry::kernel::ids::{Entropy, OrganizationId};
use tenantry::kernel::ports::{Clock, Fonts, InvoiceNumbers, Lock, Message, Meters, Probes, Queues, Sealing};
use tenantry::kernel::sql::SqlError;
use tenantry::kernel::time::Timestamp;
use tenantry::meter::contract::Call;

use super::local_sqlite::LocalSqlite;

/// A clock that the test moves.
#[derive(Clone)]
pub struct HandClock(pub Arc<Mutex<Timestamp>>);

impl HandClock {
    pub fn at(now: Timestamp) -> Self {
        Self(Arc::new(Mutex::new(now)))
    }
}

impl Clock for HandClock {
    fn now(&self) -> Timestamp {
        *self.0.lock().unwrap()
    }
}

/// Random bytes that repeat from run to run (SplitMix64 from a seed).
pub struct Seeded(pub Mutex<u64>);

impl Entropy for Seeded {
    fn bytes(&self) -> [u8; 16] {
        let mut state = self.0.lock().unwrap();
        let mut next = || {
            *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut mixed = *state;
            mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            mixed ^ (mixed >> 31)
        };
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&next().to_be_bytes());
        bytes[8..].copy_from_slice(&next().to_be_bytes());
        bytes
    }
}

/// Every organization's Meter, each over its own SQLite; called as the shell calls it: in a transaction, and made anew after a failure.
pub struct MeterTwins {
    pub secret: Vec<u8>,
    pub clock: HandClock,
    pub entropy: Arc<Seeded>,
    pub meters: Mutex<BTreeMap<OrganizationId, (LocalSqlite, Meter<LocalSqlite>)>>,
    /// Calls that are let through, then calls that fail as if the object were away.
    pub outage: Mutex<(u32, u32)>,
    /// Calls that came, whether or not they were let through.
    pub calls: Mutex<u32>,
    /// Calls that failed by the test's wish.
    pub faults: Mutex<u32>,
    /// The calls that reached a Meter, oldest first.
    pub heard: Mutex<Vec<(OrganizationId, Call)>>,
}

impl MeterTwins {
    pub fn new(secret: &[u8], clock: HandClock, entropy: Arc<Seeded>) -> Self {
        Self {
            secret: secret.to_vec(),
            clock,
            entropy,
            meters: Mutex::default(),
            outage: Mutex::new((0, 0)),
            calls: Mutex::default(),
            faults: Mutex::default(),
            heard: Mutex::default(),
        }
    }

    /// The same Meters after a start: what they stored is there.
    pub fn copy(&self, clock: HandClock, entropy: Arc<Seeded>) -> Self {
        let copy = Self::new(&self.secret, clock, entropy);
        let meters = self.meters.lock().unwrap();
        copy.meters.lock().unwrap().extend(meters.iter().map(|(organization, (sql, _))| {
            let sql = sql.copy();
            (*organization, (sql.clone(), Meter::new(sql, self.settings(), *organization)))
        }));
        *copy.heard.lock().unwrap() = self.heard.lock().unwrap().clone();
        copy
    }

    /// As the Worker configures each.
    pub fn settings(&self) -> MeterSettings {
        MeterSettings { secret: self.secret.clone(), api_url: "https://api.example".into() }
    }

    fn with<T>(
        &self,
        organization: OrganizationId,
        work: impl FnOnce(&mut Meter<LocalSqlite>) -> std::result::Result<T, SqlError>,
    ) -> Result<T> {
        *self.calls.lock().unwrap() += 1;
        match &mut *self.outage.lock().unwrap() {
            (0, 0) => {}
            (0, failing) => {
                *failing -= 1;
                *self.faults.lock().unwrap() += 1;
                return Err(Error::Unavailable("the Meter is away (by the test)".into()));
            }
            (passing, _) => *passing -= 1,
        }
        let new = |sql: LocalSqlite| Meter::new(sql, self.settings(), organization);
        let mut meters = self.meters.lock().unwrap();
        let (sql, meter) = meters.entry(organization).or_insert_with(|| {
            let sql = LocalSqlite::new();
            (sql.clone(), new(sql))
        });
        let done = sql.transaction(|| work(meter));
        if done.is_err() {
            *meter = new(sql.clone());
        }
        Ok(done?)
    }
}

impl Meters for MeterTwins {
    fn call(&self, organization: OrganizationId, call: String) -> BoxFuture<'_, Result<String>> {
        Box::pin(async move {
            let call: Call = serde_json::from_str(&call).unwrap();
            let answer = self.with(organization, |meter| meter.call(call.clone(), self.clock.now()))?;
            self.heard.lock().unwrap().push((organization, call));
            Ok(answer.to_string())
        })
    }

    fn serve(&self, organization: OrganizationId, request: String) -> BoxFuture<'_, Result<String>> {
        Box::pin(async move {
            let replies = self.with(organization, |meter| meter.serve(&[request], self.clock.now(), self.entropy.as_ref()))?;
            Ok(replies.into_iter().next().unwrap())
        })
    }
}

/// AES-256-GCM by another implementation than the runtime's.
pub struct SealingTwin;

impl Sealing for SealingTwin {
    fn encrypt<'a>(&'a self, lock: Lock<'a>, plain: &'a [u8]) -> BoxFuture<'a, Result<Vec<u8>>> {
        let payload = Payload { msg: plain, aad: lock.context };
        Box::pin(async move { Ok(Aes256Gcm::new(lock.key.into()).encrypt(lock.nonce.into(), payload).unwrap()) })
    }

    fn decrypt<'a>(&'a self, lock: Lock<'a>, sealed: &'a [u8]) -> BoxFuture<'a, Result<Option<Vec<u8>>>> {
        let payload = Payload { msg: sealed, aad: lock.context };
        Box::pin(async move { Ok(Aes256Gcm::new(lock.key.into()).decrypt(lock.nonce.into(), payload).ok()) })
    }
}

/// Gapless numbers, as the Durable Object gives them.
#[derive(Default)]
pub struct NumberTwin {
    pub numbers: Mutex<BTreeMap<(&'static str, String), u64>>,
    /// Calls that fail as if the object were away, before they give a number.
    pub failing: Mutex<u32>,
}

impl NumberTwin {
    pub fn copy(&self) -> Self {
        Self { numbers: Mutex::new(self.numbers.lock().unwrap().clone()), failing: Mutex::default() }
    }
}

impl InvoiceNumbers for NumberTwin {
    fn number<'a>(&'a self, series: &'static str, document: &'a str) -> BoxFuture<'a, Result<u64>> {
        Box::pin(async move {
            let mut failing = self.failing.lock().unwrap();
            if *failing > 0 {
                *failing -= 1;
                return Err(Error::Unavailable("the numbers are away (by the test)".into()));
            }
            let mut numbers = self.numbers.lock().unwrap();
            let next = numbers.keys().filter(|(of, _)| *of == series).count() as u64 + 1;
            Ok(*numbers.entry((series, document.to_owned())).or_insert(next))
        })
    }
}

/// Messages that were sent and not yet delivered.
#[derive(Default)]
pub struct QueueTwin {
    pub messages: Mutex<VecDeque<Message>>,
    /// Loses all that is sent, as a crash between commit and send would.
    pub lossy: Mutex<bool>,
    /// Messages that were lost by the test's wish.
    pub lost: Mutex<usize>,
}

impl QueueTwin {
    pub fn copy(&self) -> Self {
        Self { messages: Mutex::new(self.messages.lock().unwrap().clone()), ..Self::default() }
    }
}

impl Queues for QueueTwin {
    fn send(&self, messages: Vec<Message>) -> BoxFuture<'_, Result<()>> {
        Box::pin(async move {
            if *self.lossy.lock().unwrap() {
                *self.lost.lock().unwrap() += messages.len();
            } else {
                self.messages.lock().unwrap().extend(messages);
            }
            Ok(())
        })
    }
}

/// The World has no binding that only the edge knows.
pub struct NoProbes;

impl Probes for NoProbes {
    fn probe(&self) -> BoxFuture<'_, Vec<(&'static str, bool)>> {
        Box::pin(async { Vec::new() })
    }
}

/// The same files that the Worker serves to itself.
pub struct FontFiles;

impl Fonts for FontFiles {
    fn load<'a>(&'a self, file: &'a str) -> BoxFuture<'a, Result<Arc<[u8]>>> {
        let path = format!("{}/assets/fonts/{file}", env!("CARGO_MANIFEST_DIR"));
        let bytes = std::fs::read(&path).map_err(|error| Error::internal(format!("{path}: {error}; run `npm run setup`")));
        Box::pin(async move { bytes.map(Arc::from) })
    }
}

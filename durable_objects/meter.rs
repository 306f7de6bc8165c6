//! The Meter of one organization: counts what it uses, enforces its quotas, and answers a repeated request as it did the first time.
//!
//! Owns: counters by metric and period, idempotency keys of usage, thresholds and the facts raised by them, closings of periods, and a
//! copy of the organization's entitlements and keys, so that a hot request needs nobody else.
//! Does not own: plans, prices and subscriptions (it is told, see `usage::meter::Call`); sockets, timers and transactions (the shell,
//! `src/edge/shell.mjs`); the delivery of facts (`src/edge/outbox.rs`).
//! Words: a *group* is the requests that share a commit; a *claim* is an idempotency key and what was asked under it; a *reading* is
//! the count of one metric in one period; *now* is the test clock's time where there is one, the *wall* clock's elsewhere.
//!
//! Invariants:
//! - A group is one transaction of the caller. What is in memory was read from SQL or written in that transaction; when `serve` or
//!   `call` fails, the caller rolls back and makes a new Meter, which reads everything anew.
//! - No interleaving admits more than a limit, and one key counts once: requests are decided one after the other, in order.
//! - A hot request costs no SQL of its own: per group one look-up of keys, one insert of keys, one write of counters.
//! - Before the first call nothing is stored: a forged key creates no storage.

mod answers;
mod book;
mod calls;
mod closings;
mod decisions;
mod facts;
#[cfg(target_arch = "wasm32")]
mod glue;
mod keys;
mod plan;
mod replays;
mod requests;
mod schema;

use crate::kernel::ids::{Entropy, Moment, OrganizationId, RequestId};
use crate::kernel::problem::Problem;
use crate::kernel::sql::{LocalSql, SqlError};
use crate::kernel::time::Timestamp;

use answers::Reply;
use book::Book;
use decisions::Desk;
use facts::Facts;
use keys::Keys;
use plan::Plan;
use replays::{Claims, Pruning};
use requests::Request;

/// The actor. Everything it needs is an argument, so it runs natively in tests as it does in the object.
pub struct Meter<S> {
    sql: S,
    secret: Vec<u8>,
    organization: OrganizationId,
    /// What SQL holds, read at the first use.
    memory: Option<Memory>,
}

/// What the Meter knows. `plan` is None until the organization was configured.
struct Memory {
    has_tables: bool,
    plan: Option<Plan>,
    keys: Keys,
    book: Book,
    facts: Facts,
    pruning: Pruning,
}

impl<S: LocalSql> Meter<S> {
    /// `secret` is the MAC key of organization keys. Nothing is read or written yet.
    pub fn new(sql: S, secret: Vec<u8>, organization: OrganizationId) -> Self {
        Self { sql, secret, organization, memory: None }
    }

    /// Answers a group of hot requests in order: `HotRequest` texts in, as many `HotReply` texts out.
    /// The caller wraps this in one transaction and, on an error, rolls back and makes a new Meter.
    pub fn serve(&mut self, group: &[String], wall: Timestamp, entropy: &dyn Entropy) -> Result<Vec<String>, SqlError> {
        let mut request_ids = RequestIds::new(wall, entropy);
        let Meter { sql, secret, organization, memory } = self;
        let memory = Memory::loaded(memory, sql, wall)?;
        let requests: Vec<Request> = group.iter().map(|wire| Request::read(wire, &mut memory.keys, secret, *organization, wall)).collect();
        let Some(plan) = &memory.plan else {
            return Ok(requests.into_iter().map(|request| request.refused(no_subscription()).to_wire(&request_ids.draw())).collect());
        };
        let now = plan.now(wall);
        let mut claims = Claims::find(sql, requests.iter().flat_map(Request::keys), now)?;
        let mut desk = Desk { plan, book: &mut memory.book, facts: &mut memory.facts, claims: &mut claims, now, wall };
        let replies = requests.into_iter().map(|request| answer(&mut desk, request).to_wire(&request_ids.draw())).collect();
        if claims.store(sql, now)? {
            memory.pruning.expect(sql, wall)?;
        }
        memory.book.store(sql)?;
        memory.facts.store(sql)?;
        Ok(replies)
    }

    /// When the shell should wake the Meter: facts wait to be delivered, or old keys to be forgotten.
    pub fn alarm_at(&self) -> Option<Timestamp> {
        let memory = self.memory.as_ref()?;
        [memory.facts.due_at(), memory.pruning.due_at()].into_iter().flatten().min()
    }
}

impl Memory {
    fn loaded<'a, S: LocalSql>(memory: &'a mut Option<Self>, sql: &S, wall: Timestamp) -> Result<&'a mut Self, SqlError> {
        let known = match memory.take() {
            Some(known) => known,
            None => Self::load(sql, wall)?,
        };
        Ok(memory.insert(known))
    }

    fn load<S: LocalSql>(sql: &S, wall: Timestamp) -> Result<Self, SqlError> {
        if schema::exists(sql)? {
            Ok(Self {
                has_tables: true,
                plan: Plan::load(sql)?,
                keys: Keys::load(sql)?,
                book: Book::load(sql)?,
                facts: Facts::load(sql, wall)?,
                pruning: Pruning::load(sql)?,
            })
        } else {
            Ok(Self {
                has_tables: false,
                plan: None,
                keys: Keys::default(),
                book: Book::default(),
                facts: Facts::default(),
                pruning: Pruning::default(),
            })
        }
    }
}

fn answer(desk: &mut Desk<'_>, request: Request) -> Reply {
    let Request { path, ask } = request;
    match ask.and_then(|ask| desk.decide(ask)) {
        Ok(answered) => Reply::answered(answered),
        Err(problem) => Reply::problem(path, problem),
    }
}

fn no_subscription() -> Problem {
    Problem::conflict(
        "no_subscription",
        "This organization has no subscription yet, so there is nothing to count against. A new one gets its trial within a minute of its sign-up; then send the request again.",
    )
}

/// The ids of a group's requests: randomness is drawn once and counted up.
struct RequestIds {
    wall: Timestamp,
    next: u128,
}

impl RequestIds {
    fn new(wall: Timestamp, entropy: &dyn Entropy) -> Self {
        Self { wall, next: u128::from_be_bytes(entropy.bytes()) }
    }

    fn draw(&mut self) -> String {
        let drawn = Drawn(self.next.to_be_bytes());
        self.next = self.next.wrapping_add(1);
        RequestId::new(Moment { now: self.wall, entropy: &drawn }).to_string()
    }
}

struct Drawn([u8; 16]);

impl Entropy for Drawn {
    fn bytes(&self) -> [u8; 16] {
        self.0
    }
}

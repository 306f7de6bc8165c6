//! The Meter of one organization: counts what it uses, enforces its quotas, and answers a repeated request as it did the first time.
//!
//! Owns: counters by metric and period, idempotency keys of usage, thresholds and the facts raised by them, closings of periods, and a
//! copy of the organization's entitlements and keys, so that a hot request needs nobody else; the log of all events, and what follows
//! from it: hourly buckets, exports, proofs.
//! Does not own: plans, prices and subscriptions (it is told, see `usage::meter::Call`); sockets, timers and transactions (the shell,
//! `src/edge/shell.mjs`); the delivery of facts (`src/edge/outbox.rs`).
//! Words: a *group* is the requests that share a transaction, and mostly a commit of the log; a *claim* is an idempotency key that a
//! commit took; a *reading* is the count of one metric in one period; *now* is the test clock's time where there is one, the *wall* clock's elsewhere.
//!
//! Invariants:
//! - A group is one transaction of the caller. What is in memory was read from SQL or written in that transaction; when `serve` or
//!   `call` fails, the caller rolls back and makes a new Meter, which reads everything anew.
//! - No interleaving admits more than a limit, and one key counts once: requests are decided one after the other, in order.
//! - A hot request costs no SQL of its own: per group one insert of keys, one commit in the log, one write of counters.
//! - Before the first call nothing is stored: a forged key creates no storage.

mod answers;
mod book;
mod calls;
mod claims;
mod closings;
mod cloud_events;
mod decisions;
mod end;
mod exports;
mod facts;
#[cfg(target_arch = "wasm32")]
mod glue;
mod holds;
mod keys;
mod lists;
mod log;
mod outcome;
mod plan;
mod pruning;
mod rates;
mod replies;
mod requests;
mod reservations;
mod roll_up;
mod schema;
mod seat_state;
mod seats;
mod standings;
mod uniques;

use crate::kernel::ids::{Entropy, Moment, OrganizationId, RequestId};
use crate::kernel::problem::Problem;
use crate::kernel::sql::{LocalSql, SqlError};
use crate::kernel::time::Timestamp;
use crate::meter::contract::HotRequest;

use answers::Reply;
use book::Book;
use claims::Claims;
use decisions::Desk;
use end::Standing;
use facts::Facts;
use keys::Keys;
use log::Log;
use plan::Plan;
use pruning::Pruning;
use rates::{RateStanding, Rates};
use requests::{Ask, Route};
use reservations::Reservations;
use roll_up::RollUp;
use seat_state::Seats;
use uniques::Uniques;

/// Bytes of requests that share a commit: its body, one value in SQL, must stay below 2 MB.
const COMMIT_BYTES_MAX: usize = 1024 * 1024;

/// The actor. Everything it needs is an argument, so it runs natively in tests as it does in the object.
pub struct Meter<S> {
    sql: S,
    secret: Vec<u8>,
    organization: OrganizationId,
    /// What SQL holds, read at the first use.
    memory: Option<Memory>,
    /// Not in SQL, and not lost with a rollback.
    rates: Rates,
}

/// What the Meter knows. `plan` is None until the organization was configured.
struct Memory {
    has_tables: bool,
    plan: Option<Plan>,
    keys: Keys,
    book: Book,
    log: Log,
    facts: Facts,
    reservations: Reservations,
    seats: Seats,
    pruning: Pruning,
    roll_up: RollUp,
    standing: Standing,
    is_erased: bool,
}

/// A hot request that was read.
struct Request<'a> {
    /// Without the query.
    path: &'a str,
    bytes: usize,
    ask: Result<Ask<'a>, Problem>,
    rate: Option<RateStanding>,
    /// It names a metric that the Worker may know of.
    is_unknown: bool,
}

impl<S: LocalSql> Meter<S> {
    /// `secret` is the MAC key of organization keys. Nothing is read or written yet.
    pub fn new(sql: S, secret: Vec<u8>, organization: OrganizationId) -> Self {
        Self { sql, secret, organization, memory: None, rates: Rates::default() }
    }

    /// Answers a group of hot requests in order: `HotRequest` texts in, as many `HotReply` texts out, or `TELL_METRICS`.
    /// The caller wraps this in one transaction and, on an error, rolls back and makes a new Meter.
    pub fn serve(&mut self, group: &[String], wall: Timestamp, entropy: &dyn Entropy) -> Result<Vec<String>, SqlError> {
        let Meter { sql, secret, organization, memory, rates } = self;
        let memory = Memory::loaded(memory, sql, *organization, wall)?;
        if let Some(plan) = &mut memory.plan {
            plan.refresh(wall);
        }
        let wires: Vec<Option<HotRequest<'_>>> = group.iter().map(|wire| HotRequest::from_wire(wire)).collect();
        let mut reader = Reader {
            plan: memory.plan.as_ref(),
            keys: &mut memory.keys,
            standing: memory.standing,
            rates,
            secret,
            organization: *organization,
            wall,
        };
        let requests: Vec<Request<'_>> = wires.iter().map(|wire| reader.read(wire.as_ref())).collect();
        let mut request_ids = RequestIds::new(wall, entropy);
        let mut replies = Vec::with_capacity(requests.len());
        let mut rest = requests.as_slice();
        while !rest.is_empty() {
            let (commit, later) = rest.split_at(commit_length(rest));
            memory.commit(sql, commit, wall, entropy, |request, reply| {
                replies.push(reply.to_wire(&request_ids.draw(), request.rate.as_ref()));
            })?;
            rest = later;
        }
        memory.book.store(sql)?;
        memory.facts.store(sql)?;
        memory.keys.note_uses(sql)?;
        Ok(replies)
    }

    /// When the shell should wake the Meter: facts wait to be delivered, events to be rolled up, or old keys to be forgotten.
    pub fn alarm_at(&self) -> Option<Timestamp> {
        let memory = self.memory.as_ref()?;
        [memory.facts.due_at(), memory.pruning.due_at(), memory.roll_up.due_at()].into_iter().flatten().min()
    }
}

/// How many of the requests share the next commit: as many as fit, one at least.
fn commit_length(requests: &[Request<'_>]) -> usize {
    let mut bytes = 0_usize;
    let fits = |request: &&Request<'_>| {
        bytes = bytes.saturating_add(request.bytes);
        bytes <= COMMIT_BYTES_MAX
    };
    requests.iter().take_while(fits).count().max(1)
}

impl Memory {
    fn loaded<'a, S: LocalSql>(
        memory: &'a mut Option<Self>,
        sql: &S,
        organization: OrganizationId,
        wall: Timestamp,
    ) -> Result<&'a mut Self, SqlError> {
        let known = match memory.take() {
            Some(known) => known,
            None => Self::load(sql, organization, wall)?,
        };
        Ok(memory.insert(known))
    }

    fn load<S: LocalSql>(sql: &S, organization: OrganizationId, wall: Timestamp) -> Result<Self, SqlError> {
        if schema::exists(sql)? {
            let (plan, log) = (Plan::load(sql, wall)?, Log::load(sql, organization)?);
            let now = plan.as_ref().map_or(wall, |plan| plan.now(wall));
            Ok(Self {
                has_tables: true,
                plan,
                keys: Keys::load(sql)?,
                book: Book::load(sql)?,
                facts: Facts::load(sql, wall)?,
                reservations: Reservations::load(sql, now)?,
                seats: Seats::load(sql)?,
                pruning: Pruning::load(sql)?,
                roll_up: RollUp::load(sql, log.number, wall)?,
                log,
                standing: Standing::load(sql)?,
                is_erased: false,
            })
        } else {
            Ok(Self::empty(organization, schema::is_erased(sql)?))
        }
    }

    /// What a Meter knows that was told nothing yet, or nothing more.
    fn empty(organization: OrganizationId, is_erased: bool) -> Self {
        Self {
            has_tables: false,
            plan: None,
            keys: Keys::default(),
            book: Book::default(),
            log: Log::new(organization),
            facts: Facts::default(),
            reservations: Reservations::default(),
            seats: Seats::default(),
            pruning: Pruning::default(),
            roll_up: RollUp::default(),
            standing: Standing::default(),
            is_erased,
        }
    }

    /// Decides requests that share a commit, and appends it to the log.
    fn commit<'k, S: LocalSql>(
        &mut self,
        sql: &S,
        requests: &'k [Request<'k>],
        wall: Timestamp,
        entropy: &dyn Entropy,
        mut answer: impl FnMut(&Request<'_>, Reply),
    ) -> Result<(), SqlError> {
        let Self { plan: Some(plan), book, log, facts, reservations, pruning, roll_up, .. } = self else {
            requests.iter().for_each(|request| answer(request, request.refused(no_subscription())));
            return Ok(());
        };
        let (now, plan) = (plan.now(wall), &*plan);
        let draft = log.draft(now);
        let mut keys = Vec::new();
        asks(requests).for_each(|ask| ask.keys(&mut keys));
        let claims = Claims::take(sql, draft.number, keys, now)?;
        let uniques = Uniques::find(sql, decisions::values_of(plan, asks(requests), now))?;
        reservations.prepare(sql, asks(requests).filter_map(Ask::reservation), now)?;
        let mut desk = Desk { plan, book, facts, reservations, claims, uniques, draft, entropy, now, wall };
        for request in requests {
            let reply = match &request.ask {
                _ if request.is_unknown => Reply::TellMetrics,
                Ok(ask) => desk.decide(ask).map_or_else(|problem| Reply::problem(request.path, problem), Reply::Answered),
                Err(problem) => Reply::problem(request.path, problem.clone()),
            };
            answer(request, reply);
        }
        let Desk { claims, uniques, draft, .. } = desk;
        claims.finish(sql)?;
        uniques.store(sql)?;
        // Now, not with the group: its next commit may ask for one of them.
        let is_held = reservations.store(sql)?;
        let before = log.number;
        log.append(sql, draft)?;
        if log.number > before || is_held {
            pruning.expect(sql, wall)?;
            roll_up.note(log.number, wall);
        }
        Ok(())
    }
}

/// What the requests ask, without those that are refused already or that have to come again.
fn asks<'k>(requests: &'k [Request<'k>]) -> impl Iterator<Item = &'k Ask<'k>> {
    requests.iter().filter(|request| !request.is_unknown).filter_map(|request| request.ask.as_ref().ok())
}

/// What it takes to read a request.
struct Reader<'m> {
    plan: Option<&'m Plan>,
    keys: &'m mut Keys,
    standing: Standing,
    rates: &'m mut Rates,
    secret: &'m [u8],
    organization: OrganizationId,
    wall: Timestamp,
}

impl Reader<'_> {
    fn read<'a>(&mut self, hot: Option<&'a HotRequest<'a>>) -> Request<'a> {
        let Some(hot) = hot else {
            let problem = Problem::invalid("", "malformed_request", "The request did not reach the Meter in one piece. Send it again.");
            return Request { path: "", bytes: 0, ask: Err(problem), rate: None, is_unknown: false };
        };
        let (path, query) = hot.target.split_once('?').unwrap_or((&hot.target, ""));
        let mut request = Request { path, bytes: hot.body.len(), ask: Err(no_subscription()), rate: None, is_unknown: false };
        request.ask = Route::of(&hot.method, path).and_then(|route| {
            let key = self.keys.authorize(&hot.caller, route.permission(), self.secret, self.organization, self.wall)?;
            self.standing.permits(&hot.caller, route.permission())?;
            let limits = self.plan.and_then(|plan| plan.entitlements().rate_limits.as_ref()).filter(|_| !hot.is_told);
            if let Some(limits) = limits {
                let taken = self.rates.take(limits, key, self.wall);
                request.rate = Some(taken.as_ref().map_or_else(|(standing, _)| *standing, |standing| *standing));
                taken.map_err(|(_, problem)| problem)?;
            }
            let plan = self.plan.ok_or_else(no_subscription)?;
            let ask = route.ask(hot, path, query, plan)?;
            request.is_unknown = !hot.is_told && ask.names_unknown(plan);
            Ok(ask)
        });
        request
    }
}

impl Request<'_> {
    /// The refusal of a request that cannot be decided; its own fault comes first.
    fn refused(&self, problem: Problem) -> Reply {
        Reply::problem(self.path, self.ask.as_ref().err().cloned().unwrap_or(problem))
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

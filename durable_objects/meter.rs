//! The Meter of one organization: counts its usage, enforces its quotas, and answers a repeated request with its first answer.
//!
//! Owns: counters by metric and period, idempotency keys of usage, thresholds and the facts raised by them, closings of periods, and a
//! copy of the organization's entitlements and keys, so that a hot request needs no other service; the log of all events, and what is
//! derived from it: hourly buckets, exports, proofs.
//! Does not own: plans, prices and subscriptions (the Worker sends what follows from them, see `Call` in `src/meter/contract.rs`); sockets,
//! timers and transactions (the object's shell, `src/edge/meter.mjs`); the delivery of facts (`src/edge/outbox.rs`).
//! Words: a *group* is the requests that share a transaction, and mostly a commit of the log; a *claim* is an idempotency key that a
//! commit took; a *reading* is the count of one metric in one period; *now* is the test clock's time where there is one, the *wall*
//! clock's elsewhere.
//!
//! Invariants:
//! - A group is one transaction of the caller. What is in memory was read from SQL or written in that transaction; when `serve` or
//!   `call` fails, the caller rolls back and makes a new Meter, which reads everything from SQL again.
//! - No interleaving admits more than a limit, and one key counts once: requests are decided one after the other, in order.
//! - A hot request costs no SQL of its own: per group one insert of keys, one commit in the log, one write of counters.
//! - Before the first call nothing is stored: a forged key creates no storage.

mod answers;
mod bodies;
mod book;
mod calls;
mod claims;
mod closings;
mod cloud_event_headers;
mod cloud_events;
mod commit_context;
mod counting;
mod decisions;
mod erasure;
mod exports;
mod facts;
#[cfg(target_arch = "wasm32")]
mod glue;
mod group;
mod holds;
mod keys;
mod lists;
mod log;
mod memory;
mod outcome;
mod pruning;
mod queries;
mod quotas;
mod rates;
mod refusals;
mod replies;
mod request_ids;
mod requests;
mod reservations;
mod roll_up;
mod routes;
mod rules;
mod schema;
mod seat_state;
mod seats;
mod status;
mod thresholds;
mod uniques;

use crate::kernel::ids::{Entropy, OrganizationId};
use crate::kernel::sql::{LocalSql, SqlError};
use crate::kernel::time::Timestamp;
use crate::meter::contract::Call;
use crate::meter::wire::HotRequest;

use group::{Reader, Request, commit_length};
use memory::Memory;
use rates::Rates;
use request_ids::RequestIds;

/// What the configuration of the Worker says to each Meter.
#[derive(Clone, Debug)]
pub struct MeterSettings {
    /// The MAC key of organization keys.
    pub secret: Vec<u8>,
    /// The address of the Worker, without a slash at the end.
    pub api_url: String,
}

/// The actor. Everything it needs is an argument, so it runs natively in tests as it does in the object.
pub struct Meter<S> {
    sql: S,
    settings: MeterSettings,
    organization: OrganizationId,
    /// What SQL holds, read at the first use.
    memory: Option<Memory>,
    /// Not in SQL, and not lost with a rollback.
    rates: Rates,
}

impl<S: LocalSql> Meter<S> {
    /// Nothing is read or written yet.
    pub fn new(sql: S, settings: MeterSettings, organization: OrganizationId) -> Self {
        Self { sql, settings, organization, memory: None, rates: Rates::default() }
    }

    /// Answers a group of hot requests in order: `HotRequest` texts in, as many `HotReply` texts out, or `METRICS_NEEDED`.
    /// The caller wraps this in one transaction and, on an error, rolls back and makes a new Meter.
    pub fn serve(&mut self, group: &[String], wall: Timestamp, entropy: &dyn Entropy) -> Result<Vec<String>, SqlError> {
        let Meter { sql, settings, organization, memory, rates } = self;
        let memory = Memory::loaded(memory, sql, *organization, wall)?;
        if let Some(rules) = &mut memory.rules {
            rules.refresh(wall);
        }
        let wires: Vec<Option<HotRequest<'_>>> = group.iter().map(|wire| HotRequest::from_wire(wire)).collect();
        let mut reader = Reader {
            rules: memory.rules.as_ref(),
            keys: &mut memory.keys,
            status: memory.status,
            rates,
            secret: &settings.secret,
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
                replies.push(reply.to_wire(&settings.api_url, &request_ids.draw(), request.rate.as_ref()));
            })?;
            rest = later;
        }
        memory.book.store(sql)?;
        memory.facts.store(sql)?;
        memory.keys.note_uses(sql)?;
        Ok(replies)
    }

    /// Runs a call and gives its reply, or [`CallRefused`](crate::meter::contract::CallRefused). The caller wraps this in one transaction
    /// and, on an error, rolls back and makes a new Meter.
    pub fn call(&mut self, call: Call, wall: Timestamp) -> Result<serde_json::Value, SqlError> {
        let Meter { sql, memory, organization, .. } = self;
        Memory::loaded(memory, sql, *organization, wall)?.call(sql, *organization, call, wall)
    }

    /// When the shell should wake the Meter: facts wait to be delivered, events to be rolled up, or old keys to be forgotten.
    pub fn alarm_at(&self) -> Option<Timestamp> {
        let memory = self.memory.as_ref()?;
        [memory.facts.due_at(), memory.pruning.due_at(), memory.roll_up.due_at()].into_iter().flatten().min()
    }
}

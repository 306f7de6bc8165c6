//! The audit log's chain: entries in an order that can't be changed afterwards.
//!
//! Owns: the contents of an entry, its canonical text, and the chain. Does not own: when entries are written (`decision.rs`, `platform.rs`)
//! and read (`operations/audit/`).
//! Words: the *log* is an organization's, or `platform`: the vendor's own; the *head* is the last entry's number and hash.
//! Invariants: an entry's hash covers the hash before it and its text; its sequence number is one more than the one before; its time is not
//! earlier; secrets are masked before anything is written.

use std::sync::{Arc, Mutex, PoisonError};

use serde::Deserialize;
use serde_json::{Value as Json, json};
use sha2::{Digest, Sha256};

use super::actor::Actor;
use super::ids::{AuditId, EventId, Moment, OrganizationId, PersonId, RequestId};
use super::masking::masked;
use super::time::Timestamp;
use super::{canonical, sql};

/// The log of the vendor's actions outside of any organization.
pub const PLATFORM: &str = "platform";

/// How often entries are chained again after a concurrent commit has appended. Each time, another commit has succeeded.
pub const TRIES_MAX: usize = 24;

/// An entry to write; the commit adds actor, time and origin.
#[derive(Clone, Debug, PartialEq)]
pub struct Audit {
    /// `resource.verb`, such as `subscription.created`.
    pub action: &'static str,
    pub target: String,
    pub before: Option<Json>,
    pub after: Option<Json>,
}

/// The origin of a request; empty where no request caused the commit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origin {
    pub request: Option<RequestId>,
    /// The client's address, as Cloudflare reports it.
    pub address: Option<String>,
    pub user_agent: Option<String>,
}

/// The party on whose behalf an actor acts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnBehalfOf {
    /// The vendor acts for a customer.
    Organization(OrganizationId),
    /// A step follows from a fact.
    Event(EventId),
    /// The person who created the key or the client.
    Person(PersonId),
}

impl OnBehalfOf {
    fn named(self) -> Json {
        match self {
            Self::Organization(id) => json!({"kind": "organization", "id": id}),
            Self::Event(id) => json!({"kind": "event", "id": id}),
            Self::Person(id) => json!({"kind": "person", "id": id}),
        }
    }
}

/// An actor in the log. The kinds are stored permanently: add some, never rename one.
struct Named {
    kind: &'static str,
    id: Option<String>,
    session: Option<String>,
}

impl Named {
    fn of(actor: &Actor) -> Self {
        let (kind, id) = match actor {
            Actor::Platform => ("platform", None),
            Actor::PlatformKey(key) => ("platform", Some(key.to_string())),
            Actor::ApiKey(key) => ("apiKey", Some(key.to_string())),
            Actor::Person(person, _) => ("person", Some(person.to_string())),
            Actor::Client(client) => ("client", Some(client.to_string())),
            Actor::System(step) => ("system", Some((*step).to_owned())),
        };
        let session = if let Actor::Person(_, session) = actor { Some(session.to_string()) } else { None };
        Self { kind, id, session }
    }

    fn json(&self) -> Json {
        let mut named = json!({"kind": self.kind, "id": self.id});
        if let (Some(session), Some(members)) = (&self.session, named.as_object_mut()) {
            members.insert("session".into(), session.as_str().into());
        }
        named
    }
}

/// The end of a chain.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Head {
    pub sequence: i64,
    pub hash: String,
    #[serde(deserialize_with = "sql::millis::deserialize")]
    pub at: Timestamp,
}

impl Head {
    /// Before the first entry of a log.
    pub fn genesis(log: &str) -> Self {
        Self { sequence: 0, hash: hex(&[b"tenantry-audit-chain-v1\n", log.as_bytes()]), at: Timestamp::from_millis(0) }
    }
}

/// The head of a log as a handle and its copies last read or wrote it. If others have appended since, the next entry fails on its sequence
/// number, and the head is read again.
#[derive(Clone, Debug, Default)]
pub struct KnownHead(Arc<Mutex<Option<Head>>>);

impl KnownHead {
    pub fn get(&self) -> Option<Head> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub fn set(&self, head: Option<Head>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = head;
    }
}

/// A chained entry, as a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    pub sequence: i64,
    pub at: Timestamp,
    pub actor: String,
    pub resource: &'static str,
    pub action: &'static str,
    pub target: String,
    pub entry: String,
    pub hash: String,
}

/// The entries of one commit, complete but for their position in the chain.
pub struct Entries {
    log: String,
    actor: Named,
    at: Timestamp,
    drafts: Vec<(Audit, Json)>,
}

impl Entries {
    /// The actions of `actor`, with the facts that the commit raises.
    pub fn new(
        log: String,
        actor: &Actor,
        behalf: Option<OnBehalfOf>,
        origin: &Origin,
        audit: Vec<Audit>,
        facts: &[EventId],
        moment: Moment<'_>,
    ) -> Self {
        let actor = Named::of(actor);
        let draft = |audit: Audit| {
            let resource = resource(audit.action);
            let entry = json!({
                "$type": "AuditEntry",
                "$id": AuditId::new(moment),
                "log": log,
                "actor": actor.json(),
                "onBehalfOf": behalf.map(OnBehalfOf::named),
                "action": audit.action,
                "target": {"type": resource, "id": audit.target},
                "before": audit.before.clone().map(masked),
                "after": audit.after.clone().map(masked),
                "events": facts,
                "requestId": origin.request,
                "address": origin.address,
                "userAgent": origin.user_agent,
            });
            (audit, entry)
        };
        let drafts = audit.into_iter().map(draft).collect();
        Self { log, actor, at: moment.now, drafts }
    }

    pub fn is_empty(&self) -> bool {
        self.drafts.is_empty()
    }

    /// The rows after `head`, and the last of them as the next head; None is the beginning.
    pub fn after(&self, head: Option<Head>) -> (Vec<Link>, Head) {
        let mut head = head.unwrap_or_else(|| Head::genesis(&self.log));
        let mut links = Vec::with_capacity(self.drafts.len());
        for (audit, draft) in &self.drafts {
            let (sequence, at) = (head.sequence.saturating_add(1), self.at.max(head.at));
            let entry = placed(draft, sequence, at);
            let hash = hex(&[head.hash.as_bytes(), b"\n", entry.as_bytes()]);
            links.push(Link {
                sequence,
                at,
                actor: self.actor.id.clone().unwrap_or_else(|| self.actor.kind.to_owned()),
                resource: resource(audit.action),
                action: audit.action,
                target: audit.target.clone(),
                entry,
                hash: hash.clone(),
            });
            head = Head { sequence, hash, at };
        }
        (links, head)
    }
}

/// The text of a chained entry.
fn placed(draft: &Json, sequence: i64, at: Timestamp) -> String {
    let mut entry = draft.clone();
    if let Some(members) = entry.as_object_mut() {
        members.insert("sequence".into(), sequence.into());
        members.insert("at".into(), at.to_string().into());
    }
    canonical::text(&entry)
}

fn resource(action: &'static str) -> &'static str {
    action.split('.').next().unwrap_or(action)
}

/// Whether a batch failed because another one appended first; `what` names the columns that are unique.
pub fn is_overtaken(what: &str) -> bool {
    what.contains("audit_log.")
}

fn hex(parts: &[&[u8]]) -> String {
    let mut hash = Sha256::new();
    parts.iter().for_each(|part| hash.update(part));
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The statement that appends a link, made by `tenant_sql!` or `platform_sql!`; the latter's first parameter names the log.
macro_rules! append {
    ($sql:ident, $link:expr $(, $log:expr)?) => {
        $crate::$sql!(
            "INSERT INTO audit_log (organization_id, sequence, at, actor, resource, action, target, entry, hash)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
            $($log,)?
            $link.sequence,
            $link.at,
            $link.actor,
            $link.resource,
            $link.action,
            $link.target,
            $link.entry,
            $link.hash
        )
    };
}

/// The statement that reads the head, likewise.
macro_rules! read_head {
    ($sql:ident $(, $log:expr)?) => {
        $crate::$sql!(
            "SELECT organization_id, sequence, hash, at
             FROM audit_log
             WHERE organization_id = ?1
             ORDER BY sequence DESC
             LIMIT 1"
            $(, $log)?
        )
    };
}

pub(super) use {append, read_head};

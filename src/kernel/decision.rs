//! Decisions: the result of a rule, as data, and the one commit that writes it.
//!
//! Owns: the order and atomicity of a commit: guards, rows, events (the outbox), future events, mails, audit, the stored answer.
//! Does not own: the meaning of any of them.
//! Invariant: no message is sent before its commit; a lost message is replaced by the sweep, which finds the row.

use serde_json::Value as Json;

use super::audit::{Audit, Entries};
use super::error::Result;
use super::idempotency::Answer;
use super::ids::{DueId, EventId, MailId};
use super::ports::Message;
use super::tenant::{Tenant, TenantStatement};
use super::time::Timestamp;
use crate::events::Event;
use crate::tenant_sql;

/// A mail that is sent once. `reason` is its idempotency key: a second mail for the same reason is not sent.
#[derive(Clone, Debug, PartialEq)]
pub struct Mail {
    pub to: String,
    pub template: &'static str,
    pub reason: String,
    pub data: Json,
}

/// The contents of one commit, all or nothing.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Decision {
    guards: Vec<TenantStatement>,
    writes: Vec<TenantStatement>,
    events: Vec<Event>,
    later: Vec<(Timestamp, Event)>,
    mails: Vec<Mail>,
    audit: Vec<Audit>,
}

impl Decision {
    pub fn new() -> Self {
        Self::default()
    }

    /// A statement that violates `CHECK (fresh = 1)` when a read row has changed.
    #[must_use]
    pub fn guard(mut self, guard: TenantStatement) -> Self {
        self.guards.push(guard);
        self
    }

    #[must_use]
    pub fn write(mut self, write: TenantStatement) -> Self {
        self.writes.push(write);
        self
    }

    /// Several writes, in order.
    #[must_use]
    pub fn write_all(mut self, writes: impl IntoIterator<Item = TenantStatement>) -> Self {
        self.writes.extend(writes);
        self
    }

    /// A fact that this commit makes true.
    #[must_use]
    pub fn raise(mut self, event: impl Into<Event>) -> Self {
        self.events.push(event.into());
        self
    }

    /// A fact that will be true at `at`, in the organization's time.
    #[must_use]
    pub fn later(mut self, at: Timestamp, event: impl Into<Event>) -> Self {
        self.later.push((at, event.into()));
        self
    }

    #[must_use]
    pub fn mail(mut self, mail: Mail) -> Self {
        self.mails.push(mail);
        self
    }

    /// An entry of the audit log. Secrets in `before` and `after` are masked, so that a mistake here leaks nothing.
    #[must_use]
    pub fn audit(mut self, action: &'static str, target: impl Into<String>, before: Option<Json>, after: Option<Json>) -> Self {
        self.audit.push(Audit { action, target: target.into(), before, after });
        self
    }

    /// Whether the commit raises facts, which may have steps.
    pub fn raises(&self) -> bool {
        !self.events.is_empty()
    }

    /// Whether the commit does more than schedule facts and mails.
    pub fn changes(&self) -> bool {
        !(self.guards.is_empty() && self.writes.is_empty() && self.events.is_empty() && self.audit.is_empty())
    }

    /// Both decisions in one commit.
    #[must_use]
    pub fn and(mut self, other: Decision) -> Self {
        self.guards.extend(other.guards);
        self.writes.extend(other.writes);
        self.events.extend(other.events);
        self.later.extend(other.later);
        self.mails.extend(other.mails);
        self.audit.extend(other.audit);
        self
    }
}

impl Tenant {
    /// Commits a decision in one batch. `answer` is stored under the request's idempotency key in the same batch. Sends the queue messages
    /// afterwards; the sweep replaces lost ones.
    pub async fn commit(&self, decision: Decision, answer: Option<&Answer>) -> Result<()> {
        self.record(decision, answer, |_| true).await
    }

    /// The same for a caller that runs the raised facts itself: no message is sent for them. If the caller is interrupted, the sweep runs
    /// them.
    pub async fn commit_to_run(&self, decision: Decision) -> Result<()> {
        self.record(decision, None, |message| !matches!(message, Message::Event { .. })).await
    }

    async fn record(&self, decision: Decision, answer: Option<&Answer>, is_wanted: fn(&Message) -> bool) -> Result<()> {
        let mut messages = Vec::new();
        let (batch, entries) = self.statements(decision, answer, &mut messages);
        if batch.is_empty() && entries.is_empty() {
            return Ok(());
        }
        self.run_audited(batch, &entries).await?;
        messages.retain(is_wanted);
        if !messages.is_empty() {
            // Best effort: the rows are committed, and the minute's sweep replaces lost messages.
            let _sent = self.app().queues.send(messages).await;
        }
        Ok(())
    }

    fn statements(&self, decision: Decision, answer: Option<&Answer>, messages: &mut Vec<Message>) -> (Vec<TenantStatement>, Entries) {
        let moment = self.moment();
        let mut batch = decision.guards;
        let mut facts = Vec::new();
        batch.extend(decision.writes);
        for event in decision.events {
            let id = EventId::new(moment);
            batch.push(record_event(id, &event, moment.now, self.app().moment().now));
            messages.push(Message::Event { organization: self.organization(), event: id });
            facts.push(id);
        }
        for (due_at, event) in decision.later {
            batch.push(record_due(DueId::new(moment), due_at, &event, self));
        }
        for mail in decision.mails {
            let id = MailId::derived(&[&self.organization().to_string(), &mail.reason]);
            batch.push(record_mail(id, &mail, moment.now, self.app().moment().now));
            messages.push(Message::Mail { organization: self.organization(), mail: id });
        }
        if let Some(answer) = answer {
            batch.extend(answer.record(self.actor(), self.app().moment().now));
        }
        let log = self.organization().to_string();
        (batch, Entries::new(log, self.actor(), self.behalf(), &self.origin(), decision.audit, &facts, moment))
    }
}

/// The row of an event in the outbox. `occurred_at` is the organization's time, `recorded_at` the wall clock's, which the sweep uses.
pub fn record_event(id: EventId, event: &Event, occurred_at: Timestamp, recorded_at: Timestamp) -> TenantStatement {
    tenant_sql!(
        "INSERT INTO events (organization_id, id, type, version, data, occurred_at, recorded_at, next_attempt_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?7)
         ON CONFLICT DO NOTHING",
        id,
        event.wire_name(),
        i64::from(event.version()),
        event.data().to_string(),
        occurred_at,
        recorded_at
    )
}

fn record_due(id: DueId, due_at: Timestamp, event: &Event, tenant: &Tenant) -> TenantStatement {
    tenant_sql!(
        "INSERT INTO due_events (organization_id, id, due_at, type, version, data, test_clock_id)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        id,
        due_at,
        event.wire_name(),
        i64::from(event.version()),
        event.data().to_string(),
        tenant.test_clock()
    )
}

fn record_mail(id: MailId, mail: &Mail, created_at: Timestamp, recorded_at: Timestamp) -> TenantStatement {
    tenant_sql!(
        "INSERT INTO mails (organization_id, id, recipient, template, reason, data, created_at, next_attempt_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
         ON CONFLICT DO NOTHING",
        id,
        mail.to.as_str(),
        mail.template,
        mail.reason.as_str(),
        mail.data.to_string(),
        created_at,
        recorded_at
    )
}

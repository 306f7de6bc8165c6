//! The ports: all that the business needs from the outside. The edge gives Cloudflare's, `tests/it/support` gives twins.

use std::sync::Arc;

use futures::future::BoxFuture;
use serde::{Deserialize, Serialize};

use super::audit::Origin;
use super::error::Result;
use super::ids::{Entropy, EventId, LoginId, MailId, Moment, OrganizationId, SubscriptionId};
use super::memory::Memory;
use super::placement::Placement;
use super::sql::Sql;
use super::time::Timestamp;

/// The wall clock, asked once per request at the edge of the core.
pub trait Clock: Send + Sync {
    fn now(&self) -> Timestamp;
}

/// What is sent to a queue: a nudge to look at a committed row. Losing one loses nothing, the sweep finds the row.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "message", rename_all_fields = "camelCase")]
pub enum Message {
    #[serde(rename = "event.v1")]
    Event { organization: OrganizationId, event: EventId },
    #[serde(rename = "mail.v1")]
    Mail { organization: OrganizationId, mail: MailId },
    /// Bill what is due for one subscription.
    #[serde(rename = "billing.v1")]
    Billing { organization: OrganizationId, subscription: SubscriptionId },
    /// Send a message for each subscription that is due on one page, and one for the next page. `billing_run` writes and reads what a
    /// page is.
    #[serde(rename = "billingPage.v1")]
    BillingPage(serde_json::Map<String, serde_json::Value>),
    /// Go on with what is done for one organization bit by bit.
    #[serde(rename = "work.v1")]
    Work { organization: OrganizationId, work: Work },
    /// Mail the code of one login.
    #[serde(rename = "login.v1")]
    Login { login: LoginId },
    /// Asks for nothing: `/healthz` sees that the queue takes messages.
    #[serde(rename = "probe.v1")]
    Probe {},
}

impl Message {
    /// Whose rows it is about; nobody's when it is about the directory, or about all.
    pub fn organization(&self) -> Option<OrganizationId> {
        match self {
            Self::Event { organization, .. }
            | Self::Mail { organization, .. }
            | Self::Billing { organization, .. }
            | Self::Work { organization, .. } => Some(*organization),
            Self::BillingPage(_) | Self::Login { .. } | Self::Probe {} => None,
        }
    }
}

/// Work that takes longer than a request may, done in bounded steps; where it stands is in a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Work {
    Erasure,
    Move,
    Export,
}

pub trait Queues: Send + Sync {
    fn send(&self, messages: Vec<Message>) -> BoxFuture<'_, Result<()>>;
}

/// The Meters: one strongly consistent object per organization. A call is JSON, so that the object can be elsewhere.
pub trait Meters: Send + Sync {
    /// Runs a call of `meter::contract::Call` and gives its reply, both as JSON text.
    fn call(&self, organization: OrganizationId, call: String) -> BoxFuture<'_, Result<String>>;

    /// Serves a hot request whose caller is already verified; both as `HotRequest` and `HotReply` write them.
    fn serve(&self, organization: OrganizationId, request: String) -> BoxFuture<'_, Result<String>>;
}

/// Which of the pending facts are run: those whose pause after a failure is over, or all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pending {
    Due,
    All,
}

/// What remains after the facts were run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Remaining {
    Nothing,
    /// Steps that failed wait for their next attempt.
    Failures,
}

/// What follows from a commit. `business` knows it; whoever commits asks for it by `follow_up.rs`, so that nobody imports `business` for
/// it.
pub trait FollowUp: Send + Sync {
    /// Runs the pending facts of the organization at `placement`, and what follows from those, until nothing remains or a step fails.
    fn run(&self, app: App, placement: Placement, pending: Pending) -> BoxFuture<'_, Result<Remaining>>;

    /// Finishes a sign-up that was cut off after it had entered the directory.
    fn finish_sign_up(&self, app: App, organization: OrganizationId) -> BoxFuture<'_, Result<()>>;
}

/// Gapless numbers of a series: the invoices of one seller, or its credit notes. The same document always gets the same number.
pub trait InvoiceNumbers: Send + Sync {
    fn number<'a>(&'a self, series: &'static str, document: &'a str) -> BoxFuture<'a, Result<u64>>;
}

/// The bindings that only the edge knows, each with whether it answers; for `/healthz`.
pub trait Probes: Send + Sync {
    fn probe(&self) -> BoxFuture<'_, Vec<(&'static str, bool)>>;
}

/// The font files of the build, by their names; `index.json` says what each can show. `crates/documents` names those that a document needs.
pub trait Fonts: Send + Sync {
    fn load<'a>(&'a self, file: &'a str) -> BoxFuture<'a, Result<Arc<[u8]>>>;
}

/// What one text is encrypted under. A nonce is used once with a key; the context is not stored and must be the same again.
#[derive(Clone, Copy)]
pub struct Lock<'a> {
    pub key: &'a [u8; 32],
    pub nonce: &'a [u8; 12],
    pub context: &'a [u8],
}

/// AES-256-GCM. `sealing` says what is kept under which key; nobody else calls this.
pub trait Sealing: Send + Sync {
    /// Ciphertext and tag.
    fn encrypt<'a>(&'a self, lock: Lock<'a>, plain: &'a [u8]) -> BoxFuture<'a, Result<Vec<u8>>>;

    /// None for what was not encrypted under this lock.
    fn decrypt<'a>(&'a self, lock: Lock<'a>, sealed: &'a [u8]) -> BoxFuture<'a, Result<Option<Vec<u8>>>>;
}

/// Sends one mail. The mail's id makes a repeated call harmless.
pub trait Mailer: Send + Sync {
    fn send(&self, mail: OutgoingMail) -> BoxFuture<'_, Result<()>>;
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OutgoingMail {
    pub id: MailId,
    pub organization: OrganizationId,
    pub to: String,
    pub template: String,
    pub subject: String,
    pub text: String,
    pub html: String,
    pub data: serde_json::Value,
    pub sent_at: Timestamp,
}

/// What the operator configured.
#[derive(Clone)]
pub struct Settings {
    /// MAC key of all credentials that authenticate themselves.
    pub secret: Vec<u8>,
    /// The secrets that wrap every sealing key, newest first: the first one wraps, all of them unwrap.
    pub master_secrets: Vec<Vec<u8>>,
    /// SHA-256 (hex) of the root platform key; what is no hash refuses it.
    pub root_platform_key_hash: String,
    /// True under `wrangler dev` only: opens `/dev/*`.
    pub development: bool,
    /// Where links in mails lead to.
    pub app_url: String,
    /// Where we are reached from outside: the issuer of access tokens. Without a slash at the end.
    pub api_url: String,
}

/// Everything outside, bundled; made once per event at the edge.
pub struct Ports {
    pub directory: Arc<dyn Sql>,
    pub shards: Vec<Arc<dyn Sql>>,
    pub meters: Arc<dyn Meters>,
    pub invoice_numbers: Arc<dyn InvoiceNumbers>,
    pub queues: Arc<dyn Queues>,
    pub follow_up: Arc<dyn FollowUp>,
    pub mailer: Arc<dyn Mailer>,
    pub sealing: Arc<dyn Sealing>,
    pub fonts: Arc<dyn Fonts>,
    pub probes: Arc<dyn Probes>,
    pub clock: Arc<dyn Clock>,
    pub entropy: Arc<dyn Entropy>,
    /// What this isolate knows from earlier events.
    pub memory: Arc<Memory>,
    pub settings: Settings,
}

/// The ports and where the event comes from, shared by all that handles it.
#[derive(Clone)]
pub struct App {
    ports: Arc<Ports>,
    origin: Arc<Origin>,
}

impl App {
    pub fn new(ports: Ports) -> Self {
        Self { ports: Arc::new(ports), origin: Arc::default() }
    }

    /// The same ports, for a request.
    #[must_use]
    pub fn serving(&self, origin: Origin) -> Self {
        Self { origin: Arc::new(origin), ..self.clone() }
    }

    /// Where the request comes from; empty for crons and queues.
    pub fn origin(&self) -> &Origin {
        &self.origin
    }

    /// The wall clock's moment. An organization on a test clock has its own, see `Tenant::moment`.
    pub fn moment(&self) -> Moment<'_> {
        Moment { now: self.ports.clock.now(), entropy: self.ports.entropy.as_ref() }
    }
}

impl std::ops::Deref for App {
    type Target = Ports;
    fn deref(&self) -> &Ports {
        &self.ports
    }
}

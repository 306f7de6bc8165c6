//! The entries of an audit log as the API returns them.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::store::Row;
use crate::kernel::audit::Head;
use crate::kernel::error::{Error, Result};
use crate::kernel::time::Timestamp;

/// An entry of the audit log. The hash covers all members but `hash`, as canonical JSON.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = AuditEntry)]
pub struct EntryView {
    #[serde(rename = "$type")]
    pub type_name: String,
    /// The id of the entry.
    #[serde(rename = "$id")]
    #[schema(example = "aud_01h2xcejqtf2nbrexx3vqjhp41")]
    pub id: String,
    /// The id of the log's organization, or `platform`.
    #[schema(example = "org_01h2xcejqtf2nbrexx3vqjhp41")]
    pub log: String,
    /// The sequence number in the log: 1, 2, 3 and so on, without a gap.
    #[schema(example = 42)]
    pub sequence: i64,
    /// The time of the commit, in the organization's time. Never earlier than the entry before.
    pub at: Timestamp,
    /// The actor of the commit.
    pub actor: ActorView,
    /// The organization that the vendor acted for, the fact that caused a step, or the person who created the key.
    pub on_behalf_of: Option<BehalfView>,
    /// The action, as `resource.verb`.
    #[schema(example = "apiKey.created")]
    pub action: String,
    /// The changed resource.
    pub target: TargetView,
    /// The changed members before the commit. Secrets are shown as `***`.
    #[schema(value_type = Option<Object>)]
    pub before: Option<Value>,
    /// The changed members after the commit. Secrets are shown as `***`.
    #[schema(value_type = Option<Object>)]
    pub after: Option<Value>,
    /// The ids of the facts that the commit raised. The entries of their steps name them in `onBehalfOf`.
    #[schema(example = json!(["evt_01h2xcejqtf2nbrexx3vqjhp41"]))]
    pub events: Vec<String>,
    /// The `Request-Id` of the request; null where no request caused the commit.
    #[schema(example = "req_01h2xcejqtf2nbrexx3vqjhp41")]
    pub request_id: Option<String>,
    /// The IP address of the client.
    #[schema(example = "203.0.113.7")]
    pub address: Option<String>,
    /// The `User-Agent` of the request.
    #[schema(example = "curl/8.5.0")]
    pub user_agent: Option<String>,
    /// The SHA-256, in hex, of the hash of the entry before, a line feed, and this entry.
    #[schema(example = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08")]
    #[serde(default)]
    pub hash: String,
}

/// The actor of a commit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = AuditActor)]
pub struct ActorView {
    /// `platform`, `apiKey`, `person`, `client` or `system`.
    #[schema(example = "apiKey")]
    pub kind: String,
    /// The id of the key, person or client, or the name of the step; null for the vendor's root key.
    #[schema(example = "key_01h2xcejqtf2nbrexx3vqjhp41")]
    pub id: Option<String>,
    /// The id of the session, for a person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "sess_01h2xcejqtf2nbrexx3vqjhp41")]
    pub session: Option<String>,
}

/// The party on whose behalf the actor acted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = AuditBehalf)]
pub struct BehalfView {
    /// `organization`, `event` or `person`.
    #[schema(example = "person")]
    pub kind: String,
    /// The id of the organization, fact or person.
    #[schema(example = "user_01h2xcejqtf2nbrexx3vqjhp41")]
    pub id: String,
}

/// The changed resource.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = AuditTarget)]
pub struct TargetView {
    /// The resource of the action.
    #[serde(rename = "type")]
    #[schema(example = "apiKey")]
    pub type_name: String,
    /// The id of the resource, or its name where it has no id.
    #[schema(example = "key_01h2xcejqtf2nbrexx3vqjhp41")]
    pub id: String,
}

impl EntryView {
    pub fn read(row: &Row) -> Result<Self> {
        let view: Self = serde_json::from_str(&row.entry).map_err(|error| Error::internal(format!("entry {}: {error}", row.sequence)))?;
        Ok(Self { hash: row.hash.clone(), ..view })
    }
}

/// The head of an audit log. A stored head shows later whether an earlier entry was changed or removed.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[schema(as = AuditLogHead)]
pub struct HeadView {
    #[serde(rename = "$type")]
    pub type_name: &'static str,
    /// The id of the log's organization, or `platform`.
    #[schema(example = "org_01h2xcejqtf2nbrexx3vqjhp41")]
    pub log: String,
    /// The sequence number of the newest entry; 0 for an empty log.
    #[schema(example = 42)]
    pub sequence: i64,
    /// The hash of the newest entry, in hex; for an empty log the hash with which it begins.
    #[schema(example = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08")]
    pub hash: String,
}

impl HeadView {
    pub fn new(log: String, head: Head) -> Self {
        Self { type_name: "AuditLogHead", log, sequence: head.sequence, hash: head.hash }
    }
}

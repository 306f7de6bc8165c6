//! Entries as clients read them.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::store::Row;
use crate::kernel::audit::Head;
use crate::kernel::error::{Error, Result};
use crate::kernel::time::Timestamp;

/// An entry of the audit log. All but `hash` is what the hash is of, as canonical JSON.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = AuditEntry)]
pub struct EntryView {
    #[serde(rename = "$type")]
    pub type_name: String,
    #[serde(rename = "$id")]
    pub id: String,
    /// The organization whose log this is, or `platform`.
    pub log: String,
    /// 1, 2, 3 and so on, without a gap.
    pub sequence: i64,
    /// When it was committed, in the organization's time. Never goes back.
    pub at: Timestamp,
    pub actor: ActorView,
    /// The organization that the vendor acted for, the fact that a step follows from, or the person who made the key.
    pub on_behalf_of: Option<BehalfView>,
    /// `resource.verb`.
    #[schema(example = "apiKey.created")]
    pub action: String,
    pub target: TargetView,
    /// What was, as far as it changed. Secrets are shown as `***`.
    #[schema(value_type = Option<Object>)]
    pub before: Option<Value>,
    /// What is.
    #[schema(value_type = Option<Object>)]
    pub after: Option<Value>,
    /// The facts that became true with it; what follows from them names them in `onBehalfOf`.
    pub events: Vec<String>,
    /// `Request-Id` of the request; null when no request asked for it.
    pub request_id: Option<String>,
    /// Where the request came from.
    pub address: Option<String>,
    pub user_agent: Option<String>,
    /// SHA-256, in hex, of the hash before it, a line feed, and the entry.
    #[serde(default)]
    pub hash: String,
}

/// Who did it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = AuditActor)]
pub struct ActorView {
    /// `platform`, `apiKey`, `person`, `client` or `system`.
    pub kind: String,
    /// The id of the key, person or client, or the name of the step. The vendor's root key has none.
    pub id: Option<String>,
    /// A person's session.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<String>,
}

/// On whose behalf.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = AuditBehalf)]
pub struct BehalfView {
    /// `organization`, `event` or `person`.
    pub kind: String,
    pub id: String,
}

/// To what.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = AuditTarget)]
pub struct TargetView {
    /// The resource of the action.
    #[serde(rename = "type")]
    pub type_name: String,
    /// Its id, or its name where it has none.
    pub id: String,
}

impl EntryView {
    pub fn read(row: &Row) -> Result<Self> {
        let view: Self = serde_json::from_str(&row.entry).map_err(|error| Error::internal(format!("entry {}: {error}", row.sequence)))?;
        Ok(Self { hash: row.hash.clone(), ..view })
    }
}

/// The end of an audit log. Whoever keeps it can tell later whether anything before it was changed or dropped.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[schema(as = AuditLogHead)]
pub struct HeadView {
    #[serde(rename = "$type")]
    pub type_name: &'static str,
    /// The organization whose log this is, or `platform`.
    pub log: String,
    /// The newest entry's number; 0 when there is none.
    pub sequence: i64,
    /// Its hash; before the first entry that with which the log begins.
    pub hash: String,
}

impl HeadView {
    pub fn new(log: String, head: Head) -> Self {
        Self { type_name: "AuditLogHead", log, sequence: head.sequence, hash: head.hash }
    }
}

//! How an organization's end reaches its Meter: first its keys may not write, at last everything is forgotten.
//!
//! Invariant: an erased Meter keeps one row, which says so; no call that comes late brings anything back.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::replies::{refused, reply};
use super::{Memory, schema};
use crate::identity::callers::status::refusal;
use crate::identity::permissions::Permission;
use crate::kernel::ids::OrganizationId;
use crate::kernel::organization::Status;
use crate::kernel::problem::Problem;
use crate::kernel::sql::{LocalSql, SqlError};
use crate::meter::contract::{Call, ClosingCommit, Closings, CurrentUsage, Done, Erased, ExportPage, HotCaller, PendingFacts, RolledUp};

const STATUS: &str = "status";

/// What the Meter was told of the organization's status.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub(super) struct Standing {
    version: i64,
    status: Option<Status>,
}

impl Standing {
    pub fn load<S: LocalSql>(sql: &S) -> Result<Self, SqlError> {
        schema::setting(sql, STATUS)?.map_or(Ok(Self::default()), |text| schema::parse(STATUS, &text))
    }

    /// Keeps what is newer than what is known.
    pub fn put<S: LocalSql>(&mut self, sql: &S, version: i64, status: Status) -> Result<(), SqlError> {
        if self.status.is_none() || self.version < version {
            *self = Self { version, status: Some(status) };
            schema::set(sql, STATUS, schema::json(self)?)?;
        }
        Ok(())
    }

    /// The organization's own keys only read while it is suspended or cancelled; the vendor may do everything.
    pub fn permits(&self, caller: &HotCaller<'_>, permission: Permission) -> Result<(), Problem> {
        match (caller, permission) {
            (HotCaller::Header(_), Permission::UsageWrite) => self.status.and_then(refusal).map_or(Ok(()), Err),
            _ => Ok(()),
        }
    }
}

impl Memory {
    pub fn put_status<S: LocalSql>(&mut self, sql: &S, version: i64, status: Status) -> Result<Value, SqlError> {
        self.create_tables(sql)?;
        self.standing.put(sql, version, status)?;
        reply(&Done {})
    }

    /// Forgets everything but that it did.
    pub fn erase<S: LocalSql>(&mut self, sql: &S, organization: OrganizationId) -> Result<Value, SqlError> {
        let rows = schema::erase(sql)?;
        *self = Self::empty(organization, true);
        reply(&Erased { rows })
    }
}

/// What an erased Meter says: as one that was never told anything.
pub(super) fn erased(call: &Call) -> Result<Value, SqlError> {
    match call {
        Call::Erase => reply(&Erased::default()),
        Call::PendingFacts => reply(&PendingFacts::default()),
        Call::RollUp => reply(&RolledUp::default()),
        Call::CurrentUsage => reply(&CurrentUsage::default()),
        Call::Closings { .. } => reply(&Closings::default()),
        Call::ClosingCommit { .. } => reply(&ClosingCommit::default()),
        Call::ExportEvents { .. } | Call::ExportProof { .. } => reply(&ExportPage::default()),
        Call::SetClock { .. } | Call::Prune | Call::AcknowledgeFacts { .. } | Call::AcknowledgeBuckets { .. } => reply(&Done {}),
        _ => refused("not_configured", "This Meter's organization was erased."),
    }
}

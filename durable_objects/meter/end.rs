//! How an organization's end reaches its Meter: first its keys may not write, at last everything is forgotten.
//!
//! Invariant: an erased Meter keeps one row, which says so; no call that comes late brings anything back.

use serde_json::Value;

use super::memory::Memory;
use super::replies::{refused, reply};
use super::schema;
use crate::kernel::ids::OrganizationId;
use crate::kernel::sql::{LocalSql, SqlError};
use crate::meter::contract::{Call, ClosingCommit, Closings, CurrentUsage, Done, Erased, ExportPage, PendingFacts, RolledUp};

impl Memory {
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

//! Erasure: everything that the Meter stores of an organization is deleted for good.
//!
//! Invariant: an erased Meter keeps one row, which marks it as erased; no late call stores anything again.

use serde_json::Value;

use super::memory::Memory;
use super::replies::{refused, reply};
use super::schema;
use crate::kernel::ids::OrganizationId;
use crate::kernel::sql::{LocalSql, SqlError};
use crate::meter::contract::{Call, ClosingCommit, Closings, CurrentUsage, Done, Erased, ExportPage, PendingFacts, RolledUp};

impl Memory {
    /// Deletes everything and keeps the mark that the Meter was erased.
    pub fn erase<S: LocalSql>(&mut self, sql: &S, organization: OrganizationId) -> Result<Value, SqlError> {
        let rows = schema::erase(sql)?;
        *self = Self::empty(organization, true);
        reply(&Erased { rows })
    }
}

/// The reply of an erased Meter: that of a Meter which was never configured.
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

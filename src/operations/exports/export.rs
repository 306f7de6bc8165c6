//! An export.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::kernel::ids::ExportId;
use crate::kernel::problem::Problem;
use crate::kernel::time::Timestamp;

/// The status of an export; only a `done` one can be downloaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = ExportStatus)]
pub enum Status {
    Queued,
    Running,
    Done,
    Failed,
}

/// Where the next step of an export continues.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "in", rename_all = "camelCase")]
pub enum Position {
    /// After this row of this table; in the first table when it is None.
    Tables { table: Option<String>, after: Option<Vec<Value>> },
    /// After this commit of the Meter's log.
    Usage { after: u64 },
    /// Only the summary is missing.
    Summary,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Export {
    pub id: ExportId,
    pub status: Status,
    pub created_at: Timestamp,
    pub finished_at: Option<Timestamp>,
    pub expires_at: Option<Timestamp>,
    pub position: Position,
    pub counts: BTreeMap<String, u64>,
    pub rows_expected: u64,
    pub rows_written: u64,
    pub chunks: u32,
    pub bytes: u64,
    pub digest: String,
    pub attempts: u32,
    /// The end of the pause after a failure.
    pub next_attempt_at: Option<Timestamp>,
    pub version: i64,
}

impl Export {
    pub fn is_finished(&self) -> bool {
        matches!(self.status, Status::Done | Status::Failed)
    }

    /// Checks that the export can be downloaded.
    pub fn check_is_done(&self, now: Timestamp) -> Result<(), Problem> {
        match self.status {
            Status::Queued | Status::Running => {
                Err(Problem::conflict("export_not_done", "The export is not finished. Retry when its status is done."))
            }
            Status::Failed => Err(Problem::conflict("export_failed", "The export failed. Create another one with POST /v1/exports.")),
            Status::Done if self.expires_at.is_some_and(|expires_at| expires_at <= now) => {
                let detail = "The content of an export is deleted after 7 days. Create another export with POST /v1/exports.";
                Err(Problem::new(410, "export_expired", "The export has expired", detail))
            }
            Status::Done => Ok(()),
        }
    }
}

//! The organization's status, as the Meter knows it.

use serde::{Deserialize, Serialize};

use super::schema;
use crate::identity::callers::status::refusal;
use crate::identity::permissions::Permission;
use crate::kernel::organization::Status;
use crate::kernel::problem::Problem;
use crate::kernel::sql::{LocalSql, SqlError};
use crate::meter::wire::HotCaller;

const STATUS: &str = "status";

/// The last status that the Worker sent, with its version.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub(super) struct KnownStatus {
    version: i64,
    status: Option<Status>,
}

impl KnownStatus {
    pub fn load<S: LocalSql>(sql: &S) -> Result<Self, SqlError> {
        schema::setting(sql, STATUS)?.map_or(Ok(Self::default()), |text| schema::parse(STATUS, &text))
    }

    /// Keeps a status that is newer than the known one.
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

//! The seats as the Meter knows them.

use serde::{Deserialize, Serialize};

use super::schema;
use crate::kernel::ids::ReservationId;
use crate::kernel::problem::Problem;
use crate::kernel::sql::{LocalSql, SqlError};

/// The name of the setting that keeps them.
pub(super) const SETTING: &str = "seats";

/// The Worker's last numbers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Seats {
    pub version: i64,
    pub(super) members: u32,
    /// Whether there ever was a member: `users` is the number of members from then on.
    pub is_counted: bool,
}

impl Seats {
    pub fn load<S: LocalSql>(sql: &S) -> Result<Self, SqlError> {
        schema::setting(sql, SETTING)?.map_or(Ok(Self::default()), |text| schema::parse(SETTING, &text))
    }

    pub(super) fn store<S: LocalSql>(&self, sql: &S) -> Result<(), SqlError> {
        schema::set(sql, SETTING, schema::json(self)?)
    }
}

/// Whether this is a seat: seats have derived ids, and no client's reservation has one.
pub(super) fn is_seat(id: ReservationId) -> bool {
    let [_, _, _, _, _, _, version, ..] = id.to_bytes();
    version >> 4 == 8
}

/// The refusal of every other way to count members.
pub(super) fn counted_here(metric: &str) -> Problem {
    let detail = format!("{metric} is the number of members, which is counted here. Invite or remove members instead of recording it.");
    Problem::conflict("metric_is_counted", detail)
}

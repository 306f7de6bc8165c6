//! The routes of the hot path, and the permission that each needs.

use super::bodies::{read_batch, read_cloud_events, read_event, read_reserve, read_settle, reservation_id};
use super::outcome::Mode;
use super::queries::{parameters, read_quota};
use super::requests::Operation;
use super::rules::Rules;
use crate::identity::permissions::Permission;
use crate::kernel::problem::Problem;
use crate::meter::hot_paths;
use crate::meter::hot_paths::Hot;
use crate::meter::wire::HotRequest;

/// The endpoint of a request, and the name or id in its path.
pub(super) struct Route<'a> {
    hot: Hot,
    name: &'a str,
}

impl<'a> Route<'a> {
    pub fn of(method: &str, path: &'a str) -> Result<Self, Problem> {
        hot_paths::find(method, path).map(|(hot, name)| Self { hot, name })
    }

    pub fn permission(&self) -> Permission {
        match self.hot {
            Hot::CheckQuota | Hot::ReadUsage | Hot::ReadReservation => Permission::UsageRead,
            Hot::RecordUsage
            | Hot::ConsumeUsage
            | Hot::RecordBatch
            | Hot::RecordEvents
            | Hot::CreateReservation
            | Hot::ReleaseReservation
            | Hot::SettleReservation => Permission::UsageWrite,
        }
    }

    /// Reads the operation. A CloudEvents type is replaced by the metric that it counts as in `rules`.
    pub fn read<'b>(&self, hot: &'b HotRequest<'b>, path: &str, query: &str, rules: &Rules) -> Result<Operation<'b>, Problem> {
        match self.hot {
            Hot::RecordUsage => read_event(hot, Mode::Usage).map(Operation::Event),
            Hot::ConsumeUsage => read_event(hot, Mode::Consumption).map(Operation::Event),
            Hot::RecordBatch => read_batch(hot, path).map(Operation::Batch),
            Hot::RecordEvents => read_cloud_events(hot, path, rules),
            Hot::CheckQuota => read_quota(self.name, query),
            Hot::ReadUsage => parameters(query, &[]).map(|_| Operation::Summary),
            Hot::CreateReservation => read_reserve(hot, path).map(Operation::Reserve),
            Hot::SettleReservation => read_settle(hot, path, self.name).map(Operation::Settle),
            Hot::ReleaseReservation => reservation_id(self.name).map(Operation::Release),
            Hot::ReadReservation => reservation_id(self.name).map(Operation::Reservation),
        }
    }
}

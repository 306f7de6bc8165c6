//! The routes of the hot path, and the permission that each needs.

use super::bodies::{read_batch, read_cloud_events, read_event, read_reserve, read_settle, reservation_id};
use super::outcome::Mode;
use super::plan::Plan;
use super::queries::{parameters, read_quota};
use super::requests::Ask;
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

    /// Reads the question. A CloudEvents type is already the metric that it counts as in `plan`.
    pub fn ask<'b>(&self, hot: &'b HotRequest<'b>, path: &str, query: &str, plan: &Plan) -> Result<Ask<'b>, Problem> {
        match self.hot {
            Hot::RecordUsage => read_event(hot, Mode::Usage).map(Ask::Event),
            Hot::ConsumeUsage => read_event(hot, Mode::Consumption).map(Ask::Event),
            Hot::RecordBatch => read_batch(hot, path).map(Ask::Batch),
            Hot::RecordEvents => read_cloud_events(hot, path, plan),
            Hot::CheckQuota => read_quota(self.name, query),
            Hot::ReadUsage => parameters(query, &[]).map(|_| Ask::Summary),
            Hot::CreateReservation => read_reserve(hot, path).map(Ask::Reserve),
            Hot::SettleReservation => read_settle(hot, path, self.name).map(Ask::Settle),
            Hot::ReleaseReservation => reservation_id(self.name).map(Ask::Release),
            Hot::ReadReservation => reservation_id(self.name).map(Ask::Reservation),
        }
    }
}

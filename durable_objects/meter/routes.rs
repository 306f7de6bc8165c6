//! The routes of the hot path, and the permission that each needs.

use super::bodies::{read_batch, read_cloud_events, read_event, read_reserve, read_settle, reservation_id};
use super::outcome::Mode;
use super::plan::Plan;
use super::queries::{parameters, read_quota};
use super::requests::Ask;
use crate::identity::callers::permissions::Permission;
use crate::kernel::problem::Problem;
use crate::meter::wire::HotRequest;

pub(super) enum Route<'a> {
    Event(Mode),
    Batch,
    CloudEvents,
    Quota(&'a str),
    Summary,
    Reserve,
    Settle(&'a str),
    Release(&'a str),
    Reservation(&'a str),
}

impl<'a> Route<'a> {
    pub fn of(method: &str, path: &'a str) -> Result<Self, Problem> {
        let rest = path.strip_prefix("/v1/").unwrap_or_default();
        let name = |prefix: &str| rest.strip_prefix(prefix).filter(|name| !name.is_empty() && !name.contains('/'));
        match (method, rest) {
            ("POST", "usage/consumption") => return Ok(Self::Event(Mode::Consumption)),
            ("POST", "usage") => return Ok(Self::Event(Mode::Usage)),
            ("POST", "usage/batch") => return Ok(Self::Batch),
            ("POST", "events") => return Ok(Self::CloudEvents),
            ("POST", "reservations") => return Ok(Self::Reserve),
            ("GET", "usage") => return Ok(Self::Summary),
            (_, "usage") => return Err(method_not_allowed("GET, POST")),
            (_, "usage/consumption" | "usage/batch" | "events" | "reservations") => return Err(method_not_allowed("POST")),
            _ => {}
        }
        let settled = rest
            .strip_suffix("/settlement")
            .and_then(|rest| rest.strip_prefix("reservations/"))
            .filter(|id| !id.is_empty() && !id.contains('/'));
        match (method, name("quotas/"), name("reservations/"), settled) {
            ("GET", Some(metric), _, _) => Ok(Self::Quota(metric)),
            ("GET", _, Some(id), _) => Ok(Self::Reservation(id)),
            ("DELETE", _, Some(id), _) => Ok(Self::Release(id)),
            ("POST", _, _, Some(id)) => Ok(Self::Settle(id)),
            (_, Some(_), _, _) => Err(method_not_allowed("GET")),
            (_, _, Some(_), _) => Err(method_not_allowed("GET, DELETE")),
            (_, _, _, Some(_)) => Err(method_not_allowed("POST")),
            _ => Err(Problem::not_found("resource")),
        }
    }

    pub fn permission(&self) -> Permission {
        match self {
            Self::Quota(_) | Self::Summary | Self::Reservation(_) => Permission::UsageRead,
            _ => Permission::UsageWrite,
        }
    }

    /// Reads what is asked. A CloudEvents type is already the metric that it counts as in `plan`.
    pub fn ask<'b>(&self, hot: &'b HotRequest<'b>, path: &str, query: &str, plan: &Plan) -> Result<Ask<'b>, Problem> {
        match self {
            Self::Event(mode) => read_event(hot, *mode).map(Ask::Event),
            Self::Batch => read_batch(hot, path).map(Ask::Batch),
            Self::CloudEvents => read_cloud_events(hot, path, plan),
            Self::Quota(metric) => read_quota(metric, query),
            Self::Summary => parameters(query, &[]).map(|_| Ask::Summary),
            Self::Reserve => read_reserve(hot, path).map(Ask::Reserve),
            Self::Settle(id) => read_settle(hot, path, id).map(Ask::Settle),
            Self::Release(id) => reservation_id(id).map(Ask::Release),
            Self::Reservation(id) => reservation_id(id).map(Ask::Reservation),
        }
    }
}

fn method_not_allowed(allow: &'static str) -> Problem {
    Problem::new(405, "method_not_allowed", "The method is not allowed here", format!("Use one of: {allow}.")).with_header("Allow", allow)
}

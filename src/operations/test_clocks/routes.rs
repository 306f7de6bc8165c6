//! The endpoints of test clocks, for the vendor.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::advance::advance;
use super::store;
use super::store::TestClock;
use crate::http::reply::{Reply, once_for_vendor};
use crate::http::request::{Command, IdInPath};
use crate::identity::callers::actors::Vendor;
use crate::kernel::error::Result;
use crate::kernel::ids::TestClockId;
use crate::kernel::problem::Problem;
use crate::kernel::time::Timestamp;

/// The time to which a test clock is set.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ClockTime {
    /// The clock's time. An advance sets a later time only.
    #[schema(example = "2026-01-31T00:00:00Z")]
    pub now: Timestamp,
}

/// A test clock.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = TestClock)]
pub struct ClockView {
    #[serde(rename = "$type")]
    pub type_name: &'static str,
    /// The id of the test clock.
    #[serde(rename = "$id")]
    pub id: TestClockId,
    /// The present time of all organizations on the clock.
    pub now: Timestamp,
    /// The real time of the clock's creation.
    pub created_at: Timestamp,
}

impl From<TestClock> for ClockView {
    fn from(clock: TestClock) -> Self {
        Self { type_name: "TestClock", id: clock.id, now: clock.now, created_at: clock.created_at }
    }
}

/// Create a test clock
///
/// Time on a test clock stands still until it is advanced. An organization joins a clock when it is created and stays on it.
#[utoipa::path(post, path = "/v1/test-clocks", operation_id = "createTestClock", request_body = ClockTime,
    responses((status = 201, description = "The clock", body = ClockView)))]
pub async fn create(vendor: Vendor, command: Command<ClockTime>) -> Result<Reply> {
    let (platform, claim) = (&vendor.platform, command.claim.as_ref());
    once_for_vendor(platform, claim, || async {
        let moment = platform.app().moment();
        let clock = TestClock { id: TestClockId::new(moment), now: command.body.now, created_at: moment.now };
        let reply = Reply::created(&ClockView::from(clock.clone()))?;
        store::insert(platform, &clock, reply.stored(claim).as_ref()).await?;
        Ok(reply)
    })
    .await
}

/// Get a test clock
///
/// Returns the clock and its present time.
#[utoipa::path(get, path = "/v1/test-clocks/{id}", operation_id = "getTestClock",
    params(("id" = String, Path, description = "`clock_...`")),
    responses((status = 200, description = "The clock", body = ClockView)))]
pub async fn get(vendor: Vendor, IdInPath(id): IdInPath<TestClockId>) -> Result<Reply> {
    Reply::ok(&ClockView::from(find(&vendor, id).await?))
}

/// Advance a test clock
///
/// Moves the clock forward and runs everything that is due on the way, in order of time: facts, billing and mails. Answers after all of it
/// has run. An earlier time is refused with `clock_moves_forward_only`. A failing step answers 503 and leaves the clock at the time of that
/// step; repeat the request to continue.
#[utoipa::path(put, path = "/v1/test-clocks/{id}", operation_id = "advanceTestClock",
    params(("id" = String, Path, description = "`clock_...`")),
    request_body = ClockTime, responses((status = 200, description = "The clock", body = ClockView)))]
pub async fn put(vendor: Vendor, IdInPath(id): IdInPath<TestClockId>, command: Command<ClockTime>) -> Result<Reply> {
    let clock = find(&vendor, id).await?;
    if command.body.now < clock.now {
        let detail = format!("The clock is at {} and moves forward only. Send a later time.", clock.now);
        return Err(Problem::refused("/now", "clock_moves_forward_only", detail).into());
    }
    store::note_advance(&vendor.platform, &clock, command.body.now).await?;
    advance(&vendor.platform, id, command.body.now).await?;
    Reply::ok(&ClockView::from(find(&vendor, id).await?))
}

async fn find(vendor: &Vendor, id: TestClockId) -> Result<TestClock> {
    store::find(&vendor.platform, id).await?.ok_or_else(|| Problem::not_found("test clock").into())
}

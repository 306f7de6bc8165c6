//! The endpoint of erasures: the records of erased organizations.

use serde::Serialize;
use utoipa::ToSchema;

use super::erasure;
use super::erasure::{Counts, Erasure, Step};
use crate::http::reply::Reply;
use crate::http::request::Filter;
use crate::identity::callers::actors::Vendor;
use crate::kernel::error::Result;
use crate::kernel::ids::{ErasureId, OrganizationId};
use crate::kernel::page;
use crate::kernel::page::{Page, PageQuery, Start};
use crate::kernel::time::Timestamp;

/// The erasure of all data of one organization.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Erasure)]
pub struct ErasureView {
    /// The type of the resource.
    #[serde(rename = "$type")]
    #[schema(example = "Erasure")]
    pub type_name: &'static str,
    /// The id of the erasure.
    #[serde(rename = "$id")]
    pub id: ErasureId,
    /// The id that the organization had.
    pub organization: OrganizationId,
    /// `running`, or `done` once nothing of the organization is left.
    #[schema(example = "done")]
    pub status: &'static str,
    /// The time at which the organization was cancelled.
    pub cancelled_at: Timestamp,
    /// The time at which the erasure began.
    pub requested_at: Timestamp,
    /// The time at which the last row was erased.
    pub finished_at: Option<Timestamp>,
    /// The erased rows, by store and table.
    pub rows: Option<Counts>,
    /// The legally required records of the organization's invoices: numbers, dates, currencies and totals.
    #[schema(value_type = Option<Vec<Object>>, example = json!([{"number": 7, "status": "paid", "currency": "USD", "totalMinor": 1200}]))]
    pub invoices: Option<Vec<serde_json::Value>>,
    /// SHA-256, in hex, over this record and the hash of the record before.
    #[schema(example = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08")]
    pub hash: Option<String>,
}

impl From<Erasure> for ErasureView {
    fn from(erasure: Erasure) -> Self {
        Self {
            type_name: "Erasure",
            id: erasure.id,
            organization: erasure.organization_id,
            status: if erasure.step == Step::Erased { "done" } else { "running" },
            cancelled_at: erasure.cancelled_at,
            requested_at: erasure.requested_at,
            finished_at: erasure.finished_at,
            rows: erasure.counts,
            invoices: erasure.invoices,
            hash: erasure.hash,
        }
    }
}

/// List erasures
///
/// Returns the erasures of cancelled organizations, newest first. Every other endpoint answers 404 for their ids.
#[utoipa::path(get, path = "/v1/erasures", operation_id = "listErasures",
    params(PageQuery),
    responses((status = 200, description = "Newest first", body = Page<ErasureView>)))]
pub async fn list_erasures(vendor: Vendor, Filter(query): Filter<PageQuery>) -> Result<Reply> {
    let platform = &vendor.platform;
    // The id of an erased organization is no secret, so any id may begin a page.
    let find = async |id: ErasureId| Ok(Some(id));
    let list = async |from: Start<_>| erasure::list(platform, &from.before, from.fetch).await;
    Reply::ok(&page::list(&query, find, list, |erasure| erasure.id, ErasureView::from).await?)
}

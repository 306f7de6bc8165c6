//! The endpoint of erasures: the record that somebody's data is gone.

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

/// An erasure that is under way or done.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Erasure)]
pub struct ErasureView {
    #[serde(rename = "$type")]
    pub type_name: &'static str,
    #[serde(rename = "$id")]
    pub id: ErasureId,
    /// The id that the organization had.
    pub organization: OrganizationId,
    /// `running` or `done`.
    pub status: &'static str,
    pub cancelled_at: Timestamp,
    pub requested_at: Timestamp,
    pub finished_at: Option<Timestamp>,
    /// Rows that were erased, by store and table.
    pub rows: Option<Counts>,
    /// What stays of its invoices: numbers, dates, currencies and totals, as the law wants them.
    #[schema(value_type = Option<Vec<Object>>)]
    pub invoices: Option<Vec<serde_json::Value>>,
    /// SHA-256 over this record and the hash of the one before.
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
/// Organizations whose data was erased after they were cancelled. Their ids are unknown to every other endpoint.
#[utoipa::path(get, path = "/v1/erasures", tag = "organizations", operation_id = "listErasures",
    params(PageQuery),
    responses((status = 200, description = "Newest first", body = Page<ErasureView>)))]
pub async fn list_erasures(vendor: Vendor, Filter(query): Filter<PageQuery>) -> Result<Reply> {
    let platform = &vendor.platform;
    // Nothing of an erased organization is secret but what is gone: any id says where a page begins.
    let find = async |id: ErasureId| Ok(Some(id));
    let list = async |from: Start<_>| erasure::list(platform, &from.before, from.fetch).await;
    Reply::ok(&page::list(&query, find, list, |erasure| erasure.id, ErasureView::from).await?)
}

//! The endpoints of invoices.

use axum::response::Response;
use http::HeaderMap;
use serde::Deserialize;
use utoipa::ToSchema;

use super::form::Form;
pub use super::proof::*;
use super::views::InvoiceView;
use super::{endings, print, store};
use crate::billing::seller;
use crate::http::reply::{Reply, once};
use crate::http::request::{Command, Filter, IdInPath, IdempotencyKey};
use crate::identity::callers::actors::{Authorized, VendorFor};
use crate::identity::permissions::needs;
use crate::kernel::error::Result;
use crate::kernel::ids::InvoiceId;
use crate::kernel::page;
use crate::kernel::page::{Page, PageQuery, Start};
use crate::kernel::problem::Problem;
use crate::tenancy::organizations;

/// List invoices
///
/// Newest first. An invoice is listed once it has its number.
#[utoipa::path(get, path = "/v1/invoices", operation_id = "listInvoices",
    params(PageQuery),
    responses((status = 200, description = "Newest first", body = Page<InvoiceView>)))]
pub async fn list(caller: Authorized<needs::InvoicesRead>, Filter(query): Filter<PageQuery>) -> Result<Reply> {
    let tenant = &caller.tenant;
    // Invoices are listed by number, and the cursor is an id: its number says where the page begins.
    let find = async |id| Ok(store::find(tenant, id).await?.and_then(|invoice| invoice.number));
    let list = async |from: Start<u64>| store::list(tenant, from.found.unwrap_or(u64::MAX), from.fetch).await;
    Reply::ok(&page::list(&query, find, list, |invoice| invoice.id, InvoiceView::from).await?)
}

/// Get an invoice
///
/// As JSON, or printed with `Accept: text/html` or `Accept: application/pdf`. The printed invoice is in the language of the organization
/// and names seller and customer as they were when the invoice got its number. The same invoice is the same bytes: send its `ETag` as
/// `If-None-Match` for a 304.
#[utoipa::path(get, path = "/v1/invoices/{id}", operation_id = "getInvoice",
    params(("id" = String, Path, description = "`inv_...`")),
    responses((status = 200, description = "The invoice",
        content((InvoiceView = "application/json"), (String = "text/html"), (String = "application/pdf")))))]
pub async fn get(caller: Authorized<needs::InvoicesRead>, IdInPath(id): IdInPath<InvoiceId>, headers: HeaderMap) -> Result<Response> {
    let form = Form::wanted(&headers)?;
    let tenant = &caller.tenant;
    let invoice = store::find(tenant, id).await?.ok_or_else(|| Problem::not_found("invoice"))?;
    if form == Form::Json {
        return Ok(print::as_json(Reply::ok(&InvoiceView::from(invoice))?));
    }
    let organization = organizations::store::load(tenant).await?;
    let seller = seller::store::load(tenant.app()).await?;
    print::answer(tenant.app(), form, &super::document::document(&invoice, &organization, &seller)?, &headers).await
}

/// The reason for voiding an invoice.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Voiding {
    /// The reason, recorded in the audit log.
    #[schema(min_length = 1, max_length = 2000, example = "Billed twice by hand")]
    pub reason: Option<String>,
}

/// Void an invoice
///
/// Cancels an invoice that was a mistake. The credit it drew is returned and its discounts can be used again. An invoice with payments or
/// credit notes is refused; create a credit note instead.
#[utoipa::path(post, path = "/v1/invoices/{id}/void", operation_id = "voidInvoice",
    params(
        ("id" = String, Path, description = "`inv_...`"),
        ("Tenantry-Organization" = String, Header, description = "The organization that the vendor acts for")
    ), request_body = Voiding,
    responses((status = 200, description = "The invoice", body = InvoiceView)))]
pub async fn void(vendor: VendorFor, IdInPath(id): IdInPath<InvoiceId>, command: Command<Voiding>) -> Result<Reply> {
    let (tenant, claim) = (&vendor.tenant, command.claim.as_ref());
    once(tenant, claim, || async {
        let invoice = store::find(tenant, id).await?.ok_or_else(|| Problem::not_found("invoice"))?;
        let reversals = endings::Reversals::load(tenant, &invoice).await?;
        let (voided, decision) = endings::void(&invoice, command.body.reason.as_deref(), &reversals, tenant.moment())?;
        let reply = Reply::ok(&InvoiceView::from(voided))?;
        tenant.commit(decision, reply.stored(claim).as_ref()).await?;
        Ok(reply)
    })
    .await
}

/// Write off an invoice
///
/// Marks the invoice as uncollectible and posts the outstanding amount as bad debt. A later payment of the whole outstanding amount can
/// still be recorded.
#[utoipa::path(post, path = "/v1/invoices/{id}/write-off", operation_id = "writeOffInvoice",
    params(
        ("id" = String, Path, description = "`inv_...`"),
        ("Tenantry-Organization" = String, Header, description = "The organization that the vendor acts for")
    ),
    responses((status = 200, description = "The invoice", body = InvoiceView)))]
pub async fn write_off(vendor: VendorFor, IdInPath(id): IdInPath<InvoiceId>, IdempotencyKey(claim): IdempotencyKey) -> Result<Reply> {
    let (tenant, claim) = (&vendor.tenant, claim.as_ref());
    once(tenant, claim, || async {
        let invoice = store::find(tenant, id).await?.ok_or_else(|| Problem::not_found("invoice"))?;
        let (written_off, decision) = endings::write_off(&invoice, tenant.moment())?;
        let reply = Reply::ok(&InvoiceView::from(written_off))?;
        tenant.commit(decision, reply.stored(claim).as_ref()).await?;
        Ok(reply)
    })
    .await
}

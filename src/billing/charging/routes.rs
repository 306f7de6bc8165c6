//! The endpoint of the upcoming invoice.

use crate::billing::invoices::views::InvoiceView;
use crate::http::reply::Reply;
use crate::http::request::{Filter, NoParameters};
use crate::identity::callers::actors::Authorized;
use crate::identity::permissions::needs;
use crate::kernel::error::Result;
use crate::kernel::problem::Problem;

/// Preview the upcoming invoice
///
/// The invoice of the running period, if it ended with the usage counted so far: the same lines, discounts, taxes and credit. Answers 404
/// `nothing_upcoming` where the end of the period charges nothing.
#[utoipa::path(get, path = "/v1/invoices/upcoming", operation_id = "getUpcomingInvoice",
    responses((status = 200, description = "The invoice. It has no number; its id is the one it will get", body = InvoiceView)))]
pub async fn upcoming(caller: Authorized<needs::InvoicesRead>, _: Filter<NoParameters>) -> Result<Reply> {
    let invoice = super::upcoming::upcoming(&caller.tenant).await?.ok_or_else(|| {
        let detail = "The end of the running period charges nothing. GET /v1/subscription shows the status of the subscription.";
        Problem::new(404, "nothing_upcoming", "No upcoming invoice", detail)
    })?;
    Reply::ok(&InvoiceView::from(invoice))
}

//! The endpoint of the upcoming invoice.

use crate::billing::invoices::views::InvoiceView;
use crate::http::reply::Reply;
use crate::identity::callers::actors::Authorized;
use crate::identity::callers::permissions::needs;
use crate::kernel::error::Result;
use crate::kernel::problem::Problem;

/// Read the invoice that is to come
///
/// What the running period would cost if it ended with what is counted now: the same lines, discounts, taxes and credits.
#[utoipa::path(get, path = "/v1/invoices/upcoming", tag = "invoices", operation_id = "getUpcomingInvoice",
    responses((status = 200, description = "The invoice, as it would be; it has no number, and its id is the one it will have", body = InvoiceView)))]
pub async fn upcoming(caller: Authorized<needs::InvoicesRead>) -> Result<Reply> {
    let invoice = super::upcoming::upcoming(&caller.tenant).await?.ok_or_else(|| {
        let detail = "Nothing is to be billed at the end of the running period. GET /v1/subscription says how the subscription stands.";
        Problem::new(404, "nothing_upcoming", "Nothing is to come", detail)
    })?;
    Reply::ok(&InvoiceView::from(invoice))
}

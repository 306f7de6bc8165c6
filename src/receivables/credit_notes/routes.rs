//! The endpoints of credit notes. The vendor creates them; the organization reads them.

use rating::Money;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::credit_note::{CreditNote, Resolution};
use super::parts::{NoteLine, Part};
use super::rules::{About, Wanted, identifier};
use super::{rules, store};
use crate::billing::invoices::invoice::Invoice;
use crate::billing::invoices::store as invoices;
use crate::billing::subscriptions::store as subscriptions;
use crate::http::money::{MoneyInput, MoneyView};
use crate::http::reply::{Reply, once};
use crate::http::request::{Command, Filter, IdInPath};
use crate::identity::callers::actors::{Authorized, VendorFor};
use crate::identity::permissions::needs;
use crate::kernel::error::{Error, Result};
use crate::kernel::ids::{CreditNoteId, InvoiceId};
use crate::kernel::page;
use crate::kernel::page::{Page, PageQuery, Start};
use crate::kernel::problem::Problem;
use crate::kernel::time::Timestamp;

/// Lines of one request, at most.
const LINES_MAX: usize = 500;

/// A credit note to create: for some lines, for an amount spread over all lines, or for the rest of the invoice when neither is sent.
/// Amounts are before discounts and taxes, like those of invoice lines; the matching share of both is credited with them.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewCreditNote {
    /// The invoice to credit.
    pub invoice: InvoiceId,
    /// The reason, printed on the credit note.
    #[schema(min_length = 1, max_length = 2000, example = "Outage on January 3")]
    pub reason: String,
    /// The lines to credit. Send either `lines` or `amount`.
    #[schema(min_items = 1, max_items = 500)]
    pub lines: Option<Vec<NewCreditNoteLine>>,
    /// The amount to credit, spread over all lines in proportion to the rest of each.
    pub amount: Option<MoneyInput>,
    /// How paid money is returned: as `credit` (default) or as a `refund`. Money that credit paid always becomes credit again.
    #[serde(default)]
    #[schema(required = false)]
    pub resolution: Resolution,
}

/// A line of the invoice to credit.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewCreditNoteLine {
    /// The position of the line on the invoice, from 0.
    #[schema(example = 0)]
    pub line: usize,
    /// The amount to credit, before discounts and taxes.
    pub amount: MoneyInput,
}

impl NewCreditNote {
    fn part(&self, invoice: &Invoice) -> std::result::Result<Part, Problem> {
        match (&self.lines, &self.amount) {
            (Some(_), Some(_)) => Err(Problem::invalid("/amount", "invalid_value", "Send either lines or an amount.")),
            (None, None) => Ok(Part::Rest),
            (None, Some(amount)) => Ok(Part::Amount(amount.to_positive_money(invoice.currency, "/amount")?)),
            (Some(lines), None) if lines.is_empty() || lines.len() > LINES_MAX => {
                Err(Problem::invalid("/lines", "invalid_value", format!("Send 1 to {LINES_MAX} lines, or leave them out.")))
            }
            (Some(lines), None) => {
                let read = |(index, part): (usize, &NewCreditNoteLine)| {
                    let amount = part.amount.to_positive_money(invoice.currency, &format!("/lines/{index}/amount"))?;
                    Ok((part.line, amount))
                };
                Ok(Part::Lines(lines.iter().enumerate().map(read).collect::<std::result::Result<_, Problem>>()?))
            }
        }
    }
}

/// A line of a credit note.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = CreditNoteLine)]
pub struct NoteLineView {
    /// The position of the line on the invoice, from 0.
    #[schema(example = 0)]
    pub line: usize,
    /// The item of the line: a plan, an add-on (`plan/add-on`) or a metric.
    #[schema(example = "professional")]
    pub order_item: String,
    /// The description of the line on the invoice.
    #[schema(example = "Professional Plan")]
    pub description: String,
    /// The credited amount, before discounts and taxes.
    pub amount: MoneyView,
    /// The share of the discount. It was never paid, so it is not returned.
    pub discount: MoneyView,
    /// The credited taxes, in the order of `taxes` of the invoice.
    pub taxes: Vec<MoneyView>,
}

/// A credit note.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = CreditNote)]
pub struct CreditNoteView {
    /// The type of the resource.
    #[serde(rename = "$type")]
    #[schema(example = "CreditNote")]
    pub type_name: &'static str,
    /// The id of the credit note.
    #[serde(rename = "$id")]
    pub id: CreditNoteId,
    /// The number, from a gapless series of its own. Null for an instant after the credit note was created.
    #[schema(example = "CN-000001")]
    pub identifier: Option<String>,
    /// The credited invoice.
    pub invoice: InvoiceId,
    /// The reason, printed on the credit note.
    #[schema(example = "Outage on January 3")]
    pub reason: String,
    /// The credited lines.
    pub lines: Vec<NoteLineView>,
    /// The sum of the lines, after discounts.
    pub subtotal: MoneyView,
    /// The sum of all taxes, exclusive and inclusive.
    pub tax: MoneyView,
    /// The credited amount, with taxes.
    pub total: MoneyView,
    /// The part of the total that lowers the outstanding amount of the invoice.
    pub reduces_invoice: MoneyView,
    /// The part of the total that became credit.
    pub credited: MoneyView,
    /// The part of the total that is refunded; see `/v1/refunds`.
    pub refunded: MoneyView,
    /// The instant at which the credit note was created.
    pub created_at: Timestamp,
    /// The instant at which the credit note got its number.
    pub date_issued: Option<Timestamp>,
}

impl From<CreditNote> for CreditNoteView {
    fn from(note: CreditNote) -> Self {
        let money = |minor: i64| MoneyView::from(Money::new(minor, note.currency));
        let line = |line: NoteLine| NoteLineView {
            line: line.line,
            amount: money(line.amount_minor),
            discount: money(line.discount_minor),
            taxes: line.taxes_minor.iter().map(|tax| money(*tax)).collect(),
            order_item: line.item,
            description: line.description,
        };
        Self {
            type_name: "CreditNote",
            id: note.id,
            identifier: note.number.map(identifier),
            invoice: note.invoice,
            reason: note.reason,
            lines: note.lines.into_iter().map(line).collect(),
            subtotal: money(note.subtotal_minor),
            tax: money(note.tax_minor),
            total: money(note.total_minor),
            reduces_invoice: money(note.reduced_minor),
            credited: money(note.credited_minor),
            refunded: money(note.refunded_minor),
            created_at: note.created_at,
            date_issued: note.issued_at,
        }
    }
}

/// Create a credit note
///
/// Credits a part of an invoice or all of it. The outstanding amount is reduced first; paid money becomes credit, or a refund by request.
/// The credit note gets its number right after the response. Draft, void and uncollectible invoices cannot be credited.
#[utoipa::path(post, path = "/v1/credit-notes", operation_id = "createCreditNote",
    params(
        ("Tenantry-Organization" = String, Header, description = "The organization that the vendor acts for")
    ), request_body = NewCreditNote,
    responses((status = 201, description = "The credit note", body = CreditNoteView)))]
pub async fn create(vendor: VendorFor, command: Command<NewCreditNote>) -> Result<Reply> {
    let (tenant, claim, body) = (&vendor.tenant, command.claim.as_ref(), command.body);
    once(tenant, claim, || async {
        let invoice = invoices::find(tenant, body.invoice).await?.ok_or_else(|| Problem::not_found("invoice"))?;
        let wanted = Wanted { part: body.part(&invoice)?, reason: body.reason.clone(), resolution: body.resolution };
        let notes = store::of_invoice(tenant, invoice.id).await?;
        let subscription = subscriptions::find(tenant, invoice.subscription).await?;
        let subscription = subscription.ok_or_else(|| Error::internal(format!("{} has no subscription", invoice.id)))?;
        let about = About { invoice: &invoice, notes: &notes, subscription: &subscription };
        let (note, decision) = rules::issue(&about, &wanted, tenant.moment())?;
        let reply = Reply::created(&CreditNoteView::from(note))?;
        tenant.commit(decision, reply.stored(claim).as_ref()).await?;
        Ok(reply)
    })
    .await
}

/// List credit notes
///
/// The credit notes of the organization, newest first.
#[utoipa::path(get, path = "/v1/credit-notes", operation_id = "listCreditNotes",
    params(PageQuery),
    responses((status = 200, description = "Newest first", body = Page<CreditNoteView>)))]
pub async fn list(caller: Authorized<needs::InvoicesRead>, Filter(query): Filter<PageQuery>) -> Result<Reply> {
    let tenant = &caller.tenant;
    let find = async |id| store::find(tenant, id).await;
    let list = async |from: Start<_>| store::list(tenant, &from.before, from.fetch).await;
    Reply::ok(&page::list(&query, find, list, |note| note.id, CreditNoteView::from).await?)
}

/// Get a credit note
///
/// Its lines, and the parts that were offset, credited and refunded.
#[utoipa::path(get, path = "/v1/credit-notes/{id}", operation_id = "getCreditNote",
    params(("id" = String, Path, description = "`cn_...`")),
    responses((status = 200, description = "The credit note", body = CreditNoteView)))]
pub async fn get(caller: Authorized<needs::InvoicesRead>, IdInPath(id): IdInPath<CreditNoteId>) -> Result<Reply> {
    let note = store::find(&caller.tenant, id).await?.ok_or_else(|| Problem::not_found("credit note"))?;
    Reply::ok(&CreditNoteView::from(note))
}

//! The endpoints of discounts, for the vendor.

use rating::{Currency, Decimal, DiscountDuration, Money, Off};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::granted::Granted;
use super::rules::Wanted;
use super::{rules, store};
use crate::http::money::{MoneyInput, MoneyView};
use crate::http::reply::{Reply, change, once};
use crate::http::request::{Command, Filter, IdInPath, IdsInPath};
use crate::identity::callers::actors::Vendor;
use crate::kernel::error::Result;
use crate::kernel::ids::{DiscountId, OrganizationId};
use crate::kernel::page;
use crate::kernel::page::{Page, PageQuery, Start};
use crate::kernel::problem::Problem;
use crate::kernel::time::Timestamp;

/// The number of invoices that a discount applies to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = DiscountDuration)]
pub enum DurationWord {
    /// The next invoice.
    Once,
    /// A number of invoices: `bills`.
    Repeating,
    /// Every invoice.
    Forever,
}

/// A discount to grant: a percentage, or an amount in one currency.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewDiscount {
    /// The name, printed on invoices.
    #[schema(min_length = 1, max_length = 200, example = "Launch offer")]
    pub name: String,
    /// The percentage, above 0 and up to 100. Send either `percentage` or `amount`.
    #[schema(value_type = Option<String>, example = "10")]
    pub percentage: Option<Decimal>,
    /// The amount taken off each invoice, above zero.
    pub amount: Option<MoneyInput>,
    /// The ISO 4217 code of the currency of `amount`.
    #[schema(value_type = Option<String>, example = "USD")]
    pub currency: Option<Currency>,
    /// The number of invoices that the discount applies to.
    pub duration: DurationWord,
    /// The number of invoices, for the duration `repeating`.
    #[schema(minimum = 1, maximum = 120, example = 3)]
    pub bills: Option<u32>,
    /// The first instant at which an invoice gets the discount. Absent: from now on.
    pub valid_from: Option<Timestamp>,
    /// The last instant at which an invoice gets the discount. Absent: no end.
    pub valid_through: Option<Timestamp>,
    /// The items that the discount applies to: plans, add-ons (`plan/add-on`) and metrics. Absent or null: all items.
    #[schema(min_items = 1, max_items = 100, example = json!(["professional", "apiCalls"]))]
    pub items: Option<Vec<String>>,
}

impl NewDiscount {
    fn wanted(self) -> std::result::Result<Wanted, Problem> {
        let off = match (self.percentage, self.amount, self.currency) {
            (Some(percentage), None, None) => Off::Percentage(percentage),
            (None, Some(amount), Some(currency)) => Off::Fixed(amount.to_money(currency, "/amount")?),
            (None, Some(_), None) => return Err(Problem::invalid("/currency", "invalid_value", "Send the currency of the amount.")),
            _ => return Err(Problem::invalid("/percentage", "invalid_value", "Send either a percentage, or an amount and its currency.")),
        };
        let duration = match (self.duration, self.bills) {
            (DurationWord::Once, None) => DiscountDuration::Once,
            (DurationWord::Forever, None) => DiscountDuration::Forever,
            (DurationWord::Repeating, Some(bills)) => DiscountDuration::Repeating(bills),
            (DurationWord::Repeating, None) => {
                return Err(Problem::invalid("/bills", "invalid_value", "Send the number of invoices as `bills`."));
            }
            (_, Some(_)) => return Err(Problem::invalid("/bills", "invalid_value", "Send `bills` only with the duration `repeating`.")),
        };
        let Self { name, items, valid_from, valid_through, .. } = self;
        Ok(Wanted { name, off, duration, items, valid_from, valid_through })
    }
}

/// A discount of an organization.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Discount)]
pub struct DiscountView {
    /// The type of the resource.
    #[serde(rename = "$type")]
    #[schema(example = "Discount")]
    pub type_name: &'static str,
    /// The id of the discount.
    #[serde(rename = "$id")]
    pub id: DiscountId,
    /// The name, printed on invoices.
    #[schema(example = "Launch offer")]
    pub name: String,
    /// The percentage. Null for an amount.
    #[schema(example = "10")]
    pub percentage: Option<String>,
    /// The amount taken off each invoice. Null for a percentage.
    pub amount: Option<MoneyView>,
    /// The number of invoices that the discount applies to.
    pub duration: DurationWord,
    /// The number of invoices, for the duration `repeating`; null otherwise.
    #[schema(example = 3)]
    pub bills: Option<u32>,
    /// The number of invoices that have had the discount.
    #[schema(example = 1)]
    pub redeemed: u32,
    /// The first instant at which an invoice gets the discount. Null: from its creation.
    pub valid_from: Option<Timestamp>,
    /// The last instant at which an invoice gets the discount. Null: no end.
    pub valid_through: Option<Timestamp>,
    /// The items that the discount applies to: plans, add-ons (`plan/add-on`) and metrics. Absent or null: all items.
    #[schema(example = json!(["professional", "apiCalls"]))]
    pub items: Option<Vec<String>>,
    /// The instant at which the discount was granted.
    pub created_at: Timestamp,
    /// The instant at which the discount was ended. Null while it applies.
    pub ended_at: Option<Timestamp>,
}

impl From<Granted> for DiscountView {
    fn from(granted: Granted) -> Self {
        let (percentage, amount): (Option<String>, Option<Money>) = match granted.off {
            Off::Percentage(rate) => (Some(rate.to_string()), None),
            Off::Fixed(amount) => (None, Some(amount)),
        };
        let (duration, bills) = match granted.duration() {
            DiscountDuration::Once => (DurationWord::Once, None),
            DiscountDuration::Repeating(bills) => (DurationWord::Repeating, Some(bills)),
            DiscountDuration::Forever => (DurationWord::Forever, None),
        };
        Self {
            type_name: "Discount",
            id: granted.id,
            name: granted.name,
            percentage,
            amount: amount.map(MoneyView::from),
            duration,
            bills,
            redeemed: granted.redeemed,
            valid_from: granted.valid_from,
            valid_through: granted.valid_through,
            items: granted.items,
            created_at: granted.created_at,
            ended_at: granted.ended_at,
        }
    }
}

/// Create a discount
///
/// Grants a discount to an organization. It applies from the next invoice on. An organization has at most 50 open discounts.
#[utoipa::path(post, path = "/v1/organizations/{id}/discounts", operation_id = "createDiscount",
    params(("id" = String, Path, description = "`org_...`")), request_body = NewDiscount,
    responses((status = 201, description = "The discount", body = DiscountView)))]
pub async fn create(vendor: Vendor, IdInPath(id): IdInPath<OrganizationId>, command: Command<NewDiscount>) -> Result<Reply> {
    let (tenant, claim) = (&vendor.organization(id).await?, command.claim.as_ref());
    let wanted = command.body.wanted()?;
    once(tenant, claim, || async {
        let (granted, decision) = rules::grant(&wanted, store::open(tenant).await?, tenant.moment())?;
        let reply = Reply::created(&DiscountView::from(granted))?;
        tenant.commit(decision, reply.stored(claim).as_ref()).await?;
        Ok(reply)
    })
    .await
}

/// List the discounts of an organization
///
/// Newest first, with those that have ended.
#[utoipa::path(get, path = "/v1/organizations/{id}/discounts", operation_id = "listDiscounts",
    params(("id" = String, Path, description = "`org_...`"), PageQuery),
    responses((status = 200, description = "Newest first, also those that have ended", body = Page<DiscountView>)))]
pub async fn list(vendor: Vendor, IdInPath(id): IdInPath<OrganizationId>, Filter(query): Filter<PageQuery>) -> Result<Reply> {
    let tenant = &vendor.organization(id).await?;
    let find = async |id| store::find(tenant, id).await;
    let list = async |from: Start<_>| store::list(tenant, &from.before, from.fetch).await;
    Reply::ok(&page::list(&query, find, list, |granted| granted.id, DiscountView::from).await?)
}

/// Delete a discount
///
/// Ends the discount: no further invoice gets it. Existing invoices keep theirs.
#[utoipa::path(delete, path = "/v1/organizations/{id}/discounts/{discount}", operation_id = "deleteDiscount",
    params(("id" = String, Path, description = "`org_...`"), ("discount" = String, Path, description = "`disc_...`")),
    responses((status = 204, description = "The discount has ended")))]
pub async fn delete(vendor: Vendor, IdsInPath(id, discount): IdsInPath<OrganizationId, DiscountId>) -> Result<Reply> {
    let tenant = &vendor.organization(id).await?;
    change(tenant, || async {
        let granted = store::find(tenant, discount).await?.ok_or_else(|| Problem::not_found("discount"))?;
        tenant.commit(rules::end(&granted, tenant.moment()), None).await?;
        Ok(Reply::no_content())
    })
    .await
}

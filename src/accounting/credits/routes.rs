//! The endpoints of credit: the vendor grants it, the organization reads it.

use std::collections::BTreeMap;

use rating::{Currency, Money};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::grant::{Grant, Source};
use super::rules::Wanted;
use super::{rules, store};
use crate::http::money::{MoneyInput, MoneyView};
use crate::http::reply::{Reply, change, once};
use crate::http::request::{Command, Filter, IdInPath, IdsInPath};
use crate::identity::callers::actors::{Authorized, Vendor};
use crate::identity::permissions::needs;
use crate::kernel::error::{OrInternal, Result};
use crate::kernel::ids::{CreditId, OrganizationId};
use crate::kernel::page;
use crate::kernel::page::{Page, PageQuery, Start};
use crate::kernel::problem::Problem;
use crate::kernel::time::Timestamp;

/// The source of a granted credit.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum NewCreditSource {
    /// Granted for free.
    Promotional,
    /// Prepaid.
    Purchased,
}

/// A credit to grant.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewCredit {
    /// The amount, above zero.
    pub amount: MoneyInput,
    /// The ISO 4217 code of the currency.
    #[schema(value_type = String, example = "USD")]
    pub currency: Currency,
    /// `promotional` for a gift, `purchased` for a prepayment.
    pub source: NewCreditSource,
    /// The order in which credits are drawn: lower values first, credits without a priority last. Among equals, the one that expires first
    /// is drawn first.
    #[schema(example = 10)]
    pub priority: Option<u32>,
    /// The instant at which the rest of the credit expires. Absent: it never expires.
    pub expires_at: Option<Timestamp>,
    /// The reason, for your own records.
    #[schema(min_length = 1, max_length = 2000, example = "Goodwill after the outage")]
    pub reason: Option<String>,
}

/// A credit of an organization.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Credit)]
pub struct CreditView {
    /// The type of the resource.
    #[serde(rename = "$type")]
    #[schema(example = "Credit")]
    pub type_name: &'static str,
    /// The id of the credit.
    #[serde(rename = "$id")]
    pub id: CreditId,
    /// The origin of the money.
    pub source: Source,
    /// The granted amount.
    pub amount: MoneyView,
    /// The amount that invoices have drawn.
    pub drawn: MoneyView,
    /// The amount that can still be drawn.
    pub left: MoneyView,
    /// The priority in which credits are drawn: lower values first, null last.
    #[schema(example = 10)]
    pub priority: Option<u32>,
    /// The reason, for your own records.
    #[schema(example = "Goodwill after the outage")]
    pub reason: Option<String>,
    /// The id of the invoice or credit note that granted the credit. Null for one that the vendor granted.
    #[schema(example = "inv_01kaz3h8v5e0m9r6y2q4t7wxzb")]
    pub origin: Option<String>,
    /// The instant at which the credit was granted.
    pub created_at: Timestamp,
    /// The instant at which the rest expires. Null: it never expires.
    pub expires_at: Option<Timestamp>,
    /// The instant at which it expired or was voided. Null while it can be drawn.
    pub ended_at: Option<Timestamp>,
}

impl From<Grant> for CreditView {
    fn from(grant: Grant) -> Self {
        Self {
            type_name: "Credit",
            id: grant.id,
            source: grant.source,
            amount: grant.amount.into(),
            drawn: grant.drawn().into(),
            left: grant.left().into(),
            priority: grant.priority,
            reason: grant.reason,
            origin: grant.origin,
            created_at: grant.created_at,
            expires_at: grant.expires_at,
            ended_at: grant.ended_at,
        }
    }
}

/// The credit balance of an organization and the credits behind it.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Credits {
    /// The type of the resource.
    #[serde(rename = "$type")]
    #[schema(example = "Credits")]
    pub type_name: &'static str,
    /// The amount that the next invoices can draw, one entry per currency.
    pub balance: Vec<MoneyView>,
    /// The credits, newest first.
    pub data: Vec<CreditView>,
    /// Whether another page follows.
    #[schema(example = false)]
    pub has_more: bool,
    /// The cursor of the next page; null on the last one.
    #[schema(example = "credit_01kaz3h8v5e0m9r6y2q4t7wxzb")]
    pub next_cursor: Option<String>,
}

/// Create a credit
///
/// Grants credit to an organization. Its next invoices in the same currency draw on it. An organization has at most 200 open credits.
#[utoipa::path(post, path = "/v1/organizations/{id}/credits", operation_id = "createCredit",
    params(("id" = String, Path, description = "`org_...`")), request_body = NewCredit,
    responses((status = 201, description = "The credit", body = CreditView)))]
pub async fn create(vendor: Vendor, IdInPath(id): IdInPath<OrganizationId>, command: Command<NewCredit>) -> Result<Reply> {
    let (tenant, claim) = (&vendor.organization(id).await?, command.claim.as_ref());
    let NewCredit { amount, currency, source, priority, expires_at, reason } = command.body;
    let source = match source {
        NewCreditSource::Promotional => Source::Promotional,
        NewCreditSource::Purchased => Source::Purchased,
    };
    let wanted = Wanted { source, amount: amount.to_positive_money(currency, "/amount")?, priority, expires_at, reason };
    once(tenant, claim, || async {
        let (grant, decision) = rules::grant(&wanted, store::open(tenant).await?.len(), tenant.moment())?;
        let reply = Reply::created(&CreditView::from(grant))?;
        tenant.commit(decision, reply.stored(claim).as_ref()).await?;
        Ok(reply)
    })
    .await
}

/// Delete a credit
///
/// Voids the rest of the credit. Amounts that invoices have drawn stay drawn.
#[utoipa::path(delete, path = "/v1/organizations/{id}/credits/{credit}", operation_id = "deleteCredit",
    params(("id" = String, Path, description = "`org_...`"), ("credit" = String, Path, description = "`credit_...`")),
    responses((status = 204, description = "Nothing is left of the credit")))]
pub async fn delete(vendor: Vendor, IdsInPath(id, credit): IdsInPath<OrganizationId, CreditId>) -> Result<Reply> {
    let tenant = &vendor.organization(id).await?;
    change(tenant, || async {
        let grant = store::find(tenant, credit).await?.ok_or_else(|| Problem::not_found("credit"))?;
        tenant.commit(rules::void(&grant, tenant.moment())?, None).await?;
        Ok(Reply::no_content())
    })
    .await
}

/// List credits
///
/// The balance that the next invoices can draw, and all credits, newest first.
#[utoipa::path(get, path = "/v1/credits", operation_id = "getCredits",
    params(PageQuery),
    responses((status = 200, description = "The balance and the credits", body = Credits)))]
pub async fn get(caller: Authorized<needs::InvoicesRead>, Filter(query): Filter<PageQuery>) -> Result<Reply> {
    let tenant = &caller.tenant;
    let find = async |id| store::find(tenant, id).await;
    let list = async |from: Start<_>| store::list(tenant, &from.before, from.fetch).await;
    let Page { data, has_more, next_cursor } = page::list(&query, find, list, |grant| grant.id, CreditView::from).await?;
    let balance = balance(&store::open(tenant).await?, tenant.moment().now)?;
    Reply::ok(&Credits { type_name: "Credits", balance, data, has_more, next_cursor })
}

fn balance(open: &[Grant], now: Timestamp) -> Result<Vec<MoneyView>> {
    let mut balances: BTreeMap<&str, Money> = BTreeMap::new();
    for grant in open.iter().filter(|grant| grant.to_rating().is_usable_at(now.to_chrono())) {
        let currency = grant.amount.currency();
        let balance = balances.entry(currency.code()).or_insert(Money::zero(currency));
        *balance = balance.checked_add(grant.left()).or_internal()?;
    }
    Ok(balances.into_values().map(MoneyView::from).collect())
}

//! The endpoints of credit: the vendor grants it, the organization sees it.

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
use crate::identity::callers::permissions::needs;
use crate::kernel::error::{OrInternal, Result};
use crate::kernel::ids::{CreditId, OrganizationId};
use crate::kernel::page;
use crate::kernel::page::{Page, PageQuery, Start};
use crate::kernel::problem::Problem;
use crate::kernel::time::Timestamp;

/// What the vendor grants.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum NewCreditSource {
    /// Given away.
    Promotional,
    /// Paid for.
    Purchased,
}

/// Credit to be granted.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewCredit {
    /// Above 0.
    pub amount: MoneyInput,
    #[schema(value_type = String, example = "USD")]
    pub currency: Currency,
    pub source: NewCreditSource,
    /// Lower ones are drawn first, those without one last; of equals the one that expires first.
    pub priority: Option<u32>,
    /// It can be used until then; for good when absent.
    pub expires_at: Option<Timestamp>,
    /// Why, for people.
    #[schema(example = "goodwill after the outage", min_length = 1, max_length = 2000)]
    pub reason: Option<String>,
}

/// Credit of an organization.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Credit)]
pub struct CreditView {
    #[serde(rename = "$type")]
    pub type_name: &'static str,
    #[serde(rename = "$id")]
    pub id: CreditId,
    pub source: Source,
    pub amount: MoneyView,
    /// What bills drew of it.
    pub drawn: MoneyView,
    /// What can still be drawn.
    pub left: MoneyView,
    pub priority: Option<u32>,
    pub reason: Option<String>,
    /// The id of the invoice or the credit note that it came from.
    pub origin: Option<String>,
    pub created_at: Timestamp,
    pub expires_at: Option<Timestamp>,
    /// When it expired or was taken back.
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

/// What an organization has, and where it comes from.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Credits {
    #[serde(rename = "$type")]
    pub type_name: &'static str,
    /// What the next bills can draw, one a currency.
    pub balance: Vec<MoneyView>,
    /// Newest first.
    pub data: Vec<CreditView>,
    pub has_more: bool,
    pub next_cursor: Option<String>,
}

/// Grant an organization credit
///
/// Its next bills draw on it.
#[utoipa::path(post, path = "/v1/organizations/{id}/credits", tag = "credits", operation_id = "createCredit", params(("id" = String, Path, description = "`org_...`")), request_body = NewCredit,
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

/// Void an organization's credit
///
/// What is left of it is taken back; what was drawn stays drawn.
#[utoipa::path(delete, path = "/v1/organizations/{id}/credits/{credit}", tag = "credits", operation_id = "deleteCredit",
    params(("id" = String, Path, description = "`org_...`"), ("credit" = String, Path, description = "`credit_...`")),
    responses((status = 204, description = "Nothing is left of it")))]
pub async fn delete(vendor: Vendor, IdsInPath(id, credit): IdsInPath<OrganizationId, CreditId>) -> Result<Reply> {
    let tenant = &vendor.organization(id).await?;
    change(tenant, || async {
        let grant = store::find(tenant, credit).await?.ok_or_else(|| Problem::not_found("credit"))?;
        tenant.commit(rules::void(&grant, tenant.moment())?, None).await?;
        Ok(Reply::no_content())
    })
    .await
}

/// Read the credit
///
/// What the next bills can draw, and every credit that was granted.
#[utoipa::path(get, path = "/v1/credits", tag = "credits", operation_id = "getCredits",
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

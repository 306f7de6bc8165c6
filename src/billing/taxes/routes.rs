//! The endpoints of taxes, for the vendor.

use rating::{Decimal, TaxRate};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::tax::NamedTax;
use super::{rules, store};
use crate::http::reply::{Reply, change};
use crate::http::request::{Command, IdInPath};
use crate::identity::callers::actors::Vendor;
use crate::kernel::error::Result;
use crate::kernel::ids::OrganizationId;

/// The tax rates of an organization.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewTaxes {
    /// The rates that apply to every invoice line. An empty list: no taxes.
    #[schema(max_items = 10)]
    pub rates: Vec<NewTaxRate>,
}

/// A tax rate.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewTaxRate {
    /// The name, printed on invoices.
    #[schema(min_length = 1, max_length = 100, example = "VAT")]
    pub name: String,
    /// The rate in percent of the net amount.
    #[schema(value_type = String, example = "20")]
    pub rate: Decimal,
    /// Whether prices include the tax; otherwise it is added to them.
    #[serde(default)]
    #[schema(example = false)]
    pub inclusive: bool,
}

/// The tax rates of an organization.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Taxes)]
pub struct TaxesView {
    /// The type of the resource.
    #[serde(rename = "$type")]
    #[schema(example = "Taxes")]
    pub type_name: &'static str,
    /// The rates that apply to every invoice line.
    pub rates: Vec<TaxRateView>,
}

/// A tax rate.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = TaxRate)]
pub struct TaxRateView {
    /// The name, printed on invoices.
    #[schema(example = "VAT")]
    pub name: String,
    /// The rate in percent of the net amount.
    #[schema(example = "20")]
    pub rate: String,
    /// Whether prices include the tax; otherwise it is added to them.
    #[schema(example = false)]
    pub inclusive: bool,
}

impl From<Vec<NamedTax>> for TaxesView {
    fn from(taxes: Vec<NamedTax>) -> Self {
        let rate = |tax: NamedTax| TaxRateView { name: tax.name, rate: tax.rate.rate.to_string(), inclusive: tax.rate.inclusive };
        Self { type_name: "Taxes", rates: taxes.into_iter().map(rate).collect() }
    }
}

/// Set the tax rates of an organization
///
/// Replaces all rates. They apply from the next invoice on.
#[utoipa::path(put, path = "/v1/organizations/{id}/taxes", operation_id = "putTaxes",
    params(("id" = String, Path, description = "`org_...`")), request_body = NewTaxes,
    responses((status = 200, description = "The taxes", body = TaxesView)))]
pub async fn put(vendor: Vendor, IdInPath(id): IdInPath<OrganizationId>, command: Command<NewTaxes>) -> Result<Reply> {
    let tenant = &vendor.organization(id).await?;
    let named =
        |rate: NewTaxRate| NamedTax { name: rate.name.trim().to_owned(), rate: TaxRate { rate: rate.rate, inclusive: rate.inclusive } };
    let wanted: Vec<NamedTax> = command.body.rates.into_iter().map(named).collect();
    change(tenant, || async {
        let decision = rules::set(&store::load(tenant).await?, &wanted, tenant.moment())?;
        tenant.commit(decision, None).await?;
        Reply::ok(&TaxesView::from(wanted.clone()))
    })
    .await
}

/// Get the tax rates of an organization
///
/// The rates that apply to every invoice line; empty where nothing is taxed.
#[utoipa::path(get, path = "/v1/organizations/{id}/taxes", operation_id = "getTaxes",
    params(("id" = String, Path, description = "`org_...`")),
    responses((status = 200, description = "The taxes", body = TaxesView)))]
pub async fn get(vendor: Vendor, IdInPath(id): IdInPath<OrganizationId>) -> Result<Reply> {
    let tenant = vendor.organization(id).await?;
    Reply::ok(&TaxesView::from(store::load(&tenant).await?))
}

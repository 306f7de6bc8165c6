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

/// The taxes on every line.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewTaxes {
    /// None when nothing is taxed.
    #[schema(max_items = 10)]
    pub rates: Vec<NewTaxRate>,
}

/// One of them.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewTaxRate {
    /// As it stands on the invoice.
    #[schema(example = "VAT", min_length = 1, max_length = 100)]
    pub name: String,
    /// Percent of the net amount.
    #[schema(value_type = String, example = "20")]
    pub rate: Decimal,
    /// Contained in the prices; on top of them when false or absent.
    #[serde(default)]
    pub inclusive: bool,
}

/// The taxes on every line of an organization's bills.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Taxes)]
pub struct TaxesView {
    #[serde(rename = "$type")]
    pub type_name: &'static str,
    pub rates: Vec<TaxRateView>,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = TaxRate)]
pub struct TaxRateView {
    pub name: String,
    /// Percent of the net amount.
    #[schema(example = "20")]
    pub rate: String,
    pub inclusive: bool,
}

impl From<Vec<NamedTax>> for TaxesView {
    fn from(taxes: Vec<NamedTax>) -> Self {
        let rate = |tax: NamedTax| TaxRateView { name: tax.name, rate: tax.rate.rate.to_string(), inclusive: tax.rate.inclusive };
        Self { type_name: "Taxes", rates: taxes.into_iter().map(rate).collect() }
    }
}

/// Set the taxes on an organization's bills
///
/// They replace all rates there are, and count from the next bill on.
#[utoipa::path(put, path = "/v1/organizations/{id}/taxes", tag = "taxes", operation_id = "putTaxes", params(("id" = String, Path, description = "`org_...`")), request_body = NewTaxes,
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

/// Read the taxes on an organization's bills
#[utoipa::path(get, path = "/v1/organizations/{id}/taxes", tag = "taxes", operation_id = "getTaxes", params(("id" = String, Path, description = "`org_...`")),
    responses((status = 200, description = "The taxes", body = TaxesView)))]
pub async fn get(vendor: Vendor, IdInPath(id): IdInPath<OrganizationId>) -> Result<Reply> {
    let tenant = vendor.organization(id).await?;
    Reply::ok(&TaxesView::from(store::load(&tenant).await?))
}

//! The endpoints of the seller, for the vendor.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::party::{PREFIX, Seller};
use super::store;
use crate::http::reply::Reply;
use crate::http::request::Command;
use crate::identity::callers::actors::Vendor;
use crate::kernel::error::Result;
use crate::kernel::tenant::until_fresh;
use crate::kernel::time::Timestamp;
use crate::tenancy::organizations::organization::PostalAddress;

/// Who sells, as it stands on invoices. What is left out is not printed.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewSeller {
    #[schema(example = "Northwind", min_length = 1, max_length = 200)]
    pub name: String,
    /// Printed as the sender where it differs from the name.
    #[schema(example = "Northwind Software GmbH", min_length = 1, max_length = 200)]
    pub legal_name: Option<String>,
    #[schema(example = "billing@northwind.example", max_length = 254)]
    pub email: Option<String>,
    #[schema(min_length = 1, max_length = 200)]
    pub telephone: Option<String>,
    #[schema(example = "https://northwind.example", min_length = 1, max_length = 200)]
    pub url: Option<String>,
    pub address: Option<PostalAddress>,
    /// Such as a VAT number.
    #[schema(example = "DE811907980", min_length = 1, max_length = 200)]
    pub tax_id: Option<String>,
    /// A PNG, or an SVG of shapes in plain colours, as a data URI (`data:image/png;base64,` or `data:image/svg+xml;base64,`) of at most 48 KiB.
    #[schema(max_length = 49152)]
    pub logo: Option<String>,
    /// Small print at the foot of every page.
    #[schema(min_length = 1, max_length = 1000)]
    pub footer: Option<String>,
    /// How to pay; printed below the sums.
    #[schema(min_length = 1, max_length = 1000)]
    pub payment_instructions: Option<String>,
    /// Before the number of every invoice from now on; `INV-` when absent.
    #[schema(example = "INV-", min_length = 1, max_length = 12, pattern = "^[A-Za-z0-9_./-]{1,12}$")]
    pub invoice_prefix: Option<String>,
}

impl From<NewSeller> for Seller {
    fn from(new: NewSeller) -> Self {
        Self {
            name: Some(new.name),
            legal_name: new.legal_name,
            email: new.email,
            telephone: new.telephone,
            url: new.url,
            address: new.address,
            tax_id: new.tax_id,
            logo: new.logo,
            footer: new.footer,
            payment_instructions: new.payment_instructions,
            invoice_prefix: new.invoice_prefix.unwrap_or_else(|| PREFIX.to_owned()),
        }
    }
}

/// Who sells.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Seller)]
pub struct SellerView {
    #[serde(rename = "$type")]
    pub type_name: &'static str,
    /// Null until it is set.
    pub name: Option<String>,
    pub legal_name: Option<String>,
    pub email: Option<String>,
    pub telephone: Option<String>,
    pub url: Option<String>,
    #[schema(value_type = Option<PostalAddress>)]
    pub address: Option<PostalAddress>,
    pub tax_id: Option<String>,
    /// A data URI.
    pub logo: Option<String>,
    pub footer: Option<String>,
    pub payment_instructions: Option<String>,
    pub invoice_prefix: String,
    /// Null until it is set.
    pub updated_at: Option<Timestamp>,
}

impl SellerView {
    fn of(seller: Seller, updated_at: Option<Timestamp>) -> Self {
        Self {
            type_name: "Seller",
            name: seller.name,
            legal_name: seller.legal_name,
            email: seller.email,
            telephone: seller.telephone,
            url: seller.url,
            address: seller.address,
            tax_id: seller.tax_id,
            logo: seller.logo,
            footer: seller.footer,
            payment_instructions: seller.payment_instructions,
            invoice_prefix: seller.invoice_prefix,
            updated_at,
        }
    }
}

/// Read the seller
#[utoipa::path(get, path = "/v1/seller", tag = "seller", operation_id = "getSeller",
    responses((status = 200, description = "The seller", body = SellerView)))]
pub async fn get(vendor: Vendor) -> Result<Reply> {
    let found = store::find(vendor.platform.app()).await?;
    let (seller, updated_at) = found.map(|kept| (kept.seller, kept.updated_at)).unzip();
    Reply::ok(&SellerView::of(seller.unwrap_or_default(), updated_at))
}

/// Set the seller
///
/// Replaces all of it. An invoice keeps the seller of the moment at which it got its number, a minute later at the latest; the logo is today's.
#[utoipa::path(put, path = "/v1/seller", tag = "seller", operation_id = "putSeller", request_body = NewSeller,
    responses((status = 200, description = "The seller", body = SellerView)))]
pub async fn put(vendor: Vendor, command: Command<NewSeller>) -> Result<Reply> {
    let (platform, seller) = (&vendor.platform, Seller::from(command.body));
    seller.check()?;
    until_fresh(|| async {
        let now = platform.app().moment().now;
        let found = store::find(platform.app()).await?;
        store::save(platform, found.as_ref(), &seller, now).await?;
        Reply::ok(&SellerView::of(seller.clone(), Some(now)))
    })
    .await
}

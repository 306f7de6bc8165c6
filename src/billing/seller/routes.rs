//! The endpoints of the seller, for the vendor.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::party::{PREFIX, Seller};
use super::store;
use crate::http::reply::Reply;
use crate::http::request::{Command, Filter, NoParameters};
use crate::identity::callers::actors::Vendor;
use crate::kernel::error::Result;
use crate::kernel::tenant::until_fresh;
use crate::kernel::time::Timestamp;
use crate::tenancy::organizations::organization::PostalAddress;

/// The seller as it is printed on invoices. An absent field is not printed.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewSeller {
    /// The name of the seller.
    #[schema(min_length = 1, max_length = 200, example = "Northwind")]
    pub name: String,
    /// The legal name, printed as the sender where it differs from the name.
    #[schema(min_length = 1, max_length = 200, example = "Northwind Software GmbH")]
    pub legal_name: Option<String>,
    /// The email address, printed on invoices.
    #[schema(max_length = 254, example = "billing@northwind.example")]
    pub email: Option<String>,
    /// The telephone number, printed on invoices.
    #[schema(min_length = 1, max_length = 200, example = "+49 30 5550100")]
    pub telephone: Option<String>,
    /// The website, printed on invoices.
    #[schema(min_length = 1, max_length = 200, example = "https://northwind.example")]
    pub url: Option<String>,
    /// The postal address, printed on invoices.
    pub address: Option<PostalAddress>,
    /// The tax id, such as a VAT number.
    #[schema(min_length = 1, max_length = 200, example = "DE811907980")]
    pub tax_id: Option<String>,
    /// The logo: a PNG, or an SVG of shapes in plain colors, as a data URI (`data:image/png;base64,` or `data:image/svg+xml;base64,`) of at
    /// most 48 KiB.
    #[schema(max_length = 49152, example = "data:image/png;base64,iVBORw0KGgo=")]
    pub logo: Option<String>,
    /// The small print at the foot of every page.
    #[schema(min_length = 1, max_length = 1000, example = "Northwind Software GmbH, Berlin, HRB 1234")]
    pub footer: Option<String>,
    /// Payment instructions, printed below the totals.
    #[schema(min_length = 1, max_length = 1000, example = "Please transfer to DE02 1203 0000 0000 2020 51.")]
    pub payment_instructions: Option<String>,
    /// The prefix of the numbers of invoices from now on. Defaults to `INV-`.
    #[schema(min_length = 1, max_length = 12, pattern = "^[A-Za-z0-9_./-]{1,12}$", example = "INV-")]
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

/// The seller: the vendor as it is printed on invoices.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Seller)]
pub struct SellerView {
    /// The type of the resource.
    #[serde(rename = "$type")]
    #[schema(example = "Seller")]
    pub type_name: &'static str,
    /// The name of the seller. Null until it is set.
    #[schema(example = "Northwind")]
    pub name: Option<String>,
    /// The legal name, printed as the sender where it differs from the name.
    #[schema(example = "Northwind Software GmbH")]
    pub legal_name: Option<String>,
    /// The email address, printed on invoices.
    #[schema(example = "billing@northwind.example")]
    pub email: Option<String>,
    /// The telephone number, printed on invoices.
    #[schema(example = "+49 30 5550100")]
    pub telephone: Option<String>,
    /// The website, printed on invoices.
    #[schema(example = "https://northwind.example")]
    pub url: Option<String>,
    /// The postal address, printed on invoices.
    #[schema(value_type = Option<PostalAddress>)]
    pub address: Option<PostalAddress>,
    /// The tax id, such as a VAT number.
    #[schema(example = "DE811907980")]
    pub tax_id: Option<String>,
    /// The logo as a data URI.
    #[schema(example = "data:image/png;base64,iVBORw0KGgo=")]
    pub logo: Option<String>,
    /// The small print at the foot of every page.
    #[schema(example = "Northwind Software GmbH, Berlin, HRB 1234")]
    pub footer: Option<String>,
    /// Payment instructions, printed below the totals.
    #[schema(example = "Please transfer to DE02 1203 0000 0000 2020 51.")]
    pub payment_instructions: Option<String>,
    /// The prefix of invoice numbers.
    #[schema(example = "INV-")]
    pub invoice_prefix: String,
    /// The instant of the last update. Null until the seller is set.
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

/// Get the seller
///
/// The vendor as it is printed on invoices.
#[utoipa::path(get, path = "/v1/seller", operation_id = "getSeller",
    responses((status = 200, description = "The seller", body = SellerView)))]
pub async fn get(vendor: Vendor, _: Filter<NoParameters>) -> Result<Reply> {
    let found = store::find(vendor.platform.app()).await?;
    let (seller, updated_at) = found.map(|kept| (kept.seller, kept.updated_at)).unzip();
    Reply::ok(&SellerView::of(seller.unwrap_or_default(), updated_at))
}

/// Set the seller
///
/// Replaces all fields. An invoice keeps the seller of the moment when it gets its number (a change arrives within a minute); the logo is
/// always the current one.
#[utoipa::path(put, path = "/v1/seller", operation_id = "putSeller", request_body = NewSeller,
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

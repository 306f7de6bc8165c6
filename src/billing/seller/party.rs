//! The seller as invoices name it.

use serde::{Deserialize, Serialize};

use crate::tenancy::organizations::organization::PostalAddress;

/// The prefix of invoice numbers until the vendor sets another one.
pub const PREFIX: &str = "INV-";

/// The seller as it is printed on invoices.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Seller {
    /// None until it is set.
    pub name: Option<String>,
    pub legal_name: Option<String>,
    pub email: Option<String>,
    pub telephone: Option<String>,
    pub url: Option<String>,
    pub address: Option<PostalAddress>,
    pub tax_id: Option<String>,
    /// A data URI.
    pub logo: Option<String>,
    pub footer: Option<String>,
    pub payment_instructions: Option<String>,
    pub invoice_prefix: String,
}

impl Default for Seller {
    fn default() -> Self {
        Self {
            name: None,
            legal_name: None,
            email: None,
            telephone: None,
            url: None,
            address: None,
            tax_id: None,
            logo: None,
            footer: None,
            payment_instructions: None,
            invoice_prefix: PREFIX.to_owned(),
        }
    }
}

//! An organization, with its details, its settings, and its suspension or cancellation.

use serde::{Deserialize, Serialize};

use crate::kernel::ids::{OrganizationId, TestClockId};
use crate::kernel::organization::Status;
use crate::kernel::time::Timestamp;

/// The optional details of a company, named as in schema.org.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Details {
    pub url: Option<String>,
    pub telephone: Option<String>,
    pub number_of_employees: Option<u32>,
    pub founding_date: Option<String>,
    pub industry: Option<String>,
    pub description: Option<String>,
    pub address: Option<PostalAddress>,
    /// Such as a VAT number; printed on invoices.
    #[serde(default)]
    pub tax_id: Option<String>,
    /// The plan whose trial the sign-up starts.
    pub plan: Option<String>,
}

/// A postal address (schema.org's PostalAddress).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PostalAddress {
    /// The type of the resource.
    #[serde(rename = "$type", default = "PostalAddress::type_name")]
    #[schema(example = "PostalAddress")]
    pub type_name: String,
    /// Street and number.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "123 Enterprise Blvd")]
    pub street_address: Option<String>,
    /// City.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "San Francisco")]
    pub address_locality: Option<String>,
    /// State, province or canton.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "CA")]
    pub address_region: Option<String>,
    /// Postal code.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "94105")]
    pub postal_code: Option<String>,
    /// ISO 3166-1 alpha-2 code of the country.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "US")]
    pub address_country: Option<String>,
}

impl PostalAddress {
    pub(super) fn type_name() -> String {
        "PostalAddress".to_owned()
    }
}

/// Time zone, date format, currency and language of an organization.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Settings {
    /// IANA time zone. Billing periods begin at midnight there.
    #[schema(example = "America/Los_Angeles")]
    pub timezone: String,
    /// The format in which the organization displays dates.
    #[schema(example = "MM/DD/YYYY")]
    pub date_format: String,
    /// ISO 4217 code of the preferred currency.
    #[schema(example = "USD")]
    pub currency: String,
    /// BCP 47 language tag.
    #[schema(example = "en")]
    pub language: String,
}

impl Default for Settings {
    fn default() -> Self {
        Self { timezone: "UTC".into(), date_format: "YYYY-MM-DD".into(), currency: "USD".into(), language: "en".into() }
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Organization {
    pub id: OrganizationId,
    pub name: String,
    pub email: String,
    pub details: Details,
    pub settings: Settings,
    pub status: Status,
    pub test_clock: Option<TestClockId>,
    pub created_at: Timestamp,
    pub onboarded_at: Option<Timestamp>,
    pub version: i64,
}

/// The reason and the time of a suspension.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suspension {
    pub reason: String,
    pub started_at: Timestamp,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cancellation {
    pub reason: Option<String>,
    pub cancelled_at: Timestamp,
    /// The end of the grace period, in which the cancellation can be withdrawn.
    pub erases_at: Timestamp,
}

/// An organization with its suspension and cancellation.
#[derive(Clone, Debug, PartialEq)]
pub struct Life {
    pub organization: Organization,
    pub suspension: Option<Suspension>,
    pub cancellation: Option<Cancellation>,
}

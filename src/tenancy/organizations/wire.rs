//! Organizations in requests and responses.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::organization::PostalAddress;
use super::organization::{Details, Organization, Settings};
use super::rules::Changes;
use crate::kernel::ids::{Moment, OrganizationId, TestClockId};
use crate::kernel::json::given;
use crate::kernel::organization::Status;
use crate::kernel::time::Timestamp;

/// Settings of a request: an absent one keeps its value, or its default at sign-up.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SettingsInput {
    /// IANA time zone. Billing periods begin at midnight there.
    #[schema(example = "America/Los_Angeles")]
    pub timezone: Option<String>,
    /// The format in which the organization displays dates.
    #[schema(example = "MM/DD/YYYY")]
    pub date_format: Option<String>,
    /// ISO 4217 code of the preferred currency.
    #[schema(example = "USD")]
    pub currency: Option<String>,
    /// BCP 47 language tag.
    #[schema(example = "en")]
    pub language: Option<String>,
}

/// A new organization.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewOrganization {
    /// The name of the company.
    #[schema(example = "Acme Corporation", min_length = 1, max_length = 200)]
    pub name: String,
    /// The address to which mails to the company are sent.
    #[schema(example = "admin@acme.example", format = Email)]
    pub email: String,
    /// The company's website.
    #[schema(example = "https://acme.example", max_length = 2000, pattern = "^https?://")]
    pub url: Option<String>,
    /// The company's telephone number, in any notation.
    #[schema(example = "+1-555-0100", max_length = 2000)]
    pub telephone: Option<String>,
    /// The number of people the company employs.
    #[schema(example = 500, value_type = Option<i64>, minimum = 0, maximum = 4294967295_u32)]
    pub number_of_employees: Option<u32>,
    /// The date on which the company was founded, `YYYY-MM-DD`.
    #[schema(example = "2015-03-15", format = Date)]
    pub founding_date: Option<String>,
    /// The industry of the company, in free text.
    #[schema(example = "Software")]
    pub industry: Option<String>,
    /// A description of the company, in free text.
    #[schema(example = "Enterprise software company")]
    pub description: Option<String>,
    /// The postal address, printed on invoices.
    pub address: Option<PostalAddress>,
    /// A tax number such as a VAT number, printed on invoices.
    #[schema(example = "ATU12345678", max_length = 2000)]
    pub tax_id: Option<String>,
    /// Time zone, date format, currency and language.
    pub settings: Option<SettingsInput>,
    /// The key of the plan to try. Default: `professional`.
    #[schema(example = "professional")]
    pub plan: Option<String>,
    /// The test clock that the organization is on; see `POST /v1/test-clocks`.
    #[schema(example = "clock_01h2xcejqtf2nbrexx3vqjhp41")]
    pub test_clock: Option<String>,
}

/// Changes of an organization, as a JSON merge patch (RFC 7396): an absent member keeps its value, `null` clears an optional one.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct OrganizationChanges {
    /// The name of the company.
    #[serde(default, deserialize_with = "given")]
    #[schema(example = "Acme Corporation", nullable = false, min_length = 1, max_length = 200)]
    pub name: Option<String>,
    /// The address to which mails to the company are sent.
    #[serde(default, deserialize_with = "given")]
    #[schema(example = "admin@acme.example", nullable = false, format = Email)]
    pub email: Option<String>,
    /// The company's website.
    #[serde(default, deserialize_with = "given")]
    #[schema(example = "https://acme.example", value_type = Option<String>)]
    pub url: Option<Option<String>>,
    /// The company's telephone number, in any notation.
    #[serde(default, deserialize_with = "given")]
    #[schema(example = "+1-555-0100", value_type = Option<String>)]
    pub telephone: Option<Option<String>>,
    /// The number of people the company employs.
    #[serde(default, deserialize_with = "given")]
    #[schema(example = 500, value_type = Option<i64>, minimum = 0, maximum = 4294967295_u32)]
    pub number_of_employees: Option<Option<u32>>,
    /// The date on which the company was founded, `YYYY-MM-DD`.
    #[serde(default, deserialize_with = "given")]
    #[schema(example = "2015-03-15", value_type = Option<String>)]
    pub founding_date: Option<Option<String>>,
    /// The industry of the company, in free text.
    #[serde(default, deserialize_with = "given")]
    #[schema(example = "Software", value_type = Option<String>)]
    pub industry: Option<Option<String>>,
    /// A description of the company, in free text.
    #[serde(default, deserialize_with = "given")]
    #[schema(example = "Enterprise software company", value_type = Option<String>)]
    pub description: Option<Option<String>>,
    /// The postal address, printed on invoices.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<PostalAddress>)]
    pub address: Option<Option<PostalAddress>>,
    /// A tax number such as a VAT number, printed on invoices.
    #[serde(default, deserialize_with = "given")]
    #[schema(example = "ATU12345678", value_type = Option<String>)]
    pub tax_id: Option<Option<String>>,
    /// Time zone, date format, currency and language.
    #[serde(default, deserialize_with = "given")]
    #[schema(nullable = false)]
    pub settings: Option<SettingsInput>,
}

/// An organization (schema.org vocabulary).
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Organization)]
pub struct OrganizationView {
    /// The type of the resource.
    #[serde(rename = "$type")]
    #[schema(example = "Organization")]
    pub type_name: &'static str,
    /// The id of the organization.
    #[serde(rename = "$id")]
    pub id: OrganizationId,
    /// The name of the company.
    #[schema(example = "Acme Corporation")]
    pub name: String,
    /// The address to which mails to the company are sent.
    #[schema(example = "admin@acme.example")]
    pub email: String,
    /// The company's website.
    #[schema(example = "https://acme.example")]
    pub url: Option<String>,
    /// The company's telephone number, in any notation.
    #[schema(example = "+1-555-0100")]
    pub telephone: Option<String>,
    /// The number of people the company employs.
    #[schema(example = 500, value_type = Option<i64>, minimum = 0, maximum = 4294967295_u32)]
    pub number_of_employees: Option<u32>,
    /// The date on which the company was founded, `YYYY-MM-DD`.
    #[schema(example = "2015-03-15")]
    pub founding_date: Option<String>,
    /// The industry of the company, in free text.
    #[schema(example = "Software")]
    pub industry: Option<String>,
    /// A description of the company, in free text.
    #[schema(example = "Enterprise software company")]
    pub description: Option<String>,
    /// The postal address, printed on invoices.
    pub address: Option<PostalAddress>,
    /// A tax number such as a VAT number, printed on invoices.
    #[schema(example = "ATU12345678")]
    pub tax_id: Option<String>,
    /// Time zone, date format, currency and language.
    pub settings: Settings,
    /// The status, which decides the permissions of the organization's credentials.
    pub status: Status,
    /// The test clock that the organization is on; see `POST /v1/test-clocks`.
    #[schema(example = "clock_01h2xcejqtf2nbrexx3vqjhp41")]
    pub test_clock: Option<TestClockId>,
    /// The time of the sign-up.
    pub created_at: Timestamp,
    /// The time at which its onboarding checklist was completed.
    pub onboarded_at: Option<Timestamp>,
    /// The completed items of the onboarding checklist in percent of all, from 0 to 100.
    #[schema(example = 40, maximum = 100)]
    pub onboarding_progress: u8,
}

impl NewOrganization {
    /// The organization this sign-up makes, apart from the test clock, which the directory looks up.
    pub fn into_organization(self, moment: Moment<'_>, test_clock: Option<TestClockId>) -> Organization {
        Organization {
            id: OrganizationId::new(moment),
            name: self.name.trim().to_owned(),
            email: self.email.trim().to_owned(),
            details: Details {
                url: self.url,
                telephone: self.telephone,
                number_of_employees: self.number_of_employees,
                founding_date: self.founding_date,
                industry: self.industry,
                description: self.description,
                address: self.address,
                tax_id: self.tax_id,
                plan: self.plan,
            },
            settings: self.settings.unwrap_or_default().over(&Settings::default()),
            status: Status::Active,
            test_clock,
            created_at: moment.now,
            onboarded_at: None,
            version: 1,
        }
    }
}

impl SettingsInput {
    /// These settings, the rest as in `present`.
    fn over(self, present: &Settings) -> Settings {
        Settings {
            timezone: self.timezone.unwrap_or_else(|| present.timezone.clone()),
            date_format: self.date_format.unwrap_or_else(|| present.date_format.clone()),
            currency: self.currency.unwrap_or_else(|| present.currency.clone()),
            language: self.language.unwrap_or_else(|| present.language.clone()),
        }
    }
}

impl OrganizationChanges {
    pub fn over(self, present: &Organization) -> Changes {
        let old = present.details.clone();
        let details = Details {
            url: self.url.unwrap_or(old.url),
            telephone: self.telephone.unwrap_or(old.telephone),
            number_of_employees: self.number_of_employees.unwrap_or(old.number_of_employees),
            founding_date: self.founding_date.unwrap_or(old.founding_date),
            industry: self.industry.unwrap_or(old.industry),
            description: self.description.unwrap_or(old.description),
            address: self.address.unwrap_or(old.address),
            tax_id: self.tax_id.unwrap_or(old.tax_id),
            plan: old.plan,
        };
        let trimmed = |text: String| text.trim().to_owned();
        let settings = self.settings.map(|settings| settings.over(&present.settings));
        Changes { name: self.name.map(trimmed), email: self.email.map(trimmed), details: Some(details), settings }
    }
}

impl OrganizationView {
    /// `completed` of `items` items of the checklist are done.
    pub fn new(organization: Organization, completed: usize, items: usize) -> Self {
        let details = organization.details;
        Self {
            type_name: "Organization",
            id: organization.id,
            name: organization.name,
            email: organization.email,
            url: details.url,
            telephone: details.telephone,
            number_of_employees: details.number_of_employees,
            founding_date: details.founding_date,
            industry: details.industry,
            description: details.description,
            address: details.address,
            tax_id: details.tax_id,
            settings: organization.settings,
            status: organization.status,
            test_clock: organization.test_clock,
            created_at: organization.created_at,
            onboarded_at: organization.onboarded_at,
            onboarding_progress: crate::tenancy::onboarding::rules::progress(completed, items),
        }
    }
}

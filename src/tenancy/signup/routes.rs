//! The endpoint of sign-ups.

pub use super::vendor::*;
use serde::Deserialize;
use utoipa::ToSchema;

use super::placement::FirstOwner;
use super::sign_up;
use super::sign_up::SignUp;
use crate::http::reply::Reply;
use crate::http::request::Command;
use crate::identity::callers::public::Public;
use crate::identity::logins;
use crate::identity::logins::routes::checked_email;
use crate::identity::throttle::at;
use crate::kernel::error::Result;
use crate::tenancy::organizations::organization::PostalAddress;
use crate::tenancy::organizations::wire::{NewOrganization, OrganizationView, SettingsInput};

/// A sign-up: the company and its first owner.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewSignup {
    /// The name of the company.
    #[schema(example = "Acme Corporation", min_length = 1, max_length = 200)]
    pub name: String,
    /// The owner's email address, also the address of mails to the company.
    #[schema(example = "ada@acme.example", format = Email)]
    pub email: String,
    /// The owner's given name.
    #[schema(example = "Ada", max_length = 200)]
    pub given_name: Option<String>,
    /// The owner's family name.
    #[schema(example = "Lovelace", max_length = 200)]
    pub family_name: Option<String>,
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
    /// A tax number such as a VAT number, printed on invoices.
    #[schema(example = "ATU12345678", max_length = 2000)]
    pub tax_id: Option<String>,
    /// The postal address, printed on invoices.
    pub address: Option<PostalAddress>,
    /// Time zone, date format, currency and language.
    pub settings: Option<SettingsInput>,
    /// The key of the plan to try. Default: `professional`.
    #[schema(example = "professional")]
    pub plan: Option<String>,
    /// The test clock of the organization; see `POST /v1/test-clocks`.
    #[schema(example = "clock_01h2xcejqtf2nbrexx3vqjhp41")]
    pub test_clock: Option<String>,
}

impl NewSignup {
    fn split(self, email: String) -> (NewOrganization, FirstOwner) {
        let owner = FirstOwner { email: email.clone(), given_name: self.given_name, family_name: self.family_name };
        let organization = NewOrganization {
            name: self.name,
            email,
            url: self.url,
            telephone: self.telephone,
            number_of_employees: self.number_of_employees,
            founding_date: self.founding_date,
            industry: self.industry,
            description: self.description,
            tax_id: self.tax_id,
            address: self.address,
            settings: self.settings,
            plan: self.plan,
            test_clock: self.test_clock,
        };
        (organization, owner)
    }
}

/// Create an organization by sign-up
///
/// Public. Creates the organization like `POST /v1/organizations`, with the given person as its first owner. The response carries no
/// credential: a login code is mailed to the owner, who exchanges it for a session with `POST /v1/sessions`.
#[utoipa::path(post, path = "/v1/signup", operation_id = "signUp", request_body = NewSignup,
    responses((status = 201, description = "The organization", body = OrganizationView)))]
pub async fn create(public: Public<at::SignUp>, command: Command<NewSignup>) -> Result<Reply> {
    let email = checked_email(&command.body.email, "/email")?;
    let (platform, admission) = public.admit(Some(&email)).await?;
    let claim = command.claim.map(|claim| claim.within(&email));
    let (body, owner) = command.body.split(email.clone());
    let reply = sign_up::sign_up(&platform, SignUp { body, owner: Some(owner) }, claim.as_ref(), public.request_id).await?;
    if !reply.replayed {
        logins::store::ask(&platform, &email, None).await?;
    }
    Ok(reply.with_headers(admission.headers()))
}

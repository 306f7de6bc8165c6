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

/// A company and its first owner, whose email this is.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewSignup {
    #[schema(example = "Acme Corporation", min_length = 1, max_length = 200)]
    pub name: String,
    /// The owner's, and where mails to the company go.
    #[schema(example = "ada@acme.example", format = Email)]
    pub email: String,
    /// The owner's first name.
    #[schema(max_length = 200)]
    pub given_name: Option<String>,
    #[schema(max_length = 200)]
    pub family_name: Option<String>,
    #[schema(max_length = 2000, pattern = "^https?://")]
    pub url: Option<String>,
    #[schema(max_length = 2000)]
    pub telephone: Option<String>,
    #[schema(value_type = Option<i64>, minimum = 0, maximum = 4294967295_u32)]
    pub number_of_employees: Option<u32>,
    #[schema(format = Date)]
    pub founding_date: Option<String>,
    pub industry: Option<String>,
    pub description: Option<String>,
    /// A VAT id or the like, as it stands on invoices.
    #[schema(max_length = 2000)]
    pub tax_id: Option<String>,
    pub address: Option<PostalAddress>,
    pub settings: Option<SettingsInput>,
    /// The plan to try; `professional` when absent.
    pub plan: Option<String>,
    /// Puts the organization on a test clock, see `POST /v1/test-clocks`.
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

/// Sign one's own company up
///
/// Like `POST /v1/organizations`, with whoever signs up as the first owner. The answer opens nothing: a login code is mailed to the owner,
/// who proves the email with it at `POST /v1/sessions`.
#[utoipa::path(post, path = "/v1/signup", tag = "organizations", operation_id = "signUp", request_body = NewSignup,
    responses((status = 201, description = "The organization", body = OrganizationView)), security(()))]
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

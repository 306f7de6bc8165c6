//! Sign-up by the vendor.

use super::sign_up;
use super::sign_up::SignUp;
use crate::http::reply::Reply;
use crate::http::request::Command;
use crate::identity::callers::actors::Vendor;
use crate::kernel::error::Result;
use crate::tenancy::organizations::wire::{NewOrganization, OrganizationView};

/// Create an organization
///
/// Creates the organization with its onboarding checklist and its first subscription, a trial where the plan has one, and sends the welcome
/// mail. Everything exists when the response arrives.
#[utoipa::path(post, path = "/v1/organizations", operation_id = "createOrganization", request_body = NewOrganization,
    responses((status = 201, description = "The organization", body = OrganizationView)))]
pub async fn create_for_vendor(vendor: Vendor, command: Command<NewOrganization>) -> Result<Reply> {
    let asked = SignUp { body: command.body, owner: None };
    sign_up::sign_up(&vendor.platform, asked, command.claim.as_ref(), vendor.request_id).await
}

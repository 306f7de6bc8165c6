//! The endpoint of logins.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{rules, store};
use crate::http::reply::{Reply, once_for_vendor};
use crate::http::request::Command;
use crate::identity::callers::public::Public;
use crate::identity::throttle::at;
use crate::kernel::error::Result;
use crate::kernel::organization::is_email;
use crate::kernel::problem::Problem;

/// A login email to request.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewLogin {
    /// The email address of the person who wants to log in.
    #[schema(example = "ada@acme.example", format = Email)]
    pub email: String,
}

/// A requested login email, the same for every address.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Login)]
pub struct LoginView {
    /// The type of the resource: `Login`.
    #[serde(rename = "$type")]
    #[schema(example = "Login")]
    pub type_name: &'static str,
    /// How long the code and the link in the email are valid, in seconds.
    #[schema(value_type = i64, example = 600)]
    pub expires_in: u64,
}

/// Request a login email
///
/// Emails a code and a link to the address if it belongs to a member. The response is the same if it does not. Both are valid for ten
/// minutes and are accepted once, by `POST /v1/sessions`. The three most recent emails to an address stay valid until they expire.
#[utoipa::path(post, path = "/v1/login", operation_id = "createLogin", request_body = NewLogin,
    responses((status = 202, description = "The email is sent if the address belongs to a member", body = LoginView)))]
pub async fn create(public: Public<at::Login>, command: Command<NewLogin>) -> Result<Reply> {
    let email = checked_email(&command.body.email, "/email")?;
    let (platform, admission) = public.admit(Some(&email)).await?;
    let claim = command.claim.map(|claim| claim.within(&email));
    let reply = once_for_vendor(&platform, claim.as_ref(), || async {
        let reply = Reply::json(202, &LoginView { type_name: "Login", expires_in: rules::LIFETIME.as_secs() })?;
        store::ask(&platform, &email, reply.stored(claim.as_ref()).as_ref()).await?;
        Ok(reply)
    })
    .await?;
    Ok(reply.with_headers(admission.headers()))
}

/// The email address in the form in which addresses are compared; refused if it cannot be one.
pub fn checked_email(text: &str, pointer: &str) -> Result<String> {
    let email = rules::normal(text);
    if !is_email(&email) {
        return Err(Problem::invalid(pointer, "invalid_value", "This is not an email address. Send one such as ada@acme.example.").into());
    }
    Ok(email)
}

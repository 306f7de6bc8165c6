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

/// Who wants to log in.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewLogin {
    #[schema(example = "ada@acme.example", format = Email)]
    pub email: String,
}

/// What everybody is told.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Login)]
pub struct LoginView {
    #[serde(rename = "$type")]
    pub type_name: &'static str,
    /// Seconds for which the code and the link in the mail are good.
    #[schema(value_type = i64, example = 600)]
    pub expires_in: u64,
}

/// Ask for a login mail
///
/// If the address is a member's, a code and a link are mailed to it. The answer is the same if it is not. Both work once, for
/// `POST /v1/sessions`; a mail before this one works until it expires, up to three at a time.
#[utoipa::path(post, path = "/v1/login", tag = "sessions", operation_id = "createLogin", request_body = NewLogin,
    responses((status = 202, description = "A mail is on its way, if the address is a member's", body = LoginView)))]
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

/// The email as it is compared, if it can be one.
pub fn checked_email(text: &str, pointer: &str) -> Result<String> {
    let email = rules::normal(text);
    if !is_email(&email) {
        return Err(Problem::invalid(pointer, "invalid_value", "Send an email address such as ada@acme.example.").into());
    }
    Ok(email)
}

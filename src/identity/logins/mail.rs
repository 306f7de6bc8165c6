//! The email of a login. It is not among an organization's mails: it is written when it is sent, so that no code is stored.

use serde_json::json;

use super::rules::{LIFETIME, Login};
use super::{organizations, secrets, store};
use crate::kernel::error::Result;
use crate::kernel::ids::{LoginId, MailId};
use crate::kernel::mail::render::render;
use crate::kernel::platform::Platform;
use crate::kernel::ports::OutgoingMail;

const TEMPLATE: &str = "login-code";

/// Sends the email of a login, once, if the address belongs to a member. Otherwise it only records that there is nothing to send.
pub async fn send(platform: &Platform, id: LoginId) -> Result<()> {
    let Some(login) = store::to_mail(platform, id).await? else { return Ok(()) };
    if let Some(belonging) = organizations::of_email(platform, &login.email, None).await?.first() {
        platform.app().mailer.send(written(platform, &login, belonging)?).await?;
    }
    store::mailed(platform, id).await
}

fn written(platform: &Platform, login: &Login, belonging: &organizations::Belonging) -> Result<OutgoingMail> {
    let settings = &platform.app().settings;
    let data = json!({
        "code": secrets::code(login.id, &settings.secret),
        "loginUrl": format!("{}/login?token={}", settings.app_url, secrets::token(login.id, &settings.secret)),
        "minutes": LIFETIME.as_secs().checked_div(60).unwrap_or(0),
    });
    let mail = render(TEMPLATE, &data)?;
    Ok(OutgoingMail {
        id: MailId::derived(&["login", &login.id.to_string()]),
        organization: belonging.tenant.organization(),
        to: login.email.clone(),
        template: TEMPLATE.to_owned(),
        subject: mail.subject,
        text: mail.text,
        html: mail.html,
        data,
        sent_at: platform.app().moment().now,
    })
}

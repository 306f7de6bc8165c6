//! The secrets of mails: no table holds them; they are derived when the mail is sent, from data that is no credential.

use serde::Deserialize;
use serde_json::Value;

use crate::identity::invitations::token::InvitationToken;
use crate::kernel::error::{Error, Result};
use crate::kernel::ids::{InvitationId, OrganizationId};

/// The templates that hold a link with a token.
const TEAM_INVITATION: &str = "team-invitation";

#[derive(Deserialize)]
struct InvitationMail {
    invitation: Named,
}

#[derive(Deserialize)]
struct Named {
    #[serde(rename = "$id")]
    id: InvitationId,
    generation: u32,
}

/// The data of a template: the committed data, and the secret where the template has one.
pub fn added(template: &str, data: &Value, organization: OrganizationId, secret: &[u8]) -> Result<Value> {
    let mut data = data.clone();
    if template == TEAM_INVITATION {
        let InvitationMail { invitation: Named { id, generation } } = serde_json::from_value(data.clone())
            .map_err(|error| Error::internal(format!("mail {template} names no invitation: {error}")))?;
        let token = InvitationToken { organization, invitation: id, generation }.mint(secret);
        if let Some(members) = data.as_object_mut() {
            members.insert("token".into(), token.into());
        }
    }
    Ok(data)
}

//! The endpoints of a person's own second factor.

use axum::extract::FromRequestParts;
use http::request::Parts;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::rules::{Proof, SecondFactor, already_there, invalid_second_factor, none_there};
use super::{check, store, totp};
use crate::http::reply::{Reply, once};
use crate::http::request::{Command, text_header};
use crate::identity::callers::person::Person;
use crate::identity::callers::public::Client;
use crate::kernel::decision::Decision;
use crate::kernel::error::{Error, Result};
use crate::kernel::idempotency::Claim;
use crate::kernel::problem::Problem;
use crate::kernel::time::Timestamp;

/// A second factor to create. There is nothing to choose: it is a time-based one-time password (RFC 6238), six digits every 30 seconds.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewSecondFactor {}

/// A code that confirms a second factor.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Confirmation {
    /// The current code of the authenticator app.
    #[schema(example = "012345")]
    pub code: String,
}

/// The caller's second factor.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = SecondFactor)]
pub struct SecondFactorView {
    /// The type of the resource: `SecondFactor`.
    #[serde(rename = "$type")]
    #[schema(example = "SecondFactor")]
    pub type_name: &'static str,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it was confirmed; logins require a code from then on. `null` if it is not confirmed.
    pub confirmed_at: Option<Timestamp>,
    /// The number of recovery codes that are unused.
    #[schema(example = 10)]
    pub recovery_codes_left: usize,
    /// The secret for authenticator apps, in base32. Returned until the factor is confirmed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ")]
    pub secret: Option<String>,
    /// The secret as an `otpauth:` URI, for a QR code.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "otpauth://totp/app.example.com:ada%40acme.example?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ")]
    pub otpauth_uri: Option<String>,
    /// Recovery codes; each replaces one code of the app, once. Returned once, when the factor is confirmed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = json!(["a1b2c3d4e5"]))]
    pub recovery_codes: Option<Vec<String>>,
}

impl From<&SecondFactor> for SecondFactorView {
    fn from(factor: &SecondFactor) -> Self {
        Self {
            type_name: "SecondFactor",
            created_at: factor.created_at,
            confirmed_at: factor.confirmed_at,
            recovery_codes_left: factor.recovery_codes.len(),
            secret: None,
            otpauth_uri: None,
            recovery_codes: None,
        }
    }
}

/// Get the caller's second factor
///
/// The second factor without its secret. Returns 404 if there is none.
#[utoipa::path(get, path = "/v1/second-factor", operation_id = "getSecondFactor",
    responses((status = 200, description = "The factor, without its secret", body = SecondFactorView)))]
pub async fn get(caller: Person) -> Result<Reply> {
    Reply::ok(&SecondFactorView::from(&find(&caller).await?))
}

/// Create a second factor for the caller
///
/// Returns the secret for an authenticator app. The factor protects logins once it is confirmed with a first code; until then, this call
/// replaces the secret. Returns 409 `second_factor_exists` if a confirmed factor exists.
#[utoipa::path(post, path = "/v1/second-factor", operation_id = "enrolSecondFactor", request_body = NewSecondFactor,
    responses((status = 201, description = "The factor with its secret", body = SecondFactorView)))]
pub async fn enrol(caller: Person, command: Command<NewSecondFactor>) -> Result<Reply> {
    let (app, claim) = (caller.tenant.app(), claim_of(&caller, &command));
    let reply = once(&caller.tenant, claim.as_ref(), || async {
        if store::find(app, caller.person).await?.is_some_and(|factor| factor.confirmed_at.is_some()) {
            return Err(already_there().into());
        }
        let (_, sealed) = check::new_seed(app, caller.person).await?;
        store::write(app, store::put(caller.person, &sealed, app.moment().now)).await?;
        let reply = Reply::created(&SecondFactorView::from(&find(&caller).await?))?;
        caller.tenant.commit(noted(&caller, "secondFactor.enrolled"), reply.stored(claim.as_ref()).as_ref()).await?;
        Ok(reply)
    })
    .await?;
    // The secret is in no stored answer: it is opened again, as long as the factor is not confirmed.
    let factor = find(&caller).await?;
    if factor.confirmed_at.is_some() {
        return Err(already_there().into());
    }
    let seed = totp::base32(&check::seed(app, &factor).await?);
    let email = store::email_of(app, caller.person).await?;
    let uri = totp::uri(&app.settings.app_url, &email, &seed);
    let view = SecondFactorView { otpauth_uri: Some(uri), secret: Some(seed), ..SecondFactorView::from(&factor) };
    Ok(Reply { replayed: reply.replayed, ..Reply::created(&view)? })
}

/// Confirm the caller's second factor
///
/// Activates the factor: from now on every login of this person, in every organization, requires a code. Returns the recovery codes once.
#[utoipa::path(
    post, path = "/v1/second-factor/confirmation", operation_id = "confirmSecondFactor",
    request_body = Confirmation, responses((status = 201, description = "The factor with its recovery codes", body = SecondFactorView))
)]
pub async fn confirm(caller: Person, client: Client, command: Command<Confirmation>) -> Result<Reply> {
    let (app, claim) = (caller.tenant.app(), claim_of(&caller, &command));
    let reply = once(&caller.tenant, claim.as_ref(), || async {
        let factor = find(&caller).await?;
        if factor.confirmed_at.is_some() {
            return Err(already_there().into());
        }
        let proof = proof(&caller, &factor, &command.body.code, &client).await?;
        let mut statements = store::spend(&factor, proof);
        statements.push(store::confirm(caller.person, app.moment().now));
        store::write(app, statements).await.map_err(spent)?;
        let reply = Reply::created(&SecondFactorView::from(&find(&caller).await?))?;
        caller.tenant.commit(noted(&caller, "secondFactor.confirmed"), reply.stored(claim.as_ref()).as_ref()).await?;
        Ok(reply)
    })
    .await?;
    let factor = find(&caller).await?;
    let view =
        SecondFactorView { recovery_codes: Some(check::recovery_codes(&factor, &app.settings.secret)), ..SecondFactorView::from(&factor) };
    Ok(Reply { replayed: reply.replayed, ..Reply::created(&view)? })
}

/// Remove the caller's second factor
///
/// Requires a code of the factor or a recovery code in the header `Second-Factor-Code`, so that a stolen access token is not enough.
#[utoipa::path(
    delete, path = "/v1/second-factor", operation_id = "removeSecondFactor",
    params(
        ("Second-Factor-Code" = Option<String>, Header, description = "A code of the app or a recovery code, for a confirmed factor")
    ),
    responses((status = 204, description = "Removed"))
)]
pub async fn remove(caller: Person, client: Client, SecondFactorCode(code): SecondFactorCode) -> Result<Reply> {
    let (app, factor) = (caller.tenant.app(), find(&caller).await?);
    let mut statements = Vec::new();
    if factor.confirmed_at.is_some() {
        let detail = "Removing a confirmed second factor requires a code. Send one of its codes in the header Second-Factor-Code.";
        let code = code.ok_or_else(|| Problem::refused("Second-Factor-Code", "second_factor_required", detail))?;
        let proof = proof(&caller, &factor, &code, &client).await?;
        statements = store::spend(&factor, proof);
    }
    statements.push(store::remove(caller.person));
    store::write(app, statements).await.map_err(spent)?;
    caller.tenant.commit(noted(&caller, "secondFactor.removed"), None).await?;
    Ok(Reply::no_content())
}

/// The header with a code, for requests without a body.
pub struct SecondFactorCode(Option<String>);

impl<S: Send + Sync> FromRequestParts<S> for SecondFactorCode {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self> {
        Ok(Self(Some(text_header(&parts.headers, "second-factor-code")).filter(|code| !code.is_empty())))
    }
}

async fn find(caller: &Person) -> Result<SecondFactor> {
    store::find(caller.tenant.app(), caller.person).await?.ok_or_else(|| none_there().into())
}

async fn proof(caller: &Person, factor: &SecondFactor, code: &str, client: &Client) -> Result<Proof> {
    let proof = check::proof(caller.tenant.app(), factor, code, &client.address).await?;
    proof.ok_or_else(|| invalid_second_factor(403).into())
}

/// A concurrent request used the same code, which is then spent.
fn spent(error: Error) -> Error {
    if error == Error::Stale { invalid_second_factor(403).into() } else { error }
}

/// The idempotency keys of a person are scoped to that person.
fn claim_of<T>(caller: &Person, command: &Command<T>) -> Option<Claim> {
    command.claim.clone().map(|claim| claim.within(&caller.person.to_string()))
}

fn noted(caller: &Person, action: &'static str) -> Decision {
    Decision::new().audit(action, caller.person.to_string(), None, None)
}

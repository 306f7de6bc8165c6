//! Tokens as texts: JWS compact, signed with EdDSA and nothing else.

use ed25519_compact::PublicKey;
use jwt_compact::alg::Ed25519;
use jwt_compact::prelude::*;

use super::claims::{Claims, LIFETIME, Wire};
use super::keys;
use crate::kernel::error::{Error, Result};
use crate::kernel::ids::SigningKeyId;
use crate::kernel::ports::App;
use crate::kernel::time::{Timestamp, seconds};

/// The type of access tokens (RFC 9068), so that no other kind of JWT is taken for one.
const TYPE: &str = "at+jwt";
/// Longer than any token of ours; what is longer is not read.
const LENGTH_MAX: usize = 8_192;
/// Clocks of the machines that mint and verify differ by less.
const LEEWAY: std::time::Duration = seconds(5);

/// The text of a token.
pub async fn mint(app: &App, claims: &Claims) -> Result<String> {
    let (id, secret) = keys::signer(app).await?;
    let header = Header::empty().with_key_id(id.to_string()).with_token_type(TYPE);
    let mut content = jwt_compact::Claims::new(Wire::of(claims, &app.settings.api_url));
    content.issued_at = Some(claims.issued_at.to_chrono());
    content.expiration = Some(claims.expires_at.to_chrono());
    Ed25519.token(&header, &content, &secret).map_err(|error| Error::internal(format!("a token can't be written: {error}")))
}

/// The claims of a token that one of our keys signed and that has not expired; None for every other text. A token cannot tell whether its
/// session, member or machine still exists.
pub async fn verify(app: &App, text: &str) -> Result<Option<Claims>> {
    let Some((token, key)) = read(text) else { return Ok(None) };
    let now = app.moment().now;
    let ring = keys::ring(app).await?;
    let Some(key) = ring.verifier(key, now) else { return Ok(None) };
    Ok(checked(&token, &PublicKey::new(key.public), &app.settings.api_url, now))
}

/// Whether a credential may be a token at all: three parts with dots between them.
pub fn resembles_token(text: &str) -> bool {
    text.len() <= LENGTH_MAX && text.bytes().filter(|byte| *byte == b'.').count() == 2
}

/// The token, unverified, and the key that it names. What no key of ours can have signed costs no database.
fn read(text: &str) -> Option<(UntrustedToken<'_>, SigningKeyId)> {
    if !resembles_token(text) {
        return None;
    }
    let token = UntrustedToken::new(text).ok()?;
    if token.header().token_type.as_deref() != Some(TYPE) {
        return None;
    }
    let key = token.header().key_id.as_deref()?.parse().ok()?;
    Some((token, key))
}

fn checked(token: &UntrustedToken<'_>, key: &PublicKey, issuer: &str, now: Timestamp) -> Option<Claims> {
    let token = Ed25519.validator::<Wire>(key).validate(token).ok()?;
    let content = token.claims();
    let (issued_at, expires_at) = (Timestamp::from_chrono(content.issued_at?), Timestamp::from_chrono(content.expiration?));
    let is_now = issued_at <= now.plus(LEEWAY) && now < expires_at && expires_at <= issued_at.plus(LIFETIME);
    if !is_now || !content.custom.is_between(issuer) {
        return None;
    }
    let Wire { org, jti, .. } = content.custom;
    Some(Claims { organization: org, subject: content.custom.subject()?, id: jti, issued_at, expires_at })
}

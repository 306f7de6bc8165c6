//! Checks the codes of second factors.

use super::rules::{Proof, RECOVERY_CODES, SecondFactor};
use super::totp;
use crate::identity::throttle;
use crate::identity::throttle::{Address, Endpoint};
use crate::kernel::error::Result;
use crate::kernel::ids::{PersonId, encode_base32, secret_bytes};
use crate::kernel::mac::{mac, same, short};
use crate::kernel::ports::App;
use crate::sealing::Scope;

/// Bytes of a seed: as many as SHA-1 gives, as RFC 4226 recommends.
const SEED_BYTES: usize = 20;
/// Letters of a recovery code: 50 bits, guessed at ten an hour.
const RECOVERY_LETTERS: usize = 10;

/// A new seed, as it is and sealed.
pub async fn new_seed(app: &App, person: PersonId) -> Result<(Vec<u8>, String)> {
    let seed: Vec<u8> = secret_bytes(app.moment().entropy)?.into_iter().take(SEED_BYTES).collect();
    let sealed = app.seal(Scope::Platform, &sealed_as(person), &seed).await?;
    Ok((seed, sealed))
}

pub async fn seed(app: &App, factor: &SecondFactor) -> Result<Vec<u8>> {
    app.open_sealed(Scope::Platform, &sealed_as(factor.person), &factor.seed).await
}

fn sealed_as(person: PersonId) -> String {
    format!("second_factors.seed/{person}")
}

/// What the code proves, if it is this person's and was not spent. Each attempt is counted against the person, right or wrong.
pub async fn proof(app: &App, factor: &SecondFactor, code: &str, address: &Address) -> Result<Option<Proof>> {
    throttle::check(app, Endpoint::SecondFactor, address, Some(&factor.person.to_string())).await?;
    let seed = seed(app, factor).await?;
    let step = totp::step_of(&seed, code.trim(), app.moment().now).filter(|step| *step > factor.last_step).map(Proof::Step);
    let recovery = recovery_code(factor, code, &app.settings.secret).map(Proof::Recovery);
    Ok(step.or(recovery))
}

/// The number of the recovery code this is, if it is left. Only a confirmed factor has any.
fn recovery_code(factor: &SecondFactor, text: &str, secret: &[u8]) -> Option<u32> {
    factor.confirmed_at?;
    let text = text.trim().to_lowercase();
    let matching: Vec<u32> =
        factor.recovery_codes.iter().copied().filter(|number| same(written(factor, *number, secret).as_bytes(), text.as_bytes())).collect();
    matching.first().copied()
}

/// All recovery codes of a factor, spent or not.
pub fn recovery_codes(factor: &SecondFactor, secret: &[u8]) -> Vec<String> {
    (1..=RECOVERY_CODES).map(|number| written(factor, number, secret)).collect()
}

/// They follow from the sealed seed, too, so that another factor has others.
fn written(factor: &SecondFactor, number: u32, secret: &[u8]) -> String {
    let parts: [&[u8]; 3] = [&factor.person.to_bytes(), factor.seed.as_bytes(), &number.to_be_bytes()];
    let letters = encode_base32(short(mac(secret, "recovery code", &parts)));
    // The first letter of 16 bytes in base32 holds 3 bits only.
    letters.chars().skip(1).take(RECOVERY_LETTERS).collect()
}

//! The limits of logins.

use std::time::Duration;

use crate::kernel::ids::LoginId;
use crate::kernel::problem::Problem;
use crate::kernel::time::minutes;

/// How long a code and its link are valid.
pub const LIFETIME: Duration = minutes(10);
/// Guesses at one code. With the throttle's ten guesses an hour at one address, a day of guessing succeeds with a chance of 1 in 1,000.
pub const ATTEMPTS_MAX: u32 = 5;
/// Live logins of one address: an older email that arrives late still works, and each further one would be one more to guess.
pub const LIVE_MAX: u32 = 3;

/// A login whose code or link was presented.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Login {
    pub id: LoginId,
    pub email: String,
}

/// How emails are compared and stored.
pub fn normal(email: &str) -> String {
    email.trim().to_lowercase()
}

/// 401, the same for a code that is wrong, used, expired or was never sent, and for a person without an organization.
pub fn invalid_code() -> Problem {
    let detail = "This code or link is wrong, used or expired. Request a new login email with POST /v1/login.";
    Problem::new(401, "invalid_code", "The login code is not valid", detail).with_header("WWW-Authenticate", "Bearer realm=\"tenantry\"")
}

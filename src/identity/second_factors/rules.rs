//! Second factors, and their refusals.

use crate::kernel::ids::PersonId;
use crate::kernel::problem::Problem;
use crate::kernel::time::Timestamp;

/// Recovery codes that a person gets.
pub const RECOVERY_CODES: u32 = 10;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecondFactor {
    pub person: PersonId,
    /// Sealed.
    pub seed: String,
    pub created_at: Timestamp,
    pub confirmed_at: Option<Timestamp>,
    pub last_step: i64,
    /// Numbers of the recovery codes that are left.
    pub recovery_codes: Vec<u32>,
}

/// What a code proves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proof {
    /// The device's, of this step.
    Step(i64),
    /// A recovery code, by its number.
    Recovery(u32),
}

/// The same for a code that is wrong, too old or was accepted before: 401 at login, 403 with a valid credential.
pub fn invalid_second_factor(status: u16) -> Problem {
    let detail =
        "This second-factor code is wrong or was used. Send the current code of the authenticator app, or an unused recovery code.";
    let problem = Problem::new(status, "invalid_second_factor", "The second-factor code is not valid", detail);
    if status == 401 { problem.with_header("WWW-Authenticate", "Bearer realm=\"tenantry\"") } else { problem }
}

/// 409: the code from the email alone does not create a session.
pub fn second_factor_required() -> Problem {
    let detail = "This person has a second factor. Send the same request again with secondFactorCode; the login code is still valid.";
    Problem::conflict("second_factor_required", detail)
}

/// 409: there is a confirmed one.
pub fn already_there() -> Problem {
    Problem::conflict(
        "second_factor_exists",
        "This person has a second factor. Remove it with DELETE /v1/second-factor before creating another one.",
    )
}

/// 404: there is none to be confirmed or removed.
pub fn none_there() -> Problem {
    Problem::new(404, "not_found", "Not found", "This person has no second factor. Create one with POST /v1/second-factor.")
}

//! A refusal on its way out, and its cause for the log.

use crate::kernel::error::Error;
use crate::kernel::problem::Problem;

/// A refusal on its way out; [`handle`] writes it as a problem document.
#[derive(Clone)]
pub struct Refused(pub Problem);

/// What went wrong inside, for the log.
#[derive(Clone, Debug)]
pub struct Cause(pub Error);

/// What does not exist, whatever the method.
pub fn unknown_route() -> Problem {
    Problem::new(404, "route_not_found", "Not found", "There is no such endpoint. See /openapi.json for all of them.")
}

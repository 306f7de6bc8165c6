//! A refusal on its response, and its cause for the log.

use crate::kernel::error::Error;
use crate::kernel::problem::Problem;

/// A refusal on its response; `api::handle` writes it as a problem document.
#[derive(Clone)]
pub struct Refused(pub Problem);

/// The internal cause of a refusal, for the log.
#[derive(Clone, Debug)]
pub struct Cause(pub Error);

/// An unknown path, for every method.
pub fn unknown_route() -> Problem {
    Problem::new(404, "route_not_found", "Not found", "The endpoint does not exist. See /openapi.json for all endpoints.")
}

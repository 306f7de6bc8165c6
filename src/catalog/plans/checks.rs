//! Checks of a plan's fields: each refusal points at its place in the body.

use crate::kernel::problem::Problem;

pub fn optional_text(pointer: &str, written: Option<&str>, length_max: usize) -> Result<(), Problem> {
    written.map_or(Ok(()), |written| text(pointer, written, length_max))
}

pub fn text(pointer: &str, written: &str, length_max: usize) -> Result<(), Problem> {
    let is_text = !written.trim().is_empty() && written.chars().count() <= length_max;
    require(is_text, pointer, "invalid_value", format!("Send 1 to {length_max} characters."))
}

pub fn at_most(pointer: &str, count: usize, most: usize) -> Result<(), Problem> {
    require(count <= most, pointer, "too_many", format!("Send at most {most} of them."))
}

pub fn require(holds: bool, pointer: &str, code: &'static str, detail: impl Into<String>) -> Result<(), Problem> {
    match (holds, code) {
        (true, _) => Ok(()),
        (false, "invalid_value") => Err(Problem::invalid(pointer, code, detail)),
        (false, _) => Err(Problem::refused(pointer, code, detail)),
    }
}

/// A name as part of a JSON pointer (RFC 6901).
pub fn escaped(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

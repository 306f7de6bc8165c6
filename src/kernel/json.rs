//! Reading JSON of requests: every refusal names the place and the remedy.

use serde::{Deserialize, Deserializer};

use super::problem::Problem;
use super::wording::sentence;

/// Bytes of an ordinary body at most; batches of usage may be larger.
pub const BODY_BYTES_MAX: usize = 64 * 1024;
pub const BATCH_BYTES_MAX: usize = 1024 * 1024;

/// Reads a body of type `T`: 415 when it is not JSON, 413 when it is too large, 400 with a pointer when it does not fit.
pub fn read<'a, T: Deserialize<'a>>(content_type: &str, body: &'a [u8], bytes_max: usize) -> Result<T, Problem> {
    check_size(body.len(), bytes_max)?;
    check_content_type(content_type)?;
    check_is_object(body)?;
    let mut deserializer = serde_json::Deserializer::from_slice(body);
    let value = serde_path_to_error::deserialize(&mut deserializer).map_err(|error| {
        let pointer = pointer(error.path());
        does_not_fit(pointer, error.inner(), body)
    })?;
    deserializer.end().map_err(|error| does_not_fit(String::new(), &error, body))?;
    Ok(value)
}

/// serde would read a list of values as an object of fields in their order; we don't.
pub fn check_is_object(body: &[u8]) -> Result<(), Problem> {
    match body.iter().find(|byte| !byte.is_ascii_whitespace()) {
        Some(b'[' | b'"' | b'0'..=b'9' | b'-' | b't' | b'f' | b'n') if is_json(body) => {
            Err(Problem::invalid("", "invalid_value", "This is not an object. Send a JSON object with named fields."))
        }
        _ => Ok(()),
    }
}

fn is_json(body: &[u8]) -> bool {
    serde_json::from_slice::<serde_json::Value>(body).is_ok()
}

/// A present field of a merge patch (RFC 7396), in which an absent field keeps its value. For a field that can't be cleared, its own type
/// refuses `null`: `#[serde(default, deserialize_with = "json::given")]`.
pub fn given<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

pub fn check_content_type(content_type: &str) -> Result<(), Problem> {
    let media_type = content_type.split(';').next().unwrap_or_default().trim();
    if media_type.eq_ignore_ascii_case("application/json") || media_type.ends_with("+json") {
        Ok(())
    } else {
        Err(Problem::new(
            415,
            "unsupported_media_type",
            "The body is not JSON",
            "Send the body as JSON with Content-Type: application/json.",
        ))
    }
}

pub fn check_size(bytes: usize, bytes_max: usize) -> Result<(), Problem> {
    if bytes <= bytes_max {
        Ok(())
    } else {
        Err(Problem::new(
            413,
            "body_too_large",
            "The body is too large",
            format!("Send at most {bytes_max} bytes; split larger ones into several requests."),
        ))
    }
}

fn does_not_fit(pointer: String, error: &serde_json::Error, body: &[u8]) -> Problem {
    use serde_json::error::Category;
    match error.classify() {
        // serde calls a value where a name of an enum should be a mistake of syntax.
        Category::Syntax if is_json(body) => Problem::invalid(pointer, "invalid_value", sentence(&error.to_string(), "field")),
        Category::Syntax | Category::Eof | Category::Io => malformed(error),
        Category::Data => Problem::invalid(pointer, "invalid_value", sentence(&error.to_string(), "field")),
    }
}

/// A body that is not JSON has no pointer: its line and column name the place.
pub fn malformed(error: &serde_json::Error) -> Problem {
    let (line, column) = (error.line(), error.column());
    let detail = format!("The body is not well-formed JSON: line {line}, column {column}. Correct the JSON and send it again.");
    Problem::invalid("", "malformed_json", detail)
}

/// serde's path as a JSON pointer (RFC 6901).
fn pointer(path: &serde_path_to_error::Path) -> String {
    use serde_path_to_error::Segment;
    path.iter()
        .map(|segment| match segment {
            Segment::Seq { index } => format!("/{index}"),
            Segment::Map { key } => format!("/{}", key.replace('~', "~0").replace('/', "~1")),
            Segment::Enum { variant } => format!("/{variant}"),
            Segment::Unknown => "/?".to_owned(),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    #[allow(dead_code)]
    struct Order {
        lines: Vec<Line>,
    }
    #[derive(Debug, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    #[allow(dead_code)]
    struct Line {
        amount: u32,
    }

    fn refusal(content_type: &str, body: &str) -> (u16, String, String) {
        let problem = read::<Order>(content_type, body.as_bytes(), 100).unwrap_err();
        (problem.status, problem.errors.first().map(|e| e.pointer.clone()).unwrap_or_default(), problem.detail)
    }

    #[test]
    fn refusals_name_the_place() {
        assert_eq!(refusal("text/plain", "{}").0, 415);
        assert_eq!(refusal("application/json", &"x".repeat(101)).0, 413);
        assert_eq!(refusal("application/json", "{").0, 400);
        assert_eq!(refusal("application/json", r#"{"lines":[{"amount":1},{"amount":"x"}]}"#).1, "/lines/1/amount");
        assert!(refusal("application/json", r#"{"lines":[{"amount":1,"extra":2}]}"#).2.starts_with("There is no field `extra` here."));
        assert_eq!(refusal("application/json", r#"{"lines":[]} x"#).0, 400);
    }
}

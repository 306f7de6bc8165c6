//! Content negotiation: whether an invoice is sent as JSON, HTML or PDF.

use http::HeaderMap;

use crate::http::request::text_header;
use crate::kernel::problem::Problem;

/// The form of an invoice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    Json,
    Html,
    Pdf,
}

/// In the order of preference where the client has none.
const FORMS: [(Form, &str); 3] = [(Form::Json, "application/json"), (Form::Html, "text/html"), (Form::Pdf, "application/pdf")];

impl Form {
    /// The form that an `Accept` header prefers (RFC 9110, 12.5.1). No header: JSON.
    pub fn wanted(headers: &HeaderMap) -> std::result::Result<Self, Problem> {
        let accept = text_header(headers, "accept");
        if accept.trim().is_empty() {
            return Ok(Self::Json);
        }
        let liked = FORMS.map(|(form, name)| (form, liking(&accept, name)));
        let best = liked.iter().map(|(_, liking)| *liking).max().unwrap_or_default();
        liked.into_iter().find(|(_, liking)| *liking == best && best > 0).map(|(form, _)| form).ok_or_else(not_acceptable)
    }
}

fn not_acceptable() -> Problem {
    let detail =
        "An invoice has none of the accepted types. Send Accept with application/json, text/html or application/pdf, or leave it out.";
    Problem::new(406, "not_acceptable", "Not acceptable", detail)
}

/// The quality that a client gives to a form, in thousandths. The most specific range of the header counts.
fn liking(accept: &str, name: &str) -> u32 {
    let kind = name.split('/').next().unwrap_or_default();
    let ranges = accept.split(',').filter_map(|range| {
        let mut parts = range.split(';').map(str::trim);
        let range = parts.next().unwrap_or_default().to_ascii_lowercase();
        let rank = if range == name {
            3
        } else if range == format!("{kind}/*") {
            2
        } else if range == "*/*" {
            1
        } else {
            return None;
        };
        let quality = parts.find_map(|part| part.strip_prefix("q=").or_else(|| part.strip_prefix("Q=")));
        Some((rank, quality.map_or(1_000, thousandths)))
    });
    ranges.max().map_or(0, |(_, quality)| quality)
}

/// `0.8` in thousandths; an invalid quality is zero.
fn thousandths(quality: &str) -> u32 {
    let (whole, decimals) = quality.split_once('.').unwrap_or((quality, ""));
    let digits: String = decimals.chars().chain("000".chars()).take(3).collect();
    match (whole, digits.parse::<u32>()) {
        ("0", Ok(digits)) => digits,
        ("1", Ok(0)) => 1_000,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn wanted(accept: &str) -> std::result::Result<Form, u16> {
        let mut headers = HeaderMap::new();
        headers.insert("accept", HeaderValue::from_str(accept).unwrap());
        Form::wanted(&headers).map_err(|problem| problem.status)
    }

    #[test]
    fn the_form_is_what_the_client_likes_best() {
        assert_eq!(Form::wanted(&HeaderMap::new()).ok(), Some(Form::Json));
        let browser = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8";
        for (accept, form) in [
            ("*/*", Form::Json),
            ("application/json", Form::Json),
            ("application/*", Form::Json),
            ("text/html", Form::Html),
            (browser, Form::Html),
            ("text/*", Form::Html),
            ("application/pdf", Form::Pdf),
            ("Application/PDF; q=0.5", Form::Pdf),
            ("application/pdf, application/json;q=0.9", Form::Pdf),
            ("application/json;q=0.1, text/html;q=0.2", Form::Html),
            ("*/*, application/json;q=0", Form::Html),
            ("image/png, application/pdf;q=0.001", Form::Pdf),
        ] {
            assert_eq!(wanted(accept), Ok(form), "{accept}");
        }
        for accept in ["image/png", "application/xml, text/csv", "application/json;q=0", "*/*;q=0", "application/json;q=x", "nonsense"] {
            assert_eq!(wanted(accept), Err(406), "{accept}");
        }
    }
}

//! The queries of hot requests, read and checked.

use rating::Quantity;

use super::refusals::shortened;
use super::requests::Operation;
use crate::kernel::problem::Problem;

pub(super) fn read_quota(metric: &str, query: &str) -> Result<Operation<'static>, Problem> {
    let mut amount = Quantity::ONE;
    let mut explain = false;
    for (name, value) in parameters(query, &["amount", "explain"])? {
        if name == "amount" {
            amount = Quantity::parse(&value)
                .map_err(|error| Problem::invalid("amount", "invalid_value", format!("The amount is not valid: {error}.")))?;
        } else {
            explain = match value.as_str() {
                "true" => true,
                "false" => false,
                _ => return Err(Problem::invalid("explain", "invalid_value", "Send explain=true or explain=false.")),
            };
        }
    }
    if amount.is_zero() || amount.is_negative() {
        let code = if amount.is_zero() { "amount_zero" } else { "amount_negative" };
        return Err(Problem::refused("amount", code, "Send a positive amount."));
    }
    Ok(Operation::Quota { metric: decoded(metric), amount, explain })
}

/// The parameters of a query, each of which must be known: a typo is never silently ignored.
pub(super) fn parameters(query: &str, known: &[&str]) -> Result<Vec<(String, String)>, Problem> {
    let pairs = query.split('&').filter(|pair| !pair.is_empty()).map(|pair| pair.split_once('=').unwrap_or((pair, "")));
    pairs
        .map(|(name, value)| (decoded(name), decoded(value)))
        .map(|(name, value)| {
            if known.contains(&name.as_str()) {
                return Ok((name, value));
            }
            let detail =
                if known.is_empty() { "This request takes no parameters.".to_owned() } else { format!("Use only: {}.", known.join(", ")) };
            Err(Problem::invalid(shortened(&name), "unknown_parameter", detail))
        })
        .collect()
}

/// Percent-decoding; what is not well formed stays as it is.
fn decoded(text: &str) -> String {
    if !text.contains('%') {
        return text.to_owned();
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        let escaped =
            tail.get(..2).and_then(|digits| std::str::from_utf8(digits).ok()).and_then(|digits| u8::from_str_radix(digits, 16).ok());
        match escaped {
            Some(byte) if *first == b'%' => {
                bytes.push(byte);
                rest = tail.get(2..).unwrap_or_default();
            }
            _ => {
                bytes.push(*first);
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

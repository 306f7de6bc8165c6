//! The values of CloudEvents headers, decoded as in the standard's HTTP binding.

/// The decoded value of a header: without double quotes, then percent-decoded once. None when the result is not UTF-8.
pub(super) fn header_text(value: &str) -> Option<String> {
    let trimmed = value.trim_matches([' ', '\t']);
    match trimmed.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
        Some(quoted) => percent_decoded(&unescaped(quoted)),
        None => percent_decoded(trimmed),
    }
}

fn unescaped(quoted: &str) -> String {
    let mut letters = quoted.chars();
    let mut text = String::with_capacity(quoted.len());
    while let Some(letter) = letters.next() {
        text.push(if letter == '\\' { letters.next().unwrap_or(letter) } else { letter });
    }
    text
}

/// A percent sign that begins no escape is kept.
fn percent_decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        let digits = tail.get(..2).filter(|digits| *first == b'%' && digits.iter().all(u8::is_ascii_hexdigit));
        let escaped = digits.and_then(|digits| std::str::from_utf8(digits).ok()).and_then(|digits| u8::from_str_radix(digits, 16).ok());
        bytes.push(escaped.unwrap_or(*first));
        rest = if escaped.is_some() { tail.get(2..).unwrap_or_default() } else { tail };
    }
    String::from_utf8(bytes).ok()
}

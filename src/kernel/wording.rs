//! The words of refusals of input that could not be read: serde's messages as sentences of ours, the cause first, then the remedy.

/// A message of serde about one place of a body or a query; `place` is the word for a member there: a field or a parameter.
pub fn sentence(message: &str, place: &str) -> String {
    // A place of JSON ends some messages; the pointer names it better.
    let message = message.rsplit_once(" at line ").map_or(message, |(text, _)| text);
    mismatch(message)
        .or_else(|| of_member(message, place))
        .or_else(|| of_choice(message))
        .or_else(|| of_text(message))
        .unwrap_or_else(|| capitalized(message))
}

/// A value of another type, or out of range.
fn mismatch(message: &str) -> Option<String> {
    let rest = ["invalid type: ", "invalid value: "].iter().find_map(|start| message.strip_prefix(start))?;
    let (found, expected) = rest.split_once(", expected ")?;
    Some(format!("This is {}. Send {}.", found_as(found), expected_as(expected)))
}

/// An unknown, missing or repeated member.
fn of_member(message: &str, place: &str) -> Option<String> {
    if let Some(rest) = message.strip_prefix("unknown field ") {
        let (name, expected) = rest.split_once(", ")?;
        let known = expected.strip_prefix("expected ").map(|known| known.trim_start_matches("one of "));
        let remedy = known.map_or_else(|| format!("Leave the {place} out."), |known| format!("Use only: {}.", known.replace(" or ", ", ")));
        return Some(format!("There is no {place} {name} here. {remedy}"));
    }
    if let Some(name) = message.strip_prefix("missing field ") {
        return Some(format!("The {place} {name} is missing. Send the {place}."));
    }
    let name = message.strip_prefix("duplicate field ")?;
    Some(format!("The {place} {name} is sent twice. Send the {place} once."))
}

/// A name that is not one of a closed list.
fn of_choice(message: &str) -> Option<String> {
    let (name, expected) = message.strip_prefix("unknown variant ")?.split_once(", expected ")?;
    let known = expected.trim_start_matches("one of ").replace(" or ", ", ");
    Some(format!("{name} is not one of the possible values. Send one of: {known}."))
}

/// The messages of the standard library about a text in a query, and those that name a type of ours.
fn of_text(message: &str) -> Option<String> {
    let sentence = match message {
        "invalid digit found in string" | "cannot parse integer from empty string" => "This is not a whole number. Send digits only.",
        "number too large to fit in target type" | "number too small to fit in target type" => {
            "The number is out of range. Send a number closer to zero."
        }
        "provided string was not `true` or `false`" => "This is neither true nor false. Send true or false.",
        "expected value" | "expected ident" => "This is not one of the possible values. Send a value as /openapi.json describes it.",
        _ if message.starts_with("data did not match any variant of untagged enum") => {
            "This value is of the wrong type. Send a value as /openapi.json describes it."
        }
        _ => return None,
    };
    Some(sentence.to_owned())
}

/// A value as serde shows it: "integer `-1`", "string \"x\"", "map".
fn found_as(found: &str) -> String {
    let shown = |start: &str| found.strip_prefix(start).map(|text| text.trim_matches('`'));
    if let Some(number) = shown("integer ").or_else(|| shown("floating point ")) {
        return format!("the number {number}");
    }
    if let Some(text) = found.strip_prefix("string ") {
        return format!("the text {text}");
    }
    if let Some(truth) = shown("boolean ") {
        return truth.to_owned();
    }
    match found {
        "sequence" => "a list".to_owned(),
        "map" => "an object".to_owned(),
        other => other.to_owned(),
    }
}

/// A type as serde names it: "u32", "a string", "struct Address".
fn expected_as(expected: &str) -> String {
    let words = match expected {
        "u8" => "a whole number from 0 to 255",
        "u16" => "a whole number from 0 to 65,535",
        "u32" => "a whole number from 0 to 4,294,967,295",
        "u64" | "u128" | "usize" => "a whole number, 0 or more",
        "i8" | "i16" | "i32" | "i64" | "i128" | "isize" => "a whole number",
        "a string" | "a borrowed string" | "str" => "a text",
        "a boolean" => "true or false",
        "a sequence" => "a list",
        "a map" => "an object",
        "string or map" => "a text or an object",
        _ if expected.starts_with("struct ") || expected.contains("tagged enum ") => "an object",
        _ if expected.starts_with("tuple ") => "a list",
        _ if expected.starts_with("variant ") || expected.starts_with("enum ") => "one of the possible values",
        ours => ours,
    };
    words.to_owned()
}

/// A message of our own types, as a sentence.
fn capitalized(message: &str) -> String {
    let mut letters = message.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect::<String>()).unwrap_or_default() + "."
}

#[cfg(test)]
mod tests {
    use super::sentence;

    #[test]
    fn messages_of_serde_read_as_ours() {
        for (message, expected) in [
            ("invalid value: integer `-1`, expected u32", "This is the number -1. Send a whole number from 0 to 4,294,967,295."),
            ("invalid type: string \"ten\", expected u64 at line 1 column 3", "This is the text \"ten\". Send a whole number, 0 or more."),
            ("invalid type: floating point `1.5`, expected i64", "This is the number 1.5. Send a whole number."),
            ("invalid type: sequence, expected struct PostalAddress", "This is a list. Send an object."),
            ("invalid type: map, expected a sequence", "This is an object. Send a list."),
            ("invalid type: boolean `true`, expected a string", "This is true. Send a text."),
            ("invalid type: null, expected an integer, or a decimal", "This is null. Send an integer, or a decimal."),
            ("unknown field `a`, expected `b` or `c`", "There is no field `a` here. Use only: `b`, `c`."),
            ("unknown field `a`, expected one of `b`, `c`, `d`", "There is no field `a` here. Use only: `b`, `c`, `d`."),
            ("unknown field `a`, there are no fields", "There is no field `a` here. Leave the field out."),
            ("missing field `a`", "The field `a` is missing. Send the field."),
            ("duplicate field `a`", "The field `a` is sent twice. Send the field once."),
            ("unknown variant `x`, expected `month` or `year`", "`x` is not one of the possible values. Send one of: `month`, `year`."),
            ("invalid digit found in string", "This is not a whole number. Send digits only."),
            ("send an id that begins with org_", "Send an id that begins with org_."),
        ] {
            assert_eq!(sentence(message, "field"), expected, "{message}");
        }
    }
}

//! Canonical JSON (RFC 8785), as far as entries of an audit log need it: their numbers are integers.

use serde_json::Value;

/// The one text of a value.
pub(crate) fn text(value: &Value) -> String {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value.to_string(),
        Value::Array(items) => format!("[{}]", items.iter().map(text).collect::<Vec<_>>().join(",")),
        Value::Object(members) => {
            let mut members: Vec<(Vec<u16>, String)> = members
                .iter()
                .map(|(name, value)| (name.encode_utf16().collect(), format!("{}:{}", Value::from(name.as_str()), text(value))))
                .collect();
            members.sort();
            let members: Vec<String> = members.into_iter().map(|(_, member)| member).collect();
            format!("{{{}}}", members.join(","))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_value_has_one_text() {
        let value: Value =
            serde_json::from_str("{ \"b\" : [1, {\"z\":null,\"a\":true}], \"\u{10000}\":2, \"\u{e000}\":1, \"a\":\"\\u00fc\\n\" }")
                .unwrap();
        assert_eq!(text(&value), "{\"a\":\"ü\\n\",\"b\":[1,{\"a\":true,\"z\":null}],\"\u{10000}\":2,\"\u{e000}\":1}");
    }
}

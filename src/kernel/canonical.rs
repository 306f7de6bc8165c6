//! Canonical JSON (RFC 8785): one text for one value, so that every reader can compute its hash.

use serde_json::{Number, Value};

/// The largest integer that every reader of JSON holds exactly, 2^53 - 1.
const INTEGER_MAX: i64 = 9_007_199_254_740_991;

/// Members by name, no spaces, integers only: other numbers, and integers too large for some readers, are written as text.
pub fn text(value: &Value) -> String {
    let mut out = String::new();
    write(value, &mut out);
    out
}

fn write(value: &Value, out: &mut String) {
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(truth) => out.push_str(if *truth { "true" } else { "false" }),
        Value::Number(number) => write_number(number, out),
        Value::String(text) => write_text(text, out),
        Value::Array(items) => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                separate(index, out);
                write(item, out);
            }
            out.push(']');
        }
        Value::Object(members) => {
            let mut members: Vec<(&String, &Value)> = members.iter().collect();
            // By UTF-16 units, as the RFC has it from JavaScript.
            members.sort_by(|(one, _), (other, _)| one.encode_utf16().cmp(other.encode_utf16()));
            out.push('{');
            for (index, (name, member)) in members.into_iter().enumerate() {
                separate(index, out);
                write_text(name, out);
                out.push(':');
                write(member, out);
            }
            out.push('}');
        }
    }
}

fn separate(index: usize, out: &mut String) {
    if index > 0 {
        out.push(',');
    }
}

fn write_number(number: &Number, out: &mut String) {
    match number.as_i64().filter(|integer| integer.unsigned_abs() <= INTEGER_MAX.unsigned_abs()) {
        Some(integer) => out.push_str(&integer.to_string()),
        None => write_text(&number.to_string(), out),
    }
}

/// serde escapes what the RFC says, and nothing else.
fn write_text(text: &str, out: &mut String) {
    out.push_str(&Value::from(text).to_string());
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;
    use serde_json::{Map, json};

    use super::*;

    #[test]
    fn one_value_has_one_text() {
        let check = |value: Value, expected: &str| assert_eq!(text(&value), expected);
        check(
            json!({"b": [1, {"z": null, "a": true}], "a": "ü\u{1}\n\"\\/"}),
            "{\"a\":\"ü\\u0001\\n\\\"\\\\/\",\"b\":[1,{\"a\":true,\"z\":null}]}",
        );
        check(
            json!([INTEGER_MAX, -INTEGER_MAX, INTEGER_MAX + 1, u64::MAX, 0.5]),
            r#"[9007199254740991,-9007199254740991,"9007199254740992","18446744073709551615","0.5"]"#,
        );
        // A surrogate pair comes before U+E000 in UTF-16, and after it in UTF-8.
        check(json!({"\u{e000}": 1, "\u{10000}": 2, "": 3}), "{\"\":3,\"\u{10000}\":2,\"\u{e000}\":1}");
        check(json!({}), "{}");
        check(json!([]), "[]");
    }

    /// Values of what our entries hold: no fractions.
    fn value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            (-INTEGER_MAX..=INTEGER_MAX).prop_map(Value::from),
            any::<String>().prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 40, 6, |inner| {
            prop_oneof![
                vec(inner.clone(), 0..6).prop_map(Value::from),
                vec((any::<String>(), inner), 0..6).prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn the_text_says_the_value_and_nothing_else(value in value()) {
            let written = text(&value);
            let read: Value = serde_json::from_str(&written).unwrap();
            prop_assert_eq!(&read, &value);
            prop_assert_eq!(text(&read), written);
        }

        #[test]
        fn the_order_of_members_does_not_matter(members in vec((any::<String>(), any::<i32>()), 0..8)) {
            let forward: Map<String, Value> = members.iter().cloned().map(|(name, number)| (name, number.into())).collect();
            // Written backwards, a name that is there twice would win by its first value.
            let member = |(name, number): (&String, &Value)| format!("{}: {number}", Value::from(name.as_str()));
            let backward: Vec<String> = forward.iter().rev().map(member).collect();
            let read: Value = serde_json::from_str(&format!("{{ {} }}", backward.join(" ,\n"))).unwrap();
            prop_assert_eq!(text(&read), text(&Value::Object(forward)));
        }

        #[test]
        fn different_values_have_different_texts(one in value(), other in value()) {
            prop_assert_eq!(one == other, text(&one) == text(&other));
        }
    }
}

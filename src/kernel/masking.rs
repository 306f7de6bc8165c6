//! Masking: replaces secrets in the audit log, by the names of members and by the form of texts that are always secret. In doubt it masks:
//! a missing value in the log is inconvenient, a secret in it is a permanent leak.

use serde_json::Value;

/// Replaces a secret.
pub const MASK: &str = "***";

/// A member whose name contains one of these holds a secret.
const ROOTS: [&str; 17] = [
    "secret",
    "token",
    "password",
    "passphrase",
    "passcode",
    "seed",
    "certificate",
    "credential",
    "authorization",
    "cookie",
    "privatekey",
    "signingkey",
    "encryptionkey",
    "providerkey",
    "masterkey",
    "onetimelink",
    "magiclink",
];
/// A member with one of these words in its name holds a secret, too.
const WORDS: [&str; 7] = ["code", "codes", "otp", "pin", "pem", "jwt", "mac"];
/// With one of these words before `code`, a code is not secret.
const OPEN_CODES: [&str; 20] = [
    "postal",
    "zip",
    "country",
    "currency",
    "language",
    "locale",
    "region",
    "area",
    "error",
    "status",
    "reason",
    "problem",
    "tax",
    "plan",
    "product",
    "price",
    "promotion",
    "discount",
    "coupon",
    "industry",
];
/// A name that ends with one of these describes a secret and does not hold it.
const ABOUT: [&str; 9] = ["at", "count", "id", "kind", "name", "prefix", "status", "type", "version"];
/// More characters than the prefix that names a key.
const KEY_LETTERS_MIN: usize = 40;

/// The value without secrets. Null and booleans stay: they show whether a secret exists, and not its value.
#[must_use]
pub fn masked(value: Value) -> Value {
    match value {
        Value::Object(members) => Value::Object(
            members
                .into_iter()
                .map(|(name, member)| {
                    let member = if is_secret(&name) { hidden(member) } else { masked(member) };
                    (name, member)
                })
                .collect(),
        ),
        Value::Array(items) => Value::Array(items.into_iter().map(masked).collect()),
        Value::String(text) if looks_secret(&text) => MASK.into(),
        Value::String(_) | Value::Null | Value::Bool(_) | Value::Number(_) => value,
    }
}

fn hidden(value: Value) -> Value {
    if value.is_null() || value.is_boolean() { value } else { MASK.into() }
}

/// Whether a member of this name holds a secret.
pub fn is_secret(name: &str) -> bool {
    let words = words(name);
    let ends_open = words.last().is_some_and(|last| words.len() > 1 && ABOUT.contains(&last.as_str()));
    let joined = words.concat();
    !ends_open && (ROOTS.iter().any(|root| joined.contains(root)) || has_secret_word(&words))
}

fn has_secret_word(words: &[String]) -> bool {
    words.iter().enumerate().any(|(index, word)| {
        let before = index.checked_sub(1).and_then(|before| words.get(before));
        let is_open = word.starts_with("code") && before.is_some_and(|before| OPEN_CODES.contains(&before.as_str()));
        WORDS.contains(&word.as_str()) && !is_open
    })
}

/// One of our keys, or the content of a PEM file.
fn looks_secret(text: &str) -> bool {
    let text = text.trim_start();
    text.starts_with("-----BEGIN") || (text.starts_with("tk_") && text.len() > KEY_LETTERS_MIN)
}

/// `accessToken`, `access_token`, `ACCESS-TOKEN` and `OAuthToken` in words of small letters.
fn words(name: &str) -> Vec<String> {
    let letters: Vec<char> = name.chars().collect();
    let mut words = vec![String::new()];
    for (index, letter) in letters.iter().enumerate() {
        let before = index.checked_sub(1).and_then(|before| letters.get(before));
        let is_next_small = letters.get(index.saturating_add(1)).is_some_and(|next| next.is_lowercase());
        let begins = letter.is_uppercase() && before.is_some_and(|before| !before.is_uppercase() || is_next_small);
        if begins || !letter.is_alphanumeric() {
            words.push(String::new());
        }
        if let Some(word) = words.last_mut().filter(|_| letter.is_alphanumeric()) {
            word.extend(letter.to_lowercase());
        }
    }
    words.into_iter().filter(|word| !word.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn names_tell_secrets() {
        for name in [
            "secret",
            "clientSecret",
            "client_secret",
            "CLIENT-SECRET",
            "token",
            "refreshToken",
            "OAuthToken",
            "tokenHash",
            "password",
            "newPassword",
            "code",
            "loginCode",
            "recovery_codes",
            "TOTPCode",
            "seed",
            "totpSeed",
            "TOTPSeed",
            "certificate",
            "idpCertificates",
            "credentials",
            "privateKey",
            "signing_key",
            "webhookSecret",
            "otp",
            "authorization",
            "setCookie",
        ] {
            assert!(is_secret(name), "{name}");
        }
        for name in [
            "",
            "name",
            "key",
            "postalCode",
            "postal_code",
            "currencyCode",
            "statusCode",
            "scopes",
            "tokenExpiresAt",
            "tokenId",
            "secretPrefix",
            "certificateCount",
            "id",
            "barcode",
            "decode",
            "encoder",
            "pinned",
            "machine",
        ] {
            assert!(!is_secret(name), "{name}");
        }
    }

    #[test]
    fn what_is_secret_is_hidden_whatever_it_is() {
        let key = format!("tk_org_{}", "0".repeat(78));
        let value = json!({"name": "k", "secret": "a", "token": null, "isTokenBound": true, "codes": ["1", "2"], "seed": {"a": 1},
            "pin": 1234, "list": [{"password": "b"}, key], "note": "-----BEGIN PRIVATE KEY-----",
            "prefix": format!("tk_org_{}", "0".repeat(26))});
        assert_eq!(
            masked(value),
            json!({"name": "k", "secret": "***", "token": null, "isTokenBound": true, "codes": "***", "seed": "***", "pin": "***",
                "list": [{"password": "***"}, "***"], "note": "***", "prefix": format!("tk_org_{}", "0".repeat(26))})
        );
    }

    fn secret_name() -> impl Strategy<Value = String> {
        let root = prop::sample::select(["secret", "token", "code", "password", "seed", "certificate"].as_slice());
        let before = prop::sample::select(["", "old", "Client", "x-", "my_", "totp", "API"].as_slice());
        let after = prop::sample::select(["", "s", "Hash", "_text", "-2"].as_slice());
        (before, root, after, any::<bool>()).prop_map(|(before, root, after, is_capital)| {
            let mut root = root.to_owned();
            if is_capital || before.ends_with(char::is_alphanumeric) {
                root = format!("{}{}", root[..1].to_uppercase(), &root[1..]);
            }
            format!("{before}{root}{after}")
        })
    }

    /// A value that holds `SECRET` under a secret's name, at any depth.
    fn holding() -> impl Strategy<Value = Value> {
        let inner = prop_oneof![Just(json!("SECRET")), Just(json!(["x", "SECRET"])), Just(json!({"any": {"name": "SECRET"}}))];
        let held = (secret_name(), inner).prop_map(|(name, inner)| json!({name: inner, "open": 1}));
        held.prop_recursive(4, 12, 3, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 1..3).prop_map(Value::from),
                ("[a-z]{1,8}", inner).prop_map(|(name, inner)| json!({name: inner, "beside": "it"})),
            ]
        })
    }

    fn anything() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<String>().prop_map(Value::from)
        ];
        leaf.prop_recursive(4, 30, 5, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
                prop::collection::vec((prop_oneof!["[a-zA-Z_]{0,12}", secret_name()], inner), 0..5)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn no_secret_is_left_at_any_depth(value in holding()) {
            prop_assert!(value.to_string().contains("SECRET"));
            let shown = masked(value).to_string();
            prop_assert!(!shown.contains("SECRET") && shown.contains(MASK), "{}", shown);
        }

        #[test]
        fn masking_is_done_once_and_for_all(value in anything()) {
            let once = masked(value);
            prop_assert_eq!(masked(once.clone()), once);
        }

        #[test]
        fn names_never_make_it_panic(name in any::<String>()) {
            let _ = is_secret(&name);
        }
    }
}

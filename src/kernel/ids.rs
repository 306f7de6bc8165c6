//! Ids: a prefix that names the kind, and a UUIDv7 in Crockford base32, so that they sort by creation. Opaque to clients.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest, Sha256};
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};
use utoipa::{PartialSchema, ToSchema};
use uuid::Uuid;

use super::error::Error;
use super::time::Timestamp;

/// The source of randomness. An argument, so that a test can repeat a run.
pub trait Entropy: Send + Sync {
    fn bytes(&self) -> [u8; 16];
}

/// 32 secret bytes. A source that repeats itself is broken, and its keys would not be secret.
pub fn secret_bytes(entropy: &dyn Entropy) -> Result<[u8; 32], Error> {
    let (first, second) = (entropy.bytes(), entropy.bytes());
    if first == second {
        return Err(Error::internal("the source of randomness repeats itself"));
    }
    let mut bytes = [0; 32];
    for (to, from) in bytes.iter_mut().zip(first.into_iter().chain(second)) {
        *to = from;
    }
    Ok(bytes)
}

/// Always the same bytes, for the tests of rules.
#[cfg(test)]
pub struct Fixed;

#[cfg(test)]
impl Entropy for Fixed {
    fn bytes(&self) -> [u8; 16] {
        [7; 16]
    }
}

/// The present time and the source of ids of one decision; rules get both as an argument.
#[derive(Clone, Copy)]
pub struct Moment<'a> {
    pub now: Timestamp,
    pub entropy: &'a dyn Entropy,
}

/// The text was not an id of the expected kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvalidId;

const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
const LETTERS: usize = 26;

/// 16 bytes as 26 letters of Crockford base32; keeps their order.
pub fn encode_base32(bytes: [u8; 16]) -> String {
    let mut number = u128::from_be_bytes(bytes);
    let mut letters = [b'0'; LETTERS];
    for letter in letters.iter_mut().rev() {
        let digit = usize::try_from(number & 31).unwrap_or(0);
        *letter = ALPHABET.get(digit).copied().unwrap_or(b'0');
        number >>= 5;
    }
    letters.into_iter().map(char::from).collect()
}

/// The inverse of [`encode_base32`]; only the one canonical spelling is accepted.
pub fn decode_base32(text: &str) -> Option<[u8; 16]> {
    if text.len() != LETTERS {
        return None;
    }
    let mut number: u128 = 0;
    for (place, letter) in text.bytes().enumerate() {
        let digit = ALPHABET.iter().position(|candidate| *candidate == letter)?;
        if place == 0 && digit > 7 {
            return None;
        }
        number = (number << 5) | u128::try_from(digit).ok()?;
    }
    Some(number.to_be_bytes())
}

/// 16 bytes that are derived from `parts`: the same parts give the same bytes, so that deriving an id twice gives one id.
pub fn derive_bytes(parts: &[&str]) -> [u8; 16] {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
        hash.update(part.as_bytes());
    }
    let mut bytes = [0; 16];
    for (to, from) in bytes.iter_mut().zip(hash.finalize()) {
        *to = from;
    }
    bytes
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident = $prefix:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Uuid);

        impl $name {
            pub const PREFIX: &'static str = $prefix;

            /// A new id that sorts after the ids created before `moment`.
            pub fn new(moment: Moment<'_>) -> Self {
                let millis = u64::try_from(moment.now.as_millis()).unwrap_or(0);
                let [_, _, _, _, _, _, tail @ ..] = moment.entropy.bytes();
                Self(uuid::Builder::from_unix_timestamp_millis(millis, &tail).into_uuid())
            }

            /// The id that is derived from `parts`, always the same.
            pub fn derived(parts: &[&str]) -> Self {
                Self(uuid::Builder::from_custom_bytes(derive_bytes(parts)).into_uuid())
            }

            pub fn from_bytes(bytes: [u8; 16]) -> Self {
                Self(Uuid::from_bytes(bytes))
            }

            pub fn to_bytes(self) -> [u8; 16] {
                self.0.into_bytes()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(out, concat!($prefix, "_{}"), encode_base32(self.0.into_bytes()))
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;
            fn from_str(text: &str) -> Result<Self, InvalidId> {
                let letters = text.strip_prefix(concat!($prefix, "_")).ok_or(InvalidId)?;
                decode_base32(letters).map(|bytes| Self(Uuid::from_bytes(bytes))).ok_or(InvalidId)
            }
        }

        impl From<$name> for super::sql::Value {
            fn from(id: $name) -> Self {
                Self::Text(id.to_string())
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
                text.parse().map_err(|_| serde::de::Error::custom(concat!("send an id that begins with ", $prefix, "_")))
            }
        }

        impl PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                described(stringify!($name), $prefix)
            }
        }

        impl ToSchema for $name {
            fn name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }
        }
    )*};
}

/// The schema of one kind of id, for all fields that hold one.
fn described(type_name: &str, prefix: &str) -> RefOr<Schema> {
    let noun = type_name.strip_suffix("Id").unwrap_or(type_name);
    let words: String =
        noun.chars().flat_map(|letter| letter.is_uppercase().then_some(' ').into_iter().chain(letter.to_lowercase())).collect();
    ObjectBuilder::new()
        .schema_type(Type::String)
        .description(Some(format!("The id of one{words}: `{prefix}_` and 26 characters. Opaque; ids sort by the time of their creation.")))
        .examples([format!("{prefix}_01h2xcejqtf2nbrexx3vqjhp41")])
        .into()
}

ids! {
    /// A customer company: the tenant.
    OrganizationId = "org";
    SubscriptionId = "sub";
    InvoiceId = "inv";
    /// A discount that was granted.
    DiscountId = "disc";
    /// Money that a customer has as credit.
    CreditId = "credit";
    PaymentId = "pay";
    CreditNoteId = "cn";
    RefundId = "refund";
    /// An entry of the ledger.
    EntryId = "entry";
    /// One fact of the business, see `events.rs`.
    EventId = "evt";
    /// An amount held back in the Meter.
    ReservationId = "res";
    /// Extra allowance of an organization.
    GrantId = "grant";
    /// An outgoing mail.
    MailId = "mail";
    /// An API key.
    KeyId = "key";
    /// An entry of the audit log.
    AuditId = "aud";
    /// A fact that is due later.
    DueId = "due";
    TestClockId = "clock";
    /// A queue message that failed its last attempt.
    DeadLetterId = "letter";
    /// A person with one email address, the same in every organization.
    PersonId = "user";
    TeamId = "team";
    /// A role that an organization defined.
    RoleId = "role";
    InvitationId = "invitation";
    /// A person's login in one organization.
    SessionId = "sess";
    /// One login mail, with which a person proves an email address.
    LoginId = "login";
    /// A machine that gets access tokens (OAuth 2.0 client credentials).
    ClientId = "client";
    /// An export of all data of an organization.
    ExportId = "export";
    /// An organization's move to another database.
    MoveId = "move";
    /// The record that an organization's data was erased.
    ErasureId = "erasure";
    /// A key of the vendor.
    PlatformKeyId = "platformkey";
    /// A key that signs access tokens: their `kid`.
    SigningKeyId = "signingkey";
    /// A key under which one organization's secrets are sealed.
    SealingKeyId = "sealingkey";
    /// One access token: its `jti`.
    TokenId = "token";
    /// One HTTP request, as shown in `Request-Id`.
    RequestId = "req";
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn ids_sort_by_creation_and_name_their_kind() {
        let at = |millis| OrganizationId::new(Moment { now: Timestamp::from_millis(millis), entropy: &Fixed });
        assert!(at(1_000).to_string() < at(1_001).to_string());
        assert!(at(1).to_string().parse::<SubscriptionId>().is_err());
    }

    proptest! {
        #[test]
        fn every_id_reads_back(bytes: [u8; 16]) {
            let id = InvoiceId::from_bytes(bytes);
            prop_assert_eq!(id.to_string().parse::<InvoiceId>(), Ok(id));
        }

        #[test]
        fn no_text_makes_the_parser_panic(text in ".{0,40}") {
            let _ = text.parse::<InvoiceId>();
        }
    }
}

//! Money in requests and responses, the same for every slice.

use std::fmt;

use rating::{Currency, Money, MoneyError};
use serde::de::value::MapAccessDeserializer;
use serde::de::{self, Deserialize, Deserializer, MapAccess, Visitor};
use serde::{Deserialize as DeriveDeserialize, Serialize};
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{AdditionalProperties, ObjectBuilder, OneOfBuilder, Schema, Type};
use utoipa::{PartialSchema, ToSchema};

use crate::kernel::problem::Problem;

/// The largest amount of a request. Far below the largest exact integer of a database, so that sums of some amounts fit, too.
pub const AMOUNT_MINOR_MAX: i64 = 1_000_000_000_000_000;

/// An amount of money (schema.org's PriceSpecification).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(
    as = PriceSpecification,
    example = json!({"$type": "PriceSpecification", "price": "199.00", "priceCurrency": "USD", "amountMinor": 19900})
)]
pub struct MoneyView {
    #[serde(rename = "$type")]
    pub type_name: &'static str,
    /// The amount in major units, with all decimals of the currency.
    #[schema(example = "199.00")]
    pub price: String,
    pub price_currency: &'static str,
    /// The same amount in minor units of the currency, such as cents.
    #[schema(example = 19900)]
    pub amount_minor: i64,
}

impl From<Money> for MoneyView {
    fn from(money: Money) -> Self {
        Self {
            type_name: "PriceSpecification",
            price: money.to_decimal_string(),
            price_currency: money.currency().code(),
            amount_minor: money.minor(),
        }
    }
}

/// An amount of a request: `"199.00"`, `{"price": "199.00"}` or `{"amountMinor": 19900}`. A [`MoneyView`] may be sent back unchanged. A
/// bare number is refused, because it could be dollars or cents.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MoneyInput {
    price: Option<String>,
    amount_minor: Option<i64>,
    price_currency: Option<String>,
}

impl MoneyInput {
    /// The amount in `currency`, of any sign; `pointer` is its place in the body.
    pub fn to_money(&self, currency: Currency, pointer: &str) -> Result<Money, Problem> {
        let invalid = |detail: String| Problem::invalid(pointer, "invalid_value", detail);
        if self.price_currency.as_deref().is_some_and(|code| code != currency.code()) {
            return Err(Problem::refused(pointer, "currency_mismatch", format!("Send this amount in {currency}, which is charged here.")));
        }
        let read = |price| Money::from_decimal_str(price, currency).map_err(|error| invalid(refusal(&error)));
        let price = self.price.as_deref().map(read).transpose()?;
        let minor = self.amount_minor.map(|minor| Money::new(minor, currency));
        let money = match (price, minor) {
            (None, None) => Err(invalid(format!("Send {EXPECTED}."))),
            (Some(price), Some(minor)) if price != minor => {
                Err(invalid(format!("Send price and amountMinor as the same amount, or only one of them: {price} is not {minor}.")))
            }
            (Some(money), _) | (None, Some(money)) => Ok(money),
        }?;
        if money.minor().unsigned_abs() > AMOUNT_MINOR_MAX.unsigned_abs() {
            let most = Money::new(AMOUNT_MINOR_MAX, currency);
            return Err(invalid(format!("Send an amount of at most {most}.")));
        }
        Ok(money)
    }

    /// The same, for amounts that must be above zero: a payment, a credit.
    pub fn to_positive_money(&self, currency: Currency, pointer: &str) -> Result<Money, Problem> {
        let money = self.to_money(currency, pointer)?;
        if money.is_negative() || money.is_zero() {
            return Err(Problem::invalid(pointer, "invalid_value", "Send an amount above zero."));
        }
        Ok(money)
    }
}

const EXPECTED: &str = "an amount as a decimal in a string (\"199.00\"), as {\"price\": \"199.00\"} or as {\"amountMinor\": 19900}";

/// The error of a price, as a sentence.
fn refusal(error: &MoneyError) -> String {
    match error {
        MoneyError::NotAnAmount { .. } => format!("Not an amount: {error}."),
        MoneyError::OutOfRange | MoneyError::CurrencyMismatch { .. } | MoneyError::NoWeights => "Send a smaller amount.".to_owned(),
    }
}

impl<'de> Deserialize<'de> for MoneyInput {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(MoneyVisitor)
    }
}

/// Reads texts and objects. For anything else, numbers among it, serde names the expected types.
struct MoneyVisitor;

impl<'de> Visitor<'de> for MoneyVisitor {
    type Value = MoneyInput;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(EXPECTED)
    }

    fn visit_str<E: de::Error>(self, price: &str) -> Result<MoneyInput, E> {
        Ok(MoneyInput { price: Some(price.to_owned()), amount_minor: None, price_currency: None })
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<MoneyInput, A::Error> {
        let sent = Sent::deserialize(MapAccessDeserializer::new(map))?;
        Ok(MoneyInput { price: sent.price, amount_minor: sent.amount_minor.map(|minor| minor.0), price_currency: sent.price_currency })
    }
}

/// The object; `$type` is allowed, because responses contain it.
#[derive(DeriveDeserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Sent {
    #[serde(rename = "$type", default)]
    _type_name: Option<TypeName>,
    price: Option<String>,
    amount_minor: Option<MinorUnits>,
    price_currency: Option<String>,
}

#[derive(DeriveDeserialize)]
enum TypeName {
    PriceSpecification,
}

struct MinorUnits(i64);

impl<'de> Deserialize<'de> for MinorUnits {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(MinorUnitsVisitor)
    }
}

/// Reads integers only: `19900.0` and `2e4` are refused, because they come from a float.
struct MinorUnitsVisitor;

impl Visitor<'_> for MinorUnitsVisitor {
    type Value = MinorUnits;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a whole number of minor units without a point or an exponent, such as 19900 for 199.00 USD")
    }

    fn visit_i64<E: de::Error>(self, minor: i64) -> Result<MinorUnits, E> {
        Ok(MinorUnits(minor))
    }

    fn visit_u64<E: de::Error>(self, minor: u64) -> Result<MinorUnits, E> {
        // `to_money` refuses larger amounts and names the bound.
        Ok(MinorUnits(i64::try_from(minor).unwrap_or(i64::MAX)))
    }
}

impl PartialSchema for MoneyInput {
    fn schema() -> RefOr<Schema> {
        let price = || ObjectBuilder::new().schema_type(Type::String).pattern(Some(r"^-?[0-9]+(\.[0-9]{1,4})?$")).examples(["199.00"]);
        let minor = ObjectBuilder::new()
            .schema_type(Type::Integer)
            .description(Some("The amount in minor units, such as cents."))
            .examples([19_900]);
        let object = ObjectBuilder::new()
            .schema_type(Type::Object)
            .property("price", price().description(Some("The amount in major units.")))
            .property("amountMinor", minor)
            .property("priceCurrency", ObjectBuilder::new().schema_type(Type::String).examples(["USD"]))
            .property("$type", ObjectBuilder::new().schema_type(Type::String).enum_values(Some(["PriceSpecification"])))
            .additional_properties(Some(AdditionalProperties::FreeForm(false)));
        let description = concat!(
            "Major units as a decimal string, or an object with `price` (the same) or `amountMinor` (minor units, an integer). ",
            "Never a float."
        );
        OneOfBuilder::new().item(price()).item(object).description(Some(description)).examples(["199.00"]).into()
    }
}

impl ToSchema for MoneyInput {
    fn name() -> std::borrow::Cow<'static, str> {
        "Amount".into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::json;
    use proptest::prelude::*;

    #[derive(DeriveDeserialize, Debug)]
    #[serde(deny_unknown_fields)]
    struct Order {
        amount: MoneyInput,
    }

    fn read(amount: &str, currency: Currency) -> Result<Money, Problem> {
        let body = format!("{{\"amount\":{amount}}}");
        let order: Order = json::read("application/json", body.as_bytes(), json::BODY_BYTES_MAX)?;
        order.amount.to_money(currency, "/amount")
    }

    #[test]
    fn an_amount_is_sent_in_each_of_three_ways() {
        let check = |amount: &str, currency, minor| assert_eq!(read(amount, currency), Ok(Money::new(minor, currency)), "{amount}");
        check(r#""199.00""#, Currency::USD, 19_900);
        check(r#""199""#, Currency::USD, 19_900);
        check(r#""500""#, Currency::JPY, 500);
        check(r#""-0.05""#, Currency::USD, -5);
        check(r#"{"price":"199.00"}"#, Currency::USD, 19_900);
        check(r#"{"amountMinor":19900}"#, Currency::USD, 19_900);
        check(r#"{"amountMinor":-1}"#, Currency::EUR, -1);
        check(r#"{"amountMinor":0}"#, Currency::EUR, 0);
        check(r#"{"price":"1.00","amountMinor":100,"priceCurrency":"EUR","$type":"PriceSpecification"}"#, Currency::EUR, 100);
        check(r#"{"amountMinor":1000000000000000}"#, Currency::USD, AMOUNT_MINOR_MAX);
    }

    #[test]
    fn what_is_no_amount_is_refused_with_its_place_and_what_to_send() {
        for (amount, pointer, advice) in [
            ("199", "/amount", "a decimal in a string"),
            ("199.00", "/amount", "a decimal in a string"),
            ("1e3", "/amount", "a decimal in a string"),
            ("null", "/amount", "a decimal in a string"),
            ("true", "/amount", "a decimal in a string"),
            ("[1]", "/amount", "a decimal in a string"),
            ("{}", "/amount", "a decimal in a string"),
            (r#""""#, "/amount", "send digits"),
            (r#""1e3""#, "/amount", "send digits"),
            (r#""1,50""#, "/amount", "send digits"),
            (r#"" 1""#, "/amount", "send digits"),
            (r#""1.005""#, "/amount", "too many decimals"),
            (r#""99999999999999999999""#, "/amount", "smaller amount"),
            (r#""10000000000000.01""#, "/amount", "at most 10000000000000.00 USD"),
            (r#"{"amountMinor":1000000000000001}"#, "/amount", "at most 10000000000000.00 USD"),
            (r#"{"amountMinor":-1000000000000001}"#, "/amount", "at most 10000000000000.00 USD"),
            (r#"{"amountMinor":18446744073709551615}"#, "/amount", "at most 10000000000000.00 USD"),
            (r#"{"amountMinor":-9223372036854775808}"#, "/amount", "at most 10000000000000.00 USD"),
            (r#"{"amountMinor":19900.0}"#, "/amount/amountMinor", "without a point or an exponent"),
            (r#"{"amountMinor":2e4}"#, "/amount/amountMinor", "without a point or an exponent"),
            (r#"{"amountMinor":184467440737095516160}"#, "/amount/amountMinor", "without a point or an exponent"),
            (r#"{"amountMinor":"19900"}"#, "/amount/amountMinor", "without a point or an exponent"),
            (r#"{"price":199.00}"#, "/amount/price", "Send a text"),
            (r#"{"price":"1.00","amountMinor":101}"#, "/amount", "the same amount"),
            (r#"{"price":"1.00","cents":100}"#, "/amount/cents", "There is no field `cents` here"),
            (r#"{"price":"1.00","$type":"Offer"}"#, "/amount/$type", "PriceSpecification"),
        ] {
            let problem = read(amount, Currency::USD).unwrap_err();
            let place = problem.errors.first().map(|error| error.pointer.as_str());
            assert_eq!((problem.status, place), (400, Some(pointer)), "{amount}: {}", problem.detail);
            assert!(problem.detail.contains(advice), "{amount}: {}", problem.detail);
        }
        let foreign = read(r#"{"price":"1.00","priceCurrency":"EUR"}"#, Currency::USD).unwrap_err();
        assert_eq!((foreign.code, foreign.status), ("currency_mismatch", 400));
    }

    #[test]
    fn some_amounts_have_to_be_above_zero() {
        let amount = |minor| MoneyInput { price: None, amount_minor: Some(minor), price_currency: None };
        assert!(amount(0).to_positive_money(Currency::USD, "/amount").is_err());
        assert!(amount(-1).to_positive_money(Currency::USD, "/amount").is_err());
        assert_eq!(amount(1).to_positive_money(Currency::USD, "/amount"), Ok(Money::new(1, Currency::USD)));
    }

    proptest! {
        #[test]
        fn what_is_shown_may_be_sent_back(minor in -AMOUNT_MINOR_MAX..=AMOUNT_MINOR_MAX, place in 0..150_usize) {
            let currency = Currency::all().nth(place).unwrap_or(Currency::USD);
            let money = Money::new(minor, currency);
            let shown = serde_json::to_string(&MoneyView::from(money)).unwrap();
            prop_assert_eq!(read(&shown, currency), Ok(money));
        }

        #[test]
        fn no_text_is_an_amount_by_accident(text in ".{0,60}") {
            if let Ok(money) = read(&serde_json::Value::from(text).to_string(), Currency::USD) {
                prop_assert!(money.minor().unsigned_abs() <= AMOUNT_MINOR_MAX.unsigned_abs());
            }
        }
    }
}

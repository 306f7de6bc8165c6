//! Quantities in JSON.

use utoipa::openapi::schema::{ObjectBuilder, OneOfBuilder, Type};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

/// The JSON form of a [`Quantity`]: an integer, or a decimal string where it has decimals or is too large for an integer.
pub struct QuantityDocument;

impl PartialSchema for QuantityDocument {
    fn schema() -> RefOr<Schema> {
        let integer = ObjectBuilder::new().schema_type(Type::Integer);
        let decimal = ObjectBuilder::new().schema_type(Type::String).pattern(Some(r"^-?[0-9]+(\.[0-9]{1,9})?$"));
        let description = "An integer, or a decimal string with up to 9 decimals.";
        OneOfBuilder::new().item(integer).item(decimal).description(Some(description)).examples([250_000]).into()
    }
}

impl ToSchema for QuantityDocument {
    fn name() -> std::borrow::Cow<'static, str> {
        "Quantity".into()
    }
}

//! The description of prices for the API document: `rating` knows no OpenAPI. `tests/it/catalogue/` checks that each model is read and
//! written as described here.

use utoipa::ToSchema;

/// A price. Amounts, rates and quantities are decimal strings, amounts in major units; `model` decides the other members. In any model,
/// `minimumAmount` and `maximumAmount` bound the total.
#[derive(ToSchema)]
#[serde(untagged)]
#[schema(as = PriceModel, example = json!({"model": "graduated",
    "tiers": [{"upTo": "1000", "unitAmount": "0.01", "flatAmount": "0"}, {"upTo": null, "unitAmount": "0.005"}]}),
    discriminator(property_name = "model", mapping(
        ("flat" = "#/components/schemas/FlatPrice"),
        ("per_unit" = "#/components/schemas/PerUnitPrice"),
        ("graduated" = "#/components/schemas/GraduatedPrice"),
        ("volume" = "#/components/schemas/VolumePrice"),
        ("package" = "#/components/schemas/PackagePrice"),
        ("percentage" = "#/components/schemas/PercentagePrice"),
        ("graduated_percentage" = "#/components/schemas/GraduatedPercentagePrice"),
        ("dynamic" = "#/components/schemas/DynamicPrice")
    )))]
#[allow(dead_code, reason = "describes rating's PriceModel, which knows no OpenAPI")]
pub enum PriceDocument {
    Flat(FlatPrice),
    PerUnit(PerUnitPrice),
    Graduated(GraduatedPrice),
    Volume(VolumePrice),
    Package(PackagePrice),
    Percentage(PercentagePrice),
    GraduatedPercentage(GraduatedPercentagePrice),
    Dynamic(DynamicPrice),
}

/// Defines the members of one model, and those that all models have.
macro_rules! price {
    ($(#[$about:meta])* $name:ident { $($(#[$member:meta])* $field:ident: $kind:ty,)* }) => {
        $(#[$about])*
        #[derive(ToSchema)]
        #[schema(rename_all = "camelCase")]
        #[allow(dead_code, reason = "describes rating's PriceModel, which knows no OpenAPI")]
        pub struct $name {
            /// The price model, which decides the other members.
            model: String,
            $($(#[$member])* $field: $kind,)*
            /// The minimum of the total, in major units.
            #[schema(example = "10", nullable = false)]
            minimum_amount: Option<String>,
            /// The maximum of the total, in major units.
            #[schema(example = "500", nullable = false)]
            maximum_amount: Option<String>,
        }
    };
}

price! {
    /// One amount, whatever the quantity.
    FlatPrice {
        /// The amount in major units.
        #[schema(example = "49")]
        amount: String,
    }
}

price! {
    /// The same amount for each unit.
    PerUnitPrice {
        /// The amount for each unit, in major units.
        #[schema(example = "0.005")]
        unit_amount: String,
        /// The number of units that are free. Default: `"0"`.
        #[schema(example = "10000", nullable = false)]
        free_units: Option<String>,
    }
}

price! {
    /// Each unit at the price of the tier in which it lies.
    GraduatedPrice {
        /// The tiers, ascending by `upTo`; the last one has none.
        #[schema(min_items = 1, max_items = 100)]
        tiers: Vec<TierDocument>,
    }
}

price! {
    /// All units at the price of the tier in which the last unit lies.
    VolumePrice {
        /// The tiers, ascending by `upTo`; the last one has none.
        #[schema(min_items = 1, max_items = 100)]
        tiers: Vec<TierDocument>,
    }
}

price! {
    /// Packages of units.
    PackagePrice {
        /// The number of units in a package.
        #[schema(example = "100")]
        package_size: String,
        /// The amount for each package, in major units.
        #[schema(example = "5")]
        amount: String,
        /// The number of units that are free. Default: `"0"`.
        #[schema(example = "0", nullable = false)]
        free_units: Option<String>,
        /// Whether a started package is charged in full (`up`) or not at all (`down`). Default: `up`.
        #[schema(example = "up", nullable = false)]
        rounding: Option<String>,
    }
}

price! {
    /// A percentage of each event. For estimates only: a plan prices usage by its count.
    PercentagePrice {
        /// The rate in percent.
        #[schema(example = "1.5")]
        rate: String,
        /// An amount added for each event, in major units. Default: `"0"`.
        #[schema(example = "0.10", nullable = false)]
        fixed_amount: Option<String>,
        /// The number of events that are free. Default: 0.
        #[schema(example = 100, nullable = false)]
        free_events: Option<u64>,
        /// The value that is free. Default: `"0"`.
        #[schema(example = "1000", nullable = false)]
        free_value: Option<String>,
        /// The minimum for each event, in major units; null and absent: none.
        #[schema(example = "0.05")]
        minimum_per_event: Option<String>,
        /// The maximum for each event, in major units; null and absent: none.
        #[schema(example = "5")]
        maximum_per_event: Option<String>,
    }
}

price! {
    /// A percentage of the total value: each part of it at the rate of the tier in which it lies.
    GraduatedPercentagePrice {
        /// The tiers, ascending by `upTo`; the last one has none.
        #[schema(min_items = 1, max_items = 100)]
        tiers: Vec<PercentageTierDocument>,
    }
}

price! {
    /// The count is a cost in major units, which is charged times a factor.
    DynamicPrice {
        /// The factor that the cost is multiplied by. Default: `"1"`.
        #[schema(example = "1.2", nullable = false)]
        multiplier: Option<String>,
    }
}

/// A range of units with a price of its own. It starts where the tier before it ends.
#[derive(ToSchema)]
#[schema(as = Tier, rename_all = "camelCase")]
#[allow(dead_code, reason = "describes rating's tiers, which know no OpenAPI")]
pub struct TierDocument {
    /// The last unit of the tier; null for the last tier.
    #[schema(example = "1000")]
    up_to: Option<String>,
    /// The amount for each unit of the tier, in major units. Default: `"0"`.
    #[schema(example = "0.01", nullable = false)]
    unit_amount: Option<String>,
    /// The amount charged once when the tier is reached, in major units. Default: `"0"`.
    #[schema(example = "0", nullable = false)]
    flat_amount: Option<String>,
    /// The number of units in a package, where the tier is sold in packages.
    #[schema(example = "100", nullable = false)]
    package_size: Option<String>,
}

/// A range of value with a rate of its own. It starts where the tier before it ends.
#[derive(ToSchema)]
#[schema(as = PercentageTier, rename_all = "camelCase")]
#[allow(dead_code, reason = "describes rating's tiers, which know no OpenAPI")]
pub struct PercentageTierDocument {
    /// The value up to which the rate holds, in major units; null for the last tier.
    #[schema(example = "1000")]
    up_to: Option<String>,
    /// The rate in percent of the value in the tier.
    #[schema(example = "2.5")]
    rate: String,
    /// The amount charged once when the tier is reached, in major units. Default: `"0"`.
    #[schema(example = "0", nullable = false)]
    flat_amount: Option<String>,
}

//! Checks of a price before it is published: each refusal names the field and has a stable code. Pure.

use rating::{Charge, Currency, Decimal, Money, PriceError, PriceModel, PriceProblem, Quantity, Usage, price};

use crate::http::money::AMOUNT_MINOR_MAX;
use crate::kernel::problem::Problem;

/// Units of a metric in a month up to which a published price is known to have an amount: far more than the least valuable thing that
/// is sold by the piece.
pub const METERED_UNITS_MAX: i32 = 1_000_000_000;
/// The same for what is sold by the seat.
pub const SEATS_MAX: i32 = 1_000_000;

/// Refuses a price that `rating` can't bill from a count, or that exceeds the largest amount of an invoice for up to `units_max` units.
/// `at` is its place in the body.
pub fn check(at: &str, model: &PriceModel, currency: Currency, units_max: i32) -> Result<(), Problem> {
    model.validate().map_err(|error| problem(at, &error))?;
    for (field, amount) in amounts(&model.charge).into_iter().chain(bounds(model)) {
        let pointer = format!("{at}{field}");
        let rounded = Money::round(&amount.to_exact(), currency).map_err(|_| too_large(&pointer, currency))?;
        if rounded.minor() > AMOUNT_MINOR_MAX {
            return Err(too_large(&pointer, currency));
        }
    }
    for quantity in probes(&model.charge, Quantity::from(units_max)) {
        let lines = price(model, &Usage::Total(quantity), currency).map_err(|error| problem(at, &error))?;
        rating::total(&lines, currency).map_err(|_| too_large(at, currency))?;
    }
    Ok(())
}

/// A price that can't be used, as a refusal.
pub fn problem(at: &str, error: &PriceError) -> Problem {
    match error {
        PriceError::Invalid { pointer, problem } => Problem::refused(format!("{at}{pointer}"), code(*problem), sentence(problem)),
        PriceError::EventsRequired => Problem::refused(
            format!("{at}/model"),
            "price_needs_events",
            "A percentage looks at each event, and here only a count is known. Use `graduated_percentage` for a share of the total.",
        ),
        PriceError::NegativeUsage | PriceError::Quantity(_) => Problem::refused(at, "invalid_quantity", sentence(error)),
        PriceError::Money(_) => Problem::refused(at, "amount_too_large", "The price exceeds the largest amount of an invoice. Lower it."),
    }
}

/// The currency with this code; `pointer` is where it stands.
pub fn currency(pointer: &str, code: &str) -> Result<Currency, Problem> {
    Currency::parse(code).map_err(|_| {
        let detail = "Not a currency we know. Send an ISO 4217 code in capital letters, such as USD.";
        Problem::refused(pointer, "unknown_currency", detail)
    })
}

fn code(problem: PriceProblem) -> &'static str {
    match problem {
        PriceProblem::NoTiers => "no_tiers",
        PriceProblem::TooManyTiers => "too_many_tiers",
        PriceProblem::BoundsNotAscending => "tiers_not_ascending",
        PriceProblem::BoundMissing => "tier_bound_missing",
        PriceProblem::LastTierBounded => "last_tier_bounded",
        PriceProblem::PackageSizeNotPositive => "package_size_not_positive",
        PriceProblem::Negative => "negative_price",
        PriceProblem::RateTooPrecise => "rate_too_precise",
        PriceProblem::UnknownCurrency => "unknown_currency",
        PriceProblem::MinimumAboveMaximum => "minimum_above_maximum",
    }
}

fn sentence(error: &impl std::fmt::Display) -> String {
    let text = error.to_string();
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).chain(['.']).collect()).unwrap_or_default()
}

fn too_large(pointer: &str, currency: Currency) -> Problem {
    let most = Money::new(AMOUNT_MINOR_MAX, currency);
    Problem::refused(pointer, "amount_too_large", format!("An invoice can't hold so much. Amounts go up to {most}."))
}

/// Where a price may be at its highest: a volume price falls when a tier is passed.
fn probes(charge: &Charge, most: Quantity) -> Vec<Quantity> {
    let bounds: Vec<Quantity> = match charge {
        Charge::Volume { tiers } | Charge::Graduated { tiers } => tiers.iter().filter_map(|tier| tier.up_to).collect(),
        Charge::GraduatedPercentage { tiers } => tiers.iter().filter_map(|tier| tier.up_to).collect(),
        Charge::Flat { .. } | Charge::PerUnit { .. } | Charge::Package { .. } | Charge::Percentage(_) | Charge::Dynamic { .. } => {
            Vec::new()
        }
    };
    bounds.into_iter().filter(|bound| *bound < most).chain([Quantity::ZERO, most]).collect()
}

/// Every amount of a charge, each with its place.
fn amounts(charge: &Charge) -> Vec<(String, Decimal)> {
    let named = |fields: &[(&str, Decimal)]| fields.iter().map(|(field, amount)| (format!("/{field}"), *amount)).collect();
    let in_tier = |position: usize, field: &str, amount: Decimal| (format!("/tiers/{position}/{field}"), amount);
    match charge {
        Charge::Flat { amount } | Charge::Package { amount, .. } => named(&[("amount", *amount)]),
        Charge::PerUnit { unit_amount, .. } => named(&[("unitAmount", *unit_amount)]),
        Charge::Graduated { tiers } | Charge::Volume { tiers } => tiers
            .iter()
            .enumerate()
            .flat_map(|(position, tier)| {
                [in_tier(position, "unitAmount", tier.unit_amount), in_tier(position, "flatAmount", tier.flat_amount)]
            })
            .collect(),
        Charge::GraduatedPercentage { tiers } => {
            tiers.iter().enumerate().map(|(position, tier)| in_tier(position, "flatAmount", tier.flat_amount)).collect()
        }
        Charge::Percentage(percentage) => named(&[
            ("fixedAmount", percentage.fixed_amount),
            ("minimumPerEvent", percentage.minimum_per_event.unwrap_or_default()),
            ("maximumPerEvent", percentage.maximum_per_event.unwrap_or_default()),
        ]),
        Charge::Dynamic { .. } => Vec::new(),
    }
}

fn bounds(model: &PriceModel) -> Vec<(String, Decimal)> {
    let bounds = [("/minimumAmount", model.minimum_amount), ("/maximumAmount", model.maximum_amount)];
    bounds.into_iter().filter_map(|(field, amount)| Some((field.to_owned(), amount?))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn each_fault_of_a_price_has_its_code_and_place() {
        let tiers = |tiers: serde_json::Value| json!({"model": "graduated", "tiers": tiers});
        let rows = [
            (json!({"model": "flat", "amount": "-1"}), "negative_price", "/p/amount"),
            (json!({"model": "per_unit", "unitAmount": "1", "freeUnits": "-1"}), "negative_price", "/p/freeUnits"),
            (json!({"model": "flat", "amount": "1", "minimumAmount": "-1"}), "negative_price", "/p/minimumAmount"),
            (
                json!({"model": "flat", "amount": "1", "minimumAmount": "3", "maximumAmount": "2"}),
                "minimum_above_maximum",
                "/p/minimumAmount",
            ),
            (json!({"model": "package", "packageSize": "0", "amount": "1"}), "package_size_not_positive", "/p/packageSize"),
            (tiers(json!([])), "no_tiers", "/p/tiers"),
            (tiers(json!(vec![json!({"unitAmount": "1"}); 101])), "too_many_tiers", "/p/tiers"),
            (tiers(json!([{"upTo": "10", "unitAmount": "1"}])), "last_tier_bounded", "/p/tiers/0/upTo"),
            (tiers(json!([{"unitAmount": "1"}, {"unitAmount": "1"}])), "tier_bound_missing", "/p/tiers/0/upTo"),
            (
                tiers(json!([{"upTo": "10", "unitAmount": "1"}, {"upTo": "5", "unitAmount": "1"}, {"unitAmount": "1"}])),
                "tiers_not_ascending",
                "/p/tiers/1/upTo",
            ),
            (
                tiers(json!([{"upTo": "10", "unitAmount": "1"}, {"upTo": "10", "unitAmount": "1"}, {"unitAmount": "1"}])),
                "tiers_not_ascending",
                "/p/tiers/1/upTo",
            ),
            (tiers(json!([{"upTo": "0", "unitAmount": "1"}, {"unitAmount": "1"}])), "tiers_not_ascending", "/p/tiers/0/upTo"),
            (tiers(json!([{"unitAmount": "-0.01"}])), "negative_price", "/p/tiers/0/unitAmount"),
            (json!({"model": "graduated_percentage", "tiers": [{"rate": "0.00000000001"}]}), "rate_too_precise", "/p/tiers/0/rate"),
            (json!({"model": "percentage", "rate": "1.5"}), "price_needs_events", "/p/model"),
            (json!({"model": "percentage", "rate": "-1"}), "negative_price", "/p/rate"),
            (json!({"model": "flat", "amount": "10000000000000.01"}), "amount_too_large", "/p/amount"),
            (json!({"model": "flat", "amount": "1", "maximumAmount": "10000000000000.01"}), "amount_too_large", "/p/maximumAmount"),
            (tiers(json!([{"unitAmount": "1", "flatAmount": "10000000000000.01"}])), "amount_too_large", "/p/tiers/0/flatAmount"),
            (json!({"model": "per_unit", "unitAmount": "1000000000"}), "amount_too_large", "/p"),
            (
                json!({"model": "volume", "tiers": [{"upTo": "900000000", "unitAmount": "1000000000"}, {"unitAmount": "0"}]}),
                "amount_too_large",
                "/p",
            ),
        ];
        for (written, code, pointer) in rows {
            let model: PriceModel = serde_json::from_value(written.clone()).unwrap();
            let problem = check("/p", &model, Currency::USD, METERED_UNITS_MAX).unwrap_err();
            assert_eq!((problem.code, problem.errors[0].pointer.as_str(), problem.status), (code, pointer, 400), "{written}");
            assert!(problem.detail.ends_with('.'), "{written}: {}", problem.detail);
        }
    }

    #[test]
    fn every_model_that_a_count_can_be_priced_by_may_be_published() {
        for written in [
            json!({"model": "flat", "amount": "0"}),
            json!({"model": "per_unit", "unitAmount": "0.005", "freeUnits": "10000"}),
            json!({
                "model": "graduated",
                "tiers": [{"upTo": "1000", "unitAmount": "0.01", "flatAmount": "5"}, {"upTo": null, "unitAmount": "0.005"}]
            }),
            json!({"model": "volume", "tiers": [{"upTo": "1000", "unitAmount": "0.01"}, {"unitAmount": "0.005"}]}),
            json!({"model": "package", "packageSize": "100", "amount": "5", "rounding": "down"}),
            json!({"model": "graduated_percentage", "tiers": [{"upTo": "1000", "rate": "5"}, {"rate": "2.5"}]}),
            json!({"model": "dynamic", "multiplier": "1.2", "minimumAmount": "1", "maximumAmount": "1000"}),
        ] {
            let model: PriceModel = serde_json::from_value(written.clone()).unwrap();
            assert_eq!(check("/p", &model, Currency::USD, METERED_UNITS_MAX), Ok(()), "{written}");
        }
        assert_eq!(currency("/c", "usd").unwrap_err().code, "unknown_currency");
        assert_eq!(currency("/c", "JPY"), Ok(Currency::JPY));
    }
}

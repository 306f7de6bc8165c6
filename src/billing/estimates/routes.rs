//! The endpoint of estimates.

use rating::{PriceModel, Quantity, Usage, price, total};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::catalog::plans::price_document::PriceDocument;
use crate::catalog::plans::prices;
use crate::http::money::{AMOUNT_MINOR_MAX, MoneyView};
use crate::http::quantity::QuantityDocument;
use crate::http::reply::Reply;
use crate::http::request::Input;
use crate::identity::callers::actors::Caller;
use crate::kernel::error::Result;
use crate::kernel::problem::Problem;

/// As many events as a batch of usage.
const EVENTS_MAX: usize = 1_000;

/// A price, and the usage to price: either `quantity` or `events`.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "price": {"model": "per_unit", "unitAmount": "0.005", "freeUnits": "10000"},
    "quantity": "15000",
    "currency": "USD",
}))]
pub struct NewEstimate {
    /// The price to apply.
    #[schema(value_type = PriceDocument)]
    pub price: PriceModel,
    /// The total usage of a period.
    #[schema(value_type = Option<QuantityDocument>)]
    pub quantity: Option<Quantity>,
    /// The quantity of each event, in order of time. Percentage prices need them.
    #[schema(value_type = Option<Vec<QuantityDocument>>, max_items = 1000, example = json!(["10", "4.5"]))]
    pub events: Option<Vec<Quantity>>,
    /// The ISO 4217 code of the currency.
    #[schema(example = "USD")]
    pub currency: String,
}

/// The cost of a usage.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = PriceEstimate)]
pub struct EstimateView {
    /// The type of the resource.
    #[serde(rename = "$type")]
    #[schema(example = "PriceEstimate")]
    pub type_name: &'static str,
    /// The lines of an invoice for this usage; empty where it is free.
    pub lines: Vec<EstimateLineView>,
    /// The sum of the lines.
    pub total: MoneyView,
}

/// A line of an estimate, rounded once.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = PriceEstimateLine)]
pub struct EstimateLineView {
    /// The tier or part of the price.
    #[schema(example = "Units from 10001")]
    pub description: String,
    /// The number of units.
    #[schema(value_type = QuantityDocument)]
    pub quantity: Quantity,
    /// The price of one unit in major units, up to 12 decimals.
    #[schema(example = "0.005")]
    pub unit_price: String,
    /// The amount of the line.
    pub amount: MoneyView,
}

/// Estimate a price
///
/// Prices a usage with any price, published or not, by the code that bills. Nothing is stored.
#[utoipa::path(post, path = "/v1/price-estimates", operation_id = "estimatePrice", request_body = NewEstimate,
    responses((status = 200, description = "The lines and their sum", body = EstimateView)))]
pub async fn create(_caller: Caller, Input(body): Input<NewEstimate>) -> Result<Reply> {
    Reply::ok(&estimate(body)?)
}

/// The estimate, or the refusal. Pure.
pub fn estimate(asked: NewEstimate) -> std::result::Result<EstimateView, Problem> {
    let NewEstimate { price: model, quantity, events, currency } = asked;
    let currency = prices::currency("/currency", &currency)?;
    let (pointer, usage) = match (quantity, events) {
        (Some(quantity), None) => ("/quantity", Usage::Total(quantity)),
        (None, Some(events)) if events.len() <= EVENTS_MAX => ("/events", Usage::Events(events)),
        (None, Some(_)) => return Err(Problem::refused("/events", "too_many_events", format!("Send at most {EVENTS_MAX} events."))),
        (Some(_), Some(_)) => return Err(Problem::refused("/events", "quantity_or_events", "Send `quantity` or `events`, not both.")),
        (None, None) => return Err(Problem::refused("/quantity", "quantity_or_events", "Send `quantity` or `events`.")),
    };
    let lines = price(&model, &usage, currency).map_err(|error| refusal(pointer, &error))?;
    let total = total(&lines, currency).ok().filter(|total| total.minor().unsigned_abs() <= AMOUNT_MINOR_MAX.unsigned_abs());
    let total = total.ok_or_else(|| refusal(pointer, &rating::PriceError::Money(rating::MoneyError::OutOfRange)))?;
    let lines = lines.into_iter().map(|line| EstimateLineView {
        description: line.description,
        quantity: line.quantity,
        unit_price: line.unit_price.to_string(),
        amount: line.amount.into(),
    });
    Ok(EstimateView { type_name: "PriceEstimate", lines: lines.collect(), total: total.into() })
}

fn refusal(usage: &str, error: &rating::PriceError) -> Problem {
    match error {
        rating::PriceError::Invalid { .. } => prices::problem("/price", error),
        rating::PriceError::EventsRequired => {
            Problem::refused("/quantity", "price_needs_events", "A percentage price needs each event. Send `events` instead of `quantity`.")
        }
        rating::PriceError::NegativeUsage | rating::PriceError::Quantity(_) | rating::PriceError::Money(_) => prices::problem(usage, error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn ask(body: Value) -> std::result::Result<EstimateView, (&'static str, String)> {
        let asked = serde_json::from_value(body).unwrap();
        estimate(asked).map_err(|problem| (problem.code, problem.errors[0].pointer.clone()))
    }

    fn calls(quantity: &str) -> Value {
        json!({"price": {"model": "per_unit", "unitAmount": "0.005", "freeUnits": "10000"}, "quantity": quantity, "currency": "USD"})
    }

    #[test]
    fn a_usage_is_priced_as_it_is_billed() {
        let view = serde_json::to_value(ask(calls("15000")).unwrap()).unwrap();
        assert_eq!(view["total"]["price"], "25.00");
        let line = &view["lines"][0];
        assert_eq!((&line["quantity"], &line["unitPrice"], &line["amount"]["amountMinor"]), (&json!(5000), &json!("0.005"), &json!(2500)));
        let fee = json!({"model": "percentage", "rate": "1.5", "fixedAmount": "0.10"});
        let view = ask(json!({"price": fee, "events": ["10", "4.5"], "currency": "USD"})).unwrap();
        assert_eq!(view.total.price, "0.42");
        assert_eq!(ask(calls("0")).unwrap().lines.len(), 0);
    }

    #[test]
    fn an_invalid_price_or_usage_is_refused() {
        let fee = json!({"model": "percentage", "rate": "1.5"});
        let flat = json!({"model": "flat", "amount": "1"});
        for (body, code, pointer) in [
            (json!({"price": fee, "quantity": "1", "currency": "USD"}), "price_needs_events", "/quantity"),
            (json!({"price": flat, "currency": "USD"}), "quantity_or_events", "/quantity"),
            (json!({"price": flat, "quantity": "1", "events": [], "currency": "USD"}), "quantity_or_events", "/events"),
            (json!({"price": flat, "quantity": "1", "currency": "usd"}), "unknown_currency", "/currency"),
            (json!({"price": flat, "quantity": "-1", "currency": "USD"}), "invalid_quantity", "/quantity"),
            (json!({"price": flat, "events": vec!["1"; 1_001], "currency": "USD"}), "too_many_events", "/events"),
            (json!({"price": {"model": "flat", "amount": "-1"}, "quantity": "1", "currency": "USD"}), "negative_price", "/price/amount"),
            (json!({"price": {"model": "volume", "tiers": []}, "quantity": "1", "currency": "USD"}), "no_tiers", "/price/tiers"),
            (
                json!({"price": {"model": "per_unit", "unitAmount": "1000000"}, "quantity": "1000000000000", "currency": "USD"}),
                "amount_too_large",
                "/quantity",
            ),
            (
                json!({"price": {"model": "per_unit", "unitAmount": "10000"}, "quantity": "1000000001", "currency": "USD"}),
                "amount_too_large",
                "/quantity",
            ),
        ] {
            assert_eq!(ask(body.clone()).unwrap_err(), (code, pointer.to_owned()), "{body}");
        }
    }
}

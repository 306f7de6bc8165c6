//! Which metrics can be defined.

use super::built_in::built_in_metrics;
use super::metric::Metric;
use crate::kernel::problem::Problem;
use crate::meter::vocabulary::{Aggregation, MetricKind};

/// Definitions of one platform: every Meter holds all of them.
pub const METRICS_MAX: usize = 500;

const KEY_LENGTH_MAX: usize = 64;
const NAME_LENGTH_MAX: usize = 200;
const DESCRIPTION_LENGTH_MAX: usize = 2_000;
const UNIT_LENGTH_MAX: usize = 60;
/// Of an event type, and of the name of a member of `metadata`.
const TERM_LENGTH_MAX: usize = 255;

/// Whether `metric` may be added to those that the vendor has `defined`.
pub fn check_new(metric: &Metric, defined: &[Metric]) -> Result<(), Problem> {
    check_texts(metric)?;
    check_counting(metric)?;
    check_free(metric, defined)?;
    if defined.len() >= METRICS_MAX {
        let detail = format!(
            "A platform has at most {METRICS_MAX} metrics of its own. Distinguish usage by metadata where no limit of its own is needed."
        );
        return Err(Problem::conflict("too_many_metrics", detail));
    }
    Ok(())
}

/// `^[a-zA-Z][a-zA-Z0-9_.-]{0,63}$`
pub fn is_key(text: &str) -> bool {
    let is_inner = |byte: u8| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte);
    text.len() <= KEY_LENGTH_MAX && text.bytes().next().is_some_and(|first| first.is_ascii_alphabetic()) && text.bytes().all(is_inner)
}

/// Printable, and without spaces at its ends, which a header would lose.
fn is_term(text: &str) -> bool {
    is_text(text, TERM_LENGTH_MAX) && text.trim() == text && !text.chars().any(|letter| letter.is_control())
}

fn is_text(text: &str, length_max: usize) -> bool {
    !text.trim().is_empty() && text.chars().count() <= length_max
}

fn check_texts(metric: &Metric) -> Result<(), Problem> {
    let Metric { key, name, description, unique_property, unit, event_type, .. } = metric;
    require(is_key(key), "/key", "Send a key of 1 to 64 letters, digits, `_`, `.` and `-` that begins with a letter.")?;
    for (text, pointer, length_max) in
        [(name, "/name", NAME_LENGTH_MAX), (description, "/description", DESCRIPTION_LENGTH_MAX), (unit, "/unit", UNIT_LENGTH_MAX)]
    {
        let detail = format!("Send 1 to {length_max} characters, or leave it out.");
        require(text.as_ref().is_none_or(|text| is_text(text, length_max)), pointer, detail)?;
    }
    for (term, pointer) in [(unique_property, "/uniqueProperty"), (event_type, "/eventType")] {
        let detail = format!("Send 1 to {TERM_LENGTH_MAX} printable characters without spaces around them, or leave it out.");
        require(term.as_ref().is_none_or(|term| is_term(term)), pointer, detail)?;
    }
    Ok(())
}

fn check_counting(metric: &Metric) -> Result<(), Problem> {
    let is_unique = metric.aggregation == Aggregation::Unique;
    require(
        !is_unique || metric.unique_property.is_some(),
        "/uniqueProperty",
        "Send the name of the member of `metadata` whose distinct values are counted.",
    )?;
    require(
        is_unique || metric.unique_property.is_none(),
        "/uniqueProperty",
        "Leave it out: it is only allowed with the aggregation `unique`.",
    )?;
    match (metric.aggregation, metric.kind) {
        (Aggregation::Unique, MetricKind::Level) => {
            Err(Problem::invalid("/kind", "invalid_value", "Send `consumable`: distinct values are counted in each period."))
        }
        (Aggregation::WeightedSum, MetricKind::Consumable) => {
            Err(Problem::invalid("/kind", "invalid_value", "Send `level`: a weighted sum is the average of a level."))
        }
        _ => Ok(()),
    }
}

/// A key means one metric and an event type means one metric, whichever way an event names it.
fn check_free(metric: &Metric, defined: &[Metric]) -> Result<(), Problem> {
    let built_in = built_in_metrics();
    let mut known = built_in.iter().chain(defined);
    if known.clone().any(|other| other.key == metric.key) {
        let detail = format!("There is a metric {} already, and metrics never change. Choose another key.", metric.key);
        return Err(Problem::conflict("metric_exists", detail));
    }
    let taken = known.find(|other| {
        let has_type = |text: &String| other.event_type.as_ref() == Some(text);
        has_type(&metric.key) || metric.event_type.as_ref().is_some_and(|text| has_type(text) || other.key == *text)
    });
    match taken {
        Some(other) => {
            let detail = format!("Events of this type are counted as {}. Send another eventType or key.", other.key);
            Err(Problem::conflict("event_type_taken", detail))
        }
        None => Ok(()),
    }
}

fn require(holds: bool, pointer: &str, detail: impl Into<String>) -> Result<(), Problem> {
    if holds { Ok(()) } else { Err(Problem::invalid(pointer, "invalid_value", detail)) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::plans::built_in::built_in_plans;

    fn metric(key: &str) -> Metric {
        Metric {
            key: key.to_owned(),
            name: None,
            description: None,
            aggregation: Aggregation::Sum,
            kind: MetricKind::Consumable,
            unique_property: None,
            unit: None,
            event_type: None,
            created_at: None,
        }
    }

    fn typed(key: &str, event_type: &str) -> Metric {
        Metric { event_type: Some(event_type.to_owned()), ..metric(key) }
    }

    #[test]
    fn built_in_plans_have_built_in_metrics_only() {
        for plan in built_in_plans() {
            for of_plan in plan.metrics {
                let known = built_in_metrics().into_iter().find(|metric| metric.key == of_plan.metric).unwrap();
                assert_eq!((known.kind, known.unit.as_deref()), (of_plan.kind, Some(of_plan.unit.as_str())), "{}", of_plan.metric);
            }
        }
        assert!(built_in_metrics().iter().all(|metric| is_key(&metric.key)));
    }

    #[test]
    fn a_key_has_a_pattern() {
        let longest = "k".repeat(64);
        for key in ["a", "Z9", "tokens.in", "llm_tokens-2", &longest] {
            assert!(is_key(key), "{key}");
        }
        let too_long = "k".repeat(65);
        for key in ["", "9a", "_a", ".a", "a b", "a/b", "ä", "a\n", &too_long] {
            assert!(!is_key(key), "{key}");
        }
    }

    #[test]
    fn each_aggregation_has_its_kinds_and_unique_its_property() {
        use Aggregation::{Count, Latest, Max, Sum, Unique, WeightedSum};
        use MetricKind::{Consumable, Level};
        let check = |aggregation, kind, property: Option<&str>| {
            let metric = Metric { aggregation, kind, unique_property: property.map(str::to_owned), ..metric("m") };
            check_new(&metric, &[]).map_err(|problem| problem.errors[0].pointer.clone())
        };
        for aggregation in [Count, Sum, Max, Latest] {
            for kind in [Consumable, Level] {
                assert_eq!(check(aggregation, kind, None), Ok(()), "{aggregation:?} {kind:?}");
                assert_eq!(check(aggregation, kind, Some("user")), Err("/uniqueProperty".into()), "{aggregation:?} {kind:?}");
            }
        }
        assert_eq!(check(Unique, Consumable, Some("user")), Ok(()));
        assert_eq!(check(Unique, Consumable, None), Err("/uniqueProperty".into()));
        assert_eq!(check(Unique, Level, Some("user")), Err("/kind".into()));
        assert_eq!(check(WeightedSum, Level, None), Ok(()));
        assert_eq!(check(WeightedSum, Consumable, None), Err("/kind".into()));
    }

    #[test]
    fn a_name_of_an_event_means_one_metric() {
        let defined = [typed("tokens", "com.example.tokens")];
        let check = |metric: Metric| check_new(&metric, &defined).map_err(|problem| problem.code);
        assert_eq!(check(metric("tokens")), Err("metric_exists"));
        assert_eq!(check(metric("apiCalls")), Err("metric_exists"));
        assert_eq!(check(metric("com.example.tokens")), Err("event_type_taken"));
        assert_eq!(check(typed("other", "com.example.tokens")), Err("event_type_taken"));
        assert_eq!(check(typed("other", "tokens")), Err("event_type_taken"));
        assert_eq!(check(typed("other", "users")), Err("event_type_taken"));
        assert_eq!(check(typed("other", "other")), Ok(()), "its own key is no other's");
        assert_eq!(check(metric("Tokens")), Ok(()));
    }

    #[test]
    fn a_platform_has_so_many_metrics_and_no_more() {
        let defined: Vec<Metric> = (0..METRICS_MAX).map(|number| metric(&format!("m{number}"))).collect();
        assert_eq!(check_new(&metric("one.more"), &defined).unwrap_err().code, "too_many_metrics");
        assert_eq!(check_new(&metric("one.more"), &defined[1..]), Ok(()));
    }
}

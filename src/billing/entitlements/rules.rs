//! The effective value of each feature, and the rules of overrides.

use std::collections::BTreeMap;

use rating::Quantity;

use super::overrides::{Given, Override};
use super::store;
use crate::catalog::plans::plan::{Entitlement, Feature, Plan};
use crate::kernel::decision::Decision;
use crate::kernel::problem::Problem;

/// Overrides of one organization, at most: a contract with more differences is a plan of its own.
pub const OVERRIDES_MAX: usize = 100;
const REASON_LENGTH_MAX: usize = 2_000;
const VALUE_LENGTH_MAX: usize = 500;

/// The origin of a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    Plan,
    AddOn(String),
    Override,
}

/// The effective value of a feature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Effective {
    pub key: String,
    /// None where only an override defines it.
    pub name: Option<String>,
    pub entitlement: Entitlement,
    pub source: Source,
}

/// The effective value of every feature of the plan, its subscribed add-ons and the overrides, by key.
pub fn effective(plan: &Plan, add_ons: &BTreeMap<String, u32>, overrides: &[Override]) -> BTreeMap<String, Effective> {
    let mut all = BTreeMap::new();
    for feature in &plan.features {
        all.insert(feature.key.clone(), said(feature, Source::Plan));
    }
    for key in add_ons.keys() {
        for feature in plan.add_on(key).map(|add_on| add_on.features.as_slice()).unwrap_or_default() {
            all.insert(feature.key.clone(), said(feature, Source::AddOn(key.clone())));
        }
    }
    for given in overrides {
        let name = all.get(&given.key).and_then(|known: &Effective| known.name.clone());
        let entitlement = match &given.value {
            Given::Truth(value) => Entitlement::Boolean { value: *value },
            Given::Text(value) => Entitlement::Static { value: value.clone() },
        };
        all.insert(given.key.clone(), Effective { key: given.key.clone(), name, entitlement, source: Source::Override });
    }
    all
}

fn said(feature: &Feature, source: Source) -> Effective {
    Effective { key: feature.key.clone(), name: Some(feature.name.clone()), entitlement: feature.entitlement.clone(), source }
}

/// Whether the feature is available: true, a text, or a limit above zero (None: unlimited).
pub fn has_access(entitlement: &Entitlement, limit: Option<Quantity>) -> bool {
    match entitlement {
        Entitlement::Boolean { value } => *value,
        Entitlement::Static { .. } => true,
        Entitlement::Metered { .. } => limit.is_none_or(|limit| limit > Quantity::ZERO),
    }
}

/// Sets an override; nothing where it has this value. `known` is the value without overrides.
pub fn set(overrides: &[Override], known: Option<&Entitlement>, wanted: Override) -> Result<(Override, Decision), Problem> {
    check_reason(wanted.reason.as_deref())?;
    check_value(&wanted.value, known)?;
    let before = overrides.iter().find(|other| other.key == wanted.key);
    if let Some(before) = before.filter(|before| (&before.value, &before.reason) == (&wanted.value, &wanted.reason)) {
        return Ok((before.clone(), Decision::new()));
    }
    if before.is_none() && overrides.len() >= OVERRIDES_MAX {
        let detail = format!(
            "An organization has at most {OVERRIDES_MAX} entitlement overrides. Remove one, or publish a plan for this organization."
        );
        return Err(Problem::conflict("too_many_entitlements", detail));
    }
    let version = before.map_or(0, |before| before.version);
    let next = Override { version: version.saturating_add(1), ..wanted };
    let decision = Decision::new().guard(store::unchanged(&next.key, version)).write(store::put(&next)).audit(
        "entitlement.set",
        next.key.clone(),
        before.map(Override::facts),
        Some(next.facts()),
    );
    Ok((next, decision))
}

/// Removes an override; nothing where there is none.
pub fn remove(overrides: &[Override], key: &str) -> Decision {
    let Some(before) = overrides.iter().find(|other| other.key == key) else { return Decision::new() };
    let guard = store::unchanged(key, before.version);
    Decision::new().guard(guard).write(store::delete(key)).audit("entitlement.removed", key, Some(before.facts()), None)
}

/// `^[a-zA-Z][a-zA-Z0-9_.-]{0,63}$`
pub fn is_key(text: &str) -> bool {
    let is_inner = |byte: u8| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte);
    text.len() <= 64 && text.bytes().next().is_some_and(|first| first.is_ascii_alphabetic()) && text.bytes().all(is_inner)
}

fn check_value(value: &Given, known: Option<&Entitlement>) -> Result<(), Problem> {
    if let Given::Text(text) = value
        && (text.trim().is_empty() || text.chars().count() > VALUE_LENGTH_MAX)
    {
        return Err(Problem::invalid("/value", "invalid_value", format!("Send true, false or 1 to {VALUE_LENGTH_MAX} characters.")));
    }
    match (known, value) {
        (Some(Entitlement::Metered { metric }), _) => {
            let detail = format!(
                "This feature is metered by {metric}. Set the limit of the metric with PUT /v1/organizations/{{id}}/limits/{metric}."
            );
            Err(Problem::conflict("entitlement_is_metered", detail))
        }
        (Some(Entitlement::Static { .. }), Given::Truth(_)) => {
            Err(Problem::refused("/value", "feature_type_mismatch", "This feature is static in the plan. Send a text."))
        }
        (Some(Entitlement::Boolean { .. }), Given::Text(_)) => {
            Err(Problem::refused("/value", "feature_type_mismatch", "This feature is boolean in the plan. Send true or false."))
        }
        _ => Ok(()),
    }
}

fn check_reason(reason: Option<&str>) -> Result<(), Problem> {
    if reason.is_none_or(|reason| !reason.trim().is_empty() && reason.chars().count() <= REASON_LENGTH_MAX) {
        Ok(())
    } else {
        Err(Problem::invalid("/reason", "invalid_value", format!("Send a reason of 1 to {REASON_LENGTH_MAX} characters, or leave it out.")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::plans::built_in::built_in;
    use crate::catalog::plans::plan::AddOn;
    use crate::kernel::time::Timestamp;

    fn given(key: &str, value: Given) -> Override {
        let updated_at = Timestamp::parse("2026-01-10T12:00:00Z").unwrap();
        Override { key: key.into(), value, reason: None, updated_at, version: 0 }
    }

    fn feature(key: &str, entitlement: Entitlement) -> Feature {
        Feature { key: key.into(), name: key.to_uppercase(), entitlement }
    }

    fn text(value: &str) -> Entitlement {
        Entitlement::Static { value: value.into() }
    }

    #[test]
    fn overrides_win_over_add_ons_and_these_over_the_plan() {
        let mut plan = built_in("starter").unwrap();
        plan.features =
            vec![feature("support", text("mail")), feature("sso", Entitlement::Boolean { value: false }), feature("logs", text("7d"))];
        let features = vec![feature("support", text("phone")), feature("logs", text("30d"))];
        plan.add_ons = vec![AddOn { key: "care".into(), name: "Care".into(), prices: Vec::new(), limits: BTreeMap::new(), features }];
        let overrides = [given("logs", Given::Text("90d".into())), given("beta", Given::Truth(true))];
        let found = effective(&plan, &[("care".to_owned(), 1)].into(), &overrides);
        let check = |key: &str, entitlement: Entitlement, source: Source| {
            assert_eq!((&found[key].entitlement, &found[key].source), (&entitlement, &source), "{key}");
        };
        check("support", text("phone"), Source::AddOn("care".into()));
        check("sso", Entitlement::Boolean { value: false }, Source::Plan);
        check("logs", text("90d"), Source::Override);
        check("beta", Entitlement::Boolean { value: true }, Source::Override);
        assert_eq!((found["logs"].name.as_deref(), found["beta"].name.as_deref()), (Some("LOGS"), None));
        assert_eq!(effective(&plan, &BTreeMap::new(), &[])["support"].entitlement, text("mail"));
    }

    #[test]
    fn each_type_opens_in_its_own_way() {
        let metered = Entitlement::Metered { metric: "apiCalls".into() };
        for (entitlement, limit, expected) in [
            (Entitlement::Boolean { value: true }, None, true),
            (Entitlement::Boolean { value: false }, None, false),
            (text("mail"), None, true),
            (metered.clone(), None, true),
            (metered.clone(), Some(Quantity::ONE), true),
            (metered, Some(Quantity::ZERO), false),
        ] {
            assert_eq!(has_access(&entitlement, limit), expected, "{entitlement:?}");
        }
    }

    #[test]
    fn an_override_has_the_type_of_the_feature() {
        let check = |known: Option<Entitlement>, value: Given| {
            set(&[], known.as_ref(), given("k", value)).map(|_| ()).map_err(|problem| (problem.status, problem.code))
        };
        let (truth, word) = (Given::Truth(true), Given::Text("phone".into()));
        assert_eq!(check(None, truth.clone()), Ok(()));
        assert_eq!(check(Some(text("mail")), word.clone()), Ok(()));
        assert_eq!(check(Some(text("mail")), truth.clone()), Err((400, "feature_type_mismatch")));
        assert_eq!(check(Some(Entitlement::Boolean { value: true }), word), Err((400, "feature_type_mismatch")));
        assert_eq!(check(Some(Entitlement::Metered { metric: "users".into() }), truth), Err((409, "entitlement_is_metered")));
        assert_eq!(check(None, Given::Text(" ".into())), Err((400, "invalid_request")));
        let bad_reason = Override { reason: Some(String::new()), ..given("k", Given::Truth(true)) };
        assert_eq!(set(&[], None, bad_reason).unwrap_err().errors[0].pointer, "/reason");
    }

    #[test]
    fn no_change_is_none_and_there_is_a_most() {
        let (first, decision) = set(&[], None, given("k", Given::Truth(true))).unwrap();
        assert_ne!(decision, Decision::new());
        assert_eq!(set(std::slice::from_ref(&first), None, given("k", Given::Truth(true))).unwrap(), (first.clone(), Decision::new()));
        let (second, _) = set(std::slice::from_ref(&first), None, given("k", Given::Truth(false))).unwrap();
        assert_eq!((first.version, second.version), (1, 2));
        assert_eq!(remove(&[], "k"), Decision::new());
        assert_ne!(remove(&[first], "k"), Decision::new());
        let many: Vec<Override> = (0..OVERRIDES_MAX).map(|number| given(&format!("k{number}"), Given::Truth(true))).collect();
        assert_eq!(set(&many, None, given("more", Given::Truth(true))).unwrap_err().code, "too_many_entitlements");
        assert!(set(&many, None, given("k0", Given::Truth(false))).is_ok());
    }
}

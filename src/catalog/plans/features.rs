//! Features as they are published: booleans, texts, and limits of metrics. Pure.

use super::checks::{at_most, require, text};
use super::plan::{AddOn, Entitlement, Feature, PlanMetric};
use super::wire::{FeatureType, FeatureValue, NewFeature};
use crate::catalog::metrics::rules::is_key;
use crate::kernel::problem::Problem;

const FEATURES_MAX: usize = 100;
const NAME_LENGTH_MAX: usize = 200;
/// Of a static feature.
pub const VALUE_LENGTH_MAX: usize = 500;

/// The features of a plan or an add-on, each key once.
pub fn read(at: &str, written: &[NewFeature], metrics: &[PlanMetric]) -> Result<Vec<Feature>, Problem> {
    at_most(at, written.len(), FEATURES_MAX)?;
    let mut read: Vec<Feature> = Vec::new();
    for (index, feature) in written.iter().enumerate() {
        let here = format!("{at}/{index}");
        let pointer = format!("{here}/key");
        let detail = "Send a key of 1 to 64 letters, digits, `_`, `.` and `-` that begins with a letter.";
        require(is_key(&feature.key), &pointer, "invalid_key", detail)?;
        let is_new = !read.iter().any(|known| known.key == feature.key);
        require(is_new, &pointer, "duplicate_key", "The key is used by another feature. Choose another key.")?;
        text(&format!("{here}/name"), &feature.name, NAME_LENGTH_MAX)?;
        let entitlement = entitlement(&here, feature, metrics)?;
        read.push(Feature { key: feature.key.clone(), name: feature.name.trim().to_owned(), entitlement });
    }
    Ok(read)
}

/// A feature of an add-on has the same type as the plan's feature of that key: a reader expects one type.
pub fn check_add_ons(features: &[Feature], add_ons: &[AddOn]) -> Result<(), Problem> {
    let brought = add_ons.iter().enumerate().flat_map(|(index, add_on)| {
        add_on.features.iter().enumerate().map(move |(position, feature)| (format!("/addOns/{index}/features/{position}/type"), feature))
    });
    for (pointer, feature) in brought {
        let known = features.iter().find(|known| known.key == feature.key);
        let is_same = known.is_none_or(|known| kind(&known.entitlement) == kind(&feature.entitlement));
        let detail = "The plan's feature of this key has another type. Send the same type, or another key.";
        require(is_same, &pointer, "feature_type_mismatch", detail)?;
    }
    Ok(())
}

pub fn kind(entitlement: &Entitlement) -> FeatureType {
    match entitlement {
        Entitlement::Boolean { .. } => FeatureType::Boolean,
        Entitlement::Static { .. } => FeatureType::Static,
        Entitlement::Metered { .. } => FeatureType::Metered,
    }
}

fn entitlement(at: &str, feature: &NewFeature, metrics: &[PlanMetric]) -> Result<Entitlement, Problem> {
    let value = format!("{at}/value");
    let metric = format!("{at}/metric");
    if feature.kind != FeatureType::Metered {
        require(feature.metric.is_none(), &metric, "invalid_value", "Leave it out: only a metered feature has a metric.")?;
    }
    match (feature.kind, &feature.value) {
        (FeatureType::Boolean, None) => Ok(Entitlement::Boolean { value: true }),
        (FeatureType::Boolean, Some(FeatureValue::Truth(value))) => Ok(Entitlement::Boolean { value: *value }),
        (FeatureType::Boolean, Some(FeatureValue::Text(_))) => {
            Err(Problem::invalid(value, "invalid_value", "Send true or false, or leave it out."))
        }
        (FeatureType::Static, Some(FeatureValue::Text(written))) => {
            text(&value, written, VALUE_LENGTH_MAX)?;
            Ok(Entitlement::Static { value: written.clone() })
        }
        (FeatureType::Static, _) => Err(Problem::invalid(value, "invalid_value", "Send a text: it is required for a static feature.")),
        (FeatureType::Metered, None) => {
            let named = feature.metric.as_deref().unwrap_or_default();
            let is_known = metrics.iter().any(|known| known.metric == named);
            require(is_known, &metric, "unknown_metric", "Send one of the plan's `metrics`, whose limit applies.")?;
            Ok(Entitlement::Metered { metric: named.to_owned() })
        }
        (FeatureType::Metered, Some(_)) => {
            Err(Problem::invalid(value, "invalid_value", "Leave it out: a metered feature has the metric's limit."))
        }
    }
}

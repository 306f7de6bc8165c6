//! Publishing: the vendor's plan is read and checked, so that its version can always be billed. Pure; every refusal has its place and
//! its remedy.

use std::collections::BTreeMap;

use rating::{Currency, Money, PriceModel, Quantity};

use super::built_in::DEFAULT_RATE_LIMITS;
use super::checks::{at_most, escaped, optional_text, require, text};
use super::plan::{AddOn, Plan, PlanMetric, PlanPrice, Trial, TrialEnding};
use super::prices::{METERED_UNITS_MAX, SEATS_MAX};
use super::wire::{NewAddOn, NewPlan, NewPlanMetric, NewPrice, NewRateLimits, NewTrial};
use super::{features, prices};
use crate::catalog::metrics::metric::Metric;
use crate::http::money::MoneyInput;
use crate::kernel::problem::Problem;
use crate::kernel::time::Timestamp;
use crate::meter::vocabulary::{Enforcement, Rate, RateLimits};

/// More than any price list has, few enough to be checked within a request.
const PRICES_MAX: usize = 100;
const METRICS_MAX: usize = 100;
const ADD_ONS_MAX: usize = 50;
/// Versions of one plan: a faulty deployment does not fill the directory.
pub const VERSIONS_MAX: u32 = 1_000;
const KEY_LENGTH_MAX: usize = 64;
const NAME_LENGTH_MAX: usize = 200;
const DESCRIPTION_LENGTH_MAX: usize = 2_000;
const UNIT_LENGTH_MAX: usize = 60;
/// Two years.
const TRIAL_DAYS_MAX: u32 = 730;
/// More than a Meter answers.
const REQUESTS_PER_SECOND_MAX: u32 = 1_000_000;
const BURST_MAX: u32 = 10_000_000;

/// The key and the number of a version.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    pub key: &'a str,
    pub version: u32,
}

/// The version that `new` describes, or what is wrong with it. `defined` are the metrics that exist.
pub fn version(new: &NewPlan, place: Place<'_>, defined: &[Metric], now: Timestamp) -> Result<Plan, Problem> {
    key("/key", place.key)?;
    text("/name", &new.name, NAME_LENGTH_MAX)?;
    optional_text("/description", new.description.as_deref(), DESCRIPTION_LENGTH_MAX)?;
    let prices = price_list("/prices", &new.prices)?;
    let metrics = metrics(&new.metrics, &prices, defined)?;
    let features = features::read("/features", &new.features, &metrics)?;
    let add_ons = add_ons(&new.add_ons, &prices, &metrics)?;
    features::check_add_ons(&features, &add_ons)?;
    let progressive = amounts("/progressiveBilling", &new.progressive_billing, &prices)?;
    let minimum = amounts("/minimumCommitment", &new.minimum_commitment, &prices)?;
    Ok(Plan {
        key: place.key.to_owned(),
        version: place.version,
        name: new.name.trim().to_owned(),
        description: new.description.clone(),
        organization: new.organization,
        prices,
        base_timing: new.base_timing,
        metrics,
        add_ons,
        features,
        rate_limits: rate_limits(new.rate_limits)?,
        trial: trial(new.trial)?,
        proration_policy: new.proration_policy.unwrap_or_default(),
        progressive_billing: progressive.into_iter().map(|(code, amount)| (code, amount.minor())).collect(),
        minimum_commitment: minimum.into_iter().map(|(code, amount)| (code, amount.to_decimal())).collect(),
        published_at: Some(now),
    })
}

/// `^[a-z][a-z0-9-]{0,63}$`
pub fn is_key(text: &str) -> bool {
    let is_inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    text.len() <= KEY_LENGTH_MAX && text.bytes().next().is_some_and(|first| first.is_ascii_lowercase()) && text.bytes().all(is_inner)
}

fn key(pointer: &str, text: &str) -> Result<(), Problem> {
    let detail = "Send a key of 1 to 64 lower-case letters, digits and `-` that begins with a letter.";
    require(is_key(text), pointer, "invalid_key", detail)
}

/// Prices for currencies and intervals, each once, and at least one.
fn price_list(at: &str, written: &[NewPrice]) -> Result<Vec<PlanPrice>, Problem> {
    require(!written.is_empty(), at, "no_price", "A plan needs a price to be sold. Send at least one; it may be 0.")?;
    at_most(at, written.len(), PRICES_MAX)?;
    let mut list: Vec<PlanPrice> = Vec::new();
    for (index, NewPrice { currency, interval, price }) in written.iter().enumerate() {
        let here = format!("{at}/{index}");
        let (currency, interval) = (prices::currency(&format!("{here}/currency"), currency)?, (*interval).into());
        let is_new = !list.iter().any(|known| (known.currency, known.interval) == (currency, interval));
        require(is_new, &here, "duplicate_price", "Send one price for each currency and interval.")?;
        prices::check(&format!("{here}/price"), price, currency, SEATS_MAX)?;
        list.push(PlanPrice { currency, interval, price: price.clone() });
    }
    Ok(list)
}

fn metrics(written: &[NewPlanMetric], sold: &[PlanPrice], defined: &[Metric]) -> Result<Vec<PlanMetric>, Problem> {
    at_most("/metrics", written.len(), METRICS_MAX)?;
    let mut read: Vec<PlanMetric> = Vec::new();
    for (index, metric) in written.iter().enumerate() {
        let at = format!("/metrics/{index}");
        let definition = defined.iter().find(|definition| definition.key == metric.metric);
        let definition = definition.ok_or_else(|| unknown_metric(&format!("{at}/metric")))?;
        let is_new = !read.iter().any(|known| known.metric == metric.metric);
        require(is_new, &format!("{at}/metric"), "duplicate_key", "The metric is listed twice. Send one entry for each metric.")?;
        read.push(plan_metric(&at, metric, sold, definition)?);
    }
    Ok(read)
}

fn plan_metric(at: &str, written: &NewPlanMetric, sold: &[PlanPrice], definition: &Metric) -> Result<PlanMetric, Problem> {
    let unlimited = Quantity::from(-1);
    let is_kind = written.kind.is_none_or(|kind| kind == definition.kind);
    let detail = format!("The metric {} has another kind, which can't change. Leave `kind` out, or use another metric.", definition.key);
    require(is_kind, &format!("{at}/kind"), "kind_mismatch", detail)?;
    let has_limit = written.limit.is_none_or(|limit| !limit.is_negative() || limit == unlimited);
    require(has_limit, &format!("{at}/limit"), "invalid_value", "Send a limit of 0 or more, or -1 for unlimited.")?;
    let limit = written.limit.filter(|limit| !limit.is_negative());
    let included = written.included.or(limit).unwrap_or(Quantity::ZERO);
    require(!included.is_negative(), &format!("{at}/included"), "invalid_value", "Send 0 or more.")?;
    let is_reachable =
        !written.prices.is_empty() || written.enforcement == Enforcement::Soft || limit.is_none_or(|limit| included <= limit);
    let detail = "Usage past the limit is refused, so it can't be included. Raise the limit, or lower the included amount.";
    require(is_reachable, &format!("{at}/included"), "included_above_limit", detail)?;
    optional_text(&format!("{at}/unit"), written.unit.as_deref(), UNIT_LENGTH_MAX)?;
    Ok(PlanMetric {
        metric: definition.key.clone(),
        kind: definition.kind,
        aggregation: definition.aggregation,
        unique_property: definition.unique_property.clone(),
        unit: written.unit.clone().or_else(|| definition.unit.clone()).unwrap_or_else(|| definition.key.clone()),
        limit,
        enforcement: written.enforcement,
        included,
        prices: usage_prices(&format!("{at}/prices"), &written.prices, sold)?,
    })
}

/// The prices of usage: in every currency in which the plan is sold, or in none.
fn usage_prices(at: &str, written: &BTreeMap<String, PriceModel>, sold: &[PlanPrice]) -> Result<BTreeMap<String, PriceModel>, Problem> {
    for (code, price) in written {
        let pointer = format!("{at}/{}", escaped(code));
        let currency = sold_currency(&pointer, code, sold)?;
        prices::check(&pointer, price, currency, METERED_UNITS_MAX)?;
    }
    let missing = sold.iter().map(|price| price.currency.code()).find(|code| !written.contains_key(*code));
    match missing {
        Some(code) if !written.is_empty() => {
            let detail = format!("The plan is also sold in {code}, where this usage would be free. Send its price in {code}.");
            Err(Problem::refused(at, "price_missing_in_currency", detail))
        }
        _ => Ok(written.clone()),
    }
}

fn add_ons(written: &[NewAddOn], sold: &[PlanPrice], metrics: &[PlanMetric]) -> Result<Vec<AddOn>, Problem> {
    at_most("/addOns", written.len(), ADD_ONS_MAX)?;
    let mut read: Vec<AddOn> = Vec::new();
    for (index, add_on) in written.iter().enumerate() {
        let at = format!("/addOns/{index}");
        key(&format!("{at}/key"), &add_on.key)?;
        let is_new = !read.iter().any(|known| known.key == add_on.key);
        require(is_new, &format!("{at}/key"), "duplicate_key", "The key is used by another add-on. Choose another key.")?;
        text(&format!("{at}/name"), &add_on.name, NAME_LENGTH_MAX)?;
        read.push(AddOn {
            key: add_on.key.clone(),
            name: add_on.name.trim().to_owned(),
            prices: add_on_prices(&format!("{at}/prices"), &add_on.prices, sold)?,
            limits: add_on_limits(&format!("{at}/limits"), &add_on.limits, metrics)?,
            features: features::read(&format!("{at}/features"), &add_on.features, metrics)?,
        });
    }
    Ok(read)
}

fn add_on_prices(at: &str, written: &[NewPrice], sold: &[PlanPrice]) -> Result<Vec<PlanPrice>, Problem> {
    let prices = price_list(at, written)?;
    let is_sold = |price: &PlanPrice| sold.iter().any(|of_plan| (of_plan.currency, of_plan.interval) == (price.currency, price.interval));
    if let Some(index) = prices.iter().position(|price| !is_sold(price)) {
        let detail = "The plan is not sold in this currency at this interval. Add such a price to the plan, or leave this one out.";
        return Err(Problem::refused(format!("{at}/{index}"), "currency_not_sold", detail));
    }
    Ok(prices)
}

fn add_on_limits(at: &str, written: &BTreeMap<String, Quantity>, metrics: &[PlanMetric]) -> Result<BTreeMap<String, Quantity>, Problem> {
    for (metric, amount) in written {
        let pointer = format!("{at}/{}", escaped(metric));
        if !metrics.iter().any(|known| known.metric == *metric) {
            let detail = "The plan says nothing of such a metric. Add it to the plan's `metrics`, which an add-on can raise.";
            return Err(Problem::refused(pointer, "unknown_metric", detail));
        }
        require(*amount > Quantity::ZERO, &pointer, "invalid_value", "Send the amount that one unit adds: above 0.")?;
    }
    Ok(written.clone())
}

/// Amounts above zero by the currencies in which the plan is sold.
fn amounts(at: &str, written: &BTreeMap<String, MoneyInput>, sold: &[PlanPrice]) -> Result<BTreeMap<String, Money>, Problem> {
    let mut amounts = BTreeMap::new();
    for (code, amount) in written {
        let pointer = format!("{at}/{}", escaped(code));
        let currency = sold_currency(&pointer, code, sold)?;
        amounts.insert(code.clone(), amount.to_positive_money(currency, &pointer)?);
    }
    Ok(amounts)
}

fn sold_currency(pointer: &str, code: &str, sold: &[PlanPrice]) -> Result<Currency, Problem> {
    let currency = prices::currency(pointer, code)?;
    let is_sold = sold.iter().any(|price| price.currency == currency);
    let detail = format!("The plan is not sold in {code}. Add a price in {code} to `prices`, or leave this out.");
    require(is_sold, pointer, "currency_not_sold", detail)?;
    Ok(currency)
}

fn trial(written: Option<NewTrial>) -> Result<Trial, Problem> {
    let none = Trial { days: 0, ending: TrialEnding::Convert };
    let Some(NewTrial { days, ending }) = written else { return Ok(none) };
    let detail = format!("Send 0 to {TRIAL_DAYS_MAX} days; 0 means no trial.");
    require(days <= TRIAL_DAYS_MAX, "/trial/days", "invalid_value", detail)?;
    // Without a trial there is no end of one, so that 0 days and no trial are the same.
    Ok(if days == 0 { none } else { Trial { days, ending } })
}

fn rate_limits(written: Option<NewRateLimits>) -> Result<RateLimits, Problem> {
    let Some(NewRateLimits { organization, key }) = written else { return Ok(DEFAULT_RATE_LIMITS) };
    for (name, rate) in [("organization", organization), ("key", key)] {
        let detail = format!("Send 1 to {REQUESTS_PER_SECOND_MAX} requests a second.");
        let is_rate = (1..=REQUESTS_PER_SECOND_MAX).contains(&rate.per_second);
        require(is_rate, &format!("/rateLimits/{name}/perSecond"), "invalid_value", detail)?;
        let detail = format!("Send 1 to {BURST_MAX} requests at once.");
        require((1..=BURST_MAX).contains(&rate.burst), &format!("/rateLimits/{name}/burst"), "invalid_value", detail)?;
    }
    let rate = |rate: super::wire::NewRate| Rate { per_second: rate.per_second, burst: rate.burst };
    Ok(RateLimits { organization: rate(organization), key: rate(key) })
}

fn unknown_metric(pointer: &str) -> Problem {
    Problem::refused(pointer, "unknown_metric", "There is no such metric. GET /v1/metrics lists them, POST /v1/metrics defines one.")
}

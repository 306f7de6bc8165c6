//! The rules of an organization's own limits.

use rating::Quantity;

use super::agreed::{Grant, Limits, Override};
use super::store;
use crate::events::LimitsChanged;
use crate::kernel::decision::Decision;
use crate::kernel::ids::{GrantId, Moment};
use crate::kernel::problem::Problem;
use crate::kernel::time::Timestamp;
use crate::meter::vocabulary::Enforcement;

/// Grants of one organization that have not ended: its Meter adds them up.
pub const GRANTS_MAX: usize = 500;
const REASON_LENGTH_MAX: usize = 2_000;

/// A limit as clients send it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// -1 is unlimited.
    pub limit: Quantity,
    pub enforcement: Enforcement,
    pub reason: Option<String>,
}

/// A grant as clients send it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Allowance {
    pub metric: String,
    pub amount: Quantity,
    pub starts_at: Option<Timestamp>,
    pub ends_at: Option<Timestamp>,
    pub reason: Option<String>,
}

/// Replaces the plan's limit of a metric that exists; nothing changes when it is set already.
pub fn set(limits: &Limits, metric: &str, wanted: &Wanted, moment: Moment<'_>) -> Result<(Override, Limits, Decision), Problem> {
    if wanted.limit.is_negative() && wanted.limit != Quantity::from(-1) {
        return Err(Problem::invalid("/limit", "invalid_value", "Send a limit of 0 or more, or -1 for unlimited."));
    }
    check_reason(wanted.reason.as_deref())?;
    let next = Override {
        metric: metric.to_owned(),
        limit: Some(wanted.limit).filter(|limit| !limit.is_negative()),
        enforcement: wanted.enforcement,
        reason: wanted.reason.clone(),
        updated_at: moment.now,
    };
    let before = limits.overrides.get(metric);
    if let Some(before) = before.filter(|before| **before == Override { updated_at: before.updated_at, ..next.clone() }) {
        return Ok((before.clone(), limits.clone(), Decision::new()));
    }
    let (mut changed, decision) = change(limits);
    changed.overrides.insert(next.metric.clone(), next.clone());
    let decision = decision.write(store::put_override(&next)).audit("limit.set", metric, before.map(Override::facts), Some(next.facts()));
    Ok((next, changed, decision))
}

/// Removes the own limit of a metric; nothing changes when there is none.
pub fn remove(limits: &Limits, metric: &str) -> (Limits, Decision) {
    let Some(before) = limits.overrides.get(metric) else { return (limits.clone(), Decision::new()) };
    let (mut changed, decision) = change(limits);
    changed.overrides.remove(metric);
    (changed, decision.write(store::delete_override(metric)).audit("limit.removed", metric, Some(before.facts()), None))
}

/// Grants allowance of a metric that exists.
pub fn grant(limits: &Limits, wanted: &Allowance, moment: Moment<'_>) -> Result<(Grant, Limits, Decision), Problem> {
    if wanted.amount.is_negative() || wanted.amount.is_zero() {
        return Err(Problem::invalid("/amount", "invalid_value", "Send an amount above 0; revoke a grant to reduce it."));
    }
    let starts_at = wanted.starts_at.unwrap_or(moment.now);
    if wanted.ends_at.is_some_and(|ends_at| ends_at <= starts_at) {
        let detail = format!("Send an end after {starts_at}, when the grant starts, or leave it out.");
        return Err(Problem::invalid("/endsAt", "invalid_value", detail));
    }
    check_reason(wanted.reason.as_deref())?;
    if limits.grants.len() >= GRANTS_MAX {
        let detail = format!("An organization has at most {GRANTS_MAX} grants at a time. Revoke some, or set a limit instead.");
        return Err(Problem::conflict("too_many_grants", detail));
    }
    let grant = Grant {
        id: GrantId::new(moment),
        metric: wanted.metric.clone(),
        amount: wanted.amount,
        starts_at,
        ends_at: wanted.ends_at,
        reason: wanted.reason.clone(),
        created_at: moment.now,
        revoked_at: None,
    };
    let (mut changed, decision) = change(limits);
    if grant.is_not_over(moment.now) {
        changed.grants.push(grant.clone());
    }
    let decision = decision.write(store::insert_grant(&grant)).audit("grant.created", grant.id.to_string(), None, Some(grant.facts()));
    Ok((grant, changed, decision))
}

/// Revokes a grant; nothing changes when it is revoked already.
pub fn revoke(limits: &Limits, grant: &Grant, moment: Moment<'_>) -> (Limits, Decision) {
    if grant.revoked_at.is_some() {
        return (limits.clone(), Decision::new());
    }
    let (mut changed, decision) = change(limits);
    changed.grants.retain(|other| other.id != grant.id);
    let decision = decision.write(store::revoke_grant(grant.id, moment.now));
    (changed, decision.audit("grant.revoked", grant.id.to_string(), Some(grant.facts()), None))
}

/// The next version of the limits, provided that no concurrent change made one.
fn change(limits: &Limits) -> (Limits, Decision) {
    let version = limits.version.saturating_add(1);
    let decision =
        Decision::new().guard(store::unchanged(limits.version)).write(store::put_version(version)).raise(LimitsChanged { version });
    (Limits { version, ..limits.clone() }, decision)
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
    use crate::kernel::ids::Fixed;
    use std::collections::BTreeMap;

    fn noon() -> Moment<'static> {
        Moment { now: Timestamp::parse("2026-01-10T12:00:00Z").unwrap(), entropy: &Fixed }
    }

    fn wanted(limit: i32) -> Wanted {
        Wanted { limit: Quantity::from(limit), enforcement: Enforcement::Hard, reason: None }
    }

    fn allowance(amount: i32, starts_at: Option<&str>, ends_at: Option<&str>) -> Allowance {
        let at = |text: &str| Timestamp::parse(text).unwrap();
        Allowance {
            metric: "apiCalls".into(),
            amount: Quantity::from(amount),
            starts_at: starts_at.map(at),
            ends_at: ends_at.map(at),
            reason: None,
        }
    }

    #[test]
    fn each_change_is_one_version_and_no_change_is_none() {
        let none = Limits::default();
        let (first, one, _) = set(&none, "apiCalls", &wanted(10), noon()).unwrap();
        assert_eq!((one.version, first.limit), (1, Some(Quantity::from(10))));
        let (again, still_one, decision) = set(&one, "apiCalls", &wanted(10), noon()).unwrap();
        assert_eq!((again, still_one.version, decision), (first, 1, Decision::new()));
        let (unlimited, two, _) = set(&one, "apiCalls", &wanted(-1), noon()).unwrap();
        assert_eq!((two.version, unlimited.limit, unlimited.shown()), (2, None, Quantity::from(-1)));
        let (three, _) = remove(&two, "apiCalls");
        assert_eq!((three.version, three.overrides.len()), (3, 0));
        assert_eq!(remove(&three, "apiCalls"), (three.clone(), Decision::new()));
        let (grant, four, _) = grant(&three, &allowance(5, None, None), noon()).unwrap();
        assert_eq!((four.version, four.grants.len(), grant.starts_at), (4, 1, noon().now));
        let (five, _) = revoke(&four, &grant, noon());
        assert_eq!((five.version, five.grants.len()), (5, 0));
        let revoked = Grant { revoked_at: Some(noon().now), ..grant };
        assert_eq!(revoke(&five, &revoked, noon()), (five.clone(), Decision::new()));
    }

    #[test]
    fn a_limit_is_not_below_zero() {
        for (limit, is_one) in [(0, true), (-1, true), (-2, false)] {
            assert_eq!(set(&Limits::default(), "users", &wanted(limit), noon()).is_ok(), is_one, "{limit}");
        }
        let fraction = Wanted { limit: Quantity::parse("-0.5").unwrap(), ..wanted(0) };
        assert!(set(&Limits::default(), "users", &fraction, noon()).is_err());
    }

    #[test]
    fn a_grant_gives_something_for_some_time() {
        let pointer =
            |wanted: &Allowance| grant(&Limits::default(), wanted, noon()).map_err(|problem| problem.errors[0].pointer.clone()).err();
        assert_eq!(pointer(&allowance(1, None, Some("2026-01-10T12:00:00.001Z"))), None);
        assert_eq!(pointer(&allowance(1, None, Some("2026-01-10T12:00:00Z"))), Some("/endsAt".into()));
        assert_eq!(pointer(&allowance(1, Some("2026-02-01T00:00:00Z"), Some("2026-01-31T00:00:00Z"))), Some("/endsAt".into()));
        assert_eq!(pointer(&allowance(0, None, None)), Some("/amount".into()));
        assert_eq!(pointer(&allowance(-1, None, None)), Some("/amount".into()));
        let (_, over, _) =
            grant(&Limits::default(), &allowance(1, Some("2026-01-01T00:00:00Z"), Some("2026-01-02T00:00:00Z")), noon()).unwrap();
        assert_eq!((over.version, over.grants.len()), (1, 0), "an ended grant is not sent to the Meter");
    }

    #[test]
    fn an_organization_has_so_many_grants_and_no_more() {
        let (one, _, _) = grant(&Limits::default(), &allowance(1, None, None), noon()).unwrap();
        let full = Limits { version: 9, overrides: BTreeMap::new(), grants: vec![one; GRANTS_MAX] };
        assert_eq!(grant(&full, &allowance(1, None, None), noon()).unwrap_err().code, "too_many_grants");
    }
}

//! The effect of a pause on the calendar of a subscription. Pure. While paused, the usage period stays open: nothing is counted twice, and
//! usage recorded meanwhile is billed after the pause.

use chrono::Months;

use super::lifecycle;
use super::lifecycle::Trigger;
use super::scheduled::check_nothing_scheduled;
use super::subscription::{Pause, PausePolicy, Subscription, months};
use crate::kernel::error::{Error, Result};
use crate::kernel::period::Period;
use crate::kernel::problem::Problem;
use crate::kernel::time::{Timestamp, days};

/// The provisional end of the usage period of a paused subscription: later than any pause.
const RESTING: std::time::Duration = days(3_650);
/// The longest pause that can be requested in advance.
const RESUMES_AFTER_MAX: std::time::Duration = days(730);
/// Months from the anchor of a prolonged billing period to its end. Four years later is the same day, February 29 included.
const ANCHOR_MONTHS_BACK: u32 = 48;

/// The requested pause.
#[derive(Clone, Copy, Debug)]
pub struct Wanted {
    pub policy: PausePolicy,
    pub resumes_at: Option<Timestamp>,
}

/// The subscription paused from `now` on.
pub fn paused(subscription: &Subscription, wanted: Wanted, now: Timestamp) -> Result<Subscription> {
    let status = lifecycle::step(subscription.status, Trigger::Pause)?;
    check_nothing_scheduled(subscription)?;
    let Wanted { policy, resumes_at } = wanted;
    if resumes_at.is_some_and(|at| at <= now || at > now.plus(RESUMES_AFTER_MAX)) {
        return Err(Problem::invalid("/resumesAt", "invalid_value", "Send a future instant, at most two years ahead.").into());
    }
    let pause = Pause { paused_at: now, resumes_at, policy, billing_period: subscription.current_billing_period()? };
    Ok(Subscription {
        status,
        pause: Some(pause),
        period: Period { ends_at: now.plus(RESTING), ..subscription.period },
        next_billing_at: None,
        version: subscription.version.saturating_add(1),
        ..subscription.clone()
    })
}

/// The pause of a paused subscription.
pub fn pause_of(subscription: &Subscription) -> Result<&Pause> {
    let not_paused = || Problem::conflict("not_paused", "The subscription is not paused. GET /v1/subscription shows its status.");
    subscription.pause.as_ref().ok_or_else(|| not_paused().into())
}

/// Whether resuming at `now` closes the usage period, because a new billing period starts. A period that started this instant continues.
pub fn closes_period(subscription: &Subscription, now: Timestamp) -> bool {
    let begins_anew = subscription.pause.as_ref().is_some_and(|pause| pause.policy == PausePolicy::CreditUnused);
    begins_anew && subscription.period.starts_at < now
}

/// The subscription resumed at `now`: in a new billing period, or with the rest of the interrupted one.
pub fn resumed(subscription: &Subscription, now: Timestamp) -> Result<Subscription> {
    let pause = pause_of(subscription)?;
    let status = lifecycle::step(subscription.status, Trigger::Resume)?;
    let version = subscription.version.saturating_add(1);
    let awake = Subscription { status, pause: None, version, ..subscription.clone() };
    match pause.policy {
        PausePolicy::CreditUnused => awake.restarted(now),
        PausePolicy::KeepTime => prolonged(awake, pause, now),
    }
}

/// Prolongs the interrupted billing period by the length of the pause. The usage period continues, and later months are counted back from
/// the new end.
fn prolonged(awake: Subscription, pause: &Pause, now: Timestamp) -> Result<Subscription> {
    let rested = pause.paused_at.until(now);
    let ends_at = pause.billing_period.ends_at.plus(rested);
    let months = months(awake.shape.interval);
    let first = ANCHOR_MONTHS_BACK.saturating_sub(months);
    let place = awake.period_index.checked_rem(months).unwrap_or(0);
    let anchored = Subscription { anchored_at: Some(years_before(&awake, ends_at)?), ..awake };
    let last = ANCHOR_MONTHS_BACK.saturating_sub(1);
    let mut period_index = first.saturating_add(place).min(last);
    while period_index < last && anchored.usage_period(period_index)?.ends_at <= now {
        period_index = period_index.saturating_add(1);
    }
    let period = Period { ends_at: anchored.usage_period(period_index)?.ends_at, ..anchored.period };
    let billing_end = anchored.usage_period(last)?.ends_at;
    let mut next = Subscription { period_index, period, next_billing_at: Some(period.ends_at), ..anchored };
    for advance in &mut next.advance {
        advance.period = Period { starts_at: advance.period.starts_at.plus(rested), ends_at: billing_end };
    }
    Ok(next)
}

fn years_before(subscription: &Subscription, end: Timestamp) -> Result<Timestamp> {
    let zone = subscription.zone()?;
    let local = end.to_chrono().with_timezone(&zone).naive_local().checked_sub_months(Months::new(ANCHOR_MONTHS_BACK));
    let anchor = local.and_then(|local| local.and_local_timezone(zone).earliest().or_else(|| local.and_utc().with_timezone(&zone).into()));
    let anchor = anchor.ok_or_else(|| Error::internal(format!("there is nothing four years before {end}")))?;
    Ok(Timestamp::from_chrono(anchor.to_utc()))
}

#[cfg(test)]
mod tests {
    use super::super::lifecycle::Status;
    use super::super::rules::tests::trial;
    use super::super::subscription::PausePolicy;
    use super::*;
    use rating::BillingInterval;

    fn at(text: &str) -> Timestamp {
        Timestamp::parse(text).unwrap()
    }

    fn rested(subscription: &Subscription, policy: PausePolicy, from: &str, to: &str) -> Subscription {
        let resting = paused(subscription, Wanted { policy, resumes_at: None }, at(from)).unwrap();
        assert_eq!((resting.status, resting.next_billing_at), (Status::Paused, None));
        resumed(&resting, at(to)).unwrap()
    }

    #[test]
    fn kept_time_ends_as_much_later_and_months_go_on_from_there() {
        let january = trial("2026-01-31T00:00:00Z", "UTC").renewed().unwrap();
        let resumed = rested(&january, PausePolicy::KeepTime, "2026-02-10T00:00:00Z", "2026-02-20T00:00:00Z");
        assert_eq!(resumed.period.starts_at, january.period.starts_at, "the usage period continues");
        assert_eq!(resumed.period.ends_at.date(), "2026-03-10", "ten days after February 28");
        let next = resumed.renewed().unwrap();
        assert_eq!((next.period.starts_at.date(), next.period.ends_at.date()), ("2026-03-10".into(), "2026-04-10".into()));
        assert!(next.begins_billing_period(next.period_index));
    }

    #[test]
    fn a_year_keeps_its_months() {
        let mut year = trial("2024-02-29T00:00:00Z", "UTC");
        year.shape.interval = BillingInterval::Year;
        let may = year.renewed().unwrap().renewed().unwrap().renewed().unwrap();
        assert_eq!((may.period_index, may.period.starts_at.date()), (2, "2024-04-29".into()));
        let resumed = rested(&may, PausePolicy::KeepTime, "2024-05-01T00:00:00Z", "2024-05-31T00:00:00Z");
        let mut turns = 0;
        let mut next = resumed.clone();
        while !next.begins_billing_period(next.period_index) || turns == 0 {
            let renewed = next.renewed().unwrap();
            assert_eq!(renewed.period.starts_at, next.period.ends_at, "no gap");
            (next, turns) = (renewed, turns + 1);
        }
        assert_eq!((turns, next.period.starts_at.date()), (10, "2025-03-30".into()), "thirty days after February 28, ten months on");
    }

    #[test]
    fn credited_time_begins_anew() {
        let january = trial("2026-01-31T00:00:00Z", "UTC").renewed().unwrap();
        let resumed = rested(&january, PausePolicy::CreditUnused, "2026-02-10T00:00:00Z", "2026-02-20T00:00:00Z");
        assert_eq!((resumed.period.starts_at.date(), resumed.period.ends_at.date()), ("2026-02-20".into(), "2026-03-20".into()));
        assert_eq!(resumed.earlier_periods.last().map(|start| start.date()), Some("2026-01-31".into()));
    }
}

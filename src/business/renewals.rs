//! The paid subscription: its periods, its changes, its pauses and its end.

use serde_json::json;

use super::actions::Action;
use super::company::Company;
use crate::billing::subscriptions::subscription::Subscription;
use crate::events::{
    LateUsageDue, ResumptionDue, SubscriptionCancelled, SubscriptionChanged, SubscriptionDowngraded, SubscriptionExpired,
    SubscriptionExpiring, SubscriptionPaused, SubscriptionRenewed, SubscriptionResumed, SubscriptionSuspended, SubscriptionUnsuspended,
    SubscriptionUpgraded,
};
use crate::kernel::ids::SubscriptionId;
use crate::workflow;

workflow! { "renewals", "What is subscribed to holds at once; a year is announced to end, a pause ends by itself, and what is over is settled.";
    when SubscriptionRenewed => [open_the_next_period];
    when SubscriptionUpgraded => [raise_the_limits];
    when SubscriptionDowngraded => [lower_the_limits];
    when SubscriptionChanged => [change_the_limits];
    when SubscriptionPaused => [admit_nothing_for_now];
    when ResumptionDue => [end_the_pause];
    when SubscriptionResumed => [admit_again, tell_that_it_goes_on];
    when SubscriptionSuspended => [admit_nothing_while_suspended];
    when SubscriptionUnsuspended => [admit_after_the_suspension];
    when SubscriptionExpiring => [remind_of_the_end];
    when SubscriptionCancelled => [close_the_meter, say_goodbye];
    when SubscriptionExpired => [close_the_meter_of_what_expired, tell_that_it_expired];
    when LateUsageDue => [bill_what_came_late];
}

fn open_the_next_period(_: &SubscriptionRenewed, _: &Company) -> Vec<Action> {
    vec![Action::TellMeterEntitlements]
}

fn raise_the_limits(_: &SubscriptionUpgraded, _: &Company) -> Vec<Action> {
    vec![Action::TellMeterEntitlements]
}

fn lower_the_limits(_: &SubscriptionDowngraded, _: &Company) -> Vec<Action> {
    vec![Action::TellMeterEntitlements]
}

fn change_the_limits(_: &SubscriptionChanged, _: &Company) -> Vec<Action> {
    vec![Action::TellMeterEntitlements]
}

fn admit_nothing_for_now(_: &SubscriptionPaused, _: &Company) -> Vec<Action> {
    vec![Action::TellMeterEntitlements]
}

fn end_the_pause(due: &ResumptionDue, _: &Company) -> Vec<Action> {
    vec![Action::ResumeSubscription { subscription: due.subscription, resumes_at: due.resumes_at }]
}

fn admit_again(_: &SubscriptionResumed, _: &Company) -> Vec<Action> {
    vec![Action::TellMeterEntitlements]
}

fn tell_that_it_goes_on(resumed: &SubscriptionResumed, company: &Company) -> Vec<Action> {
    let Some(subscription) = running(company, resumed.subscription) else { return Vec::new() };
    let data = json!({"periodEndDate": subscription.period.ends_at.date()});
    vec![company.mail("subscription-resumed", format!("subscription-resumed:{}:{}", resumed.subscription, company.now), data)]
}

fn admit_nothing_while_suspended(_: &SubscriptionSuspended, _: &Company) -> Vec<Action> {
    vec![Action::TellMeterEntitlements]
}

fn admit_after_the_suspension(_: &SubscriptionUnsuspended, _: &Company) -> Vec<Action> {
    vec![Action::TellMeterEntitlements]
}

/// Not when it is renewed anyway, is cancelled already, or ends at another time by now.
fn remind_of_the_end(expiring: &SubscriptionExpiring, company: &Company) -> Vec<Action> {
    let ends_then = |subscription: &&Subscription| {
        let ends_at = subscription.current_billing_period().map(|period| period.ends_at).ok();
        subscription.pause.is_none() && subscription.cancellation.is_none() && ends_at == Some(expiring.ends_at)
    };
    let Some(subscription) = running(company, expiring.subscription).filter(ends_then).filter(|found| !found.auto_renew) else {
        return Vec::new();
    };
    let data = json!({"endDate": expiring.ends_at.date(), "plan": subscription.shape.plan});
    vec![company.mail("subscription-expiring", format!("subscription-expiring:{}:{}", expiring.subscription, expiring.ends_at), data)]
}

fn close_the_meter(_: &SubscriptionCancelled, _: &Company) -> Vec<Action> {
    vec![Action::TellMeterEntitlements]
}

fn say_goodbye(cancelled: &SubscriptionCancelled, company: &Company) -> Vec<Action> {
    ended_mail(cancelled.subscription, company, true)
}

fn close_the_meter_of_what_expired(_: &SubscriptionExpired, _: &Company) -> Vec<Action> {
    vec![Action::TellMeterEntitlements]
}

fn tell_that_it_expired(expired: &SubscriptionExpired, company: &Company) -> Vec<Action> {
    ended_mail(expired.subscription, company, false)
}

fn bill_what_came_late(due: &LateUsageDue, _: &Company) -> Vec<Action> {
    vec![Action::BillLateUsage(due.subscription)]
}

/// Not to a company that has left: it was told of that.
fn ended_mail(subscription: SubscriptionId, company: &Company, is_cancelled: bool) -> Vec<Action> {
    if company.has_left() {
        return Vec::new();
    }
    let ended = company.subscription.as_ref().filter(|ended| ended.id == subscription);
    let data = json!({"isCancelled": is_cancelled, "isTrial": ended.is_some_and(Subscription::is_trial)});
    vec![company.mail("subscription-ended", format!("subscription-ended:{subscription}"), data)]
}

/// The subscription that is meant, if it runs and the company is there.
fn running(company: &Company, id: SubscriptionId) -> Option<&Subscription> {
    company.subscription.as_ref().filter(|subscription| subscription.id == id && subscription.ended_at.is_none() && !company.has_left())
}

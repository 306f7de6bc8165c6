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

workflow! { "renewals", "Changes reach the Meter at once, pauses end on time, ends are announced, and late usage is billed.";
    when SubscriptionRenewed => [configure_next_period];
    when SubscriptionUpgraded => [raise_limits];
    when SubscriptionDowngraded => [lower_limits];
    when SubscriptionChanged => [change_limits];
    when SubscriptionPaused => [stop_usage_while_paused];
    when ResumptionDue => [end_pause];
    when SubscriptionResumed => [admit_usage_after_pause, send_resumption_mail];
    when SubscriptionSuspended => [stop_usage_while_suspended];
    when SubscriptionUnsuspended => [admit_usage_after_suspension];
    when SubscriptionExpiring => [send_expiry_reminder];
    when SubscriptionCancelled => [stop_usage_after_cancellation, send_cancellation_mail];
    when SubscriptionExpired => [stop_usage_after_expiry, send_expiry_mail];
    when LateUsageDue => [bill_late_usage];
}

fn configure_next_period(_: &SubscriptionRenewed, _: &Company) -> Vec<Action> {
    vec![Action::UpdateMeterEntitlements]
}

fn raise_limits(_: &SubscriptionUpgraded, _: &Company) -> Vec<Action> {
    vec![Action::UpdateMeterEntitlements]
}

fn lower_limits(_: &SubscriptionDowngraded, _: &Company) -> Vec<Action> {
    vec![Action::UpdateMeterEntitlements]
}

fn change_limits(_: &SubscriptionChanged, _: &Company) -> Vec<Action> {
    vec![Action::UpdateMeterEntitlements]
}

fn stop_usage_while_paused(_: &SubscriptionPaused, _: &Company) -> Vec<Action> {
    vec![Action::UpdateMeterEntitlements]
}

fn end_pause(due: &ResumptionDue, _: &Company) -> Vec<Action> {
    vec![Action::EndPause { subscription: due.subscription, resumes_at: due.resumes_at }]
}

fn admit_usage_after_pause(_: &SubscriptionResumed, _: &Company) -> Vec<Action> {
    vec![Action::UpdateMeterEntitlements]
}

fn send_resumption_mail(resumed: &SubscriptionResumed, company: &Company) -> Vec<Action> {
    let Some(subscription) = running(company, resumed.subscription) else { return Vec::new() };
    let data = json!({"periodEndDate": company.date(subscription.period.ends_at)});
    vec![company.mail("subscription-resumed", format!("subscription-resumed:{}:{}", resumed.subscription, company.now), data)]
}

fn stop_usage_while_suspended(_: &SubscriptionSuspended, _: &Company) -> Vec<Action> {
    vec![Action::UpdateMeterEntitlements]
}

fn admit_usage_after_suspension(_: &SubscriptionUnsuspended, _: &Company) -> Vec<Action> {
    vec![Action::UpdateMeterEntitlements]
}

/// Not sent where the subscription renews, is cancelled, or ends at another time by now.
fn send_expiry_reminder(expiring: &SubscriptionExpiring, company: &Company) -> Vec<Action> {
    let ends_then = |subscription: &&Subscription| {
        let ends_at = subscription.current_billing_period().map(|period| period.ends_at).ok();
        subscription.pause.is_none() && subscription.cancellation.is_none() && ends_at == Some(expiring.ends_at)
    };
    let Some(subscription) = running(company, expiring.subscription).filter(ends_then).filter(|found| !found.auto_renew) else {
        return Vec::new();
    };
    let data = json!({"endDate": company.date(expiring.ends_at), "plan": subscription.shape.plan});
    vec![company.mail("subscription-expiring", format!("subscription-expiring:{}:{}", expiring.subscription, expiring.ends_at), data)]
}

fn stop_usage_after_cancellation(_: &SubscriptionCancelled, _: &Company) -> Vec<Action> {
    vec![Action::UpdateMeterEntitlements]
}

fn send_cancellation_mail(cancelled: &SubscriptionCancelled, company: &Company) -> Vec<Action> {
    ended_mail(cancelled.subscription, company, true)
}

fn stop_usage_after_expiry(_: &SubscriptionExpired, _: &Company) -> Vec<Action> {
    vec![Action::UpdateMeterEntitlements]
}

fn send_expiry_mail(expired: &SubscriptionExpired, company: &Company) -> Vec<Action> {
    ended_mail(expired.subscription, company, false)
}

fn bill_late_usage(due: &LateUsageDue, _: &Company) -> Vec<Action> {
    vec![Action::BillLateUsage(due.subscription)]
}

/// Not sent to an organization that has left: it was notified of that.
fn ended_mail(subscription: SubscriptionId, company: &Company, is_cancelled: bool) -> Vec<Action> {
    if company.has_left() {
        return Vec::new();
    }
    let ended = company.subscription.as_ref().filter(|ended| ended.id == subscription);
    let data = json!({"isCancelled": is_cancelled, "isTrial": ended.is_some_and(Subscription::is_trial)});
    vec![company.mail("subscription-ended", format!("subscription-ended:{subscription}"), data)]
}

/// The subscription with this id, if it is running and the organization has not left.
fn running(company: &Company, id: SubscriptionId) -> Option<&Subscription> {
    company.subscription.as_ref().filter(|subscription| subscription.id == id && subscription.ended_at.is_none() && !company.has_left())
}

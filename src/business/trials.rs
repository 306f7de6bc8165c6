//! The trial: from the first day to the first paid one.

use serde_json::json;

use super::actions::Action;
use super::company::Company;
use crate::catalog::plans::built_in::DEFAULT_PLAN;
use crate::events::{OrganizationCreated, SubscriptionCreated, TrialConverted, TrialEnding};
use crate::workflow;

workflow! { "trials", "Every organization starts with the trial of its plan. Its end is announced, and then paid periods start.";
    when OrganizationCreated => [start_trial];
    when SubscriptionCreated => [admit_usage];
    when TrialEnding => [send_trial_ending_mail];
    when TrialConverted => [configure_first_paid_period];
}

fn start_trial(_: &OrganizationCreated, company: &Company) -> Vec<Action> {
    if company.subscription.is_some() {
        return Vec::new();
    }
    let plan = company.organization.details.plan.clone().unwrap_or_else(|| DEFAULT_PLAN.to_owned());
    vec![Action::StartTrial { plan }]
}

fn admit_usage(_: &SubscriptionCreated, _: &Company) -> Vec<Action> {
    vec![Action::UpdateMeterEntitlements]
}

/// Not sent where the organization has left or pays already, or the trial was another subscription's.
fn send_trial_ending_mail(trial: &TrialEnding, company: &Company) -> Vec<Action> {
    let on_trial =
        company.subscription.as_ref().filter(|found| found.id == trial.subscription && company.is_on_trial() && !company.has_left());
    let Some(subscription) = on_trial else { return Vec::new() };
    let data = json!({
        "trialEndsAt": trial.trial_ends_at,
        "trialEndDate": company.date(trial.trial_ends_at),
        "endsWithTrial": subscription.cancellation.is_some() || !subscription.auto_renew,
        "hasPaymentMethod": subscription.payment_method.is_some(),
    });
    vec![company.mail("trial-ending-soon", format!("trial-ending:{}", trial.subscription), data)]
}

fn configure_first_paid_period(_: &TrialConverted, _: &Company) -> Vec<Action> {
    vec![Action::UpdateMeterEntitlements]
}

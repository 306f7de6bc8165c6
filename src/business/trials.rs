//! The trial: from the first day to the first paid one.

use serde_json::json;

use super::actions::Action;
use super::company::Company;
use crate::events::{OrganizationCreated, SubscriptionCreated, TrialConverted, TrialEnding};
use crate::tenancy::onboarding::items::ItemKey;
use crate::workflow;

workflow! { "trials", "A company tries its plan as long as the plan says, is notified before the trial ends, and then pays.";
    when OrganizationCreated => [start_trial];
    when SubscriptionCreated => [open_the_meter];
    when TrialEnding => [announce_the_end];
    when TrialConverted => [open_the_first_paid_period];
}

/// What is tried, unless the sign-up names another plan.
const TRIAL_PLAN: &str = "professional";

fn start_trial(_: &OrganizationCreated, company: &Company) -> Vec<Action> {
    if company.subscription.is_some() {
        return Vec::new();
    }
    let plan = company.organization.details.plan.clone().unwrap_or_else(|| TRIAL_PLAN.to_owned());
    vec![Action::StartTrial { plan }]
}

fn open_the_meter(_: &SubscriptionCreated, _: &Company) -> Vec<Action> {
    vec![Action::TellMeterEntitlements]
}

/// Not when the company left, or pays already.
fn announce_the_end(trial: &TrialEnding, company: &Company) -> Vec<Action> {
    let on_trial = company.subscription.as_ref().filter(|_| company.is_on_trial() && !company.has_left());
    let Some(subscription) = on_trial else { return Vec::new() };
    let data = json!({
        "trialEndsAt": trial.trial_ends_at,
        "trialEndDate": trial.trial_ends_at.date(),
        "endsWithTrial": subscription.cancellation.is_some() || !subscription.auto_renew,
        "hasPaymentMethod": subscription.payment_method.is_some(),
        "billingIsSetUp": company.has_completed(ItemKey::SetUpBilling),
    });
    vec![company.mail("trial-ending-soon", format!("trial-ending:{}", trial.subscription), data)]
}

fn open_the_first_paid_period(_: &TrialConverted, _: &Company) -> Vec<Action> {
    vec![Action::TellMeterEntitlements]
}

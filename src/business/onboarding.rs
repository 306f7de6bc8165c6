//! From sign-up to the first value.

use serde_json::json;

use super::actions::Action;
use super::company::Company;
use crate::catalog::metrics::keys::{PROJECTS, USERS};
use crate::events::{
    CheckInDue, ChecklistItemCompleted, ItemKey, OrganizationCreated, OrganizationUpdated, SessionCreated, SubscriptionCreated,
    UsageStarted,
};
use crate::kernel::time::days;
use crate::workflow;

workflow! { "onboarding", "A new company gets a checklist, a welcome mail and check-ins until every item is completed.";
    when OrganizationCreated => [create_onboarding_checklist, schedule_check_ins];
    when SubscriptionCreated => [send_welcome_email];
    when CheckInDue => [send_check_in_mail];
    when OrganizationUpdated => [complete_settings_item];
    when UsageStarted => [complete_first_use_item];
    when SessionCreated => [complete_email_item];
    when ChecklistItemCompleted => [complete_onboarding];
}

/// The days of the check-in mails to a new company.
const CHECK_IN_DAYS: [u32; 2] = [3, 7];

fn create_onboarding_checklist(_: &OrganizationCreated, _: &Company) -> Vec<Action> {
    vec![Action::CreateChecklist]
}

/// With the first subscription, because it says whether there is a trial and when it ends. The reason is the same for later ones, so that
/// a company is welcomed once.
fn send_welcome_email(_: &SubscriptionCreated, company: &Company) -> Vec<Action> {
    let checklist: Vec<&str> = ItemKey::ALL.into_iter().map(ItemKey::name).collect();
    let data = json!({"checklist": checklist, "trialEndDate": trial_end_date(company)});
    vec![company.mail("organization-welcome", "welcome".into(), data)]
}

fn schedule_check_ins(_: &OrganizationCreated, company: &Company) -> Vec<Action> {
    let at = |day: u32| company.organization.created_at.plus(days(u64::from(day)));
    CHECK_IN_DAYS.into_iter().map(|day| Action::ScheduleEvent { at: at(day), event: CheckInDue { day }.into() }).collect()
}

/// Not sent where all items are completed or the company has left.
fn send_check_in_mail(check_in: &CheckInDue, company: &Company) -> Vec<Action> {
    let open: Vec<&str> = company.items.iter().filter(|item| item.completed_at.is_none()).map(|item| item.key.name()).collect();
    if open.is_empty() || company.has_left() {
        return Vec::new();
    }
    let template = if check_in.day <= 3 { "onboarding-checkin-day3" } else { "onboarding-checkin-day7" };
    let data = json!({"day": check_in.day, "open": open, "trialEndDate": trial_end_date(company)});
    vec![company.mail(template, format!("check-in:{}", check_in.day), data)]
}

/// The day on which the company's trial ends; None where there is no trial, or it is over.
fn trial_end_date(company: &Company) -> Option<String> {
    let subscription = company.subscription.as_ref().filter(|_| company.is_on_trial())?;
    subscription.trial_ends_at.filter(|ends_at| *ends_at > company.now).map(|ends_at| company.date(ends_at))
}

fn complete_settings_item(update: &OrganizationUpdated, _: &Company) -> Vec<Action> {
    if update.fields.iter().any(|field| field == "settings") { vec![Action::CompleteItem(ItemKey::ConfigureSettings)] } else { Vec::new() }
}

/// The first usage of projects or users completes the item of their creation.
fn complete_first_use_item(usage: &UsageStarted, company: &Company) -> Vec<Action> {
    match usage.metric.as_str() {
        PROJECTS => vec![Action::CompleteItem(ItemKey::CreateFirstProject)],
        // Reported by the vendor; members that are managed here tick it off when they join.
        USERS if company.members == 0 => vec![Action::CompleteItem(ItemKey::AddTeamMembers)],
        _ => Vec::new(),
    }
}

/// A person who logs in has read a mail to their address: if it is the company's address, that address works.
fn complete_email_item(session: &SessionCreated, company: &Company) -> Vec<Action> {
    if session.email.eq_ignore_ascii_case(&company.organization.email) {
        vec![Action::CompleteItem(ItemKey::VerifyEmail)]
    } else {
        Vec::new()
    }
}

fn complete_onboarding(_: &ChecklistItemCompleted, company: &Company) -> Vec<Action> {
    if !company.is_onboarded() || company.organization.onboarded_at.is_some() {
        return Vec::new();
    }
    vec![Action::CompleteOnboarding, company.mail("onboarding-complete", "onboarding-complete".into(), json!({}))]
}

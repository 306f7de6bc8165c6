//! How an action becomes what is committed.

use std::collections::BTreeMap;

use rating::{BillingInterval, Currency};

use super::actions::Action;
use super::company::Company;
use crate::accounting::credits;
use crate::billing::charging::compose::Terms;
use crate::billing::subscriptions::lifecycle::Status;
use crate::billing::subscriptions::rules::NewSubscription;
use crate::billing::subscriptions::subscription::Shape;
use crate::billing::{invoices, subscriptions};
use crate::catalog::plans;
use crate::identity::{api_keys, invitations, members, oauth};
use crate::kernel::decision::{Decision, Mail};
use crate::kernel::error::{Error, Result};
use crate::kernel::ids::{CreditId, InvoiceId, PersonId};
use crate::kernel::ports::Message;
use crate::kernel::tenant::Tenant;
use crate::meter::client;
use crate::metering::limits;
use crate::receivables::credit_notes;
use crate::tenancy::data_movement::{erasure, move_store};
use crate::tenancy::onboarding::rules as checklist;
use crate::tenancy::organizations;

/// Turns an action into what is to be committed. What touches the Meter or the numbers happens here, before the commit, and may happen
/// again: both recognize a repetition.
pub async fn perform(action: Action, company: &Company, tenant: &Tenant) -> Result<Decision> {
    let moment = tenant.moment();
    match action {
        Action::Send(mail) => Ok(Decision::new().mail(mail)),
        Action::CreateChecklist => Ok(checklist::create_checklist()),
        Action::CompleteItem(key) => Ok(checklist::complete(&company.items, key, moment)),
        Action::CompleteOnboarding => Ok(organizations::rules::complete_onboarding(&company.organization, moment)),
        Action::StartTrial { plan } => start_trial(&plan, company, tenant).await,
        Action::Later { at, event } => Ok(Decision::new().later(at, event)),
        Action::TellMeterEntitlements => {
            if let Some(subscription) = &company.subscription {
                crate::billing::subscriptions::meter::configure(tenant, subscription).await?;
            }
            Ok(Decision::new())
        }
        Action::TellMeterKey(id) => {
            if let Some(key) = api_keys::store::find(tenant, id).await? {
                crate::identity::api_keys::meter::put_key(tenant, &key).await?;
            }
            Ok(Decision::new())
        }
        Action::EndCredentialsOf(person) => end_credentials_of(person, tenant).await,
        Action::TellMeterLimits => {
            crate::metering::limits::meter::put_limits(tenant, &limits::store::load(tenant).await?).await?;
            Ok(Decision::new())
        }
        Action::TellMeterSeats => members::seats::update_meter(tenant).await,
        Action::ExpireInvitation(id) => {
            let invitation = invitations::store::find(tenant, id).await?;
            Ok(invitation.map_or_else(Decision::new, |invitation| invitations::rules::expire(&invitation, moment)))
        }
        Action::KeepDirectoryTrue(person) => keep_directory_true(tenant, person).await,
        Action::FinalizeInvoice(id) => crate::billing::invoices::numbers::finalize(tenant, id).await,
        Action::EndPause { subscription, resumes_at } => {
            crate::billing::subscription_changes::pauses::resume_due(tenant, subscription, resumes_at).await
        }
        Action::BillLateUsage(subscription) => crate::billing::subscription_changes::endings::bill_late_usage(tenant, subscription).await,
        Action::MarkPastDue => Ok(company.subscription.as_ref().map(subscriptions::status_changes::mark_past_due).unwrap_or_default()),
        Action::MarkCurrent => mark_current(company, tenant).await,
        Action::MarkOverdue(id) => mark_overdue(id, tenant).await,
        Action::RecognizeRevenue { invoice, ends_at } => crate::receivables::revenue::recognize(tenant, invoice, ends_at).await,
        Action::NumberCreditNote(id) => credit_notes::numbers::give(tenant, id).await,
        Action::ExpireCredit(id) => expire_credit(id, tenant).await,
        Action::TellMeterStatus => {
            crate::tenancy::organizations::meter::put_status(tenant, &company.organization).await?;
            Ok(Decision::new())
        }
        Action::BeginErasure => {
            erasure::request(tenant).await?;
            Ok(Decision::new())
        }
        Action::BeginMove { id, shard } => {
            move_store::begin(tenant, id, shard).await?;
            Ok(Decision::new())
        }
        Action::GoOn(work) => {
            tenant.app().queues.send(vec![Message::Work { organization: tenant.organization(), work }]).await?;
            Ok(Decision::new())
        }
        Action::SendToMembers { people, mail } => {
            let emails = organizations::ownership::emails(tenant, &people).await?;
            let mails = emails.into_iter().map(|to| Mail { reason: format!("{}:{to}", mail.reason), to, ..mail.clone() });
            Ok(mails.fold(Decision::new(), Decision::mail))
        }
    }
}

async fn mark_overdue(id: InvoiceId, tenant: &Tenant) -> Result<Decision> {
    let invoice = invoices::store::find(tenant, id).await?;
    invoice.map_or_else(|| Ok(Decision::new()), |invoice| invoices::endings::mark_overdue(&invoice, tenant.moment()))
}

async fn expire_credit(id: CreditId, tenant: &Tenant) -> Result<Decision> {
    let grant = credits::store::find(tenant, id).await?;
    grant.map_or_else(|| Ok(Decision::new()), |grant| credits::rules::expire(&grant, tenant.moment()))
}

async fn mark_current(company: &Company, tenant: &Tenant) -> Result<Decision> {
    let past_due = company.subscription.as_ref().filter(|subscription| subscription.status == Status::PastDue);
    match past_due {
        Some(subscription) if !invoices::store::is_anything_overdue(tenant).await? => {
            Ok(subscriptions::status_changes::mark_current(subscription))
        }
        _ => Ok(Decision::new()),
    }
}

/// In the company's currency and by the month where the plan is sold so, or else as it is sold first.
async fn start_trial(plan: &str, company: &Company, tenant: &Tenant) -> Result<Decision> {
    let newest = plans::store::newest(tenant.app(), plan).await?;
    let plan = newest.ok_or_else(|| Error::internal(format!("there is no plan {plan} to try")))?;
    let settings = &company.organization.settings;
    let wanted = settings.currency.parse::<Currency>().ok().filter(|currency| plan.price(*currency, BillingInterval::Month).is_some());
    let first = plan.prices.first().map(|price| (price.currency, price.interval));
    let (currency, interval) = wanted
        .map(|currency| (currency, BillingInterval::Month))
        .or(first)
        .ok_or_else(|| Error::internal(format!("{} v{} has no price", plan.key, plan.version)))?;
    let new = NewSubscription {
        plan: &plan,
        currency,
        interval,
        quantity: 1,
        add_ons: BTreeMap::new(),
        time_zone: &settings.timezone,
        test_clock: tenant.test_clock(),
        before: None,
    };
    if plan.trial.days > 0 {
        return subscriptions::rules::start_trial(&new, tenant.moment()).map(|(_, decision)| decision);
    }
    // A plan that can't be tried is paid for from the first day.
    let shape = Shape { plan: plan.key.clone(), plan_version: plan.version, interval, quantity: 1, add_ons: BTreeMap::new() };
    let subscribed = crate::billing::charging::account::subscribed(tenant.app(), shape).await?;
    Ok(crate::billing::charging::beginning::begin(&new, &subscribed, &Terms::default(), tenant.moment())?.decision)
}

/// Somebody who comes back while this runs is entered by their own step, or by the second look here, whichever is later.
async fn keep_directory_true(tenant: &Tenant, person: PersonId) -> Result<Decision> {
    if members::store::member(tenant, person).await?.is_none() {
        members::directory::forget_member(tenant, person).await?;
    }
    if members::store::member(tenant, person).await?.is_some() {
        members::directory::note_member(tenant, person).await?;
    }
    Ok(Decision::new())
}

/// Their removal has revoked the rows already; what slipped in while it ran is revoked here, and the Meter is told of all. Somebody who is
/// a member again by now keeps what they made since.
async fn end_credentials_of(person: PersonId, tenant: &Tenant) -> Result<Decision> {
    let now = tenant.app().moment().now;
    let is_back = members::store::member(tenant, person).await?.is_some();
    for key in api_keys::store::all_of(tenant, person).await?.into_iter().filter(|key| !is_back || key.revoked_at.is_some()) {
        client::remove_key(tenant, key.id).await?;
    }
    if is_back {
        return Ok(Decision::new());
    }
    Ok(Decision::new().write(api_keys::store::revoke_all_of(person, now)).write(oauth::store::revoke_all_of(person, now)))
}

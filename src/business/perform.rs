//! How an action becomes a decision to commit.

use std::collections::BTreeMap;

use rating::{BillingInterval, Currency};

use super::actions::Action;
use super::company::Company;
use crate::accounting::credits;
use crate::billing::charging::compose::Terms;
use crate::billing::charging::{account, beginning};
use crate::billing::subscriptions::lifecycle::Status;
use crate::billing::subscriptions::rules::NewSubscription;
use crate::billing::subscriptions::subscription::Shape;
use crate::billing::{invoices, subscription_changes, subscriptions};
use crate::catalog::plans;
use crate::identity::{api_keys, invitations, members, oauth};
use crate::kernel::decision::{Decision, Mail};
use crate::kernel::error::{Error, Result};
use crate::kernel::ids::{CreditId, InvoiceId, PersonId};
use crate::kernel::ports::Message;
use crate::kernel::tenant::Tenant;
use crate::meter::client;
use crate::metering::limits;
use crate::receivables::{credit_notes, revenue};
use crate::tenancy::data_movement::{erasure, move_store};
use crate::tenancy::onboarding::rules as checklist;
use crate::tenancy::organizations;

/// Turns an action into a decision. Calls to the Meter and to the invoice numbers happen here, before the commit, and may be repeated: both
/// recognize a repetition.
pub async fn perform(action: Action, company: &Company, tenant: &Tenant) -> Result<Decision> {
    let moment = tenant.moment();
    match action {
        Action::SendMail(mail) => Ok(Decision::new().mail(mail)),
        Action::CreateChecklist => Ok(checklist::create_checklist()),
        Action::CompleteItem(key) => Ok(checklist::complete(&company.items, key, moment)),
        Action::CompleteOnboarding => Ok(organizations::rules::complete_onboarding(&company.organization, moment)),
        Action::StartTrial { plan } => start_trial(&plan, company, tenant).await,
        Action::ScheduleEvent { at, event } => Ok(Decision::new().later(at, event)),
        Action::UpdateMeterEntitlements => {
            if let Some(subscription) = &company.subscription {
                subscriptions::meter::configure(tenant, subscription).await?;
            }
            Ok(Decision::new())
        }
        Action::UpdateMeterKey(id) => {
            if let Some(key) = api_keys::store::find(tenant, id).await? {
                api_keys::meter::put_key(tenant, &key).await?;
            }
            Ok(Decision::new())
        }
        Action::RevokeCredentials(person) => revoke_credentials_of(person, tenant).await,
        Action::UpdateMeterLimits => {
            limits::meter::put_limits(tenant, &limits::store::load(tenant).await?).await?;
            Ok(Decision::new())
        }
        Action::UpdateMeterSeats => members::seats::update_meter(tenant).await,
        Action::ExpireInvitation(id) => {
            let invitation = invitations::store::find(tenant, id).await?;
            Ok(invitation.map_or_else(Decision::new, |invitation| invitations::rules::expire(&invitation, moment)))
        }
        Action::SyncDirectoryMembership(person) => sync_directory_membership(tenant, person).await,
        Action::FinalizeInvoice(id) => invoices::numbers::finalize(tenant, id).await,
        Action::EndPause { subscription, resumes_at } => subscription_changes::pauses::resume_due(tenant, subscription, resumes_at).await,
        Action::BillLateUsage(subscription) => subscription_changes::endings::bill_late_usage(tenant, subscription).await,
        Action::MarkPastDue => Ok(company.subscription.as_ref().map(subscriptions::status_changes::mark_past_due).unwrap_or_default()),
        Action::MarkCurrent => mark_current(company, tenant).await,
        Action::MarkOverdue(id) => mark_overdue(id, tenant).await,
        Action::RecognizeRevenue { invoice, ends_at } => revenue::recognize(tenant, invoice, ends_at).await,
        Action::NumberCreditNote(id) => credit_notes::numbers::give(tenant, id).await,
        Action::ExpireCredit(id) => expire_credit(id, tenant).await,
        Action::UpdateMeterStatus => {
            organizations::meter::put_status(tenant, &company.organization).await?;
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
        Action::ContinueWork(work) => {
            tenant.app().queues.send(vec![Message::Work { organization: tenant.organization(), work }]).await?;
            Ok(Decision::new())
        }
        Action::SendMailToMembers { people, mail } => {
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

/// In the company's currency and by the month where the plan has such a price, otherwise at the plan's first price.
async fn start_trial(plan: &str, company: &Company, tenant: &Tenant) -> Result<Decision> {
    let newest = plans::store::newest(tenant.app(), plan).await?;
    let plan = newest.ok_or_else(|| Error::internal(format!("the plan {plan} of a trial does not exist")))?;
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
    // A plan without trial days is paid for from the first day.
    let shape = Shape { plan: plan.key.clone(), plan_version: plan.version, interval, quantity: 1, add_ons: BTreeMap::new() };
    let subscribed = account::subscribed(tenant.app(), shape).await?;
    Ok(beginning::begin(&new, &subscribed, &Terms::default(), tenant.moment())?.decision)
}

/// A person who rejoins while this runs is entered by the step of their joining or by the second check here, whichever is later.
async fn sync_directory_membership(tenant: &Tenant, person: PersonId) -> Result<Decision> {
    if members::store::member(tenant, person).await?.is_none() {
        members::directory::forget_member(tenant, person).await?;
    }
    if members::store::member(tenant, person).await?.is_some() {
        members::directory::note_member(tenant, person).await?;
    }
    Ok(Decision::new())
}

/// The removal has already revoked the rows; this step revokes credentials that were created meanwhile, and updates the Meter for all. A
/// person who is a member again keeps the credentials created since.
async fn revoke_credentials_of(person: PersonId, tenant: &Tenant) -> Result<Decision> {
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

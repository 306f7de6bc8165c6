//! The state of a company on which a step decides.

use rating::{Tz, parse_time_zone};
use serde_json::{Value, json};

use super::actions::Action;
use crate::billing::subscriptions::store::SubscriptionRow;
use crate::billing::subscriptions::subscription::Subscription;
use crate::billing::{invoices, subscriptions};
use crate::identity::members;
use crate::kernel::decision::Mail;
use crate::kernel::error::{Error, Result};
use crate::kernel::ids::InvoiceId;
use crate::kernel::organization::Status;
use crate::kernel::sql::{Row, decode};
use crate::kernel::tenant::{Tenant, TenantStatement};
use crate::kernel::time::Timestamp;
use crate::tenancy::onboarding::item::Item;
use crate::tenancy::onboarding::rules::is_done;
use crate::tenancy::onboarding::store::ItemRow;
use crate::tenancy::organizations::organization::Organization;
use crate::tenancy::organizations::store::OrganizationRow;
use crate::tenancy::{onboarding, organizations};

/// The company, its checklist and its subscription, read in one transaction.
#[derive(Clone, Debug)]
pub struct Company {
    pub organization: Organization,
    pub items: Vec<Item>,
    pub subscription: Option<Subscription>,
    /// The number of members that are managed here.
    pub members: u32,
    /// Invoices without a number.
    pub drafts: Vec<InvoiceId>,
    /// The company's present time: its test clock's, if it has one.
    pub now: Timestamp,
    /// The base of links in mails.
    pub app_url: String,
}

impl Company {
    pub async fn load(tenant: &Tenant) -> Result<Self> {
        Self::read(tenant, tenant.load(Self::select()).await?)
    }

    /// The statements that read a company, for one batch with other reads.
    pub fn select() -> Vec<TenantStatement> {
        vec![
            organizations::store::select(),
            onboarding::store::select(),
            subscriptions::store::select(),
            members::seat_store::select(),
            invoices::store::select_drafts(),
        ]
    }

    /// The company from the rows of [`Company::select`].
    pub fn read(tenant: &Tenant, rows: Vec<Vec<Row>>) -> Result<Self> {
        let mut read = rows.into_iter();
        let mut rows = || read.next().unwrap_or_default().into_iter();
        let organization = rows().next().ok_or_else(|| Error::internal("the company's row is missing"))?;
        let organization = Organization::from(decode::<OrganizationRow>(organization)?);
        let items = rows().map(|row| Ok(Item::from(decode::<ItemRow>(row)?))).collect::<Result<_>>()?;
        let subscription = rows().next().map(|row| decode::<SubscriptionRow>(row).map(Subscription::from)).transpose()?;
        let members = rows().next().map(members::seat_store::taken).transpose()?.unwrap_or(0);
        let drafts = rows().map(invoices::store::id).collect::<Result<_>>()?;
        let (now, app_url) = (tenant.moment().now, tenant.app().settings.app_url.clone());
        Ok(Self { organization, items, subscription, members, drafts, now, app_url })
    }

    pub fn has_left(&self) -> bool {
        self.organization.status == Status::Cancelled
    }

    pub fn is_onboarded(&self) -> bool {
        is_done(&self.items)
    }

    pub fn is_on_trial(&self) -> bool {
        self.subscription.as_ref().is_some_and(|subscription| subscription.is_trial() && subscription.ended_at.is_none())
    }

    /// The calendar date of an instant where the company is, `YYYY-MM-DD`: mails, invoices and billing periods name the same day.
    pub fn date(&self, at: Timestamp) -> String {
        at.date_in(parse_time_zone(&self.organization.settings.timezone).unwrap_or(Tz::UTC))
    }

    /// The recipients of mails about the company's account.
    pub fn administrators(&self) -> Vec<&str> {
        vec![&self.organization.email]
    }

    /// A mail to the company. One mail is sent per `reason`.
    pub fn mail(&self, template: &'static str, reason: String, data: Value) -> Action {
        self.mail_to(&self.organization.email, template, reason, data)
    }

    /// The same mail to each administrator.
    pub fn mail_administrators(&self, template: &'static str, reason: &str, data: &Value) -> Vec<Action> {
        self.administrators().into_iter().map(|to| self.mail_to(to, template, format!("{reason}:{to}"), data.clone())).collect()
    }

    /// A mail to another recipient.
    pub fn mail_to(&self, to: &str, template: &'static str, reason: String, data: Value) -> Action {
        let mut data = data;
        if let Some(members) = data.as_object_mut() {
            members.insert("organization".into(), json!({"$id": self.organization.id, "name": self.organization.name}));
            members.insert("appUrl".into(), self.app_url.clone().into());
        }
        Action::SendMail(Mail { to: to.to_owned(), template, reason, data })
    }
}

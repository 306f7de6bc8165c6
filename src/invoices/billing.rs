//! The billing run of one subscription: close its period, invoice the next one. Safe to repeat and to cut off anywhere.

use super::compose::Terms;
use super::cycle::{self, Billed, Billing, bill};
use super::lines::Subscribed;
use super::rules::{self, Invoice};
use super::{store, terms};
use crate::billing_run;
use crate::catalog;
use crate::kernel::decision::Decision;
use crate::kernel::error::{Error, Result};
use crate::kernel::ids::{InvoiceId, Moment, SubscriptionId};
use crate::kernel::ports::App;
use crate::kernel::sql::decode;
use crate::kernel::tenant::{Tenant, until_fresh};
use crate::kernel::time::Timestamp;
use crate::organizations;
use crate::organizations::rules::Organization;
use crate::organizations::store::OrganizationRow;
use crate::seller;
use crate::subscriptions::rules::{Phase, Shape, Subscription};
use crate::subscriptions::store::{self as subscriptions, SubscriptionRow};
use crate::usage::meter::Closing;
use crate::usage::meters;

/// Whose numbers the invoices bear: one seller, the vendor, until there are several legal entities.
pub const SELLER: &str = "default";
/// The series of its credit notes.
pub const CREDIT_NOTES: &str = "default:credit-notes";

/// All that bills of one subscription are made from, but for what the Meter says.
pub struct Account {
    pub subscription: Subscription,
    /// What it was from when on, oldest first.
    pub history: Vec<(Timestamp, Subscribed)>,
    pub scheduled: Option<Subscribed>,
    pub terms: Terms,
    pub customer: Organization,
}

impl Account {
    /// Reads everything in one batch; None when there is no such subscription.
    pub async fn load(tenant: &Tenant, id: SubscriptionId) -> Result<Option<Self>> {
        let mut statements = vec![subscriptions::select_by_id(id), subscriptions::select_phases(id), organizations::store::select()];
        statements.extend(terms::select());
        let mut read = tenant.load(statements).await?.into_iter();
        let Some(row) = read.next().and_then(|rows| rows.into_iter().next()) else { return Ok(None) };
        let subscription = Subscription::from(decode::<SubscriptionRow>(row)?);
        let phases: Vec<Phase> = read.next().unwrap_or_default().into_iter().map(subscriptions::phase).collect::<Result<_>>()?;
        let customer = read.next().and_then(|rows| rows.into_iter().next()).ok_or_else(|| Error::internal("the company is not there"))?;
        let customer = Organization::from(decode::<OrganizationRow>(customer)?);
        let terms = terms::read(read, subscription.currency)?;
        let mut history = Vec::new();
        for phase in phases {
            history.push((phase.starts_at, subscribed(tenant.app(), phase.shape).await?));
        }
        let scheduled = match &subscription.scheduled {
            Some(change) => Some(subscribed(tenant.app(), change.to.clone()).await?),
            None => None,
        };
        Ok(Some(Self { subscription, history, scheduled, terms, customer }))
    }

    /// What it is subscribed to now.
    pub fn subscribed(&self) -> Result<&Subscribed> {
        let last = self.history.last().map(|(_, subscribed)| subscribed);
        last.ok_or_else(|| Error::internal(format!("{} has no phase", self.subscription.id)))
    }

    /// With what the Meter says, what a bill is made from.
    pub fn billing<'a>(&'a self, closing: &'a Closing) -> Billing<'a> {
        let Self { subscription, history, scheduled, terms, .. } = self;
        Billing { subscription, history, scheduled: scheduled.as_ref(), terms, closing }
    }
}

/// A shape with the version of the plan that it names.
pub async fn subscribed(app: &App, shape: Shape) -> Result<Subscribed> {
    let plan = catalog::store::pinned(app, &shape.plan, shape.plan_version).await?;
    Ok(Subscribed { shape, plan })
}

/// Whether a billing run found something to do.
#[derive(Clone, Debug, PartialEq)]
pub enum Run {
    NothingDue,
    /// A period was closed; it may have cost nothing. `is_behind`: the next one is over, too.
    Closed {
        is_behind: bool,
    },
}

struct Closed {
    customer: Organization,
    invoice: Option<Invoice>,
    is_behind: bool,
}

/// Bills what is due, one usage period.
///
/// The closing is the Meter's and stays the same when asked again; the commit is guarded by the subscription's version and by
/// `UNIQUE (organization_id, subscription_id, reason_key)`. So whoever comes second finds it done. The caller goes on to run the facts
/// that it raises.
pub async fn bill_one_period(tenant: &Tenant, id: SubscriptionId) -> Result<Run> {
    let Some(Closed { customer, invoice, is_behind }) = until_fresh(|| close(tenant, id)).await? else { return Ok(Run::NothingDue) };
    if let Some(invoice) = invoice {
        // What fails here is the draft's own step to try again, and to be parked with: the period is billed.
        let _numbered = number(tenant, &invoice, &customer).await;
    }
    Ok(Run::Closed { is_behind })
}

/// None where nothing is due.
async fn close(tenant: &Tenant, id: SubscriptionId) -> Result<Option<Closed>> {
    let now = tenant.moment().now;
    let Some(account) = Account::load(tenant, id).await?.filter(|account| account.subscription.is_due(now)) else { return Ok(None) };
    let subscription = &account.subscription;
    // The Meter must know the periods before it closes one.
    meters::configure(tenant, subscription).await?;
    let closing = meters::close_period(tenant, subscription.period).await?;
    let Billed { invoice, subscription: next, decision } = bill(&account.billing(&closing), tenant.moment())?;
    tenant.commit_to_run(decision.write(billing_run::store::forget_failure(id))).await?;
    let is_behind = next.is_due(now);
    Ok(Some(Closed { customer: account.customer, invoice, is_behind }))
}

/// Only what is committed gets a number, so that none is lost with a draft that never was.
async fn number(tenant: &Tenant, committed: &Invoice, customer: &Organization) -> Result<()> {
    let number = tenant.app().invoice_numbers.number(SELLER, &committed.id.to_string()).await?;
    let seller = seller::store::remembered(tenant.app()).await?;
    tenant.commit_to_run(rules::finalize(committed, number, rules::parties(&seller, customer), tenant.moment())?).await
}

/// What gives a draft invoice its number. The number belongs to the invoice's id, so that asking again leaves no gap.
pub async fn finalize(tenant: &Tenant, id: InvoiceId) -> Result<Decision> {
    let mut read =
        tenant.run(vec![store::select(id), organizations::store::select()]).await?.into_iter().map(|rows| rows.into_iter().next());
    let mut row = || read.next().flatten().ok_or_else(|| Error::internal(format!("{id} is to be finalized and is not there")));
    let invoice = store::read(row()?)?;
    if invoice.status != rules::Status::Draft {
        return Ok(Decision::new());
    }
    let customer = Organization::from(decode::<OrganizationRow>(row()?)?);
    let number = tenant.app().invoice_numbers.number(SELLER, &id.to_string()).await?;
    let seller = seller::store::remembered(tenant.app()).await?;
    rules::finalize(&invoice, number, rules::parties(&seller, &customer), tenant.moment())
}

/// The invoice of the running period, if nothing more happened; None when nothing is to come with its end.
pub async fn upcoming(tenant: &Tenant) -> Result<Option<Invoice>> {
    let Some(subscription) = subscriptions::current(tenant).await? else { return Ok(None) };
    let Some(account) = Account::load(tenant, subscription.id).await? else { return Ok(None) };
    let Some(due) = account.subscription.next_billing_at else { return Ok(None) };
    let closing = meters::peek_period(tenant, account.subscription.period).await?;
    let moment = tenant.moment();
    cycle::upcoming(&account.billing(&closing), Moment { now: moment.now.max(due), ..moment })
}

//! The closings that an invoice rests on: that each hashes to what it says, and that the invoice tells all that they count.

use std::collections::BTreeMap;

use rating::Quantity;

use super::checks::Checks;
use super::document::{Commit, Counted, Dates, Document, Instant, Kind, Line, Reason};
use crate::chain;
use crate::lines::{Body, Late, read};

/// A commit that closed a period.
pub(crate) struct Closed {
    pub number: u64,
    pub hash: String,
    pub dates: Dates,
    pub used: BTreeMap<String, Quantity>,
    pub late: Vec<Late>,
}

impl Closed {
    /// What came late of a metric for a period.
    pub fn late_of(&self, metric: &str, dates: Dates) -> Option<&Late> {
        self.late.iter().find(|late| late.metric == metric && dates_of(late) == dates)
    }
}

pub(crate) fn dates_of(late: &Late) -> Dates {
    Dates { start_date: Instant(late.period_starts_at), end_date: Instant(late.period_ends_at) }
}

/// The closings whose hashes hold. What does not is said.
pub(crate) fn read_all(document: &Document, checks: &mut Checks) -> Vec<Closed> {
    let mut closings: Vec<Closed> = Vec::new();
    for commit in &document.closings {
        match read_one(commit, &document.organization) {
            Ok(closed)
                if closings.iter().any(|known| known.number == closed.number || known.dates.start_date == closed.dates.start_date) =>
            {
                checks.wrong(&format!("closing {} comes twice", closed.number));
            }
            Ok(closed) => {
                let follows = document.closings.iter().find(|later| Some(later.number) == commit.number.checked_add(1));
                if follows.is_some_and(|later| later.previous != commit.hash) {
                    checks.wrong(&format!("the commit after closing {} is chained to another one", commit.number));
                }
                closings.push(closed);
            }
            Err(what) => checks.wrong(&format!("closing {}: {what}", commit.number)),
        }
    }
    closings
}

fn read_one(commit: &Commit, organization: &str) -> Result<Closed, String> {
    let Commit { number, previous, hash, body: text } = commit;
    if !chain::is_hash(previous) || !chain::is_hash(hash) {
        return Err("its hashes are none".to_owned());
    }
    if chain::chained(previous, text) != *hash {
        return Err("its hash does not follow from its body and the hash before it".to_owned());
    }
    if (*number == 1) != (*previous == chain::genesis(organization)) {
        return Err("it is not chained to what this organization's commits begin with".to_owned());
    }
    let body: Body = read("the body of a commit", text)?;
    let closing =
        body.closing.filter(|_| body.number == *number && body.events.is_empty()).ok_or("its body is not that of this closing")?;
    if closing.start >= closing.end {
        return Err("the period ends before it starts".to_owned());
    }
    let dates = Dates { start_date: Instant(closing.start), end_date: Instant(closing.end) };
    Ok(Closed { number: *number, hash: hash.clone(), dates, used: closing.used, late: closing.late })
}

/// The closing that the invoice bills, whose counts are all told by it. None where it bills none.
pub(crate) fn billed<'a>(document: &Document, closings: &'a [Closed], checks: &mut Checks) -> Option<&'a Closed> {
    let invoice = &document.invoice;
    if invoice.billing_reason == Reason::SubscriptionThreshold {
        on_the_way(document, closings, checks);
        return None;
    }
    let (late, own): (Vec<&Counted>, Vec<&Counted>) = invoice.usage.iter().partition(|counted| counted.late);
    let billed = match own.first() {
        Some(first) => closings.iter().find(|closed| closed.dates == first.billing_period),
        None => closings.iter().find(|closed| !late.is_empty() && is_all_late(closed, &late)),
    };
    let Some(closed) = billed else {
        if !invoice.usage.is_empty() {
            checks.wrong("the invoice tells usage, and the closing that says so is not in the file");
        } else if matches!(invoice.billing_reason, Reason::SubscriptionCycle | Reason::SubscriptionEnd) {
            checks.note("the invoice bills no usage; that nothing was used is not proven");
        }
        return None;
    };
    let told: BTreeMap<&str, Quantity> = own.iter().map(|counted| (counted.metric.as_str(), counted.counted)).collect();
    let is_all = told.len() == own.len()
        && own.iter().all(|counted| counted.billing_period == closed.dates)
        && (own.is_empty() || told == closed.used.iter().map(|(metric, used)| (metric.as_str(), *used)).collect());
    if !is_all || !is_all_late(closed, &late) {
        checks.wrong(&format!("the usage that the invoice tells is not what closing {} counts", closed.number));
    }
    Some(closed)
}

fn is_all_late(closed: &Closed, told: &[&Counted]) -> bool {
    let is_told = |late: &Late| {
        let came = late.after.checked_sub(late.before).ok();
        told.iter().any(|told| told.metric == late.metric && told.billing_period == dates_of(late) && Some(told.counted) == came)
    };
    told.len() == closed.late.len() && closed.late.iter().all(is_told)
}

/// What was counted when a threshold was reached: as much as its lines say, and not more than the closing counts.
fn on_the_way(document: &Document, closings: &[Closed], checks: &mut Checks) {
    let lines = &document.invoice.references_order;
    for counted in &document.invoice.usage {
        let of_metric = |line: &&Line| line.kind == Kind::Overage && line.order_item == counted.metric;
        if counted.late || lines.iter().filter(of_metric).any(|line| line.counted != Some(counted.counted)) {
            checks.wrong(&format!("the usage of {} that the invoice tells is not what it charges for", counted.metric));
        }
        let closed = closings.iter().find(|closed| closed.dates == counted.billing_period);
        let most = closed.map(|closed| closed.used.get(&counted.metric).copied().unwrap_or_default());
        if most.is_some_and(|most| counted.counted > most) {
            checks.note(&format!("the closing counts less {} than there was on the way: a level or a latest value fell", counted.metric));
        }
    }
    let is_told = |line: &&Line| {
        document.invoice.usage.iter().any(|counted| counted.metric == line.order_item && counted.billing_period == line.billing_period)
    };
    if !lines.iter().filter(|line| line.kind == Kind::Overage).all(|line| is_told(&line)) {
        checks.wrong("usage is charged for that the invoice does not tell");
    }
}

/// Whether the period of the closing is one that the invoice may bill.
pub(crate) fn check_period(document: &Document, closed: &Closed, checks: &mut Checks) {
    let period = document.invoice.billing_period;
    let fits = match document.invoice.billing_reason {
        Reason::SubscriptionCreate | Reason::SubscriptionCycle => closed.dates.end_date == period.start_date,
        Reason::SubscriptionEnd => closed.dates.end_date <= period.end_date,
        Reason::LateUsage => closed.dates.start_date == period.end_date,
        Reason::SubscriptionUpdate | Reason::SubscriptionThreshold => true,
    };
    if !fits {
        checks.wrong(&format!("closing {} is not of the period that ended when the invoice was made", closed.number));
    }
}

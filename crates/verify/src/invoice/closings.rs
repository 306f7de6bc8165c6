//! The closings that an invoice rests on: that each hashes to what it says, and that the invoice tells all that they count.

use std::collections::BTreeMap;

use rating::Quantity;

use super::checks::Checks;
use super::document::{Commit, Counted, Dates, Document, Instant, Reason};
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
    let (late, own): (Vec<&Counted>, Vec<&Counted>) = invoice.usage.iter().partition(|counted| counted.late);
    let billed = match own.first() {
        Some(first) => closings.iter().find(|closed| closed.dates == first.billing_period),
        None => closings.iter().find(|closed| !late.is_empty() && is_all_late(closed, &late)),
    };
    let Some(closed) = billed else {
        if !invoice.usage.is_empty() {
            checks.wrong("the invoice tells usage, and the closing that says so is not in the file");
        } else if needs_closing(document) {
            checks.wrong("the invoice bills a period that ended, and its closing is not in the file");
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

/// At the end of a period, everything that was counted is told; of plans that have a price for usage there is always something.
fn needs_closing(document: &Document) -> bool {
    let ends = matches!(document.invoice.billing_reason, Reason::SubscriptionCreate | Reason::SubscriptionCycle | Reason::SubscriptionEnd);
    ends && document.plans.iter().any(|plan| !plan.metrics.is_empty())
}

/// Whether the period of the closing is one that the invoice may bill.
pub(crate) fn check_period(document: &Document, closed: &Closed, checks: &mut Checks) {
    let period = document.invoice.billing_period;
    let fits = match document.invoice.billing_reason {
        Reason::SubscriptionCreate | Reason::SubscriptionCycle => closed.dates.end_date == period.start_date,
        Reason::SubscriptionEnd => closed.dates.end_date <= period.end_date,
        Reason::SubscriptionUpdate | Reason::SubscriptionThreshold | Reason::LateUsage => true,
    };
    if !fits {
        checks.wrong(&format!("closing {} is not of the period that ended when the invoice was made", closed.number));
    }
}

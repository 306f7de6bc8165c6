//! Every line once more: what it must charge by the plan version that it names, for what was subscribed to and what the closings count.
//!
//! Prices are `rating`'s; what is priced, included, billed before and shared is found here anew.

use std::collections::BTreeSet;

use rating::{BillingInterval, Decimal, Exact, Money, PriceModel, Quantity, Usage};

use super::checks::Checks;
use super::closings::{Closed, dates_of};
use super::document::{Basis, Dates, Kind, Line, Plan, Proration, Reason, Shape};
use super::shares::parts;
use super::terms::{Terms, dates, is_in_advance, months, span_text, total};

/// What a line must say.
#[derive(Clone, Debug, PartialEq)]
struct Due {
    quantity: Quantity,
    unit_price: Decimal,
    amount: Money,
}

pub(crate) struct Lines<'a> {
    pub terms: Terms<'a>,
    pub closings: &'a [Closed],
    /// The closing that the invoice bills.
    pub billed: Option<&'a Closed>,
}

/// Lines of one price: its tiers.
type Group<'a> = Vec<(usize, &'a Line, &'a Basis)>;

impl<'a> Lines<'a> {
    /// Checks all lines and says of each what it was checked by.
    pub fn check(&self, checks: &mut Checks) -> Vec<String> {
        let document = self.terms.document;
        if document.lines.len() != document.invoice.references_order.len() {
            checks.wrong("the file tells of another number of lines than the invoice has");
            return Vec::new();
        }
        let mut told = Vec::new();
        let mut seen = BTreeSet::new();
        for group in self.groups() {
            let Some((position, line, basis)) = group.first().copied() else { continue };
            let what = format!("line {}", position.saturating_add(1));
            let is_again = !seen.insert((line.kind, line.order_item.clone(), line.billing_period));
            if is_again && line.kind != Kind::UnusedTime {
                checks.wrong(&format!("{what} charges a second time for {} from {}", line.order_item, span_text(line.billing_period)));
            }
            match self.group(&group, (line, basis), checks) {
                Ok(by) => told.extend(group.iter().map(|(position, line, _)| self.told(*position, line, &by))),
                Err(problem) => {
                    checks.wrong(&format!("{what}: {problem}"));
                    told.extend(group.iter().map(|(position, line, _)| self.told(*position, line, "WRONG")));
                }
            }
        }
        self.check_nothing_is_missing(checks);
        told
    }

    fn told(&self, position: usize, line: &Line, by: &str) -> String {
        let kind = format!("{:?}", line.kind);
        let number = position.saturating_add(1);
        format!("line {number:<3} {kind:<17} {:<20} {:>14}  {by}", line.order_item, line.amount.0.to_string())
    }

    /// Consecutive lines of one price.
    fn groups(&self) -> Vec<Group<'a>> {
        let document = self.terms.document;
        let rests_on = |basis: &'a Basis| (&basis.plan, basis.plan_version, &basis.shape, basis.closing);
        let mut groups: Vec<Group<'a>> = Vec::new();
        for (position, (line, basis)) in document.invoice.references_order.iter().zip(&document.lines).enumerate() {
            let is_same = |(_, other, of): &(usize, &'a Line, &'a Basis)| {
                let is_tiered = matches!(line.kind, Kind::BasePrice | Kind::AddOn | Kind::Overage) && basis.proration.is_none();
                let key = |line: &Line| (line.kind, line.order_item.clone(), line.billing_period, line.counted, line.billed_before);
                is_tiered && of.proration.is_none() && key(line) == key(other) && rests_on(of) == rests_on(basis)
            };
            match groups.last_mut().filter(|group| group.last().is_some_and(is_same)) {
                Some(group) => group.push((position, line, basis)),
                None => groups.push(vec![(position, line, basis)]),
            }
        }
        groups
    }

    /// What the lines of a group were checked by.
    fn group(&self, group: &Group<'_>, (line, basis): (&Line, &Basis), checks: &mut Checks) -> Result<String, String> {
        if line.amount.0.currency() != self.terms.currency {
            return Err("it is in another currency".to_owned());
        }
        let plan = self.terms.plan(&basis.plan, basis.plan_version)?;
        let shape = self.terms.shape(line, basis, checks)?;
        if !matches!(line.kind, Kind::Overage | Kind::LateUsage)
            && (line.counted.is_some() || line.billed_before.is_some() || basis.closing.is_some())
        {
            return Err("it counts usage, and charges for none".to_owned());
        }
        let (due, by) = match (line.kind, &basis.proration) {
            (Kind::BasePrice | Kind::AddOn, None) => self.whole(line, plan, &shape)?,
            (Kind::BasePrice | Kind::AddOn | Kind::UnusedTime | Kind::RemainingTime, Some(proration)) => {
                self.share(line, plan, &shape, proration)?
            }
            (Kind::UnusedTime | Kind::RemainingTime, None) => return Err("the share that it is of a period is not told".to_owned()),
            (Kind::Overage, None) => self.overage(line, basis, plan, &shape, checks)?,
            (Kind::LateUsage, None) => self.late(line, basis, plan, &shape)?,
            (Kind::MinimumCommitment, proration) => self.commitment(line, plan, &shape, proration.as_ref())?,
            (Kind::Overage | Kind::LateUsage, Some(_)) => return Err("usage is not prorated".to_owned()),
        };
        let said: Vec<Due> =
            group.iter().map(|(_, line, _)| Due { quantity: line.order_quantity, unit_price: line.price, amount: line.amount.0 }).collect();
        if due.contains(&said) {
            return Ok(by);
        }
        let shown = |lines: &[Due]| -> Vec<String> {
            lines.iter().map(|line| format!("{} x {} = {}", line.quantity, line.unit_price, line.amount)).collect()
        };
        let follows = due.first().map(|due| shown(due).join(" + ")).filter(|text| !text.is_empty()).unwrap_or_else(|| "nothing".to_owned());
        Err(format!("{} is charged, and {follows} follows ({by})", shown(&said).join(" + ")))
    }

    /// A plan or an add-on for a whole billing period.
    fn whole(&self, line: &Line, plan: &'a Plan, shape: &Shape) -> Result<(Vec<Vec<Due>>, String), String> {
        let (price, quantity) = self.terms.item(plan, &line.order_item, shape)?;
        let invoice = &self.terms.document.invoice;
        let period = line.billing_period;
        if !self.terms.is_period(period, shape.interval) {
            return Err(format!("{} is no {} of this subscription", span_text(period), shape.interval.name()));
        }
        let is_renewal = matches!(invoice.billing_reason, Reason::SubscriptionCreate | Reason::SubscriptionCycle);
        let in_time = if is_in_advance(plan) {
            !is_renewal || period.start_date == invoice.billing_period.start_date
        } else {
            self.billed.is_none_or(|closed| period.end_date == closed.dates.end_date)
        };
        if !in_time {
            return Err("its period is not the one that is charged for now".to_owned());
        }
        let by = format!("{} v{}, {quantity} for a {}, {}", plan.key, plan.version, shape.interval.name(), span_text(period));
        Ok((vec![priced(price, None, quantity, true, self.terms.currency)?], by))
    }

    /// Usage past what is included, less what was billed before.
    fn overage(
        &self,
        line: &Line,
        basis: &Basis,
        plan: &'a Plan,
        shape: &Shape,
        checks: &mut Checks,
    ) -> Result<(Vec<Vec<Due>>, String), String> {
        let metric = line.order_item.as_str();
        let counted = line.counted.ok_or("it tells no count")?;
        let price = self.terms.metric_price(plan, metric).ok_or_else(|| format!("{} has no price for {metric}", plan.key))?;
        if self.terms.is_trial(line.billing_period.start_date) {
            return Err("usage of a trial costs nothing".to_owned());
        }
        let rests_on = self.counted_by(line, basis, counted, checks)?;
        let included = self.terms.included(plan, metric, shape)?;
        let past = |count| self.terms.past_included(plan, metric, shape, count);
        let (before, after) = (line.billed_before.map(past).transpose()?, past(counted)?);
        let mut due = Vec::new();
        // What was billed before is left out where it was nothing; a part that does not end its period owes no minimum.
        for before in before.map_or_else(|| vec![None, Some(Quantity::ZERO)], |before| vec![Some(before)]) {
            for is_last in [true, false] {
                let lines = priced(price, before, after, is_last, self.terms.currency)?;
                due.push(lines.into_iter().filter(|line| !line.amount.is_zero() || !line.quantity.is_zero()).collect());
            }
        }
        let earlier = line.billed_before.map_or_else(String::new, |before| format!(", {before} billed before"));
        let by = format!("{} v{}, {counted} counted by {rests_on}, {included} included{earlier}", plan.key, plan.version);
        Ok((due, by))
    }

    /// The closing that says the count, or that there is none yet.
    fn counted_by(&self, line: &Line, basis: &Basis, counted: Quantity, checks: &mut Checks) -> Result<String, String> {
        let closed = self.closings.iter().find(|closed| closed.dates.start_date == line.billing_period.start_date);
        if closed.map(|closed| closed.number) != basis.closing {
            return Err("it does not rest on the closing of its period".to_owned());
        }
        let is_early = matches!(self.terms.document.invoice.billing_reason, Reason::SubscriptionUpdate | Reason::SubscriptionThreshold);
        let Some(closed) = closed else {
            let period = self.terms.document.invoice.billing_period;
            let is_within = line.billing_period.start_date == period.start_date && line.billing_period.end_date <= period.end_date;
            if !is_early || !is_within {
                return Err("the closing of its period is not in the file".to_owned());
            }
            checks.note(
                "usage was billed before its period ended: its count is the invoice's own word until the closing is in a later proof",
            );
            return Ok("nobody yet".to_owned());
        };
        let closing_counts = closed.used.get(&line.order_item).copied().unwrap_or_default();
        if closed.dates == line.billing_period && closing_counts == counted {
            return Ok(format!("closing {}", closed.number));
        }
        if is_early && line.billing_period.end_date <= closed.dates.end_date {
            if counted > closing_counts {
                checks.note(&format!(
                    "closing {} counts less {} than was billed before: a level or a latest value fell",
                    closed.number, line.order_item
                ));
            }
            checks.note(
                "usage was billed before its period ended: the closing tells what it came to, the usage proof how it stood on the way",
            );
            return Ok(format!("the Meter on the way to {closing_counts} of closing {}", closed.number));
        }
        Err(format!("{counted} is counted, and closing {} counts {closing_counts} from {}", closed.number, span_text(closed.dates)))
    }

    /// What late usage adds to its period: the price with it less the price without it.
    fn late(&self, line: &Line, basis: &Basis, plan: &'a Plan, shape: &Shape) -> Result<(Vec<Vec<Due>>, String), String> {
        let closed =
            self.billed.filter(|closed| Some(closed.number) == basis.closing).ok_or("it does not rest on the closing that is billed")?;
        let told = closed
            .late_of(&line.order_item, line.billing_period)
            .ok_or_else(|| format!("closing {} tells no such late usage", closed.number))?;
        let came = told.after.checked_sub(told.before).map_err(|error| error.to_string())?;
        if line.counted != Some(came) || line.billed_before != Some(told.before) {
            return Err(format!("closing {} counts {came} after {}", closed.number, told.before));
        }
        let mut amount = Money::zero(self.terms.currency);
        if let Some(price) = self.terms.metric_price(plan, &line.order_item) {
            // The minimum was owed with the period's own bill.
            let price = PriceModel { minimum_amount: None, ..price.clone() };
            let past = |count| self.terms.past_included(plan, &line.order_item, shape, count);
            let cost = |count| total(&price, past(count)?, self.terms.currency);
            amount = cost(told.after)?.checked_sub(cost(told.before)?).map_err(|error| error.to_string())?;
        }
        let by = format!("{} v{}, {} to {} by closing {}", plan.key, plan.version, told.before, told.after, closed.number);
        Ok((vec![vec![single(amount)]], by))
    }

    /// A share of a period's price.
    fn share(&self, line: &Line, plan: &'a Plan, shape: &Shape, proration: &Proration) -> Result<(Vec<Vec<Due>>, String), String> {
        let Proration { policy, changed_at, is_end, period, whole_minor, limit_minor, charged_minor } = proration;
        let whole = dates(*period);
        let usual = self.terms.item_total(plan, &line.order_item, shape)?;
        let price = Money::new(*whole_minor, self.terms.currency);
        // A change without proration charges nothing: what comes back later is of what was subscribed to before it.
        let was_charged = line.kind == Kind::UnusedTime && self.terms.cost_in(whole, &line.order_item, price);
        if price != usual && !was_charged {
            return Err(format!("a whole period costs {usual}, and {whole_minor} minor units are shared"));
        }
        if !self.terms.is_period(whole, shape.interval) {
            return Err(format!("{} is no {} of this subscription", span_text(whole), shape.interval.name()));
        }
        let (start, end) = (line.billing_period.start_date, line.billing_period.end_date);
        let is_left = matches!(line.kind, Kind::UnusedTime | Kind::RemainingTime);
        let fits = if is_left {
            start == *changed_at && (end == whole.end_date || end == start)
        } else {
            end == *changed_at && start >= whole.start_date
        };
        if !fits {
            return Err("its period is not the part of the whole that it charges for".to_owned());
        }
        let at = |instant: i64, is_end: bool| parts(*period, instant, self.terms.zone, *policy, is_end).ok_or("its whole period is none");
        let shared = at(changed_at.0, *is_end)?;
        let scaled = |share: &Exact| price.scaled_by(share).map_err(|error| error.to_string());
        let amount = match line.kind {
            Kind::RemainingTime => scaled(&shared.remaining)?,
            Kind::UnusedTime => {
                let limit = limit_minor.filter(|limit| *limit >= 0).ok_or("what may come back at most is not told")?;
                let charged = charged_minor.unwrap_or(limit);
                if limit > charged {
                    return Err("more may come back of it than was charged".to_owned());
                }
                let net = Exact::ratio(limit.into(), charged.into()).unwrap_or_else(Exact::zero);
                let back = scaled(&shared.unused.times(&net))?;
                Money::new(back.minor().min(limit).saturating_neg(), self.terms.currency)
            }
            _ => {
                let before = if start == whole.start_date { Exact::zero() } else { at(start.0, false)?.used };
                scaled(&shared.used)?.checked_sub(scaled(&before)?).map_err(|error| error.to_string())?
            }
        };
        let by = format!(
            "{} v{}, {price} for {}, shared by {policy:?} at {}",
            plan.key,
            plan.version,
            span_text(whole),
            crate::instant::text(changed_at.0)
        );
        Ok((vec![vec![single(amount)]], by))
    }

    /// What is missing to the minimum of a usage period.
    fn commitment(
        &self,
        line: &Line,
        plan: &'a Plan,
        shape: &Shape,
        proration: Option<&Proration>,
    ) -> Result<(Vec<Vec<Due>>, String), String> {
        let currency = self.terms.currency;
        if line.order_item != plan.key {
            return Err(format!("{} has no minimum of its own", line.order_item));
        }
        let minimum = plan.minimum_commitment.get(currency.code()).ok_or_else(|| format!("{} has no minimum", plan.key))?;
        let minimum = Money::round(&minimum.to_exact(), currency).map_err(|error| error.to_string())?;
        let closed = self.billed.filter(|closed| closed.dates == line.billing_period).ok_or("its period is not the one that is billed")?;
        let used = match proration {
            None => Exact::one(),
            Some(part) if part.whole_minor == minimum.minor() && self.terms.is_period(dates(part.period), BillingInterval::Month) => {
                parts(part.period, part.changed_at.0, self.terms.zone, part.policy, part.is_end).ok_or("its whole period is none")?.used
            }
            Some(_) => return Err("the share that it is of a month's minimum is wrong".to_owned()),
        };
        let of_month = Exact::ratio(1, months(shape.interval)).unwrap_or_else(Exact::zero);
        let base = self.terms.base_total(plan, shape)?.scaled_by(&of_month.times(&used)).map_err(|error| error.to_string())?;
        let mut usage = base;
        let lines = self.terms.document.invoice.references_order.iter();
        for overage in lines.filter(|other| other.kind == Kind::Overage && other.billing_period == closed.dates) {
            usage = usage.checked_add(overage.amount.0).map_err(|error| error.to_string())?;
        }
        let minimum = minimum.scaled_by(&used).map_err(|error| error.to_string())?;
        let missing = |usage: Money| minimum.checked_sub(usage).map(Money::at_least_zero).map_err(|error| error.to_string());
        let with_earlier = base.checked_add(self.usage_total(plan, shape, closed)?).map_err(|error| error.to_string())?;
        let due = [missing(with_earlier)?, missing(usage)?].map(|amount| vec![single(amount)]);
        Ok((due.into(), format!("{} v{}, at least {minimum}, {with_earlier} with the base price", plan.key, plan.version)))
    }

    /// What all usage of a period costs, whenever it was billed.
    fn usage_total(&self, plan: &'a Plan, shape: &Shape, closed: &Closed) -> Result<Money, String> {
        let mut sum = Money::zero(self.terms.currency);
        for (metric, used) in &closed.used {
            let Some(price) = self.terms.metric_price(plan, metric) else { continue };
            let past = self.terms.past_included(plan, metric, shape, *used)?;
            sum = sum.checked_add(total(price, past, self.terms.currency)?).map_err(|error| error.to_string())?;
        }
        Ok(sum)
    }

    /// What the closing counts and no line charges for, where it costs something.
    fn check_nothing_is_missing(&self, checks: &mut Checks) {
        let Some(closed) = self.billed else { return };
        let lines = &self.terms.document.invoice.references_order;
        for late in closed.late.iter().filter(|late| !self.terms.is_trial(dates_of(late).start_date)) {
            let is_told = lines
                .iter()
                .any(|line| line.kind == Kind::LateUsage && line.order_item == late.metric && line.billing_period == dates_of(late));
            let plan = self.terms.shape_before(dates_of(late).end_date).map(|shape| self.terms.plan(&shape.plan, shape.plan_version));
            let is_of_plan = plan.is_some_and(|plan| plan.is_ok_and(|plan| plan.metrics.iter().any(|metric| metric.metric == late.metric)));
            if is_of_plan && !is_told {
                checks.wrong(&format!("late usage of {} has no line", late.metric));
            }
        }
        // The time since a subscription's end is closed to learn what came late, and nobody pays for it.
        let is_charged = self.terms.document.invoice.billing_reason != Reason::LateUsage;
        if self.terms.is_trial(closed.dates.start_date) || !is_charged {
            return;
        }
        let usage = &self.terms.document.invoice.usage;
        for (metric, used) in &closed.used {
            let told = usage.iter().find(|counted| counted.metric == *metric && !counted.late && counted.billing_period == closed.dates);
            let before = told.and_then(|counted| counted.billed_before);
            let of_metric = |line: &&Line| line.kind == Kind::Overage && line.order_item == *metric && line.billing_period == closed.dates;
            let mut charging = lines.iter().filter(of_metric).peekable();
            if charging.peek().is_none() {
                if let Some(what) = self.free_of(metric, (before, *used), closed.dates).err() {
                    checks.wrong(&what);
                }
            } else if charging.any(|line| line.billed_before != before) {
                checks.wrong(&format!("a line for {metric} and the usage that the invoice tells do not agree on what was billed before"));
            }
        }
    }

    /// That usage without a line costs nothing, after what was billed before.
    fn free_of(&self, metric: &str, (before, used): (Option<Quantity>, Quantity), period: Dates) -> Result<(), String> {
        let Some(shape) = self.terms.shape_before(period.end_date) else { return Ok(()) };
        let plan = self.terms.plan(&shape.plan, shape.plan_version)?;
        let Some(price) = self.terms.metric_price(plan, metric) else { return Ok(()) };
        let past = |count| self.terms.past_included(plan, metric, shape, count);
        let due = priced(price, before.map(past).transpose()?, past(used)?, true, self.terms.currency)?;
        if due.iter().all(|due| due.amount.is_zero()) {
            return Ok(());
        }
        let earlier = before.map_or_else(String::new, |before| format!(", {before} of them billed before,"));
        Err(format!("{used} {metric}{earlier} are not free, and no line charges for them"))
    }
}

fn single(amount: Money) -> Due {
    Due { quantity: Quantity::ONE, unit_price: amount.to_decimal(), amount }
}

fn priced(
    price: &PriceModel,
    before: Option<Quantity>,
    after: Quantity,
    is_last: bool,
    currency: rating::Currency,
) -> Result<Vec<Due>, String> {
    let before = before.map(Usage::Total);
    let lines = rating::price_part(price, before.as_ref(), &Usage::Total(after), is_last, currency).map_err(|error| error.to_string())?;
    Ok(lines.into_iter().map(|line| Due { quantity: line.quantity, unit_price: line.unit_price, amount: line.amount }).collect())
}

//! Everything that one commit is decided with.

use rating::Quantity;

use super::book::Book;
use super::claims::Claims;
use super::facts::Facts;
use super::log::Draft;
use super::plan::Plan;
use super::reservations::Reservations;
use super::uniques::Uniques;
use crate::kernel::ids::Entropy;
use crate::kernel::time::Timestamp;

/// Everything that one commit is decided with.
pub(super) struct Desk<'a, 'k> {
    pub plan: &'a Plan,
    pub book: &'a mut Book,
    pub facts: &'a mut Facts,
    pub reservations: &'a mut Reservations,
    pub claims: Claims<'k>,
    pub uniques: Uniques,
    pub draft: Draft,
    pub entropy: &'a dyn Entropy,
    /// The organization's time.
    pub now: Timestamp,
    pub wall: Timestamp,
}

impl Desk<'_, '_> {
    /// The count in the current period.
    pub fn current(&self, metric: &str) -> Quantity {
        let period = self.plan.period_of(self.now);
        self.plan.rule(metric).map_or(Quantity::ZERO, |rule| self.book.reading(metric, rule, period))
    }
}

//! The context of one commit: everything that its requests are decided with.

use rating::Quantity;

use super::book::Book;
use super::claims::Claims;
use super::facts::Facts;
use super::log::Draft;
use super::reservations::Reservations;
use super::rules::Rules;
use super::uniques::Uniques;
use crate::kernel::ids::Entropy;
use crate::kernel::time::Timestamp;

/// Everything that the requests of one commit are decided with.
pub(super) struct CommitContext<'a, 'k> {
    pub rules: &'a Rules,
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

impl CommitContext<'_, '_> {
    /// The count in the current period.
    pub fn current(&self, metric: &str) -> Quantity {
        let period = self.rules.period_of(self.now);
        self.rules.rule(metric).map_or(Quantity::ZERO, |rule| self.book.reading(metric, rule, period))
    }
}

//! Dividing and rounding without losing a minor unit: the largest remainder method.

use std::cmp::Reverse;

use super::{Money, MoneyError};
use crate::currency::Currency;
use crate::exact::Exact;

impl Money {
    /// Rounds exact amounts so that they sum to their rounded sum, by the largest remainder method: each is cut
    /// towards zero, and the minor units that are missing go to the amounts that lost most, the earlier one on a tie.
    ///
    /// # Errors
    /// An amount or the sum is out of range.
    pub fn round_all(amounts: &[Exact], currency: Currency) -> Result<Vec<Self>, MoneyError> {
        let scale = Exact::from_integer(10_i128.saturating_pow(u32::from(currency.exponent())));
        let sum = amounts.iter().fold(Exact::zero(), |sum, amount| sum.plus(amount));
        let mut cut = Vec::with_capacity(amounts.len());
        for amount in amounts {
            let scaled = amount.times(&scale);
            let whole = if scaled.is_negative() { scaled.ceil() } else { scaled.floor() }.ok_or(MoneyError::OutOfRange)?;
            cut.push((whole, scaled.minus(&Exact::from_integer(whole))));
        }
        let rounded = i128::from(Self::round(&sum, currency)?.minor);
        let whole = cut.iter().try_fold(0_i128, |sum, (whole, _)| sum.checked_add(*whole));
        let mut missing = whole.and_then(|whole| rounded.checked_sub(whole)).ok_or(MoneyError::OutOfRange)?;

        let mut order: Vec<_> = cut.iter_mut().collect();
        order.sort_by(|a, b| if missing > 0 { b.1.cmp(&a.1) } else { a.1.cmp(&b.1) });
        for (whole, _) in order {
            let step = missing.signum();
            *whole = whole.saturating_add(step);
            missing = missing.saturating_sub(step);
        }
        let minors = cut.into_iter().map(|(whole, _)| i64::try_from(whole).map_err(|_| MoneyError::OutOfRange));
        minors.map(|minor| minor.map(|minor| Self::new(minor, currency))).collect()
    }

    /// Divides the amount in proportion to the weights by the largest remainder method: each part is the share
    /// rounded towards zero, and the units left over go to the parts that lost most, the earlier one on a tie.
    /// The parts sum to the amount, and none is more than one minor unit away from its exact share.
    ///
    /// # Errors
    /// There is no weight above zero.
    pub fn allocate(self, weights: &[u64]) -> Result<Vec<Self>, MoneyError> {
        let weights_total: u128 = weights.iter().copied().map(u128::from).sum();
        let magnitude = u128::from(self.minor.unsigned_abs());
        // A product of two 64-bit numbers always fits 128 bits, so only the division can fail: by zero.
        let mut shares = weights
            .iter()
            .map(|weight| {
                let product = magnitude.checked_mul(u128::from(*weight))?;
                let whole = product.checked_div(weights_total)?;
                Some((whole, product.checked_rem(weights_total)?))
            })
            .collect::<Option<Vec<_>>>()
            .filter(|shares| !shares.is_empty())
            .ok_or(MoneyError::NoWeights)?;
        let whole_total: u128 = shares.iter().map(|(whole, _)| *whole).sum();
        let left_over = magnitude.saturating_sub(whole_total);

        let mut by_remainder: Vec<_> = shares.iter_mut().collect();
        by_remainder.sort_by_key(|(_, remainder)| Reverse(*remainder));
        let winners = usize::try_from(left_over).unwrap_or(usize::MAX);
        for (whole, _) in by_remainder.into_iter().take(winners) {
            *whole = whole.saturating_add(1);
        }
        shares.into_iter().map(|(whole, _)| self.with_sign_of_self(whole)).collect()
    }

    fn with_sign_of_self(self, magnitude: u128) -> Result<Self, MoneyError> {
        let signed = i128::try_from(magnitude).map_err(|_| MoneyError::OutOfRange)?;
        let signed = if self.is_negative() { signed.saturating_neg() } else { signed };
        self.with_minor(i64::try_from(signed).ok())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn usd(minor: i64) -> Money {
        Money::new(minor, Currency::USD)
    }

    #[test]
    fn parts_go_to_the_largest_remainders_and_ties_to_the_earlier_part() {
        for (total, weights, parts) in [
            (100, vec![1, 1, 1], vec![34, 33, 33]),
            (-100, vec![1, 1, 1], vec![-34, -33, -33]),
            (10, vec![1, 2, 4], vec![1, 3, 6]),
            (5, vec![0, 1, 1], vec![0, 3, 2]),
            (0, vec![3, 7], vec![0, 0]),
            (1, vec![3, 7], vec![0, 1]),
            (i64::MAX, vec![u64::MAX], vec![i64::MAX]),
            (i64::MIN, vec![u64::MAX], vec![i64::MIN]),
        ] {
            let allocated = Money::new(total, Currency::USD).allocate(&weights).unwrap();
            let allocated: Vec<_> = allocated.into_iter().map(Money::minor).collect();
            assert_eq!(allocated, parts, "{total} by {weights:?}");
        }
        assert_eq!(usd(100).allocate(&[]), Err(MoneyError::NoWeights));
        assert_eq!(usd(100).allocate(&[0, 0]), Err(MoneyError::NoWeights));
    }

    #[test]
    fn amounts_rounded_together_sum_to_their_rounded_sum() {
        let exact = |texts: &[&str]| texts.iter().map(|text| Exact::parse(text).unwrap()).collect::<Vec<_>>();
        for (amounts, cents) in [
            (vec!["0.335", "0.335"], vec![34, 33]),
            (vec!["0.004", "0.004", "0.004"], vec![1, 0, 0]),
            (vec!["-0.335", "-0.335"], vec![-34, -33]),
            (vec!["1.009", "-0.009"], vec![100, 0]),
            (vec![], vec![]),
        ] {
            let rounded = Money::round_all(&exact(&amounts), Currency::USD).unwrap();
            assert_eq!(rounded.into_iter().map(Money::minor).collect::<Vec<_>>(), cents, "{amounts:?}");
        }
    }

    proptest! {
        #[test]
        fn amounts_rounded_together_lose_nothing(
            trillionths in proptest::collection::vec(-1_000_000_000_000_000_i128..1_000_000_000_000_000, 0..9),
        ) {
            let exact: Vec<_> = trillionths.iter().map(|amount| Exact::from_scaled(*amount, 12)).collect();
            let rounded = Money::round_all(&exact, Currency::USD).unwrap();
            let sum = Exact::from_scaled(trillionths.iter().sum(), 12);
            prop_assert_eq!(Money::sum(rounded.iter().copied(), Currency::USD), Money::round(&sum, Currency::USD));
            for (money, exact) in rounded.iter().zip(&exact) {
                let away = money.to_exact().minus(exact);
                prop_assert!(away <= Exact::from_scaled(1, 2) && away >= Exact::from_scaled(-1, 2));
            }
        }

        #[test]
        fn parts_sum_to_the_total_and_stay_within_one_unit_of_their_share(
            minor in any::<i64>(),
            weights in proptest::collection::vec(any::<u64>(), 1..20),
        ) {
            prop_assume!(weights.iter().any(|weight| *weight > 0));
            let total = Money::new(minor, Currency::USD);
            let parts = total.allocate(&weights).unwrap();
            prop_assert_eq!(Money::sum(parts.iter().copied(), Currency::USD), Ok(total));
            let weights_total: i128 = weights.iter().map(|weight| i128::from(*weight)).sum();
            for (part, weight) in parts.iter().zip(&weights) {
                let share = total.to_exact().times(&Exact::ratio(i128::from(*weight), weights_total).unwrap());
                let away = part.to_exact().minus(&share);
                prop_assert!(away < Exact::from_scaled(1, 2) && away > Exact::from_scaled(-1, 2));
            }
        }
    }
}

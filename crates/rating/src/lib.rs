//! What a customer owes, to the cent: exact money, prices, billing periods and proration.
//!
//! This crate owns the arithmetic of a bill. It does not own plans, invoices, tax law or usage records, and it never reads a clock, a
//! database or the network: every input is an argument, so the same
//! arguments give the same bill for ever.
//!
//! Read it in this order:
//!
//! 1. [`decimal`]: decimals as they arrive in JSON (`"0.005"`), at most twelve places.
//! 2. [`exact`]: the rational numbers in which everything is computed.
//! 3. [`currency`] and [`money`]: whole minor units of one currency; rounding and splitting.
//! 4. [`quantity`]: how much was used, in billionths of a unit.
//! 5. [`mod@price`]: price models, and the lines that a usage costs under them.
//! 6. [`calendar`]: where billing periods start and end in the customer's time zone.
//! 7. [`proration`]: what a change in the middle of a period credits and charges, by our policies and in the dialects
//!    of Lago, Kill Bill, OpenMeter and Flexprice.
//! 8. [`commitment`], [`discount`], [`tax`]: what the lines of a bill are raised to, reduced by and taxed with.
//! 9. [`wallet`] and [`credit_note`]: credit that pays a bill, and what goes back of one.
//!
//! Invariants:
//!
//! - No float anywhere: amounts and quantities are integers, what lies between them is rational.
//! - An amount is rounded once, when a line is made, half away from zero, to the currency's minor unit.
//! - Lines sum to the total: a minimum or maximum is a line of its own, and [`Money::allocate`] loses no cent.
//! - Amounts in different currencies never meet: that is an error, not a number.
//! - Billing periods tile time: half-open, no gap, no overlap, always computed from the anchor.
//! - A credit is never more than what was paid, and the credits of a line sum back to it.
//! - Nothing panics: bad input is a typed error whose message says what to do instead.
//!
//! ```
//! use rating::{Charge, Currency, Money, Period, PriceModel, ProrationPolicy, Quantity, Tz, Usage, change_lines, price, total};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let calls = PriceModel::new(Charge::PerUnit { unit_amount: "0.005".parse()?, free_units: Quantity::from(10_000) });
//! let lines = price(&calls, &Usage::Total(Quantity::from(15_000)), Currency::USD)?;
//! assert_eq!(total(&lines, Currency::USD)?.to_string(), "25.00 USD");
//!
//! let at = |instant: &str| instant.parse().expect("an instant");
//! let (old, new) = (Money::new(4_900, Currency::USD), Money::new(19_900, Currency::USD));
//! let august = Period::new(at("2026-08-01T00:00:00Z"), at("2026-09-01T00:00:00Z"))?;
//! let change = change_lines(old, new, august, at("2026-08-21T09:00:00Z"), Tz::UTC, ProrationPolicy::Lago, old)?;
//! assert_eq!((change.credit.to_string(), change.charge.to_string()), ("-17.39 USD".into(), "70.61 USD".into()));
//! # Ok(())
//! # }
//! ```

#![forbid(unsafe_code)]
#![deny(missing_docs, clippy::float_arithmetic)]
#![cfg_attr(
    not(test),
    deny(clippy::arithmetic_side_effects, clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::unwrap_used)
)]

pub mod calendar;
pub mod commitment;
pub mod credit_note;
pub mod currency;
pub mod decimal;
pub mod discount;
pub mod exact;
pub mod money;
pub mod price;
pub mod proration;
pub mod quantity;
pub mod tax;
pub mod wallet;

pub use calendar::{Alignment, BillingCalendar, BillingInterval, CalendarError, Period, day_start, parse_time_zone, trial_end};
/// The IANA time zones that [`parse_time_zone`] returns.
pub use chrono_tz::Tz;
pub use commitment::{maximum_discounts, true_up};
pub use credit_note::{CreditError, CreditNote, CreditableLine};
pub use currency::{Currency, UnknownCurrency};
pub use decimal::{Decimal, DecimalError};
pub use discount::{Discount, DiscountDuration, DiscountError, Discounted, Off, Redemptions, Scoped, discounted};
pub use exact::Exact;
pub use money::{Money, MoneyError};
pub use price::{
    Charge, PackageRounding, Percentage, PercentageTier, PriceError, PriceModel, PriceProblem, PricedLine, Tier, Usage, price,
    price_buckets, price_currency, price_part, total,
};
pub use proration::{
    ChangeLines, Ending, ProrationPolicy, Shares, change_lines, creditable, prorate, remaining_fraction, shares, split, used_fraction,
};
pub use quantity::{Quantity, QuantityError};
pub use tax::{TaxError, TaxRate, TaxRounding, TaxableLine, TaxedLine, effective_rate, tax_total, taxed};
pub use wallet::{Amount, Balances, Draw, Grant, Rollover, WalletError, burn_down, draw, rolled_over};

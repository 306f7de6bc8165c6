//! What always holds of bills, whatever the prices, dates and amounts up to 10^15 minor units.

use chrono::{DateTime, TimeDelta, Utc};
use proptest::prelude::*;
use rating::{
    Alignment, BillingCalendar, BillingInterval, CreditableLine, Currency, Decimal, Discount, DiscountDuration, Ending, Exact, Grant,
    Money, Off, Period, PriceModel, ProrationPolicy, Quantity, Scoped, TaxRate, TaxRounding, TaxableLine, Usage, burn_down, change_lines,
    creditable, discounted, draw, maximum_discounts, parse_time_zone, price, price_buckets, price_part, shares, split, tax_total, taxed,
    total, true_up,
};
use serde_json::{Value, json};

const MINOR_MAX: i64 = 1_000_000_000_000_000;
const POLICIES: [ProrationPolicy; 9] = [
    ProrationPolicy::Second,
    ProrationPolicy::Day,
    ProrationPolicy::DayFixed30,
    ProrationPolicy::None,
    ProrationPolicy::Lago,
    ProrationPolicy::Killbill,
    ProrationPolicy::KillbillFixed30,
    ProrationPolicy::OpenmeterSeconds,
    ProrationPolicy::Flexprice,
];
const INTERVALS: [BillingInterval; 5] =
    [BillingInterval::Day, BillingInterval::Week, BillingInterval::Month, BillingInterval::Quarter, BillingInterval::Year];
const ZONES: [&str; 5] = ["UTC", "Europe/Vienna", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu"];

fn usd(minor: i64) -> Money {
    Money::new(minor, Currency::USD)
}

fn sum(amounts: impl IntoIterator<Item = Money>) -> Money {
    Money::sum(amounts, Currency::USD).unwrap()
}

fn any_amount() -> impl Strategy<Value = Money> {
    (0..=MINOR_MAX).prop_map(usd)
}

fn any_instant() -> impl Strategy<Value = DateTime<Utc>> {
    // 1971 to 2100, by the millisecond.
    (31_536_000_000_i64..4_102_444_800_000).prop_map(|millis| DateTime::from_timestamp_millis(millis).unwrap())
}

fn any_policy() -> impl Strategy<Value = ProrationPolicy> {
    prop::sample::select(POLICIES.to_vec())
}

fn any_calendar() -> impl Strategy<Value = (BillingCalendar, DateTime<Utc>)> {
    let alignment = prop::sample::select(vec![Alignment::Anniversary, Alignment::Calendar]);
    let (zone, interval) = (prop::sample::select(ZONES.to_vec()), prop::sample::select(INTERVALS.to_vec()));
    (any_instant(), interval, zone, alignment).prop_map(|(start, interval, zone, alignment)| {
        (BillingCalendar::starting(start, interval, parse_time_zone(zone).unwrap(), alignment).unwrap(), start)
    })
}

/// A share of a period, as an instant in it.
fn instant_in(period: Period, thousandths: i64) -> DateTime<Utc> {
    let millis = (period.end() - period.start()).num_milliseconds();
    period.start() + TimeDelta::milliseconds(millis / 1000 * thousandths)
}

fn any_quantity() -> impl Strategy<Value = Quantity> {
    // Whole numbers and decimals, small enough for tiers to matter.
    (0_i128..3_000, prop::sample::select(vec![1_i128, 10, 1000]))
        .prop_map(|(n, part)| Quantity::from_nanos(n * 1_000_000_000 / part).unwrap())
}

fn any_decimal() -> impl Strategy<Value = String> {
    (0_u32..100_000, 0_u32..1_000).prop_map(|(whole, thousandths)| format!("{}.{thousandths:03}", whole % 1000))
}

/// Every kind of price, with limits on some.
fn any_model() -> impl Strategy<Value = PriceModel> {
    let amounts = prop::collection::vec(any_decimal(), 6);
    let limits = prop::option::of((0_u32..500, 500_u32..5_000));
    (0..9_usize, amounts, 1_u32..200, limits).prop_map(|(kind, a, size, limits)| {
        let tiers = json!([
            {"upTo": size.to_string(), "unitAmount": a[0], "flatAmount": a[1]},
            {"upTo": (size * 3).to_string(), "unitAmount": a[2], "packageSize": "7"},
            {"unitAmount": a[3], "flatAmount": a[4]},
        ]);
        let rates = json!([{"upTo": size.to_string(), "rate": a[0], "flatAmount": a[1]}, {"rate": a[2]}]);
        let mut model: Value = match kind {
            0 => json!({"model": "flat", "amount": a[0]}),
            1 => json!({"model": "per_unit", "unitAmount": a[0], "freeUnits": size.to_string()}),
            2 => json!({"model": "graduated", "tiers": tiers}),
            3 => json!({"model": "volume", "tiers": tiers}),
            4 => json!({"model": "package", "packageSize": size.to_string(), "amount": a[0], "freeUnits": "12.5"}),
            5 => json!({"model": "package", "packageSize": size.to_string(), "amount": a[0], "rounding": "down"}),
            6 => json!({"model": "percentage", "rate": a[0], "fixedAmount": a[1], "freeEvents": 2, "freeValue": a[2], "maximumPerEvent": a[3]}),
            7 => json!({"model": "graduated_percentage", "tiers": rates}),
            _ => json!({"model": "dynamic", "multiplier": a[0]}),
        };
        if let Some((least, most)) = limits {
            model["minimumAmount"] = json!(least.to_string());
            model["maximumAmount"] = json!(most.to_string());
        }
        let model: PriceModel = serde_json::from_value(model).unwrap();
        model.validate().unwrap();
        model
    })
}

proptest! {
    #[test]
    fn parts_of_any_split_of_a_period_sum_to_the_whole(
        (calendar, _) in any_calendar(), n in 0_u32..20, amount in any_amount(), policy in any_policy(),
        cuts in prop::collection::vec(-100_i64..1_100, 0..6),
    ) {
        let period = calendar.period(n).unwrap();
        let cuts: Vec<_> = cuts.into_iter().map(|cut| instant_in(period, cut)).collect();
        let parts = split(amount, period, &cuts, calendar.time_zone, policy).unwrap();
        prop_assert_eq!(parts.len(), cuts.len() + 1);
        prop_assert_eq!(sum(parts.iter().copied()), amount);
        prop_assert!(parts.iter().all(|part| !part.is_negative()), "{:?}", parts);
    }

    #[test]
    fn shares_lie_between_nothing_and_all_and_credits_within_what_was_paid(
        (calendar, _) in any_calendar(), n in 0_u32..20, at in -100_i64..1_100, policy in any_policy(),
        old in any_amount(), new in any_amount(), paid in any_amount(),
    ) {
        let period = calendar.period(n).unwrap();
        let at = instant_in(period, at);
        for ending in [Ending::Change, Ending::Termination] {
            let shares = shares(period, at, calendar.time_zone, policy, ending);
            for share in [&shares.used, &shares.unused, &shares.remaining] {
                prop_assert!(!share.is_negative() && *share <= Exact::one());
            }
            // Kill Bill rounds both shares apart to nine decimals, which is the most that they may be off.
            let off = shares.used.plus(&shares.unused).minus(&Exact::one());
            let is_rounded = matches!(policy, ProrationPolicy::Killbill | ProrationPolicy::KillbillFixed30);
            prop_assert!(off.is_zero() || is_rounded);
        }
        let lines = change_lines(old, new, period, at, calendar.time_zone, policy, paid).unwrap();
        prop_assert!(lines.credit.minor() <= 0 && -lines.credit.minor() <= paid.minor().min(old.minor()));
        prop_assert!(0 <= lines.charge.minor() && lines.charge.minor() <= new.minor());
        prop_assert_eq!(lines.net().unwrap(), sum([lines.credit, lines.charge]));
    }

    #[test]
    fn parts_of_a_usage_cost_what_the_whole_costs(
        model in any_model(), events in prop::collection::vec(any_quantity(), 1..12), cuts in prop::collection::vec(0_usize..12, 0..4),
    ) {
        let mut cuts: Vec<_> = cuts.into_iter().map(|cut| cut.min(events.len())).chain([events.len()]).collect();
        cuts.sort_unstable();
        let mut billed: Option<Usage> = None;
        let mut parts = Vec::new();
        for (position, cut) in cuts.iter().enumerate() {
            let so_far = Usage::Events(events[..*cut].to_vec());
            let lines = price_part(&model, billed.as_ref(), &so_far, position + 1 == cuts.len(), Currency::USD).unwrap();
            parts.push(total(&lines, Currency::USD).unwrap());
            billed = Some(so_far);
        }
        let whole = price(&model, &Usage::Events(events), Currency::USD).unwrap();
        prop_assert_eq!(sum(parts), total(&whole, Currency::USD).unwrap());
    }

    #[test]
    fn events_cost_the_same_however_they_arrive(
        model in any_model(),
        (events, shuffled) in prop::collection::vec((any_instant(), any_quantity()), 0..10)
            .prop_flat_map(|events| (Just(events.clone()), Just(events).prop_shuffle())),
    ) {
        let cost = |events| price(&model, &Usage::of_events(events, None), Currency::USD);
        prop_assert_eq!(cost(events), cost(shuffled));
    }

    #[test]
    fn totals_are_the_sum_of_their_lines_and_no_usage_costs_less_than_nothing(model in any_model(), used in prop::collection::vec(any_quantity(), 0..6)) {
        let lines = price(&model, &Usage::Events(used.clone()), Currency::USD).unwrap();
        let due = total(&lines, Currency::USD).unwrap();
        prop_assert_eq!(due, sum(lines.iter().map(|line| line.amount)));
        prop_assert!(!due.is_negative());
        if !matches!(model.charge, rating::Charge::Percentage(_)) {
            let lines = price_buckets(&model, &used, Currency::USD).unwrap();
            prop_assert!(!total(&lines, Currency::USD).unwrap().is_negative());
        }
    }

    #[test]
    fn discounts_take_no_more_than_there_is_and_sum_to_what_they_took(
        lines in prop::collection::vec(any_amount(), 1..8), credit in any_amount(), rates in prop::collection::vec(0_u32..=100, 0..3),
        fixed in prop::collection::vec(any_amount(), 0..3),
    ) {
        let lines: Vec<_> = lines.into_iter().chain([credit.checked_neg().unwrap()]).collect();
        let offs = rates.iter().map(|rate| Off::Percentage(rate.to_string().parse().unwrap())).chain(fixed.into_iter().map(Off::Fixed));
        let discounts: Vec<_> =
            offs.map(|off| Discount { off, duration: DiscountDuration::Forever, valid_from: None, valid_through: None }).collect();
        let scoped: Vec<_> = discounts.iter().map(|discount| Scoped { discount, lines: None }).collect();
        let after = discounted(&lines, &scoped).unwrap();
        for (position, line) in lines.iter().enumerate() {
            let off = sum(after.off.iter().map(|off| off[position]));
            prop_assert_eq!(after.left[position].checked_add(off).unwrap(), *line);
            prop_assert!(!off.is_negative() && (line.is_negative() || !after.left[position].is_negative()));
        }
        // Percentages come before fixed amounts, wherever they stand.
        let mut turned = scoped;
        turned.rotate_left(rates.len());
        prop_assert_eq!(discounted(&lines, &turned).unwrap().left, after.left);
    }

    #[test]
    fn net_and_taxes_are_gross_and_inclusive_taxes_change_no_amount(
        lines in prop::collection::vec((any_amount(), prop::collection::vec((0_u32..3_000, any::<bool>()), 0..4)), 0..6),
    ) {
        let rate = |(hundredths, inclusive): &(u32, bool)| TaxRate { rate: format!("{}.{:02}", hundredths / 100, hundredths % 100).parse().unwrap(), inclusive: *inclusive };
        let rates: Vec<Vec<_>> = lines.iter().map(|(_, rates)| rates.iter().map(rate).collect()).collect();
        let taxable: Vec<_> = lines.iter().zip(&rates).map(|((amount, _), rates)| TaxableLine { amount: *amount, rates }).collect();
        let by_line = taxed(&taxable, TaxRounding::Line, Currency::USD).unwrap();
        let by_bill = taxed(&taxable, TaxRounding::Bill, Currency::USD).unwrap();
        for (line, after) in taxable.iter().zip(&by_line).chain(taxable.iter().zip(&by_bill)) {
            prop_assert_eq!(sum(after.taxes.iter().copied()).checked_add(after.net).unwrap(), after.gross);
            prop_assert!(after.taxes.iter().all(|tax| !tax.is_negative()) && after.gross.minor() >= line.amount.minor());
            if line.rates.iter().all(|rate| rate.inclusive) {
                prop_assert_eq!(after.gross, line.amount);
            }
        }
        // Rounding apart and together differ by half a cent for each tax at most.
        let apart = tax_total(&by_line, Currency::USD).unwrap().minor() - tax_total(&by_bill, Currency::USD).unwrap().minor();
        let taxes = i64::try_from(rates.iter().map(Vec::len).sum::<usize>()).unwrap();
        prop_assert!(apart.abs() * 2 <= taxes + 1);
    }

    #[test]
    fn credit_notes_sum_back_to_what_was_billed(
        amount in any_amount(), discount in 0_i64..=1000, tax in 0_i64..=300, parts in prop::collection::vec(0_i64..=1000, 0..6),
    ) {
        let thousandths = |of: Money, n: i64| of.scaled_by(&Exact::ratio(n.into(), 1000).unwrap()).unwrap();
        let off = thousandths(amount, discount);
        let tax = thousandths(amount.checked_sub(off).unwrap(), tax);
        let mut line = CreditableLine::new(amount, off, tax).unwrap();
        let mut notes = Vec::new();
        for part in parts {
            match line.credit(&amount.to_exact().times(&Exact::ratio(part.into(), 997).unwrap())) {
                Ok(note) => notes.push(note),
                Err(_) => prop_assert!(thousandths(amount, part).minor() >= line.left().unwrap().minor() * 99 / 100),
            }
        }
        let billed = amount.checked_sub(off).unwrap().checked_add(tax).unwrap();
        prop_assert!(sum(notes.iter().map(|note| note.total)).minor() <= billed.minor());
        prop_assert!(notes.iter().all(|note| [note.item, note.discount, note.subtotal, note.tax].iter().all(|figure| !figure.is_negative())));
        let credited = notes.iter().fold(Exact::zero(), |sum, note| sum.plus(&note.item.to_exact()));
        prop_assert!(credited <= amount.to_exact());
        notes.push(line.credit(&line.left_exact()).unwrap());
        prop_assert_eq!(sum(notes.iter().map(|note| note.total)), billed);
        prop_assert_eq!(sum(notes.iter().map(|note| note.tax)), tax);
        prop_assert_eq!(sum(notes.iter().map(|note| note.discount)), off);
    }

    #[test]
    fn wallets_lose_what_they_give_and_no_more(
        grants in prop::collection::vec((0_u32..10_000, prop::option::of(0_u32..4), prop::option::of(0_i64..100)), 0..6),
        (debits, shuffled) in prop::collection::btree_map(0_i64..100, 0_u32..5_000, 0..8)
            .prop_map(|debits| debits.into_iter().collect::<Vec<_>>())
            .prop_flat_map(|debits| (Just(debits.clone()), Just(debits).prop_shuffle())),
    ) {
        let hour = |n: i64| DateTime::<Utc>::UNIX_EPOCH + TimeDelta::hours(n);
        let grants: Vec<_> = grants.into_iter().map(|(amount, priority, expires)| Grant {
            priority, expires_at: expires.map(hour), ..Grant::new(Quantity::from(amount))
        }).collect();
        let timed = |debits: Vec<(i64, u32)>| debits.into_iter().map(|(at, amount)| (hour(at), Quantity::from(amount))).collect::<Vec<_>>();
        let (debits, shuffled) = (timed(debits), timed(shuffled));
        let balances = burn_down(&grants, &debits, Quantity::ZERO).unwrap();
        prop_assert_eq!(&burn_down(&grants, &shuffled, Quantity::ZERO).unwrap(), &balances);
        let all = |amounts: Vec<Quantity>| Quantity::sum(amounts).unwrap();
        let granted = all(grants.iter().map(|grant| grant.left).collect());
        let used = all(debits.iter().map(|(_, amount)| *amount).collect()).checked_sub(balances.overage).unwrap();
        prop_assert_eq!(all(balances.left.clone()).checked_add(used).unwrap(), granted);
        prop_assert!(balances.left.iter().all(|left| !left.is_negative()) && !balances.overage.is_negative());
    }

    #[test]
    fn periods_of_every_interval_tile_time((calendar, start) in any_calendar(), n in 0_u32..50, at in 0_i64..1_000) {
        let (period, next) = (calendar.period(n).unwrap(), calendar.period(n + 1).unwrap());
        prop_assert_eq!(period.end(), next.start());
        prop_assert_eq!(calendar.index_containing(instant_in(period, at)), Some(n));
        let first = calendar.service_period(0, start).unwrap();
        prop_assert!(first.start() == start && first.end() == calendar.boundary(1).unwrap());
    }

    #[test]
    fn amounts_up_to_ten_to_the_fifteenth_never_overflow(
        amounts in prop::collection::vec(-MINOR_MAX..=MINOR_MAX, 1..20), weights in prop::collection::vec(any::<u64>(), 1..9), n in any::<i64>(), d in 1_i64..,
    ) {
        let amounts: Vec<_> = amounts.into_iter().map(usd).collect();
        prop_assert!(Money::sum(amounts.iter().copied(), Currency::USD).is_ok());
        let share = Exact::ratio((n % d).into(), d.into()).unwrap();
        for amount in &amounts {
            prop_assert!(amount.scaled_by(&share).unwrap().minor().abs() <= amount.minor().abs());
            if weights.iter().any(|weight| *weight > 0) {
                prop_assert_eq!(sum(amount.allocate(&weights).unwrap()), *amount);
            }
            let owed = amount.at_least_zero();
            prop_assert!(true_up(owed, &Exact::one(), usd(0)).unwrap() == owed && creditable(owed, owed, usd(0)).unwrap() == owed);
        }
        let most = usd(MINOR_MAX);
        let over = maximum_discounts(&amounts, usd(0), most).unwrap();
        prop_assert!(over.iter().zip(&amounts).all(|(over, line)| !over.is_negative() && over.minor() <= line.minor().max(0)));
        let billed = sum(amounts.iter().zip(&over).map(|(line, over)| line.checked_sub(*over).unwrap()));
        prop_assert_eq!(billed.minor(), sum(amounts.iter().copied()).minor().min(MINOR_MAX));
        let drawn = draw(&[Grant::new(most)], amounts[0].at_least_zero(), DateTime::<Utc>::UNIX_EPOCH).unwrap();
        prop_assert!(drawn.missing.is_zero());
    }

    #[test]
    fn a_line_of_units_is_priced_to_the_cent_or_refused(nanos in 0_i128..=9_000_000_000_000_000_000_000_000, price in "[0-9]{1,15}(\\.[0-9]{1,12})?") {
        let (quantity, unit): (_, Decimal) = (Quantity::from_nanos(nanos).unwrap(), price.parse().unwrap());
        let exact = Money::round(&quantity.to_exact().times(&unit.to_exact()), Currency::USD);
        prop_assert_eq!(Money::of_units(quantity, unit, Currency::USD), exact);
    }
}

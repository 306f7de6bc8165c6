//! Billing periods and proration: how they meet calendars, clock changes and each other.

use chrono::{DateTime, TimeDelta, Utc};
use proptest::prelude::*;
use rating::{
    Alignment, BillingCalendar, BillingInterval, CalendarError, Currency, Exact, Money, MoneyError, Period, ProrationPolicy, Tz,
    change_lines, day_start, parse_time_zone, prorate, remaining_fraction, trial_end, used_fraction,
};

const POLICIES: [ProrationPolicy; 4] = [ProrationPolicy::Second, ProrationPolicy::Day, ProrationPolicy::DayFixed30, ProrationPolicy::None];

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn calendar(anchor: &str, interval: BillingInterval, zone: &str) -> BillingCalendar {
    BillingCalendar { anchor: at(anchor), interval, time_zone: parse_time_zone(zone).unwrap() }
}

/// The first boundaries in local time, with the abbreviation that tells which offset was in force.
fn starts(calendar: BillingCalendar, count: u32) -> Vec<String> {
    (0..count).map(|n| calendar.boundary(n).unwrap().with_timezone(&calendar.time_zone)).map(|start| format!("{start:?}")).collect()
}

#[test]
fn months_that_are_too_short_clamp_and_the_next_snaps_back() {
    let month = calendar("2026-01-31T00:00:00Z", BillingInterval::Month, "UTC");
    let dates: Vec<_> = starts(month, 6).into_iter().map(|start| start[..10].to_owned()).collect();
    assert_eq!(dates, ["2026-01-31", "2026-02-28", "2026-03-31", "2026-04-30", "2026-05-31", "2026-06-30"]);
    let leap = calendar("2024-02-29T12:00:00Z", BillingInterval::Year, "UTC");
    let dates: Vec<_> = starts(leap, 5).into_iter().map(|start| start[..10].to_owned()).collect();
    assert_eq!(dates, ["2024-02-29", "2025-02-28", "2026-02-28", "2027-02-28", "2028-02-29"]);
}

#[test]
fn the_day_is_that_of_the_customer() {
    // 23:30 UTC on January 30 is January 31 in Vienna, and local midnight keeps its hour across the clock change.
    let vienna = calendar("2026-01-30T23:00:00Z", BillingInterval::Month, "Europe/Vienna");
    assert_eq!(
        starts(vienna, 4),
        ["2026-01-31T00:00:00CET", "2026-02-28T00:00:00CET", "2026-03-31T00:00:00CEST", "2026-04-30T00:00:00CEST"]
    );
}

#[test]
fn a_time_that_clocks_leave_out_becomes_the_first_instant_after() {
    let vienna = calendar("2026-02-28T23:00:00Z", BillingInterval::Month, "Europe/Vienna");
    assert_eq!(starts(vienna, 1), ["2026-03-01T00:00:00CET"]);
    let gap = calendar("2026-02-28T01:30:00Z", BillingInterval::Month, "Europe/Vienna");
    assert_eq!(starts(gap, 2), ["2026-02-28T02:30:00CET", "2026-03-28T02:30:00CET"]);
    let gap = calendar("2026-01-29T01:30:00Z", BillingInterval::Month, "Europe/Vienna");
    assert_eq!(starts(gap, 4), ["2026-01-29T02:30:00CET", "2026-02-28T02:30:00CET", "2026-03-29T03:00:00CEST", "2026-04-29T02:30:00CEST"]);
    // Samoa crossed the date line: December 30, 2011 does not exist there.
    let samoa = calendar("2011-11-30T22:00:00Z", BillingInterval::Month, "Pacific/Apia");
    assert_eq!(starts(samoa, 2), ["2011-11-30T12:00:00-10", "2011-12-31T00:00:00+14"]);
}

#[test]
fn a_time_that_clocks_show_twice_is_the_earlier() {
    let vienna = calendar("2026-09-25T00:30:00Z", BillingInterval::Month, "Europe/Vienna");
    assert_eq!(starts(vienna, 2), ["2026-09-25T02:30:00CEST", "2026-10-25T02:30:00CEST"]);
    // An anchor in the later of the two stays what it is.
    let later = calendar("2026-10-25T01:30:00Z", BillingInterval::Month, "Europe/Vienna");
    assert_eq!(starts(later, 2), ["2026-10-25T02:30:00CET", "2026-11-25T02:30:00CET"]);
}

#[test]
fn an_instant_lies_in_one_period_and_none_lies_before_the_anchor() {
    let month = calendar("2026-01-31T10:00:00Z", BillingInterval::Month, "America/New_York");
    assert_eq!(month.period_containing(at("2026-01-31T09:59:59Z")), None);
    assert_eq!(month.index_containing(at("2026-01-31T10:00:00Z")), Some(0));
    assert_eq!(month.index_containing(at("2026-02-28T09:59:59.999Z")), Some(0));
    assert_eq!(month.index_containing(at("2026-02-28T10:00:00Z")), Some(1));
    assert_eq!(month.period_containing(at("2026-03-01T00:00:00Z")), month.period(1).ok());
}

#[test]
fn what_lies_outside_the_calendar_is_an_error() {
    let month = calendar("2026-01-31T10:00:00Z", BillingInterval::Month, "UTC");
    assert_eq!(month.boundary(u32::MAX), Err(CalendarError::OutOfRange));
    assert_eq!(month.period(u32::MAX), Err(CalendarError::OutOfRange));
    assert_eq!(month.boundary(12 * 8000), Err(CalendarError::OutOfRange));
    assert_eq!(month.period_containing(DateTime::<Utc>::MAX_UTC), None);
    for anchor in [DateTime::<Utc>::MIN_UTC, DateTime::<Utc>::MAX_UTC] {
        for zone in ["Pacific/Kiritimati", "Pacific/Pago_Pago"] {
            let time_zone = parse_time_zone(zone).unwrap();
            let extreme = BillingCalendar { anchor, interval: BillingInterval::Year, time_zone };
            assert_eq!(extreme.boundary(1), Err(CalendarError::OutOfRange));
            assert_eq!(extreme.period_containing(at("2026-01-01T00:00:00Z")), None);
        }
    }
    let now = at("2026-01-01T00:00:00Z");
    assert_eq!(Period::new(now, now), Err(CalendarError::EmptyPeriod));
}

#[test]
fn days_weeks_and_quarters_keep_the_local_hour() {
    let day = calendar("2026-03-27T11:00:00Z", BillingInterval::Day, "Europe/Vienna");
    assert_eq!(starts(day, 3), ["2026-03-27T12:00:00CET", "2026-03-28T12:00:00CET", "2026-03-29T12:00:00CEST"]);
    let week = calendar("2026-03-25T11:00:00Z", BillingInterval::Week, "Europe/Vienna");
    assert_eq!(starts(week, 2), ["2026-03-25T12:00:00CET", "2026-04-01T12:00:00CEST"]);
    let quarter = calendar("2025-11-30T00:00:00Z", BillingInterval::Quarter, "UTC");
    assert_eq!(starts(quarter, 3), ["2025-11-30T00:00:00UTC", "2026-02-28T00:00:00UTC", "2026-05-30T00:00:00UTC"]);
}

#[test]
fn a_calendar_aligned_subscription_starts_with_what_is_left_of_the_period() {
    let vienna = parse_time_zone("Europe/Vienna").unwrap();
    // Wednesday, May 20, 2026, at ten in the evening.
    let start = at("2026-05-20T20:00:00Z");
    for (interval, first, next) in [
        (BillingInterval::Day, "2026-05-20T00:00:00CEST", "2026-05-21T00:00:00CEST"),
        (BillingInterval::Week, "2026-05-18T00:00:00CEST", "2026-05-25T00:00:00CEST"),
        (BillingInterval::Month, "2026-05-01T00:00:00CEST", "2026-06-01T00:00:00CEST"),
        (BillingInterval::Quarter, "2026-04-01T00:00:00CEST", "2026-07-01T00:00:00CEST"),
        (BillingInterval::Year, "2026-01-01T00:00:00CET", "2027-01-01T00:00:00CET"),
    ] {
        let calendar = BillingCalendar::starting(start, interval, vienna, Alignment::Calendar).unwrap();
        assert_eq!(starts(calendar, 2), [first, next]);
        let service = calendar.service_period(0, start).unwrap();
        assert_eq!((service.start(), service.end()), (start, calendar.boundary(1).unwrap()));
        assert_eq!(calendar.service_period(1, start), calendar.period(1));
        let anniversary = BillingCalendar::starting(start, interval, vienna, Alignment::Anniversary).unwrap();
        assert_eq!(anniversary.boundary(0), Ok(start));
    }
    assert!(BillingCalendar::starting(DateTime::<Utc>::MAX_UTC, BillingInterval::Week, vienna, Alignment::Calendar).is_err());
}

#[test]
fn a_trial_has_local_days_and_a_day_its_midnight() {
    let vienna = parse_time_zone("Europe/Vienna").unwrap();
    assert_eq!(trial_end(at("2026-03-20T11:00:00Z"), 14, vienna), Ok(at("2026-04-03T10:00:00Z")));
    assert_eq!(day_start(at("2026-03-29T11:00:00Z"), vienna), Ok(at("2026-03-28T23:00:00Z")));
    assert_eq!(day_start(DateTime::<Utc>::MAX_UTC, vienna), Err(CalendarError::OutOfRange));
    assert!(trial_end(at("2026-03-20T11:00:00Z"), u32::MAX, vienna).is_err());
}

#[test]
fn time_zones_go_by_their_iana_name() {
    assert!(parse_time_zone("America/Argentina/Buenos_Aires").is_ok());
    for name in ["", "CEST", "europe/vienna", "+02:00", "Mars/Olympus_Mons"] {
        let refusal = parse_time_zone(name).unwrap_err();
        assert!(refusal.to_string().contains("IANA name"), "{refusal}");
    }
}

#[test]
fn intervals_and_policies_have_stable_names() {
    let names = serde_json::to_string(&POLICIES).unwrap();
    assert_eq!(names, r#"["second","day","day_fixed_30","none"]"#);
    assert_eq!(serde_json::from_str::<Vec<ProrationPolicy>>(&names).unwrap(), POLICIES);
    assert_eq!(ProrationPolicy::default(), ProrationPolicy::Second);
    for interval in ["day", "week", "month", "quarter", "year"] {
        let read: BillingInterval = serde_json::from_value(interval.into()).unwrap();
        assert_eq!(read.name(), interval);
    }
}

#[test]
fn the_change_day_belongs_to_the_new_plan_at_any_hour_of_the_customers_day() {
    let tokyo = parse_time_zone("Asia/Tokyo").unwrap();
    let august = Period::new(at("2023-07-31T15:00:00Z"), at("2023-08-31T15:00:00Z")).unwrap();
    for change_at in ["2023-08-20T15:00:00Z", "2023-08-21T14:59:59Z"] {
        let left = remaining_fraction(august, at(change_at), tokyo, ProrationPolicy::Day);
        assert_eq!(left.to_string(), "11/31", "{change_at}");
    }
}

#[test]
fn thirty_days_a_month_never_leave_more_than_the_period() {
    let fixed = |start, end, change_at| {
        let period = Period::new(at(start), at(end)).unwrap();
        remaining_fraction(period, at(change_at), Tz::UTC, ProrationPolicy::DayFixed30).to_string()
    };
    let (may, june) = ("2026-05-01T00:00:00Z", "2026-06-01T00:00:00Z");
    assert_eq!(fixed(may, june, may), "1");
    assert_eq!(fixed(may, june, "2026-05-02T00:00:00Z"), "1");
    assert_eq!(fixed(may, june, "2026-05-17T00:00:00Z"), "1/2");
    assert_eq!(fixed(may, "2027-05-01T00:00:00Z", "2027-04-01T00:00:00Z"), "1/12");
    // A whole period is a whole price also where it has fewer than 30 days.
    let (february, march) = ("2026-02-01T00:00:00Z", "2026-03-01T00:00:00Z");
    assert_eq!(fixed(february, march, february), "1");
    assert_eq!(fixed(february, march, "2026-02-02T00:00:00Z"), "9/10");
    assert_eq!(fixed(february, march, march), "0");
}

#[test]
fn a_credit_is_never_more_than_was_paid_and_currencies_never_meet() {
    let (start, end) = (at("2026-06-01T00:00:00Z"), at("2026-07-01T00:00:00Z"));
    let june = Period::new(start, end).unwrap();
    let usd = |minor| Money::new(minor, Currency::USD);
    let change = |policy, paid, new_price| change_lines(usd(99_900), new_price, june, at("2026-06-16T00:00:00Z"), Tz::UTC, policy, paid);
    let credit = |paid| change(ProrationPolicy::Second, usd(paid), usd(4_900)).unwrap().credit.minor();
    assert_eq!([credit(99_900), credit(100), credit(0), credit(-100)], [-49_950, -100, 0, 0]);
    let none = change(ProrationPolicy::None, usd(99_900), usd(4_900)).unwrap();
    assert_eq!((none.credit, none.charge), (usd(0), usd(0)));
    let euro = Money::new(100, Currency::EUR);
    for refused in [change(ProrationPolicy::Day, euro, usd(1)), change(ProrationPolicy::Day, usd(1), euro)] {
        assert!(matches!(refused, Err(MoneyError::CurrencyMismatch { .. })));
    }
}

fn any_zone() -> impl Strategy<Value = Tz> {
    proptest::sample::select(
        [
            "UTC",
            "Europe/Vienna",
            "America/New_York",
            "America/Sao_Paulo",
            "Asia/Tokyo",
            "Asia/Kathmandu",
            "Australia/Lord_Howe",
            "Australia/Sydney",
            "Pacific/Apia",
            "Pacific/Kiritimati",
            "Africa/Casablanca",
            "Atlantic/Azores",
            "Asia/Beirut",
        ]
        .map(|name| parse_time_zone(name).unwrap())
        .to_vec(),
    )
}

fn any_calendar() -> impl Strategy<Value = BillingCalendar> {
    let interval = proptest::sample::select(vec![BillingInterval::Month, BillingInterval::Year]);
    // From 2000 to 2040, at any millisecond.
    (946_684_800_000i64..2_208_988_800_000, interval, any_zone()).prop_map(|(millis, interval, time_zone)| BillingCalendar {
        anchor: DateTime::from_timestamp_millis(millis).unwrap(),
        interval,
        time_zone,
    })
}

proptest! {
    #[test]
    fn periods_tile_time(calendar in any_calendar(), n in 0u32..600, within in 0u32..1000) {
        let period = calendar.period(n).unwrap();
        prop_assert_eq!(period.end(), calendar.period(n + 1).unwrap().start());
        prop_assert!(period.start() < period.end());

        let length = period.end() - period.start();
        let inside = period.start() + length * i32::try_from(within).unwrap() / 1000;
        prop_assert_eq!(calendar.index_containing(inside), Some(n));
        let last = period.end() - TimeDelta::nanoseconds(1);
        prop_assert_eq!(calendar.period_containing(last), Some(period));
        prop_assert_eq!(calendar.index_containing(period.end()), Some(n + 1));
    }

    #[test]
    fn a_boundary_is_on_the_anchors_day_or_on_the_last_of_a_shorter_month(calendar in any_calendar(), n in 0u32..600) {
        use chrono::Datelike;
        let local = |instant: DateTime<Utc>| instant.with_timezone(&calendar.time_zone).date_naive();
        let anchored = local(calendar.anchor);
        let day = local(calendar.boundary(n).unwrap());
        let last_of_month = day + TimeDelta::days(1);
        // A gap at midnight, or Samoa's missing day, may push the boundary into the next day.
        let pushed = day.pred_opt().unwrap();
        prop_assert!(
            day.day() == anchored.day()
                || (last_of_month.day() == 1 && day.day() < anchored.day())
                || pushed.day() == anchored.day()
                || (day.day() == 1 && pushed.day() < anchored.day())
        );
    }

    #[test]
    fn used_and_remaining_make_a_whole_and_time_only_takes_away(
        calendar in any_calendar(),
        n in 0u32..100,
        a in -100i32..1100,
        b in -100i32..1100,
    ) {
        let period = calendar.period(n).unwrap();
        let length = period.end() - period.start();
        let moment = |thousandths: i32| period.start() + length / 1000 * thousandths;
        let (earlier, later) = (moment(a.min(b)), moment(a.max(b)));
        for policy in POLICIES {
            let left = |at| remaining_fraction(period, at, calendar.time_zone, policy);
            let used = used_fraction(period, earlier, calendar.time_zone, policy);
            prop_assert_eq!(left(earlier).plus(&used), Exact::one());
            prop_assert!(left(later) <= left(earlier));
            prop_assert!(!left(later).is_negative() && left(earlier) <= Exact::one());
            prop_assert!(left(period.end()).is_zero());
        }
        for policy in [ProrationPolicy::Second, ProrationPolicy::Day, ProrationPolicy::DayFixed30] {
            prop_assert_eq!(remaining_fraction(period, period.start(), calendar.time_zone, policy), Exact::one());
        }
    }

    #[test]
    fn shares_of_a_price_are_its_whole_but_for_a_rounded_half(minor in 0i64..10_000_000, part in 0i128..=744, whole in 744i128..745) {
        let amount = Money::new(minor, Currency::USD);
        let fraction = Exact::ratio(part, whole).unwrap();
        let left = prorate(amount, &fraction).unwrap().minor();
        let used = prorate(amount, &Exact::one().minus(&fraction)).unwrap().minor();
        // Two halves of a cent both round up, so a bill derives the second share by subtraction.
        prop_assert!((left + used - minor).abs() <= 1);
    }

    #[test]
    fn changing_to_the_same_price_costs_nothing(calendar in any_calendar(), minor in 0i64..10_000_000, thousandths in 0i32..1000) {
        let period = calendar.period(0).unwrap();
        let at = period.start() + (period.end() - period.start()) / 1000 * thousandths;
        let price = Money::new(minor, Currency::USD);
        for policy in POLICIES {
            let lines = change_lines(price, price, period, at, calendar.time_zone, policy, price).unwrap();
            prop_assert!(lines.net().unwrap().is_zero());
        }
    }
}

#[test]
fn a_period_shorter_than_its_measure_belongs_to_who_had_its_start() {
    let short = Period::new(at("2026-06-01T10:00:00.100Z"), at("2026-06-01T10:00:00.900Z")).unwrap();
    for policy in [ProrationPolicy::Second, ProrationPolicy::Day, ProrationPolicy::DayFixed30] {
        let left = |change_at| remaining_fraction(short, change_at, Tz::UTC, policy).to_string();
        assert_eq!(left(short.start()), "1");
        assert_eq!(left(at("2026-06-01T10:00:00.500Z")), "0");
        assert_eq!(left(short.end()), "0");
        assert_eq!([left(DateTime::<Utc>::MIN_UTC), left(DateTime::<Utc>::MAX_UTC)], ["1", "0"]);
    }
}

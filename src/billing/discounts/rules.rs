//! How discounts are granted, redeemed and ended.

use rating::{Discount, DiscountDuration, DiscountError, Off};

use super::granted::Granted;
use super::store;
use crate::kernel::decision::Decision;
use crate::kernel::ids::{DiscountId, InvoiceId, Moment};
use crate::kernel::problem::Problem;
use crate::kernel::time::Timestamp;

/// Open discounts of one organization, at most: each bill is computed from all of them.
pub const DISCOUNTS_MAX: usize = 50;
const NAME_LENGTH_MAX: usize = 200;
/// Items of one discount, at most.
const ITEMS_MAX: usize = 100;
const ITEM_LENGTH_MAX: usize = 200;
/// Bills of a repeating discount, at most: ten years of months.
const BILLS_MAX: u32 = 120;

/// A discount to grant.
#[derive(Clone, Debug, PartialEq)]
pub struct Wanted {
    pub name: String,
    pub off: Off,
    pub duration: DiscountDuration,
    pub items: Option<Vec<String>>,
    pub valid_from: Option<Timestamp>,
    pub valid_through: Option<Timestamp>,
}

/// Grants a discount to an organization with `open` open ones.
pub fn grant(wanted: &Wanted, open: usize, moment: Moment<'_>) -> Result<(Granted, Decision), Problem> {
    check(wanted)?;
    if open >= DISCOUNTS_MAX {
        let detail = format!("An organization has at most {DISCOUNTS_MAX} open discounts. End one first.");
        return Err(Problem::conflict("too_many_discounts", detail));
    }
    let granted = Granted {
        id: DiscountId::new(moment),
        name: wanted.name.trim().to_owned(),
        off: wanted.off,
        bills: match wanted.duration {
            DiscountDuration::Once => Some(1),
            DiscountDuration::Repeating(bills) => Some(bills),
            DiscountDuration::Forever => None,
        },
        items: wanted.items.clone(),
        valid_from: wanted.valid_from,
        valid_through: wanted.valid_through,
        created_at: moment.now,
        ended_at: None,
        redeemed: 0,
    };
    let decision =
        Decision::new().write(store::insert(&granted)).audit("discount.created", granted.id.to_string(), None, Some(granted.facts()));
    Ok((granted, decision))
}

/// Ends a discount: no further bill redeems it. Nothing where it has ended.
pub fn end(granted: &Granted, moment: Moment<'_>) -> Decision {
    if granted.ended_at.is_some() {
        return Decision::new();
    }
    let decision = Decision::new().write(store::end(granted.id, moment.now));
    decision.audit("discount.ended", granted.id.to_string(), Some(granted.facts()), None)
}

/// Redeems the discounts of a bill, in the commit that creates the bill.
pub fn redeem(discounts: impl IntoIterator<Item = DiscountId>, invoice: InvoiceId) -> Decision {
    discounts.into_iter().fold(Decision::new(), |decision, discount| {
        decision.guard(store::is_open(discount)).write(store::insert_redemption(discount, invoice))
    })
}

fn check(wanted: &Wanted) -> Result<(), Problem> {
    let invalid = |pointer: &str, detail: String| Problem::invalid(pointer, "invalid_value", detail);
    let name = wanted.name.trim();
    if name.is_empty() || name.chars().count() > NAME_LENGTH_MAX {
        return Err(invalid("/name", format!("Send a name of 1 to {NAME_LENGTH_MAX} characters. It is printed on invoices.")));
    }
    if let DiscountDuration::Repeating(bills) = wanted.duration
        && !(1..=BILLS_MAX).contains(&bills)
    {
        return Err(invalid("/bills", format!("Send a number of invoices from 1 to {BILLS_MAX}.")));
    }
    let is_item = |item: &String| !item.is_empty() && item.chars().count() <= ITEM_LENGTH_MAX;
    if wanted.items.as_ref().is_some_and(|items| items.is_empty() || items.len() > ITEMS_MAX || !items.iter().all(is_item)) {
        return Err(invalid(
            "/items",
            format!("Send 1 to {ITEMS_MAX} keys of plans, add-ons (`plan/add-on`) and metrics, or leave it out."),
        ));
    }
    let is_nothing = match wanted.off {
        Off::Percentage(rate) => rate.is_zero(),
        Off::Fixed(amount) => amount.is_zero(),
    };
    if is_nothing {
        return Err(invalid(wanted.pointer(), "Send a percentage or an amount above zero.".to_owned()));
    }
    wanted.discount().validate().map_err(|error| match error {
        DiscountError::PercentageOutOfRange => invalid("/percentage", "Send a percentage above 0 and up to 100.".to_owned()),
        DiscountError::Negative | DiscountError::Money(_) => invalid("/amount", "Send an amount above zero.".to_owned()),
        DiscountError::EndsBeforeItBegins => invalid("/validThrough", "Send a validThrough that is not before validFrom.".to_owned()),
    })
}

impl Wanted {
    fn pointer(&self) -> &'static str {
        match self.off {
            Off::Percentage(_) => "/percentage",
            Off::Fixed(_) => "/amount",
        }
    }

    fn discount(&self) -> Discount {
        Discount {
            off: self.off,
            duration: self.duration,
            valid_from: self.valid_from.map(Timestamp::to_chrono),
            valid_through: self.valid_through.map(Timestamp::to_chrono),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::ids::Fixed;
    use rating::{Currency, Money};

    fn wanted(off: Off) -> Wanted {
        Wanted { name: "Launch".into(), off, duration: DiscountDuration::Once, items: None, valid_from: None, valid_through: None }
    }

    fn pointer(wanted: &Wanted) -> Option<String> {
        let moment = Moment { now: Timestamp::from_millis(0), entropy: &Fixed };
        grant(wanted, 0, moment).err().map(|problem| problem.errors[0].pointer.clone())
    }

    #[test]
    fn an_invalid_discount_is_refused_at_its_field() {
        let percent = |text: &str| Off::Percentage(text.parse().unwrap());
        let usd = |minor| Off::Fixed(Money::new(minor, Currency::USD));
        for (off, place) in [
            (percent("100"), None),
            (percent("0.1"), None),
            (percent("0"), Some("/percentage")),
            (percent("100.01"), Some("/percentage")),
            (percent("-1"), Some("/percentage")),
            (usd(1), None),
            (usd(0), Some("/amount")),
            (usd(-5), Some("/amount")),
        ] {
            assert_eq!(pointer(&wanted(off)).as_deref(), place, "{off:?}");
        }
        let ten = wanted(percent("10"));
        assert_eq!(pointer(&Wanted { name: " ".into(), ..ten.clone() }).as_deref(), Some("/name"));
        assert_eq!(pointer(&Wanted { duration: DiscountDuration::Repeating(0), ..ten.clone() }).as_deref(), Some("/bills"));
        assert_eq!(pointer(&Wanted { items: Some(Vec::new()), ..ten.clone() }).as_deref(), Some("/items"));
        let (later, earlier) = (Some(Timestamp::from_millis(2)), Some(Timestamp::from_millis(1)));
        assert_eq!(pointer(&Wanted { valid_from: later, valid_through: earlier, ..ten }).as_deref(), Some("/validThrough"));
    }

    #[test]
    fn a_discount_is_open_as_often_as_granted() {
        let moment = Moment { now: Timestamp::from_millis(0), entropy: &Fixed };
        let (once, _) = grant(&wanted(Off::Percentage("10".parse().unwrap())), 0, moment).unwrap();
        assert!(once.is_open() && !Granted { redeemed: 1, ..once.clone() }.is_open());
        assert!(Granted { bills: None, redeemed: 99, ..once.clone() }.is_open());
        assert!(!Granted { ended_at: Some(moment.now), ..once.clone() }.is_open());
        assert_eq!(end(&Granted { ended_at: Some(moment.now), ..once }, moment), Decision::new());
        assert_eq!(grant(&wanted(Off::Percentage("1".parse().unwrap())), DISCOUNTS_MAX, moment).unwrap_err().code, "too_many_discounts");
    }
}

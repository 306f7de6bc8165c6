//! A discount that was granted.

use rating::{Discount, DiscountDuration, Off};
use serde_json::{Value as Json, json};

use crate::kernel::ids::DiscountId;
use crate::kernel::time::Timestamp;

/// A discount of an organization.
#[derive(Clone, Debug, PartialEq)]
pub struct Granted {
    pub id: DiscountId,
    pub name: String,
    pub off: Off,
    /// The number of bills that redeem it; None: every bill.
    pub bills: Option<u32>,
    /// The items that it applies to; None: all items.
    pub items: Option<Vec<String>>,
    pub valid_from: Option<Timestamp>,
    pub valid_through: Option<Timestamp>,
    pub created_at: Timestamp,
    pub ended_at: Option<Timestamp>,
    /// The number of bills that have redeemed it.
    pub redeemed: u32,
}

impl Granted {
    pub fn duration(&self) -> DiscountDuration {
        match self.bills {
            None => DiscountDuration::Forever,
            Some(1) => DiscountDuration::Once,
            Some(bills) => DiscountDuration::Repeating(bills),
        }
    }

    /// Whether another bill may redeem it.
    pub fn is_open(&self) -> bool {
        self.ended_at.is_none() && self.bills.is_none_or(|bills| self.redeemed < bills)
    }

    /// The same for `rating`.
    pub fn discount(&self) -> Discount {
        Discount {
            off: self.off,
            duration: self.duration(),
            valid_from: self.valid_from.map(Timestamp::to_chrono),
            valid_through: self.valid_through.map(Timestamp::to_chrono),
        }
    }

    /// For the audit log.
    pub(super) fn facts(&self) -> Json {
        json!({
            "name": self.name,
            "off": self.off,
            "bills": self.bills,
            "items": self.items,
            "validFrom": self.valid_from,
            "validThrough": self.valid_through,
        })
    }
}

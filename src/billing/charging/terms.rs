//! The discounts, taxes and credits of an organization, read together with the subscription.

use rating::{Currency, Off};

use super::compose::{Credit, GrantedDiscount, Terms};
use crate::accounting::credits;
use crate::billing::discounts::granted::Granted;
use crate::billing::{discounts, taxes};
use crate::kernel::error::Result;
use crate::kernel::sql::Row;
use crate::kernel::tenant::TenantStatement;

/// The statements whose rows [`read`] reads, in the same order.
pub fn select() -> Vec<TenantStatement> {
    vec![discounts::store::select(), taxes::store::select(), credits::store::select()]
}

/// The terms of bills in one currency, from the rows of [`select`]. Terms in other currencies do not apply.
pub fn read(rows: impl Iterator<Item = Vec<Row>>, currency: Currency) -> Result<Terms> {
    let mut rows = rows;
    let mut next = || rows.next().unwrap_or_default().into_iter();
    let granted: Vec<Granted> = next().map(discounts::store::read).collect::<Result<_>>()?;
    let discounts = granted.into_iter().filter(|granted| granted.is_open() && is_in(granted.off, currency));
    let discounts =
        discounts.map(|granted| GrantedDiscount { id: granted.id, discount: granted.discount(), name: granted.name, items: granted.items });
    let discounts = discounts.collect();
    let taxes = taxes::store::read(next().next())?;
    let grants: Vec<credits::grant::Grant> = next().map(credits::store::read).collect::<Result<_>>()?;
    let credits = grants.into_iter().filter(|grant| grant.amount.currency() == currency);
    let credits = credits.map(|grant| Credit { id: grant.id, grant: grant.to_rating(), version: grant.version }).collect();
    Ok(Terms { discounts, taxes, credits })
}

fn is_in(off: Off, currency: Currency) -> bool {
    match off {
        Off::Percentage(_) => true,
        Off::Fixed(amount) => amount.currency() == currency,
    }
}

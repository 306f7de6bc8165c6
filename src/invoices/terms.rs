//! What holds for an organization's bills beside its plan, read together with the subscription.

use rating::Currency;

use super::compose::Terms;
use crate::kernel::error::Result;
use crate::kernel::sql::Row;
use crate::kernel::tenant::TenantStatement;

/// The statements whose rows [`read`] understands, in their order.
pub fn select() -> Vec<TenantStatement> {
    Vec::new()
}

/// The terms, from the rows of [`select`].
pub fn read(_rows: impl Iterator<Item = Vec<Row>>, _currency: Currency) -> Result<Terms> {
    Ok(Terms::default())
}

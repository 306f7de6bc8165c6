//! A tax.

use rating::TaxRate;
use serde::{Deserialize, Serialize};

/// A tax on every line.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NamedTax {
    pub name: String,
    #[serde(flatten)]
    pub rate: TaxRate,
}

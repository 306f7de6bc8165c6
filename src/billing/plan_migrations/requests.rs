//! The request bodies of plan migrations.

use serde::Deserialize;
use utoipa::ToSchema;

/// From which version to which, and which page of the subscribers.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Migration {
    #[schema(example = 1)]
    pub from: u32,
    #[schema(example = 2)]
    pub to: u32,
    /// Subscriptions that are looked at: 1 to 100, 20 when absent.
    #[schema(minimum = 1, maximum = 100)]
    pub limit: Option<u32>,
    /// `nextCursor` of the page before.
    pub cursor: Option<String>,
}

/// The same, to be done.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewMigration {
    #[schema(example = 1)]
    pub from: u32,
    #[schema(example = 2)]
    pub to: u32,
    pub effective: Effective,
    /// Subscriptions that are moved by this call: 1 to 100, 20 when absent.
    #[schema(minimum = 1, maximum = 100)]
    pub limit: Option<u32>,
    /// `nextCursor` of the page before.
    pub cursor: Option<String>,
}

/// When a migration changes a subscription.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = MigrationTime)]
pub enum Effective {
    /// Where its billing period ends.
    PeriodEnd,
}

impl From<NewMigration> for Migration {
    fn from(NewMigration { from, to, effective: Effective::PeriodEnd, limit, cursor }: NewMigration) -> Self {
        Self { from, to, limit, cursor }
    }
}

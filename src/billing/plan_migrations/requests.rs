//! The request bodies of plan migrations.

use serde::Deserialize;
use utoipa::ToSchema;

/// A migration of subscribers from one version of a plan to another, one page at a time.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Migration {
    /// The version that the subscribers pin.
    #[schema(example = 1)]
    pub from: u32,
    /// The version to change to.
    #[schema(example = 2)]
    pub to: u32,
    /// The number of subscriptions on a page: 1 to 100, 20 when absent.
    #[schema(minimum = 1, maximum = 100, example = 20)]
    pub limit: Option<u32>,
    /// The `nextCursor` of the previous page.
    #[schema(example = "org_01kaz3h8v5e0m9r6y2q4t7wxzb")]
    pub cursor: Option<String>,
}

/// A migration of subscribers from one version of a plan to another, one page at a time.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewMigration {
    /// The version that the subscribers pin.
    #[schema(example = 1)]
    pub from: u32,
    /// The version to change to.
    #[schema(example = 2)]
    pub to: u32,
    /// The instant of each change.
    pub effective: Effective,
    /// The number of subscriptions on a page: 1 to 100, 20 when absent.
    #[schema(minimum = 1, maximum = 100, example = 20)]
    pub limit: Option<u32>,
    /// The `nextCursor` of the previous page.
    #[schema(example = "org_01kaz3h8v5e0m9r6y2q4t7wxzb")]
    pub cursor: Option<String>,
}

/// The instant at which a migration changes a subscription.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = MigrationTime)]
pub enum Effective {
    /// At the end of its billing period.
    PeriodEnd,
}

impl From<NewMigration> for Migration {
    fn from(NewMigration { from, to, effective: Effective::PeriodEnd, limit, cursor }: NewMigration) -> Self {
        Self { from, to, limit, cursor }
    }
}

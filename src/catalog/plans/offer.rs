//! How a plan is offered: whether it can be subscribed to, and whether organizations see it. A row beside the versions, for built-in plans,
//! too: their versions are code and never change. Pure.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::kernel::error::Result;
use crate::kernel::problem::Problem;

/// Whether a plan can be subscribed to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(example = "active")]
pub enum PlanStatus {
    /// Organizations subscribe to it.
    #[default]
    Active,
    /// No subscription begins on it or changes to it. Existing subscriptions go on.
    Archived,
}

/// Whether organizations see a plan in the list of plans, and subscribe to it themselves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(example = "public")]
pub enum PlanVisibility {
    /// Listed for every organization that may subscribe to it.
    #[default]
    Public,
    /// Listed for the vendor only, and only the vendor subscribes organizations to it.
    Hidden,
}

/// The offer of a plan.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Offer {
    pub status: PlanStatus,
    pub visibility: PlanVisibility,
}

impl PlanStatus {
    pub fn wire_name(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Archived => "archived",
        }
    }
}

impl PlanVisibility {
    pub fn wire_name(self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::Hidden => "hidden",
        }
    }
}

impl Offer {
    /// Refuses a subscription that would begin on the plan `key` or change to it.
    pub fn check(self, key: &str, is_vendor: bool) -> Result<()> {
        if self.status == PlanStatus::Archived {
            let detail = format!("The plan {key} is archived, so no subscription begins on it. Choose a plan of GET /v1/plans.");
            return Err(Problem::conflict("plan_archived", detail).into());
        }
        if self.visibility == PlanVisibility::Hidden && !is_vendor {
            let detail = format!("Only the vendor sells the plan {key}. Choose a plan of GET /v1/plans, or ask the vendor.");
            return Err(Problem::conflict("plan_hidden", detail).into());
        }
        Ok(())
    }
}

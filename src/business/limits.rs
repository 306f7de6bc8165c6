//! Limits: a changed limit or grant takes effect in the Meter.

use super::actions::Action;
use super::company::Company;
use crate::events::LimitsChanged;
use crate::workflow;

workflow! { "limits", "Changing a limit or a grant of one company updates its Meter, even if the request was interrupted.";
    when LimitsChanged => [update_limits];
}

fn update_limits(_: &LimitsChanged, _: &Company) -> Vec<Action> {
    vec![Action::UpdateMeterLimits]
}

//! Limits: what the vendor agreed with a company holds.

use super::actions::Action;
use super::company::Company;
use crate::events::LimitsChanged;
use crate::workflow;

workflow! { "limits", "A limit or a grant of one company that was changed is made known to the Meter, also when the call that did it was cut off.";
    when LimitsChanged => [make_them_known];
}

fn make_them_known(_: &LimitsChanged, _: &Company) -> Vec<Action> {
    vec![Action::TellMeterLimits]
}

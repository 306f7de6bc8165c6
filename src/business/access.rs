//! Access: a key works, or stops working, everywhere.

use super::actions::Action;
use super::company::Company;
use crate::events::{ApiKeyCreated, ApiKeyRevoked, ApiKeyRotated};
use crate::workflow;

workflow! { "access", "A key that was made or revoked is made known to the Meter, also when the call that did it was cut off.";
    when ApiKeyCreated => [make_it_known];
    when ApiKeyRotated => [make_its_new_end_known];
    when ApiKeyRevoked => [make_its_end_known];
}

fn make_it_known(created: &ApiKeyCreated, _: &Company) -> Vec<Action> {
    vec![Action::TellMeterKey(created.key)]
}

fn make_its_new_end_known(rotated: &ApiKeyRotated, _: &Company) -> Vec<Action> {
    vec![Action::TellMeterKey(rotated.key)]
}

fn make_its_end_known(revoked: &ApiKeyRevoked, _: &Company) -> Vec<Action> {
    vec![Action::TellMeterKey(revoked.key)]
}

//! API keys: a new or revoked key takes effect in the Meter.

use super::actions::Action;
use super::company::Company;
use crate::events::{ApiKeyCreated, ApiKeyRevoked, ApiKeyRotated};
use crate::workflow;

workflow! { "access", "Creating, rotating or revoking an API key updates the Meter, even if the request was interrupted.";
    when ApiKeyCreated => [add_key];
    when ApiKeyRotated => [update_key_end];
    when ApiKeyRevoked => [remove_key];
}

fn add_key(created: &ApiKeyCreated, _: &Company) -> Vec<Action> {
    vec![Action::UpdateMeterKey(created.key)]
}

fn update_key_end(rotated: &ApiKeyRotated, _: &Company) -> Vec<Action> {
    vec![Action::UpdateMeterKey(rotated.key)]
}

fn remove_key(revoked: &ApiKeyRevoked, _: &Company) -> Vec<Action> {
    vec![Action::UpdateMeterKey(revoked.key)]
}

//! What a Meter's alarm calls: its facts become events of the organization.

use wasm_bindgen::prelude::*;
use worker::Env;

use crate::kernel::error::Result;
use crate::kernel::ids::OrganizationId;
use crate::kernel::platform::Platform;
use crate::kernel::tenant::Actor;
use crate::usage::facts;
use crate::usage::meter::PendingFacts;

/// Exported to `shell.mjs`.
#[wasm_bindgen]
pub struct Outbox;

#[wasm_bindgen]
impl Outbox {
    /// Records the pending facts of an organization's Meter; rejects when they are not recorded, so that the alarm tries again.
    pub async fn deliver(env: Env, organization: String, pending: String) -> std::result::Result<(), JsValue> {
        deliver(&env, &organization, &pending).await.map_err(|error| JsValue::from_str(&format!("{error:?}")))
    }
}

async fn deliver(env: &Env, organization: &str, pending: &str) -> Result<()> {
    let internal = |what: String| crate::kernel::error::Error::internal(what);
    let organization: OrganizationId = organization.parse().map_err(|_| internal(format!("{organization} is no organization")))?;
    let pending: PendingFacts = serde_json::from_str(pending).map_err(|error| internal(format!("facts can't be read: {error}")))?;
    let platform = Platform::open(super::app(env)?);
    let tenant = platform.tenant(organization, Actor::System("meter"), None).await?;
    let tenant = tenant.ok_or_else(|| internal(format!("{organization} has a Meter and is not in the directory")))?;
    facts::record(&tenant, &pending.facts).await
}

//! The calls of a Meter's alarm: its facts become events of the organization, its buckets become rows for charts.

use serde::de::DeserializeOwned;
use wasm_bindgen::prelude::*;
use worker::Env;

use crate::billing::charging::threshold;
use crate::kernel::error::{Error, Result};
use crate::kernel::ids::OrganizationId;
use crate::kernel::platform::Platform;
use crate::kernel::tenant::{Actor, Tenant};
use crate::meter::contract::{PendingFacts, RolledUp};
use crate::metering::usage::{buckets, facts};

/// Exported to `shell.mjs`. A failure to store rejects, so that the alarm retries.
#[wasm_bindgen]
pub struct Outbox;

#[wasm_bindgen]
impl Outbox {
    /// Records the pending facts of an organization's Meter.
    pub async fn deliver(env: Env, organization: String, pending: String) -> std::result::Result<(), JsValue> {
        deliver(&env, &organization, &pending).await.map_err(rejected)
    }

    /// Stores the buckets that an organization's Meter rolled up.
    pub async fn store_buckets(env: Env, organization: String, rolled: String) -> std::result::Result<(), JsValue> {
        store_buckets(&env, &organization, &rolled).await.map_err(rejected)
    }
}

fn rejected(error: Error) -> JsValue {
    JsValue::from_str(&format!("{error:?}"))
}

async fn deliver(env: &Env, organization: &str, pending: &str) -> Result<()> {
    let pending: PendingFacts = read(pending)?;
    facts::record(&tenant(env, organization).await?, &pending.facts).await
}

async fn store_buckets(env: &Env, organization: &str, rolled: &str) -> Result<()> {
    let rolled: RolledUp = read(rolled)?;
    let tenant = tenant(env, organization).await?;
    buckets::record(&tenant, &rolled.buckets).await?;
    // Best effort: the next buckets check again, and the period's last invoice contains the rest.
    let _billed = threshold::usage_arrived(&tenant).await;
    Ok(())
}

fn read<T: DeserializeOwned>(text: &str) -> Result<T> {
    serde_json::from_str(text).map_err(|error| Error::internal(format!("the call of a Meter can't be read: {error}")))
}

/// The organization after which the Meter is named.
async fn tenant(env: &Env, organization: &str) -> Result<Tenant> {
    let id: OrganizationId = organization.parse().map_err(|_| Error::internal(format!("{organization} is not an organization")))?;
    let tenant = Platform::open(super::app(env)?).tenant(id, Actor::System("meter"), None).await?;
    tenant.ok_or_else(|| Error::internal(format!("{organization} has a Meter and is not in the directory")))
}

//! The edge: Cloudflare's bindings as the core's ports, and the Worker's entry points. wasm32 only, and the only user of `worker`.
//!
//! Owns: translation only. Invariants: no rule is here; an entry point never returns an error to the runtime, because the
//! `worker` crate turns one into a panic, and a panic resets every tenant in the isolate.

pub mod d1;
pub mod durable;
pub mod entry;
pub mod failure;
pub mod fonts;
pub mod outbox;
pub mod queues;
pub mod sealing;

use std::sync::{Arc, LazyLock};

use worker::Env;

use crate::business::follow_up::Workflows;
use crate::kernel::error::{Error, Result};
use crate::kernel::ids::Entropy;
use crate::kernel::mail::local::{LocalMailer, NoProvider};
use crate::kernel::memory::Memory;
use crate::kernel::ports::{App, Clock, Mailer, Ports, Settings};
use crate::kernel::sql::Sql;
use crate::kernel::time::Timestamp;

/// The cache of this wasm instance: a reset empties it.
static MEMORY: LazyLock<Arc<Memory>> = LazyLock::new(Arc::default);

/// The bindings of one event as the core's ports.
pub fn app(env: &Env) -> Result<App> {
    let directory: Arc<dyn Sql> = Arc::new(d1::Database::bind(env, "DIRECTORY")?);
    let settings = settings(env)?;
    let mailer: Arc<dyn Mailer> =
        if settings.development { Arc::new(LocalMailer { directory: directory.clone() }) } else { Arc::new(NoProvider) };
    Ok(App::new(Ports {
        directory,
        shards: shards(env)?,
        meters: Arc::new(durable::MeterObjects::bind(env)?),
        invoice_numbers: Arc::new(durable::InvoiceNumberObjects::bind(env)?),
        queues: Arc::new(queues::QueueBindings::bind(env)?),
        follow_up: Arc::new(Workflows),
        mailer,
        probes: Arc::new(queues::EdgeProbes(env.clone())),
        sealing: Arc::new(sealing::SubtleCrypto),
        fonts: Arc::new(fonts::StaticFonts(env.clone())),
        clock: Arc::new(WorkerClock),
        entropy: Arc::new(WebCrypto),
        memory: MEMORY.clone(),
        settings,
    }))
}

/// Most tenant databases one Worker binds.
const SHARDS_MAX: usize = 64;

/// `TENANTS_0`, `TENANTS_1`, ... as many as `TENANT_SHARDS` says.
fn shards(env: &Env) -> Result<Vec<Arc<dyn Sql>>> {
    let count: usize = variable(env, "TENANT_SHARDS")?.parse().map_err(|_| Error::internal("TENANT_SHARDS is not a number"))?;
    (0..count.min(SHARDS_MAX)).map(|index| Ok(Arc::new(d1::Database::bind(env, &format!("TENANTS_{index}"))?) as Arc<dyn Sql>)).collect()
}

fn settings(env: &Env) -> Result<Settings> {
    let own = secret(env, "TENANTRY_SECRET")?;
    Ok(Settings {
        master_secrets: master_secrets(env, &own),
        secret: own.into_bytes(),
        root_platform_key_hash: secret(env, "ROOT_PLATFORM_KEY_HASH")?,
        development: variable(env, "TENANTRY_ENVIRONMENT").is_ok_and(|environment| environment == "development"),
        app_url: variable(env, "APP_URL")?,
        api_url: variable(env, "API_URL")?.trim_end_matches('/').to_owned(),
    })
}

/// `TENANTRY_MASTER_KEYS`, newest first and separated by commas; without it, the server's secret.
fn master_secrets(env: &Env, own: &str) -> Vec<Vec<u8>> {
    let configured = env.secret("TENANTRY_MASTER_KEYS").map(|list| list.to_string()).unwrap_or_default();
    let listed: Vec<Vec<u8>> =
        configured.split(',').map(str::trim).filter(|key| !key.is_empty()).map(|key| key.as_bytes().to_vec()).collect();
    if listed.is_empty() { vec![own.as_bytes().to_vec()] } else { listed }
}

fn secret(env: &Env, name: &str) -> Result<String> {
    let secret = env.secret(name).map_err(|_| Error::internal(format!("the secret {name} is not set: wrangler secret put {name}")))?;
    Ok(secret.to_string())
}

fn variable(env: &Env, name: &str) -> Result<String> {
    env.var(name).map(|value| value.to_string()).map_err(|_| Error::internal(format!("the variable {name} is not set in wrangler.toml")))
}

/// The wall clock; stands still between I/O.
struct WorkerClock;

impl Clock for WorkerClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(i64::try_from(worker::Date::now().as_millis()).unwrap_or(i64::MAX))
    }
}

/// The runtime's random numbers.
struct WebCrypto;

impl Entropy for WebCrypto {
    fn bytes(&self) -> [u8; 16] {
        let mut bytes = [0; 16];
        // The call can't fail in workerd; after a failure the primary keys would refuse colliding ids.
        let _filled = getrandom::fill(&mut bytes);
        bytes
    }
}

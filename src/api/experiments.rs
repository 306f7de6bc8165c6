//! Experiments on the real runtime, kept as tests: `tests/worker/experiments.spec.ts` drives them. They exist in development only, see
//! `api::handle`.

use serde_json::json;

use crate::http::reply::Reply;
use crate::http::request::RequestContext;
use crate::kernel::conformance;
use crate::kernel::error::Result;
use crate::sealing;
use crate::sealing::Scope;

/// `POST /dev/experiments/sql`: the conformance list of the SQL port against every shard as bound here.
pub async fn sql(context: RequestContext) -> Result<Reply> {
    let mut shards = Vec::new();
    for shard in &context.app.shards {
        let findings = conformance::check(shard.as_ref()).await;
        let view: Vec<_> = findings.into_iter().map(|(sentence, outcome)| json!({"sentence": sentence, "found": outcome.err()})).collect();
        shards.push(view);
    }
    Reply::ok(&json!({"shards": shards}))
}

/// `POST /dev/experiments/sealing`: the conformance list of the sealing port against the runtime's cryptography, and a secret there and
/// back.
pub async fn sealing(context: RequestContext) -> Result<Reply> {
    let findings = sealing::conformance::check(context.app.sealing.as_ref()).await;
    let view: Vec<_> = findings.into_iter().map(|(sentence, outcome)| json!({"sentence": sentence, "found": outcome.err()})).collect();
    let sealed = context.app.seal(Scope::Platform, "an experiment", b"a secret").await?;
    let opened = context.app.open_sealed(Scope::Platform, "an experiment", &sealed).await?;
    let elsewhere = context.app.open_sealed(Scope::Platform, "another experiment", &sealed).await;
    Reply::ok(&json!({"findings": view, "opened": String::from_utf8_lossy(&opened), "opensElsewhere": elsewhere.is_ok()}))
}

/// `POST /dev/experiments/panic`: panics, to test the effect on concurrent requests.
#[allow(clippy::panic, reason = "this is the experiment")]
pub async fn panic() -> Result<Reply> {
    panic!("an experiment: what does a panic take with it?")
}

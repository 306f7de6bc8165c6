//! Experiments on the real runtime, kept as tests: `tests/worker/experiments.spec.ts` drives them. They exist in development only, see `http::handle`.

use serde_json::json;

use super::reply::Reply;
use super::request::Surroundings;
use crate::kernel::conformance;
use crate::kernel::error::Result;

/// `POST /dev/experiments/sql`: the conformance list of the SQL port against every shard as bound here.
pub async fn sql(around: Surroundings) -> Result<Reply> {
    let mut shards = Vec::new();
    for shard in &around.app.shards {
        let findings = conformance::check(shard.as_ref()).await;
        let view: Vec<_> = findings.into_iter().map(|(sentence, outcome)| json!({"sentence": sentence, "found": outcome.err()})).collect();
        shards.push(view);
    }
    Reply::ok(&json!({"shards": shards}))
}

/// `POST /dev/experiments/panic`: panics, to see what becomes of everybody else.
#[allow(clippy::panic, reason = "this is the experiment")]
pub async fn panic() -> Result<Reply> {
    panic!("an experiment: what does a panic take with it?")
}

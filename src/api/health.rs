//! `/healthz`: whether each binding answers.

use axum::response::{IntoResponse, Response};
use futures::future::join_all;
use serde_json::json;

use crate::http::reply::Reply;
use crate::http::request::RequestContext;
use crate::kernel::error::Result;
use crate::kernel::ids::{InvoiceId, OrganizationId};
use crate::kernel::ports::App;
use crate::kernel::sql::Statement;
use crate::meter::contract::Call;

/// 200 when each binding answers, otherwise 503 with those that do not.
pub async fn healthz(context: RequestContext) -> Result<Response> {
    let app = context.app;
    let mut checks = vec![("directory".to_owned(), app.directory.batch(vec![ping()]).await.is_ok())];
    let shards = join_all(app.shards.iter().map(|shard| shard.batch(vec![ping()]))).await;
    checks.extend(shards.iter().enumerate().map(|(index, outcome)| (format!("tenants{index}"), outcome.is_ok())));
    checks.push(("meter".to_owned(), meter_answers(&app).await));
    checks.push((
        "invoiceNumbers".to_owned(),
        app.invoice_numbers.number("healthz", &InvoiceId::from_bytes([0; 16]).to_string()).await.is_ok(),
    ));
    checks.extend(app.probes.probe().await.into_iter().map(|(name, answers)| (name.to_owned(), answers)));
    let healthy = checks.iter().all(|(_, answers)| *answers);
    let bindings: serde_json::Map<String, serde_json::Value> =
        checks.into_iter().map(|(name, answers)| (name, if answers { "ok" } else { "unavailable" }.into())).collect();
    let view = json!({"status": if healthy { "ok" } else { "unavailable" }, "bindings": bindings});
    Ok(Reply::json(if healthy { 200 } else { 503 }, &view)?.into_response())
}

fn ping() -> Statement {
    Statement { text: "SELECT 1 AS one", params: Vec::new() }
}

/// A Meter of no organization answers without storing anything.
async fn meter_answers(app: &App) -> bool {
    let call = serde_json::to_string(&Call::CurrentUsage).unwrap_or_default();
    app.meters.call(OrganizationId::from_bytes([0; 16]), call).await.is_ok()
}

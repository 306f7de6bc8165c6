//! The Worker's entry points: fetch, cron and queues.

use axum::body::{Body, HttpBody};
use futures::TryStreamExt;
use http::{HeaderValue, Method, Request as HttpRequest, header};
use http_body_util::BodyExt;
use worker::{
    Context, Env, Headers, MessageBatch, MessageExt, QueueRetryOptionsBuilder, Request, Response, ScheduleContext, ScheduledEvent, event,
};

use crate::api as web;
use crate::api::documentation::{PAGE_POLICY, StaticFile, is_page};
use crate::jobs::dead_letters::store;
use crate::jobs::{calendar, messages};
use crate::kernel::error::{Error, Result};
use crate::kernel::ids::RequestId;
use crate::kernel::json::BATCH_BYTES_MAX;
use crate::kernel::platform::Platform;
use crate::kernel::ports::{App, Message};

/// In every instance, before anything else: the standard library's message of a panic is lost on wasm32. The previous hook stays: through
/// it the `worker` crate records that this instance can't be used any more (docs/decisions/0013-the-design-card-s-crates.md).
#[event(start)]
fn start() {
    let noted = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        console_error_panic_hook::hook(panic);
        noted(panic);
    }));
}

#[event(fetch)]
async fn fetch(request: Request, env: Env, _context: Context) -> worker::Result<Response> {
    let app = match super::app(&env) {
        Ok(app) => app,
        Err(error) => {
            log("error", "the bindings are not complete", &format!("{error:?}"));
            return Response::error("The Worker is not set up: see its log.", 500);
        }
    };
    if let Some(page) = static_page(&request, &env, &app).await? {
        return Ok(page);
    }
    let request = read(request).await?;
    let (path, method) = (request.uri().path().to_owned(), request.method().clone());
    let response = web::handle(app, request).await;
    if let Some(crate::http::refusal::Cause(Error::Internal(what))) = response.extensions().get::<crate::http::refusal::Cause>() {
        let id = response.headers().get("request-id").and_then(|id| id.to_str().ok()).unwrap_or_default();
        log("error", &format!("{path} failed with an internal error, request {id}"), what);
    }
    write(with_static_file(response, &method, &env).await?).await
}

/// Replaces the response by the static file that it names, if it names one.
async fn with_static_file(mut response: axum::response::Response, method: &Method, env: &Env) -> worker::Result<axum::response::Response> {
    let Some(StaticFile(file)) = response.extensions().get().copied() else { return Ok(response) };
    let mut answer = env.assets("ASSETS")?.fetch(format!("https://assets{file}"), None).await?;
    if answer.status_code() != 200 {
        return Err(worker::Error::RustError(format!("{file} is not among the static files: build again")));
    }
    let bytes = answer.bytes().await?;
    // The router set the length of the replaced body.
    response.headers_mut().insert(header::CONTENT_LENGTH, HeaderValue::from(bytes.len()));
    if method != Method::HEAD {
        *response.body_mut() = Body::from(bytes);
    }
    Ok(response)
}

/// The interactive page and the texts for language models: static files. The router refuses unknown ones like any other route.
async fn static_page(request: &Request, env: &Env, app: &App) -> worker::Result<Option<Response>> {
    let path = request.path();
    let reads = ["GET", "HEAD"].contains(&request.inner().method().as_str());
    if !reads || !is_page(&path) {
        return Ok(None);
    }
    let page = env.assets("ASSETS")?.fetch_request(request.clone()?).await?;
    if page.status_code() >= 400 {
        return Ok(None);
    }
    let headers = page.headers().clone();
    for (name, value) in PAGE_POLICY {
        headers.set(name.as_str(), value)?;
    }
    headers.set("Request-Id", &RequestId::new(app.moment()).to_string())?;
    Ok(Some(page.with_headers(headers)))
}

/// The request as the core reads it: its body is bytes, not a stream. A body that is too large is truncated just past the limit, and
/// refused.
async fn read(mut request: Request) -> worker::Result<HttpRequest<Body>> {
    // `Request::method` of the `worker` crate turns an unknown method into GET.
    let mut builder = HttpRequest::builder().method(request.inner().method().as_str()).uri(request.inner().url());
    for (name, value) in request.headers() {
        builder = builder.header(name, value);
    }
    let declared = request.headers().get("content-length")?.and_then(|length| length.parse::<usize>().ok());
    let body = match declared {
        Some(length) if length > BATCH_BYTES_MAX => vec![b' '; BATCH_BYTES_MAX.saturating_add(1)],
        _ => request.bytes().await?,
    };
    builder.body(Body::from(body)).map_err(|error| worker::Error::RustError(error.to_string()))
}

/// The answer as one piece where its size is known: a stream would cost a call into JavaScript for each chunk. An export is a stream.
async fn write(response: axum::response::Response) -> worker::Result<Response> {
    let (parts, body) = response.into_parts();
    let headers = Headers::new();
    for (name, value) in &parts.headers {
        if let Ok(value) = value.to_str() {
            headers.append(name.as_str(), value)?;
        }
    }
    let failed = |error: axum::Error| worker::Error::RustError(error.to_string());
    let response = if parts.status == http::StatusCode::NO_CONTENT {
        Response::empty()?
    } else if body.size_hint().exact().is_some() {
        Response::from_bytes(body.collect().await.map_err(failed)?.to_bytes().to_vec())?
    } else {
        Response::from_stream(TryStreamExt::map_err(body.into_data_stream(), failed))?
    };
    Ok(response.with_status(parts.status.as_u16()).with_headers(headers))
}

#[event(scheduled)]
async fn scheduled(event: ScheduledEvent, env: Env, _context: ScheduleContext) {
    let Ok(app) = super::app(&env) else {
        log("error", "the bindings are not complete", "see wrangler.toml");
        return;
    };
    for (task, outcome) in calendar::run(&Platform::open(app), &event.cron()).await {
        match outcome {
            Ok(0) => {}
            Ok(count) => log("info", task, &count.to_string()),
            Err(error) => log("error", &format!("could not {task}"), &format!("{error:?}")),
        }
    }
}

/// Seconds until a failed message is delivered again.
const RETRY_SECONDS: u32 = 10;

#[event(queue)]
async fn queue(batch: MessageBatch<()>, env: Env, _context: Context) -> worker::Result<()> {
    let name = batch.queue();
    let Ok(app) = super::app(&env) else {
        log("error", "the bindings are not complete", "see wrangler.toml");
        batch.retry_all();
        return Ok(());
    };
    let platform = Platform::open(app);
    let messages: Vec<_> = batch.raw_iter().collect();
    let bodies = messages.iter().map(|message| message.body().as_string().unwrap_or_default()).collect();
    for (message, outcome) in messages.iter().zip(handle(&platform, &name, bodies).await) {
        match outcome {
            Ok(()) => message.ack(),
            Err(error) => {
                log("error", &format!("a message of {name} failed"), &format!("{error:?}"));
                message.retry_with_options(&QueueRetryOptionsBuilder::new().with_delay_seconds(RETRY_SECONDS).build());
            }
        }
    }
    Ok(())
}

/// Records the messages of a dead-letter queue as dead letters and handles all others. Returns the outcome of each message.
async fn handle(platform: &Platform, name: &str, bodies: Vec<String>) -> Vec<Result<()>> {
    if name.ends_with("-dead") {
        return try_each(bodies, |body| async move { store::record(platform, name, &body).await }).await;
    }
    let unreadable = |error| Error::internal(format!("a message can't be read: {error}"));
    let read: Vec<Result<Message>> = bodies.iter().map(|body| serde_json::from_str(body).map_err(unreadable)).collect();
    let mut handled = messages::handle_all(platform, read.iter().flatten().cloned().collect()).await.into_iter();
    let missing = || Err(Error::internal("a message was not handled"));
    read.into_iter().map(|message| message.and_then(|_| handled.next().unwrap_or_else(missing))).collect()
}

async fn try_each<Work: Future<Output = Result<()>>>(bodies: Vec<String>, work: impl Fn(String) -> Work) -> Vec<Result<()>> {
    let mut outcomes = Vec::with_capacity(bodies.len());
    for body in bodies {
        outcomes.push(work(body).await);
    }
    outcomes
}

/// One JSON line, so that the log can be searched by field.
fn log(level: &str, message: &str, detail: &str) {
    let line = serde_json::json!({"level": level, "message": message, "detail": detail}).to_string();
    worker::console_log!("{line}");
}

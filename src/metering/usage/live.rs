//! The live feed: who may hear one. The feed itself is the Meter's object's (`src/edge/feeds.mjs`).

use axum::body::Body;
use axum::response::Response;
use http::{HeaderMap, HeaderValue, Method, header};

use super::wire::UsageChangeView;
use crate::http::request::text_header;
use crate::identity::access_tokens;
use crate::identity::api_keys::store;
use crate::identity::callers::actors::Authorized;
use crate::identity::permissions::needs;
use crate::kernel::error::{OrInternal, Result};
use crate::kernel::problem::Problem;
use crate::kernel::tenant::{Actor, Tenant};

/// The header with which the answer tells the shell to open a feed: whose, for which key, and until when in milliseconds. Of key and end
/// one or both may be `-`. Only on answers of ours, and never sent on.
const TICKET: &str = "tenantry-feed";

/// Follow usage live
///
/// As server-sent events (`Accept: text/event-stream`) or over a WebSocket (`Upgrade: websocket`). The first message has every metric of
/// the period, each later one what changed since, at most four a second. `Last-Event-ID` goes on where a stream was cut.
#[utoipa::path(get, path = "/v1/usage/live", tag = "usage", operation_id = "followUsage",
    params(("Last-Event-ID" = Option<String>, Header, description = "The `sequence` of the last message that was read")),
    responses((status = 200, description = "A message a change: `id` is its sequence, `data` the UsageChange", body = UsageChangeView, content_type = "text/event-stream")))]
pub async fn live(caller: Authorized<needs::UsageRead>, method: Method, headers: HeaderMap) -> Result<Response> {
    let is_socket = text_header(&headers, "upgrade").eq_ignore_ascii_case("websocket");
    let accepted = text_header(&headers, "accept");
    let is_stream = accepted.split([',', ';']).any(|part| part.trim().eq_ignore_ascii_case("text/event-stream"));
    if !is_socket && !is_stream {
        let detail = "Send Accept: text/event-stream for server-sent events, or Upgrade: websocket for a WebSocket.";
        return Err(Problem::new(406, "not_acceptable", "This is a feed", detail).into());
    }
    let mut response = Response::new(Body::empty());
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    // The router answers HEAD as GET: there is nothing to follow.
    if method == Method::GET {
        let ticket = ticket(&caller.tenant).await?;
        response.headers_mut().insert(TICKET, HeaderValue::from_str(&ticket).or_internal()?);
    }
    Ok(response)
}

async fn ticket(tenant: &Tenant) -> Result<String> {
    let organization = tenant.organization();
    match tenant.actor() {
        Actor::ApiKey(id) => {
            let ends_at = store::find(tenant, *id).await?.and_then(|key| key.expires_at);
            let ends_at = ends_at.map_or_else(|| "-".to_owned(), |end| end.as_millis().to_string());
            Ok(format!("{organization} {id} {ends_at}"))
        }
        // A session may end meanwhile, and the feed would not hear of it: no longer than a token lasts, then it is asked for anew.
        Actor::Person(..) | Actor::Client(_) => {
            Ok(format!("{organization} - {}", tenant.app().moment().now.plus(access_tokens::LIFETIME).as_millis()))
        }
        Actor::Platform | Actor::PlatformKey(_) | Actor::System(_) => Ok(format!("{organization} - -")),
    }
}

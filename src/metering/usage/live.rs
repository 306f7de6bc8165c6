//! The live feed: its authorization. The feed itself is served by the Meter's object (`src/edge/feeds.mjs`).

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

/// The header by which the shell opens a feed: the organization, the key, and the end in milliseconds. Key and end may be `-`. Only our
/// own answers have it, and the shell removes it.
const TICKET: &str = "tenantry-feed";

/// Get live usage
///
/// Server-sent events (`Accept: text/event-stream`) or a WebSocket (`Upgrade: websocket`). The first message contains every metric of the
/// period, each later one the changed metrics, at most four messages per second. `Last-Event-ID` resumes an interrupted stream.
#[utoipa::path(get, path = "/v1/usage/live", operation_id = "followUsage",
    params(("Last-Event-ID" = Option<String>, Header, description = "The `sequence` of the last received message")),
    responses((status = 200, description = "One message per change: `id` is its sequence, `data` the UsageChange",
        body = UsageChangeView, content_type = "text/event-stream")))]
pub async fn live(caller: Authorized<needs::UsageRead>, method: Method, headers: HeaderMap) -> Result<Response> {
    let is_socket = text_header(&headers, "upgrade").eq_ignore_ascii_case("websocket");
    let accepted = text_header(&headers, "accept");
    let is_stream = accepted.split([',', ';']).any(|part| part.trim().eq_ignore_ascii_case("text/event-stream"));
    if !is_socket && !is_stream {
        let detail = "Send Accept: text/event-stream for server-sent events, or Upgrade: websocket for a WebSocket.";
        return Err(Problem::new(406, "not_acceptable", "The resource is a feed", detail).into());
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
        // A session may end while the feed is open: so the feed ends when a token would, and the client opens it again.
        Actor::Person(..) | Actor::Client(_) => {
            Ok(format!("{organization} - {}", tenant.app().moment().now.plus(access_tokens::LIFETIME).as_millis()))
        }
        Actor::Platform | Actor::PlatformKey(_) | Actor::System(_) => Ok(format!("{organization} - -")),
    }
}

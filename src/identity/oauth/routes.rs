//! The endpoints of OAuth clients, and the token endpoint.

use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use http::{StatusCode, header};

use super::discovery::AuthorizationServer;
use super::grants::{Asked, Refusal};
use super::secret::ClientSecret;
use super::wire::{NewOauthClient, OauthClientView, OauthError, TokenRequest, TokenResponse};
use super::{grants, rules, store};
use crate::http::reply::{Reply, change, id_of, once};
use crate::http::request::{Command, Filter, IdInPath, RequestContext, read_body};
use crate::identity::access_tokens;
use crate::identity::access_tokens::{Claims, LIFETIME, Subject};
use crate::identity::callers::actors::Authorized;
use crate::identity::callers::public::Public;
use crate::identity::key_lifecycle::maker::Maker;
use crate::identity::key_lifecycle::rules::{check_overlap, is_use_to_be_noted};
use crate::identity::key_lifecycle::wire::NewRotation;
use crate::identity::permissions::needs;
use crate::identity::throttle::at;
use crate::kernel::error::{Error, OrInternal, Result};
use crate::kernel::ids::ClientId;
use crate::kernel::page::{Page, PageQuery, Start};
use crate::kernel::problem::Problem;
use crate::kernel::tenant::{Actor, Tenant};
use crate::kernel::{json, page};

/// Create an OAuth client
///
/// A machine that exchanges its secret for access tokens at `POST /oauth/token`. The scopes are limited to what the caller holds. A client
/// that was created by a member is deleted when the membership ends. The secret is returned once. A retry with the same `Idempotency-Key`
/// returns the same secret; it is derived again, not stored.
#[utoipa::path(post, path = "/v1/oauth-clients", operation_id = "createOAuthClient", request_body = NewOauthClient,
    responses((status = 201, description = "The client with its secret", body = OauthClientView)))]
pub async fn create(caller: Authorized<needs::OauthClientsWrite>, command: Command<NewOauthClient>) -> Result<Reply> {
    let (tenant, body, claim) = (&caller.tenant, &command.body, command.claim.as_ref());
    caller.may_grant(&body.scopes)?;
    let reply = once(tenant, claim, || async {
        let (client, decision) = rules::create(&body.name, body.scopes.clone(), Maker::of(tenant), tenant.app().moment())?;
        let reply = Reply::created(&OauthClientView::from(client))?;
        tenant.commit(decision, reply.stored(claim).as_ref()).await?;
        Ok(reply)
    })
    .await?;
    with_secret(reply, tenant)
}

/// The stored answer names the client and the version of its secret, from which the secret follows.
fn with_secret(reply: Reply, tenant: &Tenant) -> Result<Reply> {
    let (organization, app) = (tenant.organization(), tenant.app());
    reply.with_secret(|view| {
        let generation = view.get("secretVersion")?.as_u64()?.try_into().ok()?;
        Some(ClientSecret { organization, client: id_of(view)?, generation }.mint(&app.settings.secret))
    })
}

/// List OAuth clients
///
/// All clients of the organization that are not deleted, newest first. Secrets are never shown.
#[utoipa::path(get, path = "/v1/oauth-clients", operation_id = "listOAuthClients",
    params(PageQuery),
    responses((status = 200, description = "Newest first, never with secrets", body = Page<OauthClientView>)))]
pub async fn list(caller: Authorized<needs::OauthClientsRead>, Filter(query): Filter<PageQuery>) -> Result<Reply> {
    let tenant = &caller.tenant;
    let find = async |id| store::find(tenant, id).await;
    let list = async |from: Start<_>| store::list(tenant, &from.before, from.fetch).await;
    Reply::ok(&page::list(&query, find, list, |client| client.id, OauthClientView::from).await?)
}

/// Get an OAuth client
///
/// The client without its secret.
#[utoipa::path(
    get, path = "/v1/oauth-clients/{id}", operation_id = "getOAuthClient",
    params(("id" = String, Path, description = "The id of the OAuth client: `client_...`")),
    responses((status = 200, description = "The client, without its secret", body = OauthClientView))
)]
pub async fn get(caller: Authorized<needs::OauthClientsRead>, IdInPath(id): IdInPath<ClientId>) -> Result<Reply> {
    let client = store::find(&caller.tenant, id).await?.ok_or_else(|| Problem::not_found("OAuth client"))?;
    Reply::ok(&OauthClientView::from(client))
}

/// Rotate the secret of an OAuth client
///
/// The previous secret stays valid for the overlap; an older one stops working at once. The caller must hold the scopes of the client.
#[utoipa::path(
    post, path = "/v1/oauth-clients/{id}/rotations", operation_id = "rotateOAuthClient", request_body = NewRotation,
    params(("id" = String, Path, description = "The id of the OAuth client: `client_...`")),
    responses((status = 201, description = "The client with its new secret", body = OauthClientView))
)]
pub async fn rotate(
    caller: Authorized<needs::OauthClientsWrite>,
    IdInPath(id): IdInPath<ClientId>,
    command: Command<NewRotation>,
) -> Result<Reply> {
    let (tenant, claim) = (&caller.tenant, command.claim.as_ref());
    let reply = once(tenant, claim, || async {
        let old = store::find(tenant, id).await?.ok_or_else(|| Problem::not_found("OAuth client"))?;
        caller.may_grant(&old.scopes)?;
        let overlap = check_overlap(command.body.overlap_seconds)?;
        let (client, decision) = rules::rotate(&old, overlap, tenant.app().moment())?;
        let reply = Reply::created(&OauthClientView::from(client))?;
        tenant.commit(decision, reply.stored(claim).as_ref()).await?;
        Ok(reply)
    })
    .await?;
    with_secret(reply, tenant)
}

/// Delete an OAuth client
///
/// The client gets no further tokens, and its tokens stop working before the response is sent.
#[utoipa::path(
    delete, path = "/v1/oauth-clients/{id}", operation_id = "deleteOAuthClient",
    params(("id" = String, Path, description = "The id of the OAuth client: `client_...`")),
    responses((status = 204, description = "Deleted"))
)]
pub async fn delete(caller: Authorized<needs::OauthClientsWrite>, IdInPath(id): IdInPath<ClientId>) -> Result<Reply> {
    let tenant = &caller.tenant;
    change(tenant, || async {
        let client = store::find_any(tenant, id).await?.ok_or_else(|| Problem::not_found("OAuth client"))?;
        tenant.commit(rules::delete(&client, tenant.app().moment()), None).await?;
        Ok(Reply::no_content())
    })
    .await
}

/// Create an access token for an OAuth client
///
/// OAuth 2.0 client credentials grant (RFC 6749, section 4.4). The client authenticates by HTTP Basic authentication or in the form. The
/// token is a JWT that is valid for ten minutes. Errors are OAuth error documents, not problem documents.
#[utoipa::path(
    post, path = "/oauth/token", operation_id = "createAccessToken",
    request_body(content = TokenRequest, content_type = "application/x-www-form-urlencoded"),
    responses(
        (status = 200, description = "The token", body = TokenResponse),
        (status = "4XX", description = "Refused: an OAuth error", body = OauthError),
        (status = "5XX", description = "Failed: an OAuth error", body = OauthError)
    )
)]
pub async fn token(public: Public<at::Token>, context: RequestContext, request: Request) -> Response {
    issue(public, context, request).await.unwrap_or_else(Refusal::into_response)
}

async fn issue(public: Public<at::Token>, context: RequestContext, request: Request) -> std::result::Result<Response, Refusal> {
    let headers = request.headers().clone();
    let body = read_body(request, &(), json::BODY_BYTES_MAX).await.map_err(too_large)?;
    let Asked { client, secret, scopes, resource } = grants::read(&headers, &body)?;
    grants::check_resource(resource.as_deref(), &context.app.settings.api_url)?;
    // Before anything is looked up: a forged secret costs no database.
    let secret = ClientSecret::verify(&secret, &context.app.settings.secret).filter(|secret| secret.client.to_string() == client);
    let secret = secret.ok_or_else(Refusal::client)?;
    let (platform, admission) = public.admit(Some(&client)).await?;
    let tenant = platform.tenant(secret.organization, Actor::Client(secret.client), Some(context.request_id)).await?;
    let tenant = tenant.ok_or_else(Refusal::client)?;
    let granted = grant(&tenant, secret, &scopes).await?;
    let mut response = grants::answer(StatusCode::OK, serde_json::to_string(&granted).or_internal()?);
    for (name, value) in admission.headers() {
        if let (Ok(name), Ok(value)) = (name.parse::<header::HeaderName>(), header::HeaderValue::from_str(&value)) {
            response.headers_mut().insert(name, value);
        }
    }
    Ok(response)
}

/// A token for the client, if its secret is accepted and it has these scopes.
async fn grant(tenant: &Tenant, secret: ClientSecret, asked: &[String]) -> std::result::Result<TokenResponse, Refusal> {
    let moment = tenant.app().moment();
    let client = store::find(tenant, secret.client).await?.filter(|client| client.accepts(secret.generation, moment.now));
    let client = client.ok_or_else(Refusal::client)?;
    let scopes = client.grant(asked).ok_or_else(Refusal::scope)?;
    if is_use_to_be_noted(client.last_used_at, moment.now) {
        // For people to look at: a grant does not fail because of it.
        let _noted = tenant.run(vec![store::note_use(client.id, moment.now)]).await;
    }
    let scope = scopes.join(" ");
    let claims = Claims::new(tenant.organization(), Subject::Client { client: client.id, scopes }, moment);
    let access_token = access_tokens::mint(tenant.app(), &claims).await?;
    Ok(TokenResponse { access_token, token_type: "Bearer", expires_in: LIFETIME.as_secs(), scope })
}

fn too_large(_: Error) -> Refusal {
    Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, "invalid_request", "The form is too large. Send only the parameters of the grant.")
}

/// Get the authorization server metadata
///
/// OAuth 2.0 authorization server metadata (RFC 8414), as OAuth client libraries read it.
#[utoipa::path(get, path = "/.well-known/oauth-authorization-server", operation_id = "getAuthorizationServer",
    responses((status = 200, description = "The metadata", body = AuthorizationServer)))]
pub async fn discover(context: RequestContext) -> Result<Response> {
    let metadata = AuthorizationServer::at(&context.app.settings.api_url);
    let body = serde_json::to_string(&metadata).or_internal()?;
    Ok(([(header::CONTENT_TYPE, "application/json"), (header::CACHE_CONTROL, "public, max-age=3600")], body).into_response())
}

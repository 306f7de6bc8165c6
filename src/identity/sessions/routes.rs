//! The endpoints of sessions.

use serde::Deserialize;

use super::begin::{Opening, Presented};
use super::refresh::invalid_refresh_token;
use super::session::Session;
use super::token::RefreshToken;
use super::wire::{GrantedView, NewRefreshment, NewSession, SessionView};
use super::{refresh, rules, store};
use crate::events::SessionEndReason;
use crate::http::reply::{Reply, change};
use crate::http::request::{Command, Filter, IdInPath};
use crate::identity::callers::actors::SelfOr;
use crate::identity::callers::identity::Identity;
use crate::identity::callers::person::Person;
use crate::identity::callers::public::Public;
use crate::identity::logins::routes::checked_email;
use crate::identity::logins::secrets::read_token;
use crate::identity::permissions::needs;
use crate::identity::throttle::at;
use crate::kernel::error::Result;
use crate::kernel::ids::{PersonId, SessionId};
use crate::kernel::page;
use crate::kernel::page::{Page, PageQuery, Start};
use crate::kernel::problem::Problem;
use crate::kernel::tenant::{Actor, Tenant};

/// Create a session
///
/// Logs a person in with the code or the link from a login email (`POST /v1/login`). A code that is wrong, used or expired and an address
/// without a member are all answered with 401 `invalid_code`. If the request is incomplete (409 `organization_required`, which lists the
/// choices, or 409 `second_factor_required`), the code stays valid for a complete request. A retry with the same `Idempotency-Key` returns
/// new tokens of the same session until that session is refreshed.
#[utoipa::path(post, path = "/v1/sessions", operation_id = "createSession", request_body = NewSession,
    responses((status = 201, description = "The session with its tokens", body = GrantedView)))]
pub async fn create(public: Public<at::Session>, command: Command<NewSession>) -> Result<Reply> {
    let presented = presented(&command.body, &public.settings().secret)?;
    let (platform, admission) = public.admit(presented.target()).await?;
    let claim = command.claim.map(|claim| claim.within(presented.target().unwrap_or("link")));
    let opening =
        Opening { platform: &platform, client: &public.client, request_id: public.request_id, body: &command.body, claim: claim.as_ref() };
    Ok(opening.open(&presented).await?.with_headers(admission.headers()))
}

fn presented(body: &NewSession, secret: &[u8]) -> Result<Presented> {
    match (&body.email, &body.code, &body.token) {
        (Some(email), Some(code), None) => Ok(Presented::Code { email: checked_email(email, "/email")?, code: code.trim().to_owned() }),
        (None, None, Some(token)) => Ok(read_token(token, secret).map_or(Presented::Forged, Presented::Link)),
        _ => {
            Err(Problem::invalid("", "invalid_value", "The login is incomplete or ambiguous. Send either email and code, or token.").into())
        }
    }
}

/// Refresh a session
///
/// Exchanges a refresh token for the next access token and refresh token. Each refresh token is accepted once. Using one again ends the
/// session for everyone who holds a token of it (401 `invalid_refresh_token`). Of two simultaneous requests with the same token, the
/// second is answered with 409 `refreshed_meanwhile` within ten seconds and continues with the tokens of the first.
#[utoipa::path(post, path = "/v1/session-refreshments", operation_id = "refreshSession", request_body = NewRefreshment,
    responses((status = 201, description = "The session with its new tokens", body = GrantedView)))]
pub async fn refresh(public: Public<at::Refreshment>, command: Command<NewRefreshment>) -> Result<Reply> {
    let token = RefreshToken::verify(&command.body.refresh_token, &public.settings().secret);
    let target = token.map(|token| token.session.to_string());
    let (platform, admission) = public.admit(target.as_deref()).await?;
    let token = token.ok_or_else(invalid_refresh_token)?;
    let tenant = platform.tenant(token.organization, Actor::System("refresh"), Some(public.request_id)).await?;
    let tenant = tenant.ok_or_else(invalid_refresh_token)?;
    let claim = command.claim.map(|claim| claim.within(target.as_deref().unwrap_or_default()));
    Ok(refresh::refresh(&tenant, token, claim.as_ref()).await?.with_headers(admission.headers()))
}

/// The person, and `limit` and `cursor`, as sent.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SessionsQuery {
    person: Option<String>,
    limit: Option<String>,
    cursor: Option<String>,
}

/// List sessions
///
/// Sessions that are neither ended nor expired, newest first. Members may list their own sessions (`person=me`); everything else needs
/// `sessions.read`.
#[utoipa::path(get, path = "/v1/sessions", operation_id = "listSessions",
    params(("person" = Option<String>, Query, description = "Only sessions of this person: `me` or `user_...`"),
        PageQuery),
    responses((status = 200, description = "Newest first", body = Page<SessionView>)))]
pub async fn list(caller: SelfOr<needs::SessionsRead>, Filter(query): Filter<SessionsQuery>) -> Result<Reply> {
    let (tenant, person) = (&caller.tenant, whose(&caller, query.person.as_deref())?);
    if person.is_none() || person != caller.person() {
        caller.check()?;
    }
    let now = tenant.app().moment().now;
    let find = async |id| Ok(store::find(tenant, id).await?.filter(|session| person.is_none_or(|person| person == session.person)));
    let list = async |from: Start<_>| match person {
        Some(person) => store::list_of(tenant, person, now, &from.before, from.fetch).await,
        None => store::list(tenant, now, &from.before, from.fetch).await,
    };
    let query = PageQuery { limit: query.limit, cursor: query.cursor };
    Reply::ok(&page::list(&query, find, list, |session: &Session| session.id, SessionView::from).await?)
}

/// The person a query names.
fn whose(caller: &Identity, text: Option<&str>) -> Result<Option<PersonId>> {
    let invalid = || {
        Problem::invalid(
            "person",
            "invalid_value",
            "This is not a person. Send me, with the access token of a session, or the id of a member (user_...).",
        )
    };
    match text {
        None => Ok(None),
        Some("me") => Ok(Some(caller.person().ok_or_else(invalid)?)),
        Some(text) => Ok(Some(text.parse().map_err(|_| invalid())?)),
    }
}

/// End a session
///
/// The tokens of the session stop working before the response is sent. Members may end their own sessions; ending others needs
/// `sessions.write`.
#[utoipa::path(
    delete, path = "/v1/sessions/{id}", operation_id = "endSession",
    params(("id" = String, Path, description = "The id of the session: `sess_...`")), responses((status = 204, description = "Ended"))
)]
pub async fn end(caller: SelfOr<needs::SessionsWrite>, IdInPath(id): IdInPath<SessionId>) -> Result<Reply> {
    let tenant = &caller.tenant;
    change(tenant, || async {
        let session = store::find(tenant, id).await?;
        let is_own = session.as_ref().is_some_and(|session| Some(session.person) == caller.person());
        if !is_own {
            caller.check()?;
        }
        let session = session.ok_or_else(|| Problem::not_found("session"))?;
        let because = if is_own { SessionEndReason::LoggedOut } else { SessionEndReason::Revoked };
        tenant.commit(rules::end(&session, because, tenant.app().moment().now), None).await?;
        Ok(Reply::no_content())
    })
    .await
}

/// End all other sessions of the caller
///
/// Ends every session of the caller in this organization except the one that sends the request, for example after a device was lost.
#[utoipa::path(delete, path = "/v1/sessions", operation_id = "endOtherSessions",
    responses((status = 204, description = "Ended")))]
pub async fn end_others(caller: Person) -> Result<Reply> {
    let tenant = &caller.tenant;
    change(tenant, || async {
        while let others @ [_, ..] = &others(tenant, &caller).await?[..] {
            let now = tenant.app().moment().now;
            let decisions = others.iter().map(|session| rules::end(session, SessionEndReason::LoggedOut, now));
            tenant.commit(decisions.fold(crate::kernel::decision::Decision::new(), |all, one| all.and(one)), None).await?;
        }
        Ok(Reply::no_content())
    })
    .await
}

/// Sessions ended in one commit.
const ENDED_MAX: u32 = 20;

async fn others(tenant: &Tenant, caller: &Person) -> Result<Vec<Session>> {
    let live = store::list_of(tenant, caller.person, tenant.app().moment().now, "~", ENDED_MAX).await?;
    Ok(live.into_iter().filter(|session| session.id != caller.session).collect())
}

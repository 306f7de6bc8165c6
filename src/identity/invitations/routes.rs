//! The endpoints of invitations.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::invitation::{Invitation, Known, Status, Wanted};
use super::token::InvitationToken;
use super::{rules, store};
use crate::http::reply::{Reply, change, once};
use crate::http::request::{Command, Filter, IdInPath, IdempotencyKey};
use crate::identity::callers::actors::Authorized;
use crate::identity::callers::public::Public;
use crate::identity::members::member::{Profile, TeamRole};
use crate::identity::members::rules::checked;
use crate::identity::members::wire::{MemberView, given};
use crate::identity::members::{directory, seats};
use crate::identity::permissions::needs;
use crate::identity::throttle::at;
use crate::kernel::audit::Behalf;
use crate::kernel::error::Result;
use crate::kernel::ids::{InvitationId, TeamId};
use crate::kernel::page;
use crate::kernel::page::{Page, PageQuery, Start};
use crate::kernel::problem::Problem;
use crate::kernel::tenant::{Actor, Tenant};
use crate::kernel::time::Timestamp;

/// A role on a team, to be given.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = InvitedTeam)]
pub struct NewTeamRole {
    #[schema(example = "team_...")]
    pub team: TeamId,
    /// The key of a role; the team's `settings.defaultRole` when absent.
    #[schema(example = "developer")]
    pub role: Option<String>,
}

/// Somebody to be invited.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewInvitation {
    #[schema(example = "ada@acme.example", format = Email)]
    pub email: String,
    /// The key of a role that holds organization-wide; null: on teams only. May be left out where teams are named.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>, example = "developer")]
    pub role: Option<Option<String>>,
    #[serde(default)]
    #[schema(required = false, max_items = 50)]
    pub teams: Vec<NewTeamRole>,
}

/// An invitation.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Invitation)]
pub struct InvitationView {
    #[serde(rename = "$type")]
    pub type_name: &'static str,
    #[serde(rename = "$id")]
    pub id: InvitationId,
    pub email: String,
    pub role: Option<String>,
    pub teams: Vec<TeamRole>,
    pub status: Status,
    /// A member, a key or a client of the organization, or `platform`.
    pub invited_by: String,
    pub created_at: Timestamp,
    pub expires_at: Timestamp,
}

impl InvitationView {
    fn at(now: Timestamp) -> impl Fn(Invitation) -> Self {
        move |invitation| Self {
            type_name: "Invitation",
            id: invitation.id,
            status: invitation.status_at(now),
            email: invitation.email,
            role: invitation.role,
            teams: invitation.teams,
            invited_by: invitation.invited_by,
            created_at: invitation.created_at,
            expires_at: invitation.expires_at,
        }
    }
}

/// What came by mail, and who came with it.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Acceptance {
    /// From the link: `tk_invite_...`.
    #[schema(example = "tk_invite_...")]
    pub token: String,
    #[schema(min_length = 1, max_length = 200)]
    pub given_name: Option<String>,
    #[schema(min_length = 1, max_length = 200)]
    pub family_name: Option<String>,
}

/// `limit`, `cursor` and the filter, as sent.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InvitationsQuery {
    limit: Option<String>,
    cursor: Option<String>,
    status: Option<String>,
}

/// Invite somebody
///
/// A seat is held for them from now on, and they get a mail with a link that works for 7 days. Nobody invites to a role that permits more
/// than they may.
#[utoipa::path(post, path = "/v1/invitations", tag = "people", operation_id = "createInvitation", request_body = NewInvitation,
    responses((status = 201, description = "The invitation", body = InvitationView)))]
pub async fn create(caller: Authorized<needs::MembersWrite>, command: Command<NewInvitation>) -> Result<Reply> {
    let (tenant, claim) = (&caller.tenant, command.claim.as_ref());
    let NewInvitation { email, role, teams } = command.body;
    let wanted = Wanted { email, role, teams: teams.into_iter().map(|given| (given.team, given.role)).collect() };
    once(tenant, claim, || async {
        let known = store::known(tenant, &wanted).await?;
        caller.may_grant(&known.permissions.values().flatten().cloned().collect::<Vec<_>>())?;
        let moment = tenant.moment();
        let (invitation, decision) = rules::invite(InvitationId::new(moment), &wanted, &known, &tenant.actor().name(), moment)?;
        seats::hold(tenant, invitation.seat).await?;
        let reply = Reply::created(&InvitationView::at(moment.now)(invitation))?;
        tenant.commit(decision, reply.stored(claim).as_ref()).await?;
        Ok(reply)
    })
    .await
}

/// List the invitations
#[utoipa::path(get, path = "/v1/invitations", tag = "people", operation_id = "listInvitations",
    params(PageQuery,
        ("status" = Option<Status>, Query, description = "Only those that are so now")),
    responses((status = 200, description = "Newest first", body = Page<InvitationView>)))]
pub async fn list(caller: Authorized<needs::MembersRead>, Filter(query): Filter<InvitationsQuery>) -> Result<Reply> {
    let (tenant, status) = (&caller.tenant, query.status()?);
    let find = async |id| store::find(tenant, id).await;
    let list = async |from: Start<_>| store::list(tenant, status, &from.before, from.fetch).await;
    let query = PageQuery { limit: query.limit, cursor: query.cursor };
    let view = InvitationView::at(tenant.moment().now);
    Reply::ok(&page::list(&query, find, list, |invitation: &Invitation| invitation.id, view).await?)
}

/// Read an invitation
#[utoipa::path(get, path = "/v1/invitations/{id}", tag = "people", operation_id = "getInvitation", params(("id" = String, Path, description = "`invitation_...`")),
    responses((status = 200, description = "The invitation", body = InvitationView)))]
pub async fn get(caller: Authorized<needs::MembersRead>, IdInPath(id): IdInPath<InvitationId>) -> Result<Reply> {
    Reply::ok(&InvitationView::at(caller.tenant.moment().now)(find(&caller.tenant, id).await?))
}

/// Mail an invitation again
///
/// The new link works for 7 days from now; the one before works no more.
#[utoipa::path(post, path = "/v1/invitations/{id}/mails", tag = "people", operation_id = "mailInvitation", params(("id" = String, Path, description = "`invitation_...`")),
    responses((status = 201, description = "The invitation", body = InvitationView)))]
pub async fn mail(caller: Authorized<needs::MembersWrite>, IdInPath(id): IdInPath<InvitationId>, key: IdempotencyKey) -> Result<Reply> {
    let (tenant, claim) = (&caller.tenant, key.0.as_ref());
    once(tenant, claim, || async {
        let moment = tenant.moment();
        let (invitation, decision) = rules::renew(&find(tenant, id).await?, moment)?;
        let reply = Reply::created(&InvitationView::at(moment.now)(invitation))?;
        tenant.commit(decision, reply.stored(claim).as_ref()).await?;
        Ok(reply)
    })
    .await
}

/// Revoke an invitation
///
/// Its link works no more, and its seat is free.
#[utoipa::path(delete, path = "/v1/invitations/{id}", tag = "people", operation_id = "revokeInvitation", params(("id" = String, Path, description = "`invitation_...`")),
    responses((status = 204, description = "Revoked")))]
pub async fn revoke(caller: Authorized<needs::MembersWrite>, IdInPath(id): IdInPath<InvitationId>) -> Result<Reply> {
    let tenant = &caller.tenant;
    change(tenant, || async {
        tenant.commit(rules::revoke(&find(tenant, id).await?, tenant.moment())?, None).await?;
        Ok(Reply::no_content())
    })
    .await
}

/// Accept an invitation
///
/// The token from the mail is all that is needed, and it works once. A token that is wrong, used, revoked or expired gets one answer.
#[utoipa::path(post, path = "/v1/invitation-acceptances", tag = "people", operation_id = "acceptInvitation", request_body = Acceptance,
    responses((status = 201, description = "The new member", body = MemberView)))]
pub async fn accept(public: Public<at::Invitation>, command: Command<Acceptance>) -> Result<Reply> {
    let (body, claim) = (&command.body, command.claim.as_ref());
    let (platform, admission) = public.admit(InvitationToken::target(&body.token)).await?;
    let token = InvitationToken::verify(&body.token, &platform.app().settings.secret).ok_or_else(not_valid)?;
    let tenant = platform.tenant(token.organization, Actor::System("accept_invitation"), Some(public.request_id)).await?;
    let tenant = &tenant.ok_or_else(not_valid)?;
    let names = Profile { given_name: body.given_name.clone(), family_name: body.family_name.clone(), ..Profile::default() };
    let profile = checked(names)?;
    let reply = once(tenant, claim, || async {
        let (invitation, known) = opened(tenant, token).await?;
        let person = directory::enter(tenant, &invitation.email).await?;
        let (member, decision) = rules::accept(&invitation, person, profile.clone(), &known, tenant.moment())?;
        let reply = Reply::created(&MemberView::from(member))?;
        tenant.on_behalf_of(Behalf::Person(person)).commit(decision, reply.stored(claim).as_ref()).await?;
        Ok(reply)
    })
    .await?;
    Ok(reply.with_headers(admission.headers()))
}

/// The invitation that a token opens now, and what there is of what it gives.
async fn opened(tenant: &Tenant, token: InvitationToken) -> Result<(Invitation, Known)> {
    let invitation = store::find(tenant, token.invitation).await?;
    let open = invitation.filter(|invitation| invitation.opens_for(token.generation, tenant.moment().now));
    let invitation = open.ok_or_else(not_valid)?;
    let known = store::still_there(tenant, &invitation).await?;
    if known.is_member { Err(not_valid().into()) } else { Ok((invitation, known)) }
}

/// The one answer to every token that opens nothing.
fn not_valid() -> Problem {
    let detail = "This invitation is not valid: the link may be old, used or withdrawn. Ask whoever invited you to send a new one.";
    Problem::new(404, "invitation_not_valid", "The invitation is not valid", detail)
}

async fn find(tenant: &Tenant, id: InvitationId) -> Result<Invitation> {
    store::find(tenant, id).await?.ok_or_else(|| Problem::not_found("invitation").into())
}

impl InvitationsQuery {
    fn status(&self) -> Result<Option<Status>> {
        let Some(text) = &self.status else { return Ok(None) };
        let status = serde_json::from_value(text.as_str().into());
        Ok(Some(status.map_err(|_| Problem::invalid("status", "invalid_value", "Send pending, accepted, revoked or expired."))?))
    }
}

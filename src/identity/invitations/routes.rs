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
use crate::kernel::audit::OnBehalfOf;
use crate::kernel::error::Result;
use crate::kernel::ids::{InvitationId, TeamId};
use crate::kernel::page;
use crate::kernel::page::{Page, PageQuery, Start};
use crate::kernel::problem::Problem;
use crate::kernel::tenant::{Actor, Tenant};
use crate::kernel::time::Timestamp;

/// A role on a team to assign.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = InvitedTeam)]
pub struct NewTeamRole {
    /// The team.
    pub team: TeamId,
    /// The key of a role; the `settings.defaultRole` of the team when absent.
    #[schema(example = "developer")]
    pub role: Option<String>,
}

/// An invitation to create.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewInvitation {
    /// The address of the invitee.
    #[schema(example = "ada@acme.example", format = Email)]
    pub email: String,
    /// The key of the organization-wide role; `null` for roles on teams only. It may be absent if teams are sent.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>, example = "developer")]
    pub role: Option<Option<String>>,
    /// The roles on teams.
    #[serde(default)]
    #[schema(required = false, max_items = 50)]
    pub teams: Vec<NewTeamRole>,
}

/// An invitation.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Invitation)]
pub struct InvitationView {
    /// The type of the resource: `Invitation`.
    #[serde(rename = "$type")]
    #[schema(example = "Invitation")]
    pub type_name: &'static str,
    /// The id.
    #[serde(rename = "$id")]
    pub id: InvitationId,
    /// The address of the invitee, in lower case.
    #[schema(example = "ada@acme.example", format = Email)]
    pub email: String,
    /// The key of the organization-wide role; `null` for roles on teams only.
    #[schema(example = "developer")]
    pub role: Option<String>,
    /// The roles on teams.
    pub teams: Vec<TeamRole>,
    /// The status of the invitation.
    pub status: Status,
    /// Who invited: `platform`, or the id of a member, API key or OAuth client.
    #[schema(example = "platform")]
    pub invited_by: String,
    /// When it was created.
    pub created_at: Timestamp,
    /// Until when the link in the latest email is valid.
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

/// The token of an invitation, and the name of the invitee.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Acceptance {
    /// The token from the link in the email.
    #[schema(example = "tk_invite_...")]
    pub token: String,
    /// The given name of the invitee.
    #[schema(example = "Ada", min_length = 1, max_length = 200)]
    pub given_name: Option<String>,
    /// The family name of the invitee.
    #[schema(example = "Lovelace", min_length = 1, max_length = 200)]
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

/// Create an invitation
///
/// Holds a seat and emails the invitee a link that is valid for 7 days. A caller cannot invite to a role that permits more than they hold.
/// Returns 403 `quota_exceeded` if no seat is free, and 409 `already_invited` or `already_member` if the email is invited or a member
/// already.
#[utoipa::path(post, path = "/v1/invitations", operation_id = "createInvitation", request_body = NewInvitation,
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

/// List invitations
///
/// All invitations of the organization, ended ones included, newest first.
#[utoipa::path(get, path = "/v1/invitations", operation_id = "listInvitations",
    params(PageQuery,
        ("status" = Option<Status>, Query, description = "Only invitations with this status")),
    responses((status = 200, description = "Newest first", body = Page<InvitationView>)))]
pub async fn list(caller: Authorized<needs::MembersRead>, Filter(query): Filter<InvitationsQuery>) -> Result<Reply> {
    let (tenant, status) = (&caller.tenant, query.status()?);
    let find = async |id| store::find(tenant, id).await;
    let list = async |from: Start<_>| store::list(tenant, status, &from.before, from.fetch).await;
    let query = PageQuery { limit: query.limit, cursor: query.cursor };
    let view = InvitationView::at(tenant.moment().now);
    Reply::ok(&page::list(&query, find, list, |invitation: &Invitation| invitation.id, view).await?)
}

/// Get an invitation
///
/// The invitation without its token: the token is in the email only.
#[utoipa::path(
    get, path = "/v1/invitations/{id}", operation_id = "getInvitation",
    params(("id" = String, Path, description = "The id of the invitation: `invitation_...`")),
    responses((status = 200, description = "The invitation", body = InvitationView))
)]
pub async fn get(caller: Authorized<needs::MembersRead>, IdInPath(id): IdInPath<InvitationId>) -> Result<Reply> {
    Reply::ok(&InvitationView::at(caller.tenant.moment().now)(find(&caller.tenant, id).await?))
}

/// Resend an invitation
///
/// Emails a new link that is valid for 7 days from now. The previous link stops working. Returns 409 `too_many_mails` after 20 emails.
#[utoipa::path(
    post, path = "/v1/invitations/{id}/mails", operation_id = "mailInvitation",
    params(("id" = String, Path, description = "The id of the invitation: `invitation_...`")),
    responses((status = 201, description = "The invitation", body = InvitationView))
)]
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
/// The link stops working and the seat is freed. Revoking an invitation that was revoked or has expired changes nothing; returns 409
/// `invitation_not_pending` if it was accepted.
#[utoipa::path(
    delete, path = "/v1/invitations/{id}", operation_id = "revokeInvitation",
    params(("id" = String, Path, description = "The id of the invitation: `invitation_...`")),
    responses((status = 204, description = "Revoked"))
)]
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
/// Makes the invitee a member. The token from the email is the only credential and is accepted once. A token that is wrong, used, revoked
/// or expired is always answered with 404 `invitation_not_valid`.
#[utoipa::path(post, path = "/v1/invitation-acceptances", operation_id = "acceptInvitation", request_body = Acceptance,
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
        tenant.on_behalf_of(OnBehalfOf::Person(person)).commit(decision, reply.stored(claim).as_ref()).await?;
        Ok(reply)
    })
    .await?;
    Ok(reply.with_headers(admission.headers()))
}

/// The pending invitation of a token, and those of its roles and teams that still exist.
async fn opened(tenant: &Tenant, token: InvitationToken) -> Result<(Invitation, Known)> {
    let invitation = store::find(tenant, token.invitation).await?;
    let open = invitation.filter(|invitation| invitation.accepts(token.generation, tenant.moment().now));
    let invitation = open.ok_or_else(not_valid)?;
    let known = store::still_there(tenant, &invitation).await?;
    if known.is_member { Err(not_valid().into()) } else { Ok((invitation, known)) }
}

/// The one answer to every token without a pending invitation.
fn not_valid() -> Problem {
    let detail = "This invitation is not valid: the link is replaced, used, revoked or expired. Ask for a new invitation.";
    Problem::new(404, "invitation_not_valid", "The invitation is not valid", detail)
}

async fn find(tenant: &Tenant, id: InvitationId) -> Result<Invitation> {
    store::find(tenant, id).await?.ok_or_else(|| Problem::not_found("invitation").into())
}

impl InvitationsQuery {
    fn status(&self) -> Result<Option<Status>> {
        let Some(text) = &self.status else { return Ok(None) };
        let status = serde_json::from_value(text.as_str().into());
        Ok(Some(status.map_err(|_| {
            Problem::invalid("status", "invalid_value", "This status does not exist. Send pending, accepted, revoked or expired.")
        })?))
    }
}

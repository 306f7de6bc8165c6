//! The endpoints of members and seats.

use std::fmt;
use std::str::FromStr;

use rating::Quantity;
use serde::Deserialize;

use super::member::Member;
use super::rules::{Changes, normalized};
use super::wire::{MemberChanges, MemberView, MeterSeats, SeatsView};
use super::{rules, seat_store, seats, store};
use crate::http::reply::{Reply, change};
use crate::http::request::{Command, Filter, IdInPath};
use crate::identity::callers::actors::Authorized;
use crate::identity::callers::identity::Identity;
use crate::identity::permissions::{Permission, needs};
use crate::identity::roles;
use crate::kernel::error::Result;
use crate::kernel::ids::{OrganizationId, PersonId, decode_base32, derive_bytes, encode_base32};
use crate::kernel::page::{Page, PageQuery, foreign_cursor};
use crate::kernel::problem::Problem;
use crate::kernel::tenant::Tenant;
use crate::kernel::time::Timestamp;

/// `limit`, `cursor` and the filters, as sent.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MembersQuery {
    limit: Option<String>,
    cursor: Option<String>,
    role: Option<String>,
    team: Option<String>,
    email: Option<String>,
    q: Option<String>,
}

/// List the members
#[utoipa::path(get, path = "/v1/members", tag = "people", operation_id = "listMembers",
    params(("limit" = Option<u32>, Query, description = "1 to 100, 20 when absent"), ("cursor" = Option<String>, Query, description = "nextCursor of the page before"),
        ("role" = Option<String>, Query, description = "Who holds this role organization-wide"), ("team" = Option<String>, Query, description = "Who is on this team itself: `team_...`"),
        ("email" = Option<String>, Query, description = "Whose email this is"), ("q" = Option<String>, Query, description = "Whose email begins so")),
    responses((status = 200, description = "Who joined last comes first", body = Page<MemberView>)), security(("organizationKey" = ["members.read"]), ("platformKey" = [])))]
pub async fn list(caller: Authorized<needs::MembersRead>, Filter(query): Filter<MembersQuery>) -> Result<Reply> {
    let tenant = &caller.tenant;
    let filter = query.filter()?;
    let request = PageQuery { limit: query.limit, cursor: query.cursor }.check::<Cursor>()?;
    let cursor = request.before.as_deref().and_then(|cursor| cursor.parse::<Cursor>().ok());
    if cursor.is_some_and(|cursor| !cursor.is_of(tenant.organization())) {
        return Err(foreign_cursor().into());
    }
    let (at, id) = cursor.map_or((Timestamp::LATEST, "~".to_owned()), |cursor| (cursor.joined_at, cursor.id.to_string()));
    let members = store::list(tenant, &filter, (at, &id), request.fetch()).await?;
    let organization = tenant.organization();
    Reply::ok(&Page::of(members, &request, |member| Cursor::of(organization, member).to_string(), MemberView::from))
}

/// Read a member
#[utoipa::path(get, path = "/v1/members/{id}", tag = "people", operation_id = "getMember", params(("id" = String, Path, description = "`user_...`")),
    responses((status = 200, description = "The member", body = MemberView)), security(("organizationKey" = ["members.read"]), ("platformKey" = [])))]
pub async fn get(caller: Identity, IdInPath(id): IdInPath<PersonId>) -> Result<Reply> {
    caller.need_unless_self(Permission::MembersRead, id)?;
    Reply::ok(&MemberView::from(find(&caller.tenant, id).await?))
}

/// Change a member
///
/// Nobody gives a role that permits more than they may, and nobody changes somebody who may do more. A person changes their own profile
/// without any permission, and their role with it only.
#[utoipa::path(patch, path = "/v1/members/{id}", tag = "people", operation_id = "updateMember", params(("id" = String, Path, description = "`user_...`")), request_body = MemberChanges,
    responses((status = 200, description = "The member", body = MemberView)), security(("organizationKey" = ["members.write"]), ("platformKey" = [])))]
pub async fn update(caller: Identity, IdInPath(id): IdInPath<PersonId>, command: Command<MemberChanges>) -> Result<Reply> {
    let changes = Changes::from(command.body);
    match changes.role {
        Some(_) => caller.need(Permission::MembersWrite, None)?,
        None => caller.need_unless_self(Permission::MembersWrite, id)?,
    }
    let tenant = &caller.tenant;
    change(tenant, || async {
        let member = find(tenant, id).await?;
        may_touch(&caller, &member).await?;
        if let Some(Some(role)) = &changes.role {
            may_give(&caller, role).await?;
        }
        let is_last_owner = store::is_last_owner(tenant, id).await?;
        let (_, decision) = rules::update(&member, changes.clone(), is_last_owner)?;
        tenant.commit(decision, None).await?;
        Ok(Reply::no_content())
    })
    .await?;
    Reply::ok(&MemberView::from(find(tenant, id).await?))
}

/// Read the seats
///
/// The plan's `users`: taken by members, held for invitations. Says also whether the Meter, which enforces the limit, counts the same.
#[utoipa::path(get, path = "/v1/seats", tag = "people", operation_id = "getSeats",
    responses((status = 200, description = "The seats", body = SeatsView)), security(("organizationKey" = ["members.read"]), ("platformKey" = [])))]
pub async fn seats(caller: Authorized<needs::MembersRead>) -> Result<Reply> {
    let (ours, meter) = (seat_store::load(&caller.tenant).await?, seats::in_the_meter(&caller.tenant).await?);
    Reply::ok(&SeatsView {
        type_name: "Seats",
        is_consistent: seats::is_consistent(&ours, &meter),
        taken: ours.members,
        held: ours.held.len(),
        limit: meter.limit.unwrap_or_else(|| Quantity::from(-1)),
        meter: MeterSeats { taken: meter.taken, held: meter.held.len() },
    })
}

/// A member that a path names.
pub async fn find(tenant: &Tenant, id: PersonId) -> Result<Member> {
    store::member(tenant, id).await?.ok_or_else(|| Problem::not_found("member").into())
}

/// Nobody changes or removes somebody who holds more than they do, anywhere; themselves, they may.
pub async fn may_touch(caller: &Identity, member: &Member) -> Result<()> {
    if caller.is(member.id) {
        return Ok(());
    }
    let held = roles::store::permissions_of(&caller.tenant, member.role_keys()).await?;
    caller.holder.may_grant(&held.into_values().flatten().collect::<Vec<_>>(), None)
}

async fn may_give(caller: &Identity, role: &str) -> Result<()> {
    let known = roles::store::permissions_of(&caller.tenant, [role]).await?;
    match known.get(role) {
        Some(permissions) => caller.holder.may_grant(permissions, None),
        None => Err(unknown_role("/role").into()),
    }
}

/// No role has the key at `pointer`.
pub fn unknown_role(pointer: impl Into<String>) -> Problem {
    Problem::refused(pointer, "unknown_role", "There is no such role. GET /v1/roles lists them by their keys.")
}

impl MembersQuery {
    fn filter(&self) -> Result<store::Filter> {
        let team = match &self.team {
            None => None,
            Some(text) => {
                let unknown = || Problem::invalid("team", "invalid_value", "Send the $id of a team: team_....");
                Some(text.parse().map_err(|_| unknown())?)
            }
        };
        let emails = match (&self.email, &self.q) {
            (Some(_), Some(_)) => {
                let detail = "Send email for a whole address or q for its beginning, not both.";
                return Err(Problem::invalid("q", "invalid_value", detail).into());
            }
            (Some(email), None) => Some((normalized(email), normalized(email))),
            (None, Some(beginning)) => Some((normalized(beginning), normalized(beginning) + "\u{10ffff}")),
            (None, None) => None,
        };
        Ok(store::Filter { role: self.role.clone(), team, emails })
    }
}

/// Where a page of members ends: they are listed by when they joined, and whoever stood here may be gone when the next page is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Cursor {
    id: PersonId,
    joined_at: Timestamp,
    check: [u8; 16],
}

impl Cursor {
    fn of(organization: OrganizationId, member: &Member) -> Self {
        Self { id: member.id, joined_at: member.joined_at, check: check(organization, member.id, member.joined_at) }
    }

    fn is_of(&self, organization: OrganizationId) -> bool {
        self.check == check(organization, self.id, self.joined_at)
    }
}

/// Tells a cursor of this list from others.
fn check(organization: OrganizationId, id: PersonId, joined_at: Timestamp) -> [u8; 16] {
    derive_bytes(&["members", &organization.to_string(), &id.to_string(), &joined_at.to_string()])
}

impl fmt::Display for Cursor {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}-{}-{}", self.id, self.joined_at.as_millis(), encode_base32(self.check))
    }
}

impl FromStr for Cursor {
    type Err = ();

    fn from_str(text: &str) -> std::result::Result<Self, ()> {
        let mut parts = text.split('-');
        let mut part = || parts.next().ok_or(());
        let id = part()?.parse().map_err(|_| ())?;
        let joined_at = Timestamp::from_millis(part()?.parse().map_err(|_| ())?);
        let check = decode_base32(part()?).ok_or(())?;
        if parts.next().is_none() { Ok(Self { id, joined_at, check }) } else { Err(()) }
    }
}

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
use crate::http::request::{Command, Filter, IdInPath, NoParameters};
use crate::identity::callers::actors::{Authorized, SelfOr};
use crate::identity::callers::identity::Identity;
use crate::identity::permissions::needs;
use crate::identity::roles;
use crate::kernel::error::Result;
use crate::kernel::ids::{OrganizationId, PersonId, decode_base32, derive_bytes, encode_base32};
use crate::kernel::page;
use crate::kernel::page::{Page, PageQuery, Start};
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

/// List members
///
/// All members of the organization, the latest to join first.
#[utoipa::path(
    get, path = "/v1/members", operation_id = "listMembers",
    params(
        PageQuery, ("role" = Option<String>, Query, description = "Only members with this organization-wide role"),
        ("team" = Option<String>, Query, description = "Only members of this team itself, `team_...`"),
        ("email" = Option<String>, Query, description = "Only the member with this email address"),
        ("q" = Option<String>, Query, description = "Only members whose email address begins with this text")
    ),
    responses((status = 200, description = "The latest to join first", body = Page<MemberView>))
)]
pub async fn list(caller: Authorized<needs::MembersRead>, Filter(query): Filter<MembersQuery>) -> Result<Reply> {
    let (tenant, filter) = (&caller.tenant, query.filter()?);
    let organization = tenant.organization();
    let find = async |cursor: Cursor| Ok(Some(cursor).filter(|cursor| cursor.is_of(organization)));
    let list = async |from: Start<Cursor>| {
        let (at, id) = from.found.map_or((Timestamp::LATEST, from.before), |cursor| (cursor.joined_at, cursor.id.to_string()));
        store::list(tenant, &filter, (at, &id), from.fetch).await
    };
    let query = PageQuery { limit: query.limit, cursor: query.cursor };
    Reply::ok(&page::list(&query, find, list, |member| Cursor::of(organization, member), MemberView::from).await?)
}

/// Get a member
///
/// Members may read themselves; reading another member needs `members.read`.
#[utoipa::path(
    get, path = "/v1/members/{id}", operation_id = "getMember",
    params(("id" = String, Path, description = "The id of the person: `user_...`")),
    responses((status = 200, description = "The member", body = MemberView))
)]
pub async fn get(caller: SelfOr<needs::MembersRead>, IdInPath(id): IdInPath<PersonId>) -> Result<Reply> {
    caller.check_unless_self(id)?;
    Reply::ok(&MemberView::from(find(&caller.tenant, id).await?))
}

/// Update a member
///
/// A JSON merge patch (RFC 7396): an absent field keeps its value, `null` clears it. Members may change their own profile; everything else
/// needs `members.write`. A caller can neither assign a role that permits more than they hold, nor change a member who holds more. Returns
/// 409 `last_owner` if the organization would be left without an owner.
#[utoipa::path(
    patch, path = "/v1/members/{id}", operation_id = "updateMember",
    params(("id" = String, Path, description = "The id of the person: `user_...`")), request_body = MemberChanges,
    responses((status = 200, description = "The member", body = MemberView))
)]
pub async fn update(
    caller: SelfOr<needs::MembersWrite>,
    IdInPath(id): IdInPath<PersonId>,
    command: Command<MemberChanges>,
) -> Result<Reply> {
    let changes = Changes::from(command.body);
    match changes.role {
        Some(_) => caller.check()?,
        None => caller.check_unless_self(id)?,
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

/// Get seat usage
///
/// The seats of the plan (`users`): taken by members and held for invitations. Also tells whether the Meter, which enforces the limit,
/// counts the same.
#[utoipa::path(get, path = "/v1/seats", operation_id = "getSeats",
    responses((status = 200, description = "The seats", body = SeatsView)))]
pub async fn seats(caller: Authorized<needs::MembersRead>, _: Filter<NoParameters>) -> Result<Reply> {
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

/// The member of that id; 404 if there is none.
pub async fn find(tenant: &Tenant, id: PersonId) -> Result<Member> {
    store::member(tenant, id).await?.ok_or_else(|| Problem::not_found("member").into())
}

/// Refuses to change or remove a member who holds more than the caller, anywhere. Callers may change themselves.
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
    Problem::refused(pointer, "unknown_role", "This role does not exist. GET /v1/roles lists the roles by their keys.")
}

impl MembersQuery {
    fn filter(&self) -> Result<store::Filter> {
        let team = match &self.team {
            None => None,
            Some(text) => {
                let unknown =
                    || Problem::invalid("team", "invalid_value", "This is not the id of a team. Send the $id of a team: team_....");
                Some(text.parse().map_err(|_| unknown())?)
            }
        };
        let emails = match (&self.email, &self.q) {
            (Some(_), Some(_)) => {
                let detail = "email and q exclude each other. Send email for a whole address, or q for its beginning.";
                return Err(Problem::invalid("q", "invalid_value", detail).into());
            }
            (Some(email), None) => Some((normalized(email), normalized(email))),
            (None, Some(beginning)) => Some((normalized(beginning), normalized(beginning) + "\u{10ffff}")),
            (None, None) => None,
        };
        Ok(store::Filter { role: self.role.clone(), team, emails })
    }
}

/// Where a page of members ends. Members are listed by when they joined, and the last one of a page may be removed before the next page
/// is requested.
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

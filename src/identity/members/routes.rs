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

/// List the members
#[utoipa::path(get, path = "/v1/members", tag = "people", operation_id = "listMembers",
    params(PageQuery,
        ("role" = Option<String>, Query, description = "Who holds this role organization-wide"), ("team" = Option<String>, Query, description = "Who is on this team itself: `team_...`"),
        ("email" = Option<String>, Query, description = "Whose email this is"), ("q" = Option<String>, Query, description = "Whose email begins so")),
    responses((status = 200, description = "Who joined last comes first", body = Page<MemberView>)))]
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

/// Read a member
#[utoipa::path(get, path = "/v1/members/{id}", tag = "people", operation_id = "getMember", params(("id" = String, Path, description = "`user_...`")),
    responses((status = 200, description = "The member", body = MemberView)))]
pub async fn get(caller: SelfOr<needs::MembersRead>, IdInPath(id): IdInPath<PersonId>) -> Result<Reply> {
    caller.check_unless_self(id)?;
    Reply::ok(&MemberView::from(find(&caller.tenant, id).await?))
}

/// Change a member
///
/// Nobody gives a role that permits more than they may, and nobody changes somebody who may do more. A person changes their own profile
/// without any permission, and their role with it only.
#[utoipa::path(patch, path = "/v1/members/{id}", tag = "people", operation_id = "updateMember", params(("id" = String, Path, description = "`user_...`")), request_body = MemberChanges,
    responses((status = 200, description = "The member", body = MemberView)))]
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

/// Read the seats
///
/// The plan's `users`: taken by members, held for invitations. Says also whether the Meter, which enforces the limit, counts the same.
#[utoipa::path(get, path = "/v1/seats", tag = "people", operation_id = "getSeats",
    responses((status = 200, description = "The seats", body = SeatsView)))]
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

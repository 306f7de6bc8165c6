//! Handing an organization to another owner.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::events::OwnershipTransferred;
use crate::http::reply::{Reply, once};
use crate::http::request::Command;
use crate::identity::callers::actors::Authorized;
use crate::identity::permissions::needs;
use crate::kernel::decision::Decision;
use crate::kernel::error::Result;
use crate::kernel::ids::PersonId;
use crate::kernel::problem::Problem;
use crate::kernel::tenant::{Actor, Tenant, TenantStatement};
use crate::tenant_sql;

const OWNER: &str = "owner";
const ADMIN: &str = "admin";

/// To whom, and from whom.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewOwnershipTransfer {
    /// A member: `user_...`.
    #[schema(example = "user_01h2xcejqtf2nbrexx3vqjhp41")]
    pub to: PersonId,
    /// The owner who becomes an admin. When absent: whoever asks, if they are an owner; otherwise the only owner there is.
    pub from: Option<PersonId>,
}

/// A transfer that is done.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = OwnershipTransfer)]
pub struct OwnershipTransferView {
    #[serde(rename = "$type")]
    pub type_name: &'static str,
    /// Now an admin.
    pub from: PersonId,
    /// Now an owner.
    pub to: PersonId,
}

/// A member as far as it matters here.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Holder {
    id: PersonId,
    email: String,
    role: Option<String>,
    version: i64,
}

impl Holder {
    fn is_owner(&self) -> bool {
        self.role.as_deref() == Some(OWNER)
    }
}

/// Hand the organization to another owner
///
/// The new one becomes an owner and the old one an admin, both at once. They are told by mail.
#[utoipa::path(post, path = "/v1/organization/ownership-transfers", tag = "organizations", operation_id = "transferOwnership", request_body = NewOwnershipTransfer,
    responses((status = 201, description = "Done", body = OwnershipTransferView)))]
pub async fn transfer_ownership(caller: Authorized<needs::OrganizationOwn>, command: Command<NewOwnershipTransfer>) -> Result<Reply> {
    let (tenant, claim) = (&caller.tenant, command.claim.as_ref());
    once(tenant, claim, || async {
        let holders = holders(tenant, command.body.to).await?;
        let (from, to, decision) = transfer(&holders, &command.body, tenant.actor())?;
        let reply = Reply::created(&OwnershipTransferView { type_name: "OwnershipTransfer", from, to })?;
        tenant.commit(decision, reply.stored(claim).as_ref()).await?;
        Ok(reply)
    })
    .await
}

/// The owners there are, and whoever is to become one.
async fn holders(tenant: &Tenant, to: PersonId) -> Result<Vec<Holder>> {
    let statement = tenant_sql!(
        "SELECT organization_id, id, email, role, version
         FROM members
         WHERE organization_id = ?1 AND (role = ?2 OR id = ?3)",
        OWNER,
        to
    );
    tenant.rows(statement).await
}

/// Who hands over to whom, and what that changes.
fn transfer(
    holders: &[Holder],
    wanted: &NewOwnershipTransfer,
    actor: &Actor,
) -> std::result::Result<(PersonId, PersonId, Decision), Problem> {
    let to = holders.iter().find(|holder| holder.id == wanted.to);
    let to = to.ok_or_else(|| Problem::invalid("/to", "unknown_member", "Send the $id of a member; GET /v1/members lists them."))?;
    if to.is_owner() {
        return Err(Problem::conflict("already_owner", "This member is an owner already. Change the role of the other owner instead."));
    }
    let from = giver(holders, wanted.from, actor)?;
    let before = serde_json::json!({"from": {"id": from.id, "role": from.role}, "to": {"id": to.id, "role": to.role}});
    let after = serde_json::json!({"from": {"id": from.id, "role": ADMIN}, "to": {"id": to.id, "role": OWNER}});
    let decision = Decision::new()
        .guard(unchanged(from))
        .guard(unchanged(to))
        .write(put_role(to.id, OWNER))
        .write(put_role(from.id, ADMIN))
        .raise(OwnershipTransferred { from: from.id, to: to.id })
        .audit("ownership.transferred", to.id.to_string(), Some(before), Some(after));
    Ok((from.id, to.id, decision))
}

/// The owner who hands over: the one named, the one who asks, or the only one.
fn giver<'h>(holders: &'h [Holder], named: Option<PersonId>, actor: &Actor) -> std::result::Result<&'h Holder, Problem> {
    let owners: Vec<&Holder> = holders.iter().filter(|holder| holder.is_owner()).collect();
    let owner = |id: PersonId| owners.iter().copied().find(|owner| owner.id == id);
    if let Some(named) = named {
        return owner(named)
            .ok_or_else(|| Problem::invalid("/from", "not_an_owner", "Send the $id of a member who is an owner, or leave it out."));
    }
    if let Actor::Person(person, _) = actor
        && let Some(asking) = owner(*person)
    {
        return Ok(asking);
    }
    match owners.as_slice() {
        [only] => Ok(only),
        [] => Err(Problem::conflict(
            "no_owner",
            "The organization has no owner yet. Give a member the role owner with PATCH /v1/members/{id}.",
        )),
        _ => Err(Problem::invalid(
            "/from",
            "several_owners",
            "The organization has several owners. Say in `from` which one becomes an admin.",
        )),
    }
}

fn unchanged(holder: &Holder) -> TenantStatement {
    tenant_sql!(
        "INSERT INTO stale_guards (organization_id, fresh)
         SELECT ?1, 0
         WHERE NOT EXISTS (SELECT 1 FROM members WHERE organization_id = ?1 AND id = ?2 AND version = ?3)",
        holder.id,
        holder.version
    )
}

fn put_role(person: PersonId, role: &str) -> TenantStatement {
    tenant_sql!("UPDATE members SET role = ?3, version = version + 1 WHERE organization_id = ?1 AND id = ?2", person, role)
}

/// Where the members among these people are reached.
pub async fn emails(tenant: &Tenant, people: &[PersonId]) -> Result<Vec<String>> {
    let people = serde_json::to_string(people).unwrap_or_default();
    let statement = tenant_sql!(
        "SELECT organization_id, id, email, role, version
         FROM members
         WHERE organization_id = ?1
           AND id IN (SELECT value FROM json_each(?2))
         ORDER BY id",
        people
    );
    Ok(tenant.rows::<Holder>(statement).await?.into_iter().map(|holder| holder.email).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::ids::{KeyId, SessionId};

    fn person(number: u8) -> PersonId {
        PersonId::from_bytes([number; 16])
    }

    fn holder(number: u8, role: &str) -> Holder {
        Holder { id: person(number), email: String::new(), role: Some(role.into()), version: 1 }
    }

    #[test]
    fn who_hands_over() {
        let key = Actor::ApiKey(KeyId::from_bytes([9; 16]));
        let asks = |number| Actor::Person(person(number), SessionId::from_bytes([9; 16]));
        let check = |owners: &[u8], from: Option<u8>, to: u8, actor: &Actor, expected: std::result::Result<u8, &str>| {
            let mut holders: Vec<Holder> = owners.iter().map(|number| holder(*number, OWNER)).collect();
            holders.push(holder(3, "viewer"));
            let wanted = NewOwnershipTransfer { to: person(to), from: from.map(person) };
            let found = transfer(&holders, &wanted, actor).map(|(from, _, _)| from);
            let code = |problem: Problem| problem.errors.first().map_or(problem.code.to_owned(), |error| error.code.clone());
            assert_eq!(found.map_err(code), expected.map(person).map_err(str::to_owned), "{owners:?} {from:?} {to} {actor:?}");
        };
        check(&[1], None, 3, &key, Ok(1));
        check(&[1, 2], None, 3, &asks(2), Ok(2));
        check(&[1, 2], Some(1), 3, &asks(2), Ok(1));
        check(&[1], None, 3, &asks(3), Ok(1));
        check(&[1, 2], None, 3, &key, Err("several_owners"));
        check(&[1], Some(3), 3, &key, Err("not_an_owner"));
        check(&[], None, 3, &key, Err("no_owner"));
        check(&[1, 2], None, 2, &asks(1), Err("already_owner"));
        check(&[1], None, 4, &asks(1), Err("unknown_member"));
    }
}

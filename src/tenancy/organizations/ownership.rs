//! The transfer of an organization to another owner.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::events::OwnershipTransferred;
use crate::http::reply::{Reply, once};
use crate::http::request::Command;
use crate::identity::callers::actors::Authorized;
use crate::identity::members::role_store::{self, Holder};
use crate::identity::permissions::needs;
use crate::kernel::decision::Decision;
use crate::kernel::error::Result;
use crate::kernel::ids::PersonId;
use crate::kernel::problem::Problem;
use crate::kernel::tenant::{Actor, Tenant};

const OWNER: &str = "owner";
const ADMIN: &str = "admin";

/// A transfer of ownership.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewOwnershipTransfer {
    /// The member who becomes an owner.
    #[schema(example = "user_01h2xcejqtf2nbrexx3vqjhp41")]
    pub to: PersonId,
    /// The owner who becomes an admin. Default: the caller, if the caller is an owner; else the only owner.
    #[schema(example = "user_01h2xcejqtf2nbrexx3vqjhp42")]
    pub from: Option<PersonId>,
}

/// A completed transfer of ownership.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = OwnershipTransfer)]
pub struct OwnershipTransferView {
    /// The type of the resource.
    #[serde(rename = "$type")]
    #[schema(example = "OwnershipTransfer")]
    pub type_name: &'static str,
    /// The member who was an owner and is an admin now.
    pub from: PersonId,
    /// The member who is an owner now.
    pub to: PersonId,
}

fn is_owner(holder: &Holder) -> bool {
    holder.role.as_deref() == Some(OWNER)
}

/// Transfer the ownership of the caller's organization
///
/// The new owner gets the role `owner` and the old owner the role `admin`, in one commit. Both are notified by mail.
#[utoipa::path(post, path = "/v1/organization/ownership-transfers", operation_id = "transferOwnership",
    request_body = NewOwnershipTransfer,
    responses((status = 201, description = "The transfer", body = OwnershipTransferView)))]
pub async fn transfer_ownership(caller: Authorized<needs::OrganizationOwn>, command: Command<NewOwnershipTransfer>) -> Result<Reply> {
    let (tenant, claim) = (&caller.tenant, command.claim.as_ref());
    once(tenant, claim, || async {
        let holders = role_store::holders_and(tenant, OWNER, command.body.to).await?;
        let (from, to, decision) = transfer(&holders, &command.body, tenant.actor())?;
        let reply = Reply::created(&OwnershipTransferView { type_name: "OwnershipTransfer", from, to })?;
        tenant.commit(decision, reply.stored(claim).as_ref()).await?;
        Ok(reply)
    })
    .await
}

/// The old owner, the new owner, and the decision.
fn transfer(
    holders: &[Holder],
    wanted: &NewOwnershipTransfer,
    actor: &Actor,
) -> std::result::Result<(PersonId, PersonId, Decision), Problem> {
    let to = holders.iter().find(|holder| holder.id == wanted.to);
    let to = to.ok_or_else(|| Problem::invalid("/to", "unknown_member", "Send the $id of a member; GET /v1/members lists them."))?;
    if is_owner(to) {
        return Err(Problem::conflict(
            "already_owner",
            "This member is an owner already. To demote another owner, change that member's role.",
        ));
    }
    let from = giver(holders, wanted.from, actor)?;
    let before = serde_json::json!({"from": {"id": from.id, "role": from.role}, "to": {"id": to.id, "role": to.role}});
    let after = serde_json::json!({"from": {"id": from.id, "role": ADMIN}, "to": {"id": to.id, "role": OWNER}});
    let decision = Decision::new()
        .guard(role_store::unchanged(from))
        .guard(role_store::unchanged(to))
        .write(role_store::put(to.id, OWNER))
        .write(role_store::put(from.id, ADMIN))
        .raise(OwnershipTransferred { from: from.id, to: to.id })
        .audit("ownership.transferred", to.id.to_string(), Some(before), Some(after));
    Ok((from.id, to.id, decision))
}

/// The old owner: the one named, the caller, or the only one.
fn giver<'h>(holders: &'h [Holder], named: Option<PersonId>, actor: &Actor) -> std::result::Result<&'h Holder, Problem> {
    let owners: Vec<&Holder> = holders.iter().filter(|holder| is_owner(holder)).collect();
    let owner = |id: PersonId| owners.iter().copied().find(|owner| owner.id == id);
    if let Some(named) = named {
        return owner(named)
            .ok_or_else(|| Problem::invalid("/from", "not_an_owner", "Send the $id of a member who is an owner, or omit it."));
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
            "The organization has several owners. Name in `from` the one who becomes an admin.",
        )),
    }
}

/// The email addresses of the members among these people.
pub async fn emails(tenant: &Tenant, people: &[PersonId]) -> Result<Vec<String>> {
    Ok(role_store::among(tenant, people).await?.into_iter().map(|holder| holder.email).collect())
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
    fn the_old_owner_is_named_or_the_caller_or_the_only_one() {
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

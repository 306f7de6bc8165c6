//! The endpoint of removals.

use super::rules;
use crate::http::reply::{Reply, change};
use crate::http::request::IdInPath;
use crate::identity::callers::actors::SelfOr;
use crate::identity::members;
use crate::identity::members::routes::{find, may_touch};
use crate::identity::permissions::needs;
use crate::kernel::error::Result;
use crate::kernel::ids::PersonId;

/// Remove a member
///
/// Revokes the member's roles, sessions, API keys and OAuth clients at once and frees their seat. Members may remove themselves. Returns
/// 409 `last_owner` for the last owner of the organization.
#[utoipa::path(
    delete, path = "/v1/members/{id}", operation_id = "removeMember",
    params(("id" = String, Path, description = "The id of the person: `user_...`")), responses((status = 204, description = "Removed"))
)]
pub async fn remove(caller: SelfOr<needs::MembersWrite>, IdInPath(id): IdInPath<PersonId>) -> Result<Reply> {
    caller.check_unless_self(id)?;
    let tenant = &caller.tenant;
    change(tenant, || async {
        let member = find(tenant, id).await?;
        may_touch(&caller, &member).await?;
        let is_last_owner = members::store::is_last_owner(tenant, id).await?;
        let decision = rules::remove(&member, is_last_owner, tenant.app().moment())?;
        tenant.commit(decision, None).await?;
        Ok(Reply::no_content())
    })
    .await
}

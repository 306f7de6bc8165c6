//! The endpoints of moves, for the operator.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::move_store::{self, Check, Move, Step};
use crate::events::MoveRequested;
use crate::http::reply::{Reply, once};
use crate::http::request::{Command, Filter, IdInPath};
use crate::identity::callers::actors::Vendor;
use crate::kernel::decision::Decision;
use crate::kernel::error::Result;
use crate::kernel::ids::{MoveId, OrganizationId};
use crate::kernel::page;
use crate::kernel::page::{Page, PageQuery, Start};
use crate::kernel::problem::Problem;
use crate::kernel::time::Timestamp;

/// The database to move to.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewMove {
    /// The number of the target database: 1 stands for `TENANTS_1`.
    #[schema(value_type = i64, minimum = 0, maximum = 63, example = 1)]
    pub shard: u32,
}

/// The move of an organization from one database to another.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Move)]
pub struct MoveView {
    /// The type of the resource.
    #[serde(rename = "$type")]
    #[schema(example = "Move")]
    pub type_name: &'static str,
    /// The id of the move.
    #[serde(rename = "$id")]
    pub id: MoveId,
    /// The organization that is moved.
    pub organization: OrganizationId,
    /// The number of the database that it leaves.
    #[schema(value_type = i64, example = 0)]
    pub from: usize,
    /// The number of the database that it moves to.
    #[schema(value_type = i64, example = 1)]
    pub to: usize,
    /// The next step. `done` and `failed` are final; a failed move has changed nothing.
    pub step: Step,
    /// The time at which the move was requested.
    pub started_at: Timestamp,
    /// The time from which writes were refused, until `flippedAt`.
    pub frozen_at: Option<Timestamp>,
    /// The time from which the new database answers.
    pub flipped_at: Option<Timestamp>,
    /// The time at which the move ended.
    pub finished_at: Option<Timestamp>,
    /// The row count and the checksum of each table, equal in both databases.
    #[schema(example = json!({"invoices": {"rows": 12, "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"}}))]
    pub tables: Option<BTreeMap<String, Check>>,
}

impl From<Move> for MoveView {
    fn from(moved: Move) -> Self {
        Self {
            type_name: "Move",
            id: moved.id,
            organization: moved.organization_id,
            from: moved.source,
            to: moved.target,
            step: moved.step,
            started_at: moved.started_at,
            frozen_at: moved.frozen_at,
            flipped_at: moved.flipped_at,
            finished_at: moved.finished_at,
            tables: moved.checks,
        }
    }
}

/// Create a move
///
/// Moves an organization to another database while it is in use. Reads are answered throughout; writes are refused with 503
/// `organization_moving` for a moment at the end.
#[utoipa::path(post, path = "/v1/organizations/{id}/moves", operation_id = "moveOrganization",
    params(("id" = String, Path, description = "`org_...`")), request_body = NewMove,
    responses((status = 202, description = "The move that was started", body = MoveView)))]
pub async fn move_to(vendor: Vendor, IdInPath(id): IdInPath<OrganizationId>, command: Command<NewMove>) -> Result<Reply> {
    let (tenant, claim) = (&vendor.organization(id).await?, command.claim.as_ref());
    once(tenant, claim, || async {
        let target = usize::try_from(command.body.shard).unwrap_or(usize::MAX);
        let source = tenant.placement().shard;
        check(target, source, tenant.app().shards.len())?;
        if move_store::unfinished_of(&vendor.platform, id).await?.is_some() {
            let detail =
                "A move of this organization is in progress. Wait until it has ended; GET /v1/organizations/{id}/moves shows its step.";
            return Err(Problem::conflict("move_in_progress", detail).into());
        }
        let moment = tenant.app().moment();
        let move_id = MoveId::new(moment);
        let view = MoveView {
            type_name: "Move",
            id: move_id,
            organization: id,
            from: source,
            to: target,
            step: Step::Copying,
            started_at: moment.now,
            frozen_at: None,
            flipped_at: None,
            finished_at: None,
            tables: None,
        };
        let (before, after) = (serde_json::json!({"shard": source}), serde_json::json!({"shard": target}));
        let decision = Decision::new().raise(MoveRequested { id: move_id, shard: target });
        let decision = decision.audit("organization.moveRequested", id.to_string(), Some(before), Some(after));
        let reply = Reply::json(202, &view)?;
        tenant.commit(decision, reply.stored(claim).as_ref()).await?;
        Ok(reply)
    })
    .await
}

fn check(target: usize, source: usize, shards: usize) -> std::result::Result<(), Problem> {
    if target >= shards {
        let last = shards.saturating_sub(1);
        let detail = format!("The database does not exist. Send a number from 0 to {last}.");
        return Err(Problem::invalid("/shard", "unknown_shard", detail));
    }
    if target == source {
        return Err(Problem::conflict(
            "already_there",
            "The organization is in this database already. Send the number of another database.",
        ));
    }
    Ok(())
}

/// List moves
///
/// Returns the moves of one organization, newest first.
#[utoipa::path(get, path = "/v1/organizations/{id}/moves", operation_id = "listMoves",
    params(("id" = String, Path, description = "`org_...`"), PageQuery),
    responses((status = 200, description = "Newest first", body = Page<MoveView>)))]
pub async fn list_moves(vendor: Vendor, IdInPath(id): IdInPath<OrganizationId>, Filter(query): Filter<PageQuery>) -> Result<Reply> {
    let (platform, organization) = (&vendor.platform, vendor.organization(id).await?.organization());
    // Few: an organization is hardly ever moved.
    let find = async |id| Ok(move_store::list(platform, organization, "~", u32::MAX).await?.into_iter().find(|known| known.id == id));
    let list = async |from: Start<_>| move_store::list(platform, organization, &from.before, from.fetch).await;
    Reply::ok(&page::list(&query, find, list, |moved| moved.id, MoveView::from).await?)
}

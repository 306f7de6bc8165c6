//! The endpoints of plan migrations.

use super::migration::Between;
use super::requests::{Migration, NewMigration};
use super::views::SubscriberView;
use crate::http::reply::{Reply, once_for_vendor};
use crate::http::request::{Command, Input, NameInPath};
use crate::identity::callers::actors::Vendor;
use crate::kernel::error::Result;
use crate::kernel::page::Page;

/// Preview a plan migration
///
/// One page of the subscriptions that pin `from`, by organization, with the limits, features and prices that `to` would give them. Changes
/// nothing.
#[utoipa::path(post, path = "/v1/plans/{key}/migration-previews", operation_id = "previewMigration",
    params(("key" = String, Path, description = "`professional`")), request_body = Migration,
    responses((status = 200, description = "A page of subscriptions", body = Page<SubscriberView>)))]
pub async fn preview(vendor: Vendor, NameInPath(key): NameInPath, Input(body): Input<Migration>) -> Result<Reply> {
    let migration = Between::load(&vendor.platform, &key, &body).await?;
    let Page { data, has_more, next_cursor } = migration.subscribers(&vendor.platform).await?;
    let compared = data.into_iter().map(|(organization, subscription)| migration.view(organization, &subscription));
    Reply::ok(&Page { data: compared.collect::<Result<Vec<_>>>()?, has_more, next_cursor })
}

/// Create a plan migration
///
/// Schedules the change of one page of subscriptions for the end of their billing periods. A subscription with another pending change, a
/// pending end or a pause is skipped. Send the request again with `nextCursor` for the next page; a repeated page changes nothing more.
#[utoipa::path(post, path = "/v1/plans/{key}/migrations", operation_id = "migrateSubscribers",
    params(("key" = String, Path, description = "`professional`")), request_body = NewMigration,
    responses((status = 200, description = "A page of subscriptions", body = Page<SubscriberView>)))]
pub async fn create(vendor: Vendor, NameInPath(key): NameInPath, command: Command<NewMigration>) -> Result<Reply> {
    let (platform, claim) = (&vendor.platform, command.claim.as_ref());
    let asked = Migration::from(command.body);
    once_for_vendor(platform, claim, || async {
        let migration = Between::load(platform, &key, &asked).await?;
        let page = migration.subscribers(platform).await?;
        let mut data = Vec::new();
        for (organization, _) in &page.data {
            data.extend(migration.schedule(&vendor, *organization).await?);
        }
        let scheduled = data.iter().filter(|view| view.is_scheduled()).count();
        let reply = Reply::ok(&Page { data, has_more: page.has_more, next_cursor: page.next_cursor })?;
        super::store::note_migration(platform, &key, (asked.from, asked.to), scheduled, reply.stored(claim).as_ref()).await?;
        Ok(reply)
    })
    .await
}

//! Housekeeping: deletes rows whose retention is over.

use crate::kernel::error::Result;
use crate::kernel::idempotency::KEPT;
use crate::kernel::platform::Platform;
use crate::kernel::sql::Value;
use crate::platform_sql;

/// Answers that one run deletes from each database; the next run deletes the rest.
const DELETED_MAX: u32 = 10_000;

/// Deletes stored answers that are too old to be replayed, of all organizations and of the vendor.
pub async fn delete_old_answers(platform: &Platform) -> Result<usize> {
    let before = platform.app().moment().now.minus(KEPT);
    let text = "DELETE FROM idempotency_keys
                WHERE rowid IN (SELECT rowid FROM idempotency_keys WHERE created_at <= ?1 LIMIT ?2)
                RETURNING key";
    let deleted: Vec<serde_json::Value> = platform.every_shard(text, &[Value::from(before), Value::from(DELETED_MAX)]).await?;
    let of_vendor =
        platform.directory(vec![platform_sql!("DELETE FROM idempotency_keys WHERE created_at <= ?1 RETURNING key", before)]).await?;
    Ok(deleted.len().saturating_add(of_vendor.into_iter().flatten().count()))
}

//! The buckets, in the directory: one row each that says when it will be full again (the generic cell rate algorithm).

use serde::Deserialize;

use super::quotas::{Admission, Endpoint, Kind, Quota};
use crate::kernel::error::{Error, Result};
use crate::kernel::ids::encode_base32;
use crate::kernel::mac::{mac, short};
use crate::kernel::ports::App;
use crate::kernel::sql;
use crate::kernel::sql::decode;
use crate::kernel::time::Timestamp;
use crate::platform_sql;

/// Rows forgotten at once; the next day forgets the rest.
const FORGOTTEN_MAX: u32 = 50_000;

#[derive(Deserialize)]
struct BucketRow {
    #[serde(deserialize_with = "sql::millis::deserialize")]
    full_at: Timestamp,
}

/// Takes one request out of a bucket, or refuses it; both in one transaction.
pub(super) async fn take(app: &App, endpoint: Endpoint, kind: Kind, whom: &str, quota: Quota) -> Result<Admission> {
    let now = app.moment().now;
    let bucket = bucket(&app.settings.secret, endpoint, kind, whom);
    let taken = platform_sql!(
        "INSERT INTO throttles (bucket, full_at)
         VALUES (?1, ?2 + ?3)
         ON CONFLICT (bucket) DO UPDATE
         SET full_at = max(full_at, ?2) + ?3
         WHERE max(full_at, ?2) + ?3 <= ?4
         RETURNING full_at",
        bucket.as_str(),
        now,
        quota.interval(),
        quota.horizon(now)
    );
    let stands = platform_sql!("SELECT full_at FROM throttles WHERE bucket = ?1", bucket.as_str());
    let mut rows = app.directory.batch(vec![taken, stands]).await?.into_iter().map(|outcome| outcome.rows.into_iter().next());
    let (taken, stands) = (rows.next().flatten(), rows.next().flatten());
    let row: BucketRow = decode(stands.ok_or_else(|| Error::internal("a bucket is gone"))?)?;
    let admission = Admission { kind, quota, full_at: row.full_at, now };
    if taken.is_some() { Ok(admission) } else { Err(admission.refusal().into()) }
}

pub(super) async fn forget_full(app: &App) -> Result<usize> {
    let statement = platform_sql!(
        "DELETE FROM throttles
         WHERE bucket IN (SELECT bucket FROM throttles WHERE full_at <= ?1 LIMIT ?2)
         RETURNING full_at",
        app.moment().now,
        FORGOTTEN_MAX
    );
    Ok(app.directory.batch(vec![statement]).await?.into_iter().map(|outcome| outcome.rows.len()).sum())
}

/// The bucket's name. Without the server's secret it does not reveal the address or the target.
fn bucket(secret: &[u8], endpoint: Endpoint, kind: Kind, whom: &str) -> String {
    let name = short(mac(secret, "throttle", &[endpoint.name().as_bytes(), kind.name().as_bytes(), whom.as_bytes()]));
    encode_base32(name)
}

//! All SQL of parked messages; parked steps and mails stand in the tables of their own.

use crate::kernel::error::Result;
use crate::kernel::ids::ParkedId;
use crate::kernel::platform::Platform;
use crate::platform_sql;

/// Parks a message that its queue gave up on.
pub async fn park(platform: &Platform, queue: &str, body: &str) -> Result<()> {
    let moment = platform.app().moment();
    let statement = platform_sql!(
        "INSERT INTO dead_letters (id, queue, body, given_up_at)
         VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT DO NOTHING",
        ParkedId::derived(&[queue, body]),
        queue,
        body,
        moment.now
    );
    platform.directory(vec![statement]).await.map(|_| ())
}

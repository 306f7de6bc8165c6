//! All SQL of dead letters. Those of steps, mails and billing stand in the tables of their slices; queue messages have one of their own.

use serde::Deserialize;

use crate::kernel::error::Result;
use crate::kernel::ids::DeadLetterId;
use crate::kernel::platform::Platform;
use crate::kernel::sql;
use crate::kernel::sql::{Statement, Value};
use crate::kernel::time::Timestamp;
use crate::platform_sql;

/// Work that failed its last attempt. The id names the kind and what finds the work again.
#[derive(Clone, Debug, Deserialize)]
pub struct DeadLetter {
    pub id: String,
    pub kind: String,
    pub name: String,
    pub organization: Option<String>,
    pub attempts: Option<u32>,
    pub last_error: Option<String>,
    #[serde(deserialize_with = "sql::millis::deserialize")]
    pub given_up_at: Timestamp,
}

const STEPS: &str = "SELECT 'step:' || organization_id || ':' || event_id || ':' || step AS id, 'step' AS kind,
                       step AS name, organization_id AS organization, attempts, last_error, updated_at AS given_up_at
                     FROM reaction_runs
                     WHERE status = 'dead'
                     ORDER BY updated_at
                     LIMIT ?1";
const MAILS: &str = "SELECT 'mail:' || organization_id || ':' || id AS id, 'mail' AS kind, template AS name,
                       organization_id AS organization, attempts, last_error, created_at AS given_up_at
                     FROM mails
                     WHERE sent_at IS NULL AND next_attempt_at IS NULL
                     ORDER BY created_at
                     LIMIT ?1";
const BILLING: &str = "SELECT 'billing:' || organization_id || ':' || subscription_id AS id, 'billing' AS kind,
                         subscription_id AS name, organization_id AS organization, attempts, last_error, given_up_at
                       FROM billing_failures
                       WHERE given_up_at IS NOT NULL
                       ORDER BY given_up_at
                       LIMIT ?1";

/// The oldest dead letters of each kind and each shard, oldest first; at most `max` of each.
pub async fn list(platform: &Platform, max: u32) -> Result<Vec<DeadLetter>> {
    let mut letters = Vec::new();
    for text in [STEPS, MAILS, BILLING] {
        let found: Vec<DeadLetter> = platform.every_shard(text, &[Value::from(max)]).await?;
        letters.extend(found);
    }
    let messages = platform_sql!(
        "SELECT 'message:' || id AS id, 'message' AS kind, queue AS name, NULL AS organization, NULL AS attempts,
           NULL AS last_error, given_up_at
         FROM dead_letters
         ORDER BY given_up_at
         LIMIT ?1",
        max
    );
    letters.extend(platform.directory_rows::<DeadLetter>(messages).await?);
    letters.sort_by_key(|letter| letter.given_up_at);
    Ok(letters)
}

/// Records a message that its queue gave up. The id is derived from the message, so a repeated delivery adds nothing.
pub async fn record(platform: &Platform, queue: &str, body: &str) -> Result<()> {
    let moment = platform.app().moment();
    let statement = platform_sql!(
        "INSERT INTO dead_letters (id, queue, body, given_up_at)
         VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT DO NOTHING",
        DeadLetterId::derived(&[queue, body]),
        queue,
        body,
        moment.now
    );
    platform.directory(vec![statement]).await.map(|_| ())
}

#[derive(Deserialize)]
struct Body {
    body: String,
}

/// The text of a queue message that was given up.
pub async fn body(platform: &Platform, id: DeadLetterId) -> Result<Option<String>> {
    let rows: Vec<Body> = platform.directory_rows(platform_sql!("SELECT body FROM dead_letters WHERE id = ?1", id)).await?;
    Ok(rows.into_iter().next().map(|row| row.body))
}

pub fn delete(id: DeadLetterId) -> Statement {
    platform_sql!("DELETE FROM dead_letters WHERE id = ?1", id)
}

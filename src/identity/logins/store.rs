//! All SQL of logins: the directory's side of a person, before their organization is known.

use serde::Deserialize;

use super::rules::{ATTEMPTS_MAX, LIFETIME, LIVE_MAX, Login};
use super::secrets;
use crate::kernel::error::Result;
use crate::kernel::idempotency::Answer;
use crate::kernel::ids::{LoginId, OrganizationId, PersonId};
use crate::kernel::platform::Platform;
use crate::kernel::ports::Message;
use crate::kernel::sql::{Statement, decode};
use crate::kernel::time::{days, seconds};
use crate::{platform_sql, stale_if};

#[derive(Deserialize)]
struct LoginRow {
    id: LoginId,
    email: String,
}

impl From<LoginRow> for Login {
    fn from(row: LoginRow) -> Self {
        Self { id: row.id, email: row.email }
    }
}

#[derive(Deserialize)]
struct IdRow {
    id: LoginId,
}

/// Records a login and has the queue email it. It is the same work for every address.
pub async fn ask(platform: &Platform, email: &str, answer: Option<&Answer>) -> Result<()> {
    let moment = platform.app().moment();
    let id = LoginId::new(moment);
    let mut batch: Vec<Statement> = answer.into_iter().flat_map(|answer| answer.record_for_vendor(moment.now)).collect();
    batch.push(platform_sql!(
        "INSERT INTO logins (id, email, created_at, expires_at) VALUES (?1, ?2, ?3, ?4)",
        id,
        email,
        moment.now,
        moment.now.plus(LIFETIME)
    ));
    batch.push(platform_sql!(
        "UPDATE logins
         SET used_at = ?2
         WHERE email = ?1
           AND used_at IS NULL
           AND id NOT IN (SELECT id FROM logins WHERE email = ?1 ORDER BY created_at DESC, rowid DESC LIMIT ?3)",
        email,
        moment.now,
        LIVE_MAX
    ));
    platform.directory(batch).await?;
    // Best effort: the sweep of the next minute sends what got lost here.
    let _nudged = platform.app().queues.send(vec![Message::Login { login: id }]).await;
    Ok(())
}

/// The login of this email address with this code. Counts the guess first, so that parallel ones are all counted.
pub async fn present_code(platform: &Platform, email: &str, code: &str) -> Result<Option<Login>> {
    let statement = platform_sql!(
        "UPDATE logins
         SET attempts = attempts + 1
         WHERE email = ?1 AND used_at IS NULL AND expires_at > ?2 AND attempts < ?3
         RETURNING id, email",
        email,
        platform.app().moment().now,
        ATTEMPTS_MAX
    );
    let logins: Vec<Login> = platform.directory_rows::<LoginRow>(statement).await?.into_iter().map(Login::from).collect();
    Ok(secrets::with_code(&logins, code, &platform.app().settings.secret).cloned())
}

/// The login of this link, if it is still live. It is counted, too: the second factor behind it can be guessed.
pub async fn present_link(platform: &Platform, id: LoginId) -> Result<Option<Login>> {
    let statement = platform_sql!(
        "UPDATE logins
         SET attempts = attempts + 1
         WHERE id = ?1 AND used_at IS NULL AND expires_at > ?2 AND attempts < ?3
         RETURNING id, email",
        id,
        platform.app().moment().now,
        ATTEMPTS_MAX
    );
    Ok(platform.directory_rows::<LoginRow>(statement).await?.into_iter().next().map(Login::from))
}

/// Uncounts a guess that was right but created no session.
pub async fn give_back(platform: &Platform, login: &Login) -> Result<()> {
    let statement = platform_sql!("UPDATE logins SET attempts = max(attempts - 1, 0) WHERE id = ?1 AND used_at IS NULL", login.id);
    platform.directory(vec![statement]).await.map(|_| ())
}

/// The statements that use a login up, for one batch; stale when a concurrent request was first.
pub fn use_up(platform: &Platform, login: &Login, person: PersonId) -> Vec<Statement> {
    let now = platform.app().moment().now;
    vec![
        stale_if!(directory, "NOT EXISTS (SELECT 1 FROM logins WHERE id = ?1 AND used_at IS NULL)", login.id),
        platform_sql!("UPDATE logins SET used_at = ?2 WHERE email = ?1 AND used_at IS NULL", login.email.as_str(), now),
        platform_sql!(
            "UPDATE people
             SET email_verified_at = coalesce(email_verified_at, ?2), last_login_at = ?2
             WHERE id = ?1",
            person,
            now
        ),
    ]
}

#[derive(Deserialize)]
struct MembershipRow {
    person_id: PersonId,
    organization_id: OrganizationId,
}

/// Organizations of one person that are read.
const MEMBERSHIPS_MAX: u32 = 100;

/// The person of an email address, and the organizations in which they may be a member.
pub async fn memberships(platform: &Platform, email: &str) -> Result<Vec<(PersonId, OrganizationId)>> {
    let statement = platform_sql!(
        "SELECT m.person_id, m.organization_id
         FROM people p
         JOIN memberships m ON m.person_id = p.id
         WHERE p.email = ?1
         ORDER BY m.organization_id
         LIMIT ?2",
        email,
        MEMBERSHIPS_MAX
    );
    let rows = platform.directory_rows::<MembershipRow>(statement).await?;
    Ok(rows.into_iter().map(|row| (row.person_id, row.organization_id)).collect())
}

/// The login if its email is still to be sent and would arrive in time.
pub async fn to_mail(platform: &Platform, id: LoginId) -> Result<Option<Login>> {
    let statement = platform_sql!(
        "SELECT id, email
         FROM logins
         WHERE id = ?1 AND mailed_at IS NULL AND used_at IS NULL AND expires_at > ?2",
        id,
        platform.app().moment().now
    );
    Ok(platform.directory_rows::<LoginRow>(statement).await?.into_iter().next().map(Login::from))
}

pub async fn mailed(platform: &Platform, id: LoginId) -> Result<()> {
    let statement = platform_sql!("UPDATE logins SET mailed_at = ?2 WHERE id = ?1", id, platform.app().moment().now);
    platform.directory(vec![statement]).await.map(|_| ())
}

/// Messages for logins whose email is still to be sent; younger ones have a message of their own.
pub async fn unmailed(platform: &Platform, nudges_max: u32) -> Result<Vec<Message>> {
    let now = platform.app().moment().now;
    let statement = platform_sql!(
        "SELECT id
         FROM logins
         WHERE mailed_at IS NULL
           AND created_at <= ?1
           AND created_at > ?2
           AND used_at IS NULL
         ORDER BY created_at
         LIMIT ?3",
        now.minus(seconds(10)),
        now.minus(LIFETIME),
        nudges_max
    );
    Ok(platform.directory_rows::<IdRow>(statement).await?.into_iter().map(|row| Message::Login { login: row.id }).collect())
}

/// Logins forgotten at once; the next day forgets the rest.
const FORGOTTEN_MAX: u32 = 10_000;

/// Forgets logins that expired a day ago, with the addresses that they name.
pub async fn forget_expired(platform: &Platform) -> Result<usize> {
    let statement = platform_sql!(
        "DELETE FROM logins WHERE id IN (SELECT id FROM logins WHERE expires_at <= ?1 LIMIT ?2) RETURNING id",
        platform.app().moment().now.minus(days(1)),
        FORGOTTEN_MAX
    );
    let forgotten: Vec<Vec<IdRow>> = platform
        .directory(vec![statement])
        .await?
        .into_iter()
        .map(|rows| rows.into_iter().filter_map(|row| decode(row).ok()).collect())
        .collect();
    Ok(forgotten.iter().map(Vec::len).sum())
}

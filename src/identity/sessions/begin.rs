//! From a proven email to a session.
//!
//! The login is used up in the directory first, then the session is written in its organization. What is cut off in between, a retry with
//! the same `Idempotency-Key` finishes; without one, the person asks for another mail.

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::session::{LIFETIME, Session};
use super::wire::NewSession;
use super::{granted, rules, store};
use crate::http::reply::{Reply, change};
use crate::identity::callers::public::Client;
use crate::identity::logins::organizations::Belonging;
use crate::identity::logins::rules::{Login, invalid_code};
use crate::identity::logins::{organizations, store as logins};
use crate::identity::{access_tokens, members, second_factors};
use crate::kernel::error::{Error, OrInternal, Result};
use crate::kernel::idempotency::{Answer, Claim};
use crate::kernel::ids::{LoginId, OrganizationId, PersonId, RequestId, SessionId};
use crate::kernel::platform::Platform;
use crate::kernel::problem::Problem;
use crate::kernel::sql::{Statement, word};
use crate::kernel::tenant::{Actor, Tenant};
use crate::kernel::time::Timestamp;

/// What was presented, before anybody looked whether it is good.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Presented {
    Code {
        email: String,
        code: String,
    },
    Link(LoginId),
    /// A link that was not made here.
    Forged,
}

impl Presented {
    /// What is guessed at: codes. Nobody guesses a link.
    pub fn target(&self) -> Option<&str> {
        match self {
            Self::Code { email, .. } => Some(email),
            Self::Link(_) | Self::Forged => None,
        }
    }
}

/// A request for a session.
pub struct Opening<'a> {
    pub platform: &'a Platform,
    pub client: &'a Client,
    pub request_id: RequestId,
    pub body: &'a NewSession,
    pub claim: Option<&'a Claim>,
}

/// Who gets in where, and what that uses up.
enum Choice {
    In(Belonging, Vec<Statement>),
    /// The login is good, and something is missing: it stays good.
    NotYet(Problem),
}

/// The session that a login opened, as it is kept for a retry. It holds no token.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Begun {
    session: SessionId,
    organization: OrganizationId,
    person: PersonId,
    email: String,
    at: Timestamp,
}

impl Opening<'_> {
    pub async fn open(&self, presented: &Presented) -> Result<Reply> {
        if let Some(answer) = self.answered().await? {
            return self.again(&answer).await;
        }
        let login = self.login(presented).await?.ok_or_else(invalid_code)?;
        match self.choose(&login).await? {
            Choice::NotYet(problem) => {
                logins::give_back(self.platform, &login).await?;
                Err(problem.into())
            }
            Choice::In(belonging, spent) => self.enter(&login, &belonging, spent).await,
        }
    }

    async fn answered(&self) -> Result<Option<Answer>> {
        match self.claim {
            Some(claim) => self.platform.answered(claim).await,
            None => Ok(None),
        }
    }

    async fn login(&self, presented: &Presented) -> Result<Option<Login>> {
        match presented {
            Presented::Code { email, code } => logins::present_code(self.platform, email, code).await,
            Presented::Link(login) => logins::present_link(self.platform, *login).await,
            Presented::Forged => Ok(None),
        }
    }

    async fn choose(&self, login: &Login) -> Result<Choice> {
        let belongings = organizations::of_email(self.platform, &login.email, Some(self.request_id)).await?;
        let belonging = match (self.body.organization, &belongings[..]) {
            (_, []) => return Err(invalid_code().into()),
            (None, [only]) => only,
            (None, several) => return Ok(Choice::NotYet(organization_required(several))),
            (Some(wanted), _) => match belongings.iter().find(|belonging| belonging.tenant.organization() == wanted) {
                Some(belonging) => belonging,
                None => return Ok(Choice::NotYet(Problem::not_found("organization"))),
            },
        };
        let app = self.platform.app();
        let factor = second_factors::store::find(app, belonging.person).await?.filter(|factor| factor.confirmed_at.is_some());
        let spent = match (factor, &self.body.second_factor_code) {
            (None, _) => Vec::new(),
            (Some(_), None) => return Ok(Choice::NotYet(second_factors::rules::second_factor_required())),
            (Some(factor), Some(code)) => {
                let proof = second_factors::check::proof(app, &factor, code, &self.client.address).await?;
                let proof = proof.ok_or_else(|| second_factors::rules::invalid_second_factor(401))?;
                second_factors::store::spend(&factor, proof)
            }
        };
        Ok(Choice::In(belonging.clone(), spent))
    }

    async fn enter(&self, login: &Login, belonging: &Belonging, spent: Vec<Statement>) -> Result<Reply> {
        // What can't be answered with a token uses nothing up.
        access_tokens::keys::signer(self.platform.app()).await?;
        let moment = self.platform.app().moment();
        let begun = Begun {
            session: SessionId::new(moment),
            organization: belonging.tenant.organization(),
            person: belonging.person,
            email: login.email.clone(),
            at: moment.now,
        };
        let answer = Reply::created(&begun)?.stored(self.claim);
        let mut batch: Vec<Statement> = answer.iter().flat_map(|answer| answer.record_for_vendor(moment.now)).collect();
        batch.extend(logins::use_up(self.platform, login, belonging.person));
        batch.extend(spent);
        match self.platform.directory(batch).await {
            Ok(_) => {}
            // Somebody else opened a session with the same code, of the mail or of the device.
            Err(Error::Stale) => return Err(invalid_code().into()),
            Err(Error::AlreadyAnswered) => {
                let answer = self.answered().await?.ok_or(Error::AlreadyAnswered)?;
                return self.again(&answer).await;
            }
            Err(error) => return Err(error),
        }
        let (tenant, session) = self.write(&begun).await?;
        granted::reply(&tenant, session).await
    }

    /// The answer to a request that was answered before: new tokens of the same session, as long as nobody has refreshed it.
    async fn again(&self, answer: &Answer) -> Result<Reply> {
        let begun: Begun = serde_json::from_str(&answer.body).or_internal()?;
        let (tenant, session) = self.write(&begun).await?;
        if session.generation != 1 || !session.is_live(self.platform.app().moment().now) {
            return Err(invalid_code().into());
        }
        Ok(Reply { replayed: true, ..granted::reply(&tenant, session).await? })
    }

    /// Writes the session down, unless it is.
    async fn write(&self, begun: &Begun) -> Result<(Tenant, Session)> {
        let actor = Actor::Person(begun.person, begun.session);
        let tenant = self.platform.tenant(begun.organization, actor, Some(self.request_id)).await?;
        let tenant = tenant.ok_or_else(|| Error::internal("the organization of a login is gone"))?;
        let session = Session {
            id: begun.session,
            person: begun.person,
            generation: 1,
            created_at: begun.at,
            last_used_at: begun.at,
            expires_at: begun.at.plus(LIFETIME),
            ip: self.client.ip.clone(),
            user_agent: self.client.user_agent.clone(),
            ended: None,
        };
        change(&tenant, || async {
            if store::find(&tenant, session.id).await?.is_none() {
                let seen = members::store::logged_in(begun.person, begun.at);
                tenant.commit(rules::begin(&session, &begun.email).write(seen), None).await?;
            }
            Ok(Reply::no_content())
        })
        .await?;
        let session = store::find(&tenant, begun.session).await?.ok_or_else(|| Error::internal("a session that was begun is gone"))?;
        Ok((tenant, session))
    }
}

/// 409: the person has to say where.
fn organization_required(belongings: &[Belonging]) -> Problem {
    let detail =
        "This person belongs to several organizations. Send the same request again with organization; the login code is still good.";
    let choices: Vec<_> =
        belongings.iter().map(|belonging| json!({"$id": word(&belonging.tenant.organization()), "name": belonging.name})).collect();
    Problem::conflict("organization_required", detail).with_member("organizations", choices)
}

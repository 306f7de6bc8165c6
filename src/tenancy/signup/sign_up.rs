//! A sign-up, by the vendor or by the company itself.

use super::placement;
use super::placement::{FirstOwner, Requested};
use crate::catalog::plans;
use crate::catalog::plans::built_in::DEFAULT_PLAN;
use crate::http::reply::{Reply, id_of, once_for_vendor};
use crate::identity::members;
use crate::kernel::error::{Error, Result};
use crate::kernel::follow_up;
use crate::kernel::idempotency::Claim;
use crate::kernel::ids::{Moment, RequestId};
use crate::kernel::platform::Platform;
use crate::kernel::problem::Problem;
use crate::kernel::tenant::Actor;
use crate::tenancy::organizations::rules;
use crate::tenancy::organizations::wire::{NewOrganization, OrganizationView};

/// A requested sign-up. The vendor names no owner: it invites one, or manages people itself.
pub struct SignUp {
    pub body: NewOrganization,
    pub owner: Option<FirstOwner>,
}

/// Enters, places and finishes a sign-up, once.
pub async fn sign_up(platform: &Platform, asked: SignUp, claim: Option<&Claim>, request: RequestId) -> Result<Reply> {
    let reply = once_for_vendor(platform, claim, || async {
        let requested = asked_for(platform, asked).await?;
        let actor = if requested.owner.is_some() { Actor::System("sign_up") } else { platform.actor().clone() };
        let reply = Reply::created(&OrganizationView::new(requested.organization.clone(), 0, 1))?;
        placement::enter(platform, &requested, reply.stored(claim).as_ref()).await?;
        placement::place(platform, &requested, actor).await?;
        placement::finish(platform, requested.organization.id).await?;
        Ok(reply)
    })
    .await?;
    if reply.replayed {
        // The first request may have been interrupted after the entry, and the answer is only true when the company exists.
        finish_replayed(platform, &reply, request).await?;
    }
    Ok(reply)
}

async fn finish_replayed(platform: &Platform, reply: &Reply, request: RequestId) -> Result<()> {
    let id = id_of(&reply.view()?).ok_or_else(|| Error::internal("a stored sign-up has no id"))?;
    follow_up::open_finished(platform, id, request).await?;
    placement::finish(platform, id).await
}

/// Refuses a sign-up whose trial could not start. The default plan is the vendor's choice, so it may be hidden.
async fn check_plan(platform: &Platform, named: Option<&str>, is_vendor: bool) -> Result<()> {
    let app = platform.app();
    let Some(plan) = named else {
        return plans::store::offer(app, DEFAULT_PLAN).await?.check(DEFAULT_PLAN, true);
    };
    let open = plans::store::newest(app, plan).await?.filter(|plan| plan.organization.is_none());
    open.ok_or_else(|| Problem::invalid("/plan", "invalid_value", rules::NO_SUCH_PLAN))?;
    plans::store::offer(app, plan).await?.check(plan, is_vendor)
}

/// The checked organization of a sign-up. Its present time is its test clock's from the start.
async fn asked_for(platform: &Platform, asked: SignUp) -> Result<Requested> {
    let clock = match &asked.body.test_clock {
        Some(text) => Some(placement::test_clock(platform, text).await?),
        None => None,
    };
    let real = platform.app().moment();
    let moment = Moment { now: clock.map_or(real.now, |(_, now)| now), ..real };
    let organization = asked.body.into_organization(moment, clock.map(|(id, _)| id));
    rules::check(&organization)?;
    check_plan(platform, organization.details.plan.as_deref(), asked.owner.is_none()).await?;
    // Before the entry, because an entered sign-up can't be refused any more.
    asked.owner.as_ref().map(|owner| members::rules::checked(owner.profile())).transpose()?;
    Ok(Requested { organization, owner: asked.owner })
}

//! A group of hot requests: read, decided commit by commit, and answered.

use super::answers::Reply;
use super::claims::Claims;
use super::decisions;
use super::desk::Desk;
use super::keys::Keys;
use super::memory::Memory;
use super::plan::Plan;
use super::rates::{RateStanding, Rates};
use super::requests::Ask;
use super::routes::Route;
use super::status::Standing;
use super::uniques::Uniques;
use crate::kernel::ids::{Entropy, OrganizationId};
use crate::kernel::problem::Problem;
use crate::kernel::sql::{LocalSql, SqlError};
use crate::kernel::time::Timestamp;
use crate::meter::wire::HotRequest;

/// Bytes of requests that share a commit: its body, one value in SQL, must stay below 2 MB.
const COMMIT_BYTES_MAX: usize = 1024 * 1024;

/// A hot request that was read.
pub(super) struct Request<'a> {
    /// Without the query.
    path: &'a str,
    bytes: usize,
    ask: Result<Ask<'a>, Problem>,
    pub rate: Option<RateStanding>,
    /// It names a metric that the Worker may know of.
    is_unknown: bool,
}

/// What it takes to read a request.
pub(super) struct Reader<'m> {
    pub plan: Option<&'m Plan>,
    pub keys: &'m mut Keys,
    pub standing: Standing,
    pub rates: &'m mut Rates,
    pub secret: &'m [u8],
    pub organization: OrganizationId,
    pub wall: Timestamp,
}

impl Reader<'_> {
    pub fn read<'a>(&mut self, hot: Option<&'a HotRequest<'a>>) -> Request<'a> {
        let Some(hot) = hot else {
            let problem = Problem::invalid("", "malformed_request", "The request did not reach the Meter in one piece. Send it again.");
            return Request { path: "", bytes: 0, ask: Err(problem), rate: None, is_unknown: false };
        };
        let (path, query) = hot.target.split_once('?').unwrap_or((&hot.target, ""));
        let mut request = Request { path, bytes: hot.body.len(), ask: Err(no_subscription()), rate: None, is_unknown: false };
        request.ask = Route::of(&hot.method, path).and_then(|route| {
            let key = self.keys.authorize(&hot.caller, route.permission(), self.secret, self.organization, self.wall)?;
            self.standing.permits(&hot.caller, route.permission())?;
            let limits = self.plan.and_then(|plan| plan.entitlements().rate_limits.as_ref()).filter(|_| !hot.is_told);
            if let Some(limits) = limits {
                let taken = self.rates.take(limits, key, self.wall);
                request.rate = Some(taken.as_ref().map_or_else(|(standing, _)| *standing, |standing| *standing));
                taken.map_err(|(_, problem)| problem)?;
            }
            let plan = self.plan.ok_or_else(no_subscription)?;
            let ask = route.ask(hot, path, query, plan)?;
            request.is_unknown = !hot.is_told && ask.names_unknown(plan);
            Ok(ask)
        });
        request
    }
}

impl Request<'_> {
    /// The refusal of a request that cannot be decided; its own fault comes first.
    fn refused(&self, problem: Problem) -> Reply {
        Reply::problem(self.path, self.ask.as_ref().err().cloned().unwrap_or(problem))
    }
}

/// How many of the requests share the next commit: as many as fit, one at least.
pub(super) fn commit_length(requests: &[Request<'_>]) -> usize {
    let mut bytes = 0_usize;
    let fits = |request: &&Request<'_>| {
        bytes = bytes.saturating_add(request.bytes);
        bytes <= COMMIT_BYTES_MAX
    };
    requests.iter().take_while(fits).count().max(1)
}

impl Memory {
    /// Decides requests that share a commit, and appends it to the log.
    pub fn commit<'k, S: LocalSql>(
        &mut self,
        sql: &S,
        requests: &'k [Request<'k>],
        wall: Timestamp,
        entropy: &dyn Entropy,
        mut answer: impl FnMut(&Request<'_>, Reply),
    ) -> Result<(), SqlError> {
        let Self { plan: Some(plan), book, log, facts, reservations, pruning, roll_up, .. } = self else {
            requests.iter().for_each(|request| answer(request, request.refused(no_subscription())));
            return Ok(());
        };
        let (now, plan) = (plan.now(wall), &*plan);
        let draft = log.draft(now);
        let mut keys = Vec::new();
        asks(requests).for_each(|ask| ask.keys(&mut keys));
        let claims = Claims::take(sql, draft.number, keys, now)?;
        let uniques = Uniques::find(sql, decisions::values_of(plan, asks(requests), now))?;
        reservations.prepare(sql, asks(requests).filter_map(Ask::reservation), now)?;
        let mut desk = Desk { plan, book, facts, reservations, claims, uniques, draft, entropy, now, wall };
        for request in requests {
            let reply = match &request.ask {
                _ if request.is_unknown => Reply::TellMetrics,
                Ok(ask) => desk.decide(ask).map_or_else(|problem| Reply::problem(request.path, problem), Reply::Answered),
                Err(problem) => Reply::problem(request.path, problem.clone()),
            };
            answer(request, reply);
        }
        let Desk { claims, uniques, draft, .. } = desk;
        claims.finish(sql)?;
        uniques.store(sql)?;
        // Now, not with the group: its next commit may ask for one of them.
        let is_held = reservations.store(sql)?;
        let before = log.number;
        log.append(sql, draft)?;
        if log.number > before || is_held {
            pruning.expect(sql, wall)?;
            roll_up.note(log.number, wall);
        }
        Ok(())
    }
}

/// What the requests ask, without those that are refused already or that have to come again.
fn asks<'k>(requests: &'k [Request<'k>]) -> impl Iterator<Item = &'k Ask<'k>> {
    requests.iter().filter(|request| !request.is_unknown).filter_map(|request| request.ask.as_ref().ok())
}

fn no_subscription() -> Problem {
    Problem::conflict(
        "no_subscription",
        "This organization has no subscription yet, so there is nothing to count against. A new one gets its trial within a minute of its sign-up; then send the request again.",
    )
}

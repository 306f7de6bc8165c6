//! A group of hot requests: read, decided commit by commit, and answered.

use super::answers::Reply;
use super::claims::Claims;
use super::commit_context::CommitContext;
use super::decisions;
use super::keys::Keys;
use super::memory::Memory;
use super::rates::{RateState, Rates};
use super::requests::Operation;
use super::routes::Route;
use super::rules::Rules;
use super::status::KnownStatus;
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
    operation: Result<Operation<'a>, Problem>,
    pub rate: Option<RateState>,
    /// It names a metric that the Worker may know.
    is_unknown: bool,
}

/// Everything that reading a request needs.
pub(super) struct Reader<'m> {
    pub rules: Option<&'m Rules>,
    pub keys: &'m mut Keys,
    pub status: KnownStatus,
    pub rates: &'m mut Rates,
    pub secret: &'m [u8],
    pub organization: OrganizationId,
    pub wall: Timestamp,
}

impl Reader<'_> {
    pub fn read<'a>(&mut self, hot: Option<&'a HotRequest<'a>>) -> Request<'a> {
        let Some(hot) = hot else {
            let problem = Problem::invalid("", "malformed_request", "The request did not reach the Meter in one piece. Send it again.");
            return Request { path: "", bytes: 0, operation: Err(problem), rate: None, is_unknown: false };
        };
        let (path, query) = hot.target.split_once('?').unwrap_or((&hot.target, ""));
        let mut request = Request { path, bytes: hot.body.len(), operation: Err(no_subscription()), rate: None, is_unknown: false };
        request.operation = Route::of(&hot.method, path).and_then(|route| {
            let key = self.keys.authorize(&hot.caller, route.permission(), self.secret, self.organization, self.wall)?;
            self.status.permits(&hot.caller, route.permission())?;
            let limits = self.rules.and_then(|rules| rules.entitlements().rate_limits.as_ref()).filter(|_| !hot.has_all_metrics);
            if let Some(limits) = limits {
                let taken = self.rates.take(limits, key, self.wall);
                request.rate = Some(taken.as_ref().map_or_else(|(state, _)| *state, |state| *state));
                taken.map_err(|(_, problem)| problem)?;
            }
            let rules = self.rules.ok_or_else(no_subscription)?;
            let operation = route.read(hot, path, query, rules)?;
            request.is_unknown = !hot.has_all_metrics && operation.names_unknown(rules);
            Ok(operation)
        });
        request
    }
}

impl Request<'_> {
    /// The refusal of a request that cannot be decided; the request's own fault takes precedence.
    fn refused(&self, problem: Problem) -> Reply {
        Reply::problem(self.path, self.operation.as_ref().err().cloned().unwrap_or(problem))
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
        let Self { rules: Some(rules), book, log, facts, reservations, pruning, roll_up, .. } = self else {
            requests.iter().for_each(|request| answer(request, request.refused(no_subscription())));
            return Ok(());
        };
        let (now, rules) = (rules.now(wall), &*rules);
        let draft = log.draft(now);
        let mut keys = Vec::new();
        operations(requests).for_each(|operation| operation.keys(&mut keys));
        let claims = Claims::take(sql, draft.number, keys, now)?;
        let uniques = Uniques::find(sql, decisions::values_of(rules, operations(requests), now))?;
        reservations.prepare(sql, operations(requests).filter_map(Operation::reservation), now)?;
        let mut context = CommitContext { rules, book, facts, reservations, claims, uniques, draft, entropy, now, wall };
        for request in requests {
            let reply = match &request.operation {
                _ if request.is_unknown => Reply::NeedsMetrics,
                Ok(operation) => context.decide(operation).map_or_else(|problem| Reply::problem(request.path, problem), Reply::Answered),
                Err(problem) => Reply::problem(request.path, problem.clone()),
            };
            answer(request, reply);
        }
        let CommitContext { claims, uniques, draft, .. } = context;
        claims.finish(sql)?;
        uniques.store(sql)?;
        // Now, not with the group: its next commit may read one of them.
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

/// The operations of the requests, without those that are refused already or that must be sent again.
fn operations<'k>(requests: &'k [Request<'k>]) -> impl Iterator<Item = &'k Operation<'k>> {
    requests.iter().filter(|request| !request.is_unknown).filter_map(|request| request.operation.as_ref().ok())
}

fn no_subscription() -> Problem {
    Problem::conflict(
        "no_subscription",
        "This organization has no subscription yet, so there is nothing to count against. A new one gets its trial within a minute of its sign-up; then send the request again.",
    )
}

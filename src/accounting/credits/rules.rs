//! How credit is granted, drawn, voided and expired.

use rating::Money;

use super::grant::{Grant, Source};
use super::store;
use crate::accounting::ledger::rules::{credit_expired, credit_granted};
use crate::accounting::ledger::store::post;
use crate::events::{CreditExpired, CreditExpiryDue, CreditGranted, CreditVoided};
use crate::kernel::decision::Decision;
use crate::kernel::error::Result;
use crate::kernel::ids::{CreditId, InvoiceId, Moment};
use crate::kernel::problem::Problem;
use crate::kernel::time::Timestamp;

/// Open grants of one organization, at most: each bill is computed from all of them.
pub const GRANTS_MAX: usize = 200;
const REASON_LENGTH_MAX: usize = 2_000;

/// A credit to grant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    pub source: Source,
    pub amount: Money,
    pub priority: Option<u32>,
    pub expires_at: Option<Timestamp>,
    pub reason: Option<String>,
}

/// Grants credit to an organization with `open` open grants.
pub fn grant(wanted: &Wanted, open: usize, moment: Moment<'_>) -> Result<(Grant, Decision)> {
    if wanted.expires_at.is_some_and(|at| at <= moment.now) {
        return Err(Problem::invalid("/expiresAt", "invalid_value", "Send a future instant, or leave it out.").into());
    }
    if wanted.reason.as_ref().is_some_and(|reason| reason.trim().is_empty() || reason.chars().count() > REASON_LENGTH_MAX) {
        let detail = format!("Send a reason of 1 to {REASON_LENGTH_MAX} characters, or leave it out.");
        return Err(Problem::invalid("/reason", "invalid_value", detail).into());
    }
    if open >= GRANTS_MAX {
        let detail = format!("An organization has at most {GRANTS_MAX} open credits. Delete one first.");
        return Err(Problem::conflict("too_many_credits", detail).into());
    }
    let grant = Grant {
        priority: wanted.priority,
        reason: wanted.reason.clone(),
        expires_at: wanted.expires_at,
        ..Grant::new(CreditId::new(moment), wanted.source, wanted.amount, None, moment.now)
    };
    let entry = credit_granted(&grant.id.to_string(), grant.source.funding(), grant.amount, moment)?;
    let decision = granted(&grant).write_all(post(&[entry])).audit("credit.granted", grant.id.to_string(), None, Some(grant.facts()));
    Ok((grant, decision))
}

/// The commit of a new grant. The fact behind it is posted by the caller.
pub fn granted(grant: &Grant) -> Decision {
    let decision = Decision::new().write(store::insert(grant)).raise(CreditGranted {
        credit: grant.id,
        amount: grant.amount.to_decimal_string(),
        currency: grant.amount.currency().code().to_owned(),
    });
    match grant.expires_at {
        Some(at) => decision.later(at, CreditExpiryDue { credit: grant.id }),
        None => decision,
    }
}

/// Credit from an invoice or a credit note. The same origin gives the same grant; None where the amount is zero.
pub fn carried(source: Source, origin: String, amount: Money, moment_now: Timestamp) -> Option<Grant> {
    if amount.is_zero() || amount.is_negative() {
        return None;
    }
    let id = CreditId::derived(&["credit", &origin]);
    Some(Grant::new(id, source, amount, Some(origin), moment_now))
}

/// An amount drawn of a grant, as the bill read it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Taken {
    pub credit: CreditId,
    pub amount_minor: i64,
    pub version: i64,
}

/// Draws credit, in the commit of the bill.
pub fn draw(taken: impl IntoIterator<Item = Taken>) -> Decision {
    taken.into_iter().fold(Decision::new(), |decision, taken| {
        decision.guard(store::unchanged(taken.credit, taken.version)).write(store::draw(taken.credit, taken.amount_minor))
    })
}

/// Returns the credit that a void bill drew: to the grants that are open, or else as a new grant, so that no paid money is lost. `drawn`
/// are the grants with the amount drawn of each.
pub fn give_back(invoice: InvoiceId, drawn: &[(Grant, i64)], moment: Moment<'_>) -> Decision {
    let mut decision = Decision::new();
    for (grant, amount_minor) in drawn {
        decision = decision.guard(store::unchanged(grant.id, grant.version));
        let amount = Money::new(*amount_minor, grant.amount.currency());
        let origin = format!("{invoice}/{}", grant.id);
        decision = match carried(Source::Invoice, origin, amount, moment.now).filter(|_| !grant.is_usable(moment.now)) {
            Some(another) => decision.and(granted(&another)),
            None => decision.write(store::give_back(grant.id, *amount_minor)),
        };
    }
    decision
}

/// Voids the rest of a grant; nothing where none is left.
pub fn void(grant: &Grant, moment: Moment<'_>) -> Result<Decision> {
    if grant.left_minor == 0 {
        return Ok(Decision::new());
    }
    Ok(ended(grant, moment)?.raise(CreditVoided { credit: grant.id, amount: grant.left().to_decimal_string() }).audit(
        "credit.voided",
        grant.id.to_string(),
        Some(grant.facts()),
        None,
    ))
}

/// Expires the rest of a grant at the end of its time.
pub fn expire(grant: &Grant, moment: Moment<'_>) -> Result<Decision> {
    if grant.left_minor == 0 || grant.expires_at.is_none_or(|at| moment.now < at) {
        return Ok(Decision::new());
    }
    Ok(ended(grant, moment)?.raise(CreditExpired { credit: grant.id, amount: grant.left().to_decimal_string() }).audit(
        "credit.expired",
        grant.id.to_string(),
        Some(grant.facts()),
        None,
    ))
}

fn ended(grant: &Grant, moment: Moment<'_>) -> Result<Decision> {
    let lapsed = credit_expired(&grant.id.to_string(), grant.source.funding(), grant.left(), moment)?;
    let decision = Decision::new().guard(store::unchanged(grant.id, grant.version)).write(store::end(grant.id, moment.now));
    Ok(decision.write_all(post(&[lapsed])))
}

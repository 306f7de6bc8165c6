//! The lifecycle of an organization: its statuses, their triggers, and the permissions of its credentials in each.

use serde_json::json;

use super::organization::{Cancellation, Life, Organization, Suspension};
use super::store;
use crate::events::{CancellationWithdrawn, ErasureDue, OrganizationCancelled, OrganizationResumed, OrganizationSuspended};
use crate::kernel::decision::Decision;
use crate::kernel::ids::Moment;
use crate::kernel::organization::Status;
use crate::kernel::problem::Problem;
use crate::kernel::time::days;

/// The time in which a cancellation can be withdrawn.
pub const GRACE: std::time::Duration = days(30);
const REASON_LENGTH_MAX: usize = 2_000;

/// The triggers of a status change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trigger {
    /// The onboarding checklist is complete.
    Onboard,
    /// The vendor suspends the organization.
    Suspend,
    /// The vendor ends the suspension.
    Resume,
    /// The organization is cancelled.
    Cancel,
    /// The cancellation is withdrawn.
    Withdraw,
}

/// The status of an organization before its suspension or cancellation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Past {
    pub is_onboarded: bool,
    pub is_suspended: bool,
}

impl Past {
    fn healthy(self) -> Status {
        if self.is_onboarded { Status::Onboarded } else { Status::Active }
    }
}

/// The status after `trigger`: the whole lifecycle. Errors: 409 with the remedy for every other transition.
pub fn next(status: Status, trigger: Trigger, past: Past) -> Result<Status, Problem> {
    match (status, trigger) {
        (Status::Active, Trigger::Onboard) => Ok(Status::Onboarded),
        (Status::Onboarded | Status::Suspended | Status::Cancelled, Trigger::Onboard) => Ok(status),
        (Status::Active | Status::Onboarded | Status::Suspended, Trigger::Suspend) => Ok(Status::Suspended),
        (Status::Cancelled, Trigger::Suspend) => Err(Problem::conflict(
            "organization_cancelled",
            "A cancelled organization accepts no writes, so it cannot be suspended. Withdraw the cancellation first.",
        )),
        (Status::Suspended, Trigger::Resume) => Ok(past.healthy()),
        (Status::Active | Status::Onboarded, Trigger::Resume) => {
            Err(Problem::conflict("organization_not_suspended", "The organization is not suspended. Only a suspension can be ended."))
        }
        (Status::Cancelled, Trigger::Resume) => Err(Problem::conflict(
            "organization_cancelled",
            "The organization is cancelled. Withdraw the cancellation with DELETE /v1/organization/cancellation.",
        )),
        (Status::Active | Status::Onboarded | Status::Suspended, Trigger::Cancel) => Ok(Status::Cancelled),
        (Status::Cancelled, Trigger::Cancel) => Err(Problem::conflict(
            "already_cancelled",
            "The organization is cancelled already. To keep it, send DELETE /v1/organization/cancellation.",
        )),
        (Status::Cancelled, Trigger::Withdraw) => Ok(if past.is_suspended { Status::Suspended } else { past.healthy() }),
        (Status::Active | Status::Onboarded | Status::Suspended, Trigger::Withdraw) => {
            Err(Problem::conflict("organization_not_cancelled", "The organization is not cancelled. Only a cancellation can be withdrawn."))
        }
    }
}

impl Life {
    fn past(&self) -> Past {
        Past { is_onboarded: self.organization.onboarded_at.is_some(), is_suspended: self.suspension.is_some() }
    }

    /// The organization in its next status, and the beginning of each such decision.
    fn after(&self, trigger: Trigger) -> Result<(Organization, Decision), Problem> {
        let status = next(self.organization.status, trigger, self.past())?;
        let changed = Organization { status, ..self.organization.clone() };
        let decision = Decision::new().guard(store::unchanged(&self.organization)).write(store::update(&changed));
        Ok((changed, decision))
    }

    fn status_document(&self) -> Option<serde_json::Value> {
        Some(json!({"status": self.organization.status}))
    }
}

/// Suspends the organization. Of a suspended one, the reason is replaced; the same reason changes nothing.
pub fn suspend(life: &Life, reason: &str, moment: Moment<'_>) -> Result<(Suspension, Decision), Problem> {
    let reason = check_reason(reason)?;
    let (changed, decision) = life.after(Trigger::Suspend)?;
    let id = changed.id.to_string();
    if let Some(suspension) = &life.suspension {
        if suspension.reason == reason {
            return Ok((suspension.clone(), Decision::new()));
        }
        let next = Suspension { reason, started_at: suspension.started_at };
        let (before, after) = (json!({"reason": suspension.reason}), json!({"reason": next.reason}));
        return Ok((next.clone(), decision.write(store::put_suspension(&next)).audit("suspension.changed", id, Some(before), Some(after))));
    }
    let suspension = Suspension { reason, started_at: moment.now };
    let after = json!({"status": changed.status, "reason": suspension.reason});
    let decision = decision
        .write(store::put_suspension(&suspension))
        .raise(OrganizationSuspended { reason: suspension.reason.clone() })
        .audit("organization.suspended", id, life.status_document(), Some(after));
    Ok((suspension, decision))
}

/// Ends the suspension.
pub fn resume(life: &Life) -> Result<Decision, Problem> {
    let (changed, decision) = life.after(Trigger::Resume)?;
    let after = json!({"status": changed.status});
    Ok(decision.write(store::delete_suspension()).raise(OrganizationResumed {}).audit(
        "organization.resumed",
        changed.id.to_string(),
        life.status_document(),
        Some(after),
    ))
}

/// Cancels the organization: it accepts no writes, and after the grace period all of its data is erased.
pub fn cancel(life: &Life, reason: Option<&str>, moment: Moment<'_>) -> Result<(Cancellation, Decision), Problem> {
    let reason = reason.map(check_reason).transpose()?;
    let (changed, decision) = life.after(Trigger::Cancel)?;
    let cancellation = Cancellation { reason, cancelled_at: moment.now, erases_at: moment.now.plus(GRACE) };
    let after = json!({"status": changed.status, "reason": cancellation.reason, "erasesAt": cancellation.erases_at});
    let decision = decision
        .write(store::insert_cancellation(&cancellation))
        .raise(OrganizationCancelled { erases_at: cancellation.erases_at })
        .later(cancellation.erases_at, ErasureDue { cancelled_at: cancellation.cancelled_at })
        .audit("organization.cancelled", changed.id.to_string(), life.status_document(), Some(after));
    Ok((cancellation, decision))
}

/// Withdraws the cancellation.
pub fn withdraw(life: &Life) -> Result<Decision, Problem> {
    let (changed, decision) = life.after(Trigger::Withdraw)?;
    let after = json!({"status": changed.status});
    Ok(decision.write(store::delete_cancellation()).raise(CancellationWithdrawn {}).audit(
        "cancellation.withdrawn",
        changed.id.to_string(),
        life.status_document(),
        Some(after),
    ))
}

fn check_reason(reason: &str) -> Result<String, Problem> {
    let reason = reason.trim();
    if reason.is_empty() || reason.chars().count() > REASON_LENGTH_MAX {
        return Err(Problem::invalid("/reason", "invalid_value", "Send a reason of 1 to 2,000 characters."));
    }
    Ok(reason.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const STATUSES: [Status; 4] = [Status::Active, Status::Onboarded, Status::Suspended, Status::Cancelled];
    const TRIGGERS: [Trigger; 5] = [Trigger::Onboard, Trigger::Suspend, Trigger::Resume, Trigger::Cancel, Trigger::Withdraw];

    /// One line per status: the next status for each of `TRIGGERS`, or the refusal.
    const TABLE: [(Status, [&str; 5]); 4] = [
        (Status::Active, ["onboarded", "suspended", "organization_not_suspended", "cancelled", "organization_not_cancelled"]),
        (Status::Onboarded, ["onboarded", "suspended", "organization_not_suspended", "cancelled", "organization_not_cancelled"]),
        (Status::Suspended, ["suspended", "suspended", "before", "cancelled", "organization_not_cancelled"]),
        (Status::Cancelled, ["cancelled", "organization_cancelled", "organization_cancelled", "already_cancelled", "before"]),
    ];

    #[test]
    fn the_whole_table() {
        let past = |is_onboarded, is_suspended| Past { is_onboarded, is_suspended };
        for (status, row) in TABLE {
            assert!(STATUSES.contains(&status));
            for (trigger, expected) in TRIGGERS.into_iter().zip(row) {
                for (past, before) in [(past(false, false), "active"), (past(true, false), "onboarded")] {
                    let expected = if expected == "before" { before } else { expected };
                    let found = next(status, trigger, past).map_or_else(|problem| problem.code, Status::wire_name);
                    assert_eq!(found, expected, "{status:?} {trigger:?}");
                }
            }
        }
        assert_eq!(
            next(Status::Cancelled, Trigger::Withdraw, past(true, true)),
            Ok(Status::Suspended),
            "a suspension outlasts a cancellation"
        );
        for problem in
            STATUSES.iter().flat_map(|status| TRIGGERS.map(|trigger| next(*status, trigger, past(false, false)))).filter_map(Result::err)
        {
            assert_eq!(problem.status, 409);
            assert!(problem.detail.ends_with('.'), "{}", problem.detail);
        }
    }
}

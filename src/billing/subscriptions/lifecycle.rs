//! How a subscription gets from one status to another: one table, and whatever changes a status goes through it.
//!
//! A paused subscription bills nothing and is not left but by resuming or ending. A suspended one keeps being billed: access stops, the
//! contract goes on. What is over stays over; another subscription may begin.

use crate::kernel::problem::Problem;
use serde::{Deserialize, Serialize};

/// What happens to a subscription.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Trigger {
    /// The trial ends and the first paid period begins.
    Convert,
    /// Another period begins.
    Renew,
    /// Something else is subscribed to from now on.
    Change,
    /// Something else is to be subscribed to after the billing period.
    ScheduleChange,
    /// It is not, after all.
    RevokeChange,
    CancelNow,
    /// It is to end with the billing period.
    CancelAtEnd,
    /// It goes on, after all.
    WithdrawCancellation,
    Pause,
    Resume,
    /// The vendor stops it.
    Suspend,
    Unsuspend,
    /// An invoice was not paid in time.
    PaymentOverdue,
    /// Every invoice is paid.
    PaymentsCurrent,
    /// The period at whose end it was cancelled is over.
    End,
    /// Nobody renewed it, or its trial ended unpaid.
    Expire,
}

impl Trigger {
    pub const ALL: &'static [Self] = &[
        Self::Convert,
        Self::Renew,
        Self::Change,
        Self::ScheduleChange,
        Self::RevokeChange,
        Self::CancelNow,
        Self::CancelAtEnd,
        Self::WithdrawCancellation,
        Self::Pause,
        Self::Resume,
        Self::Suspend,
        Self::Unsuspend,
        Self::PaymentOverdue,
        Self::PaymentsCurrent,
        Self::End,
        Self::Expire,
    ];
}

/// The status after a trigger; None where it can't happen.
pub fn next(status: Status, trigger: Trigger) -> Option<Status> {
    match status {
        Status::Trialing => of_trial(trigger),
        Status::Active | Status::PastDue => of_running(status, trigger),
        Status::Paused => of_paused(trigger),
        Status::Suspended => of_suspended(trigger),
        Status::Cancelled | Status::Expired => None,
    }
}

/// The same, or a refusal that says what to do first.
pub fn step(status: Status, trigger: Trigger) -> Result<Status, Problem> {
    next(status, trigger).ok_or_else(|| refusal(status, trigger))
}

fn of_trial(trigger: Trigger) -> Option<Status> {
    match trigger {
        Trigger::Convert => Some(Status::Active),
        Trigger::Change | Trigger::ScheduleChange | Trigger::RevokeChange | Trigger::CancelAtEnd | Trigger::WithdrawCancellation => {
            Some(Status::Trialing)
        }
        Trigger::CancelNow | Trigger::End => Some(Status::Cancelled),
        Trigger::Expire => Some(Status::Expired),
        Trigger::Renew
        | Trigger::Pause
        | Trigger::Resume
        | Trigger::Suspend
        | Trigger::Unsuspend
        | Trigger::PaymentOverdue
        | Trigger::PaymentsCurrent => None,
    }
}

/// Active, or past due.
fn of_running(status: Status, trigger: Trigger) -> Option<Status> {
    let is_past_due = status == Status::PastDue;
    match trigger {
        Trigger::Renew
        | Trigger::Change
        | Trigger::ScheduleChange
        | Trigger::RevokeChange
        | Trigger::CancelAtEnd
        | Trigger::WithdrawCancellation => Some(status),
        Trigger::CancelNow | Trigger::End => Some(Status::Cancelled),
        Trigger::Expire => Some(Status::Expired),
        Trigger::Suspend => Some(Status::Suspended),
        Trigger::PaymentOverdue => Some(Status::PastDue),
        // Who owes something pays first: a pause is no way around a bill.
        Trigger::Pause => (!is_past_due).then_some(Status::Paused),
        Trigger::PaymentsCurrent => is_past_due.then_some(Status::Active),
        Trigger::Convert | Trigger::Resume | Trigger::Unsuspend => None,
    }
}

fn of_paused(trigger: Trigger) -> Option<Status> {
    match trigger {
        Trigger::Resume => Some(Status::Active),
        Trigger::CancelNow => Some(Status::Cancelled),
        Trigger::Convert
        | Trigger::Renew
        | Trigger::Change
        | Trigger::ScheduleChange
        | Trigger::RevokeChange
        | Trigger::CancelAtEnd
        | Trigger::WithdrawCancellation
        | Trigger::Pause
        | Trigger::Suspend
        | Trigger::Unsuspend
        | Trigger::PaymentOverdue
        | Trigger::PaymentsCurrent
        | Trigger::End
        | Trigger::Expire => None,
    }
}

fn of_suspended(trigger: Trigger) -> Option<Status> {
    match trigger {
        Trigger::Unsuspend => Some(Status::Active),
        Trigger::Renew | Trigger::RevokeChange | Trigger::CancelAtEnd | Trigger::WithdrawCancellation => Some(Status::Suspended),
        Trigger::CancelNow | Trigger::End => Some(Status::Cancelled),
        Trigger::Expire => Some(Status::Expired),
        Trigger::Convert
        | Trigger::Change
        | Trigger::ScheduleChange
        | Trigger::Pause
        | Trigger::Resume
        | Trigger::Suspend
        | Trigger::PaymentOverdue
        | Trigger::PaymentsCurrent => None,
    }
}

fn refusal(status: Status, trigger: Trigger) -> Problem {
    let (code, detail) = match (status, trigger) {
        (Status::Cancelled | Status::Expired, _) => {
            ("subscription_ended", "The subscription is over. Begin another one with POST /v1/subscription.")
        }
        (_, Trigger::Resume) => ("not_paused", "The subscription is not paused; there is nothing to resume."),
        (_, Trigger::Unsuspend) => ("not_suspended", "The subscription is not suspended; there is nothing to end."),
        (Status::Paused, _) => (
            "subscription_paused",
            "The subscription is paused. Resume it with DELETE /v1/subscription/pause, or cancel it with effective now.",
        ),
        (Status::Suspended, _) => ("subscription_suspended", "The subscription is suspended. Ask the vendor to end the suspension first."),
        (Status::Trialing, _) => {
            ("subscription_on_trial", "The subscription is on trial. Change it or cancel it, or wait for its first paid period.")
        }
        (Status::PastDue, Trigger::Pause) => ("payment_past_due", "An invoice is overdue. Pay it first, then pause."),
        (Status::Active | Status::PastDue, _) => ("not_possible_now", "The subscription is running; this can't happen to it now."),
    };
    Problem::conflict(code, detail)
}

/// How a subscription stands. `lifecycle.rs` says how it gets from one to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = SubscriptionStatus)]
pub enum Status {
    Trialing,
    Active,
    PastDue,
    Paused,
    Suspended,
    Cancelled,
    Expired,
}

#[cfg(test)]
mod tests {
    use super::*;
    use Status::{Active, Cancelled, Expired, PastDue, Paused, Suspended, Trialing};

    const STATUSES: [Status; 7] = [Trialing, Active, PastDue, Paused, Suspended, Cancelled, Expired];

    /// A row a trigger, a column a status, in the order of `STATUSES`.
    #[rustfmt::skip]
    const TABLE: [(Trigger, [Option<Status>; 7]); 16] = [
        (Trigger::Convert,              [Some(Active),    None,            None,            None,            None,            None, None]),
        (Trigger::Renew,                [None,            Some(Active),    Some(PastDue),   None,            Some(Suspended), None, None]),
        (Trigger::Change,               [Some(Trialing),  Some(Active),    Some(PastDue),   None,            None,            None, None]),
        (Trigger::ScheduleChange,       [Some(Trialing),  Some(Active),    Some(PastDue),   None,            None,            None, None]),
        (Trigger::RevokeChange,         [Some(Trialing),  Some(Active),    Some(PastDue),   None,            Some(Suspended), None, None]),
        (Trigger::CancelNow,            [Some(Cancelled), Some(Cancelled), Some(Cancelled), Some(Cancelled), Some(Cancelled), None, None]),
        (Trigger::CancelAtEnd,          [Some(Trialing),  Some(Active),    Some(PastDue),   None,            Some(Suspended), None, None]),
        (Trigger::WithdrawCancellation, [Some(Trialing),  Some(Active),    Some(PastDue),   None,            Some(Suspended), None, None]),
        (Trigger::Pause,                [None,            Some(Paused),    None,            None,            None,            None, None]),
        (Trigger::Resume,               [None,            None,            None,            Some(Active),    None,            None, None]),
        (Trigger::Suspend,              [None,            Some(Suspended), Some(Suspended), None,            None,            None, None]),
        (Trigger::Unsuspend,            [None,            None,            None,            None,            Some(Active),    None, None]),
        (Trigger::PaymentOverdue,       [None,            Some(PastDue),   Some(PastDue),   None,            None,            None, None]),
        (Trigger::PaymentsCurrent,      [None,            None,            Some(Active),    None,            None,            None, None]),
        (Trigger::End,                  [Some(Cancelled), Some(Cancelled), Some(Cancelled), None,            Some(Cancelled), None, None]),
        (Trigger::Expire,               [Some(Expired),   Some(Expired),   Some(Expired),   None,            Some(Expired),   None, None]),
    ];

    #[test]
    fn the_whole_table_is_as_it_is_written_here() {
        assert_eq!(TABLE.map(|(trigger, _)| trigger).as_slice(), Trigger::ALL, "each trigger has its row");
        for (trigger, row) in TABLE {
            for (status, wanted) in STATUSES.into_iter().zip(row) {
                assert_eq!(next(status, trigger), wanted, "{status:?} x {trigger:?}");
                let refusal = step(status, trigger).err();
                assert_eq!(refusal.as_ref().map(|problem| problem.status), wanted.map_or(Some(409), |_| None), "{status:?} x {trigger:?}");
                assert!(refusal.is_none_or(|problem| problem.detail.len() > 40), "{status:?} x {trigger:?} says what to do");
            }
        }
    }
}

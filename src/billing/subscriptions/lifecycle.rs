//! The statuses of a subscription and their transitions: one table, which every change of a status uses. A paused subscription is charged
//! nothing, and is only resumed or cancelled. A suspended one is still charged: access stops, the contract continues. An ended subscription
//! stays ended; another one may be created.

use crate::kernel::problem::Problem;
use serde::{Deserialize, Serialize};

/// A transition of a subscription.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Trigger {
    /// The trial ends and the first paid period starts.
    Convert,
    /// Another period starts.
    Renew,
    /// The plan, quantity or add-ons change now.
    Change,
    /// The plan, quantity or add-ons change after the billing period.
    ScheduleChange,
    /// The scheduled change is revoked.
    RevokeChange,
    CancelNow,
    /// The subscription ends with the billing period.
    CancelAtEnd,
    /// The scheduled cancellation is withdrawn.
    WithdrawCancellation,
    Pause,
    Resume,
    /// The vendor suspends the subscription.
    Suspend,
    Unsuspend,
    /// An invoice is overdue.
    PaymentOverdue,
    /// No invoice is overdue.
    PaymentsCurrent,
    /// The period of a scheduled cancellation ends.
    End,
    /// The subscription does not renew, or its trial ends without a payment method.
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

/// The status after a transition; None where it is not possible.
pub fn next(status: Status, trigger: Trigger) -> Option<Status> {
    match status {
        Status::Trialing => of_trial(trigger),
        Status::Active | Status::PastDue => of_running(status, trigger),
        Status::Paused => of_paused(trigger),
        Status::Suspended => of_suspended(trigger),
        Status::Cancelled | Status::Expired => None,
    }
}

/// The status after a transition, or a refusal with the remedy.
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
        // An overdue invoice is paid first: a pause does not postpone it.
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
            ("subscription_ended", "The subscription has ended. Create another one with POST /v1/subscription.")
        }
        (_, Trigger::Resume) => ("not_paused", "The subscription is not paused. GET /v1/subscription shows its status."),
        (_, Trigger::Unsuspend) => ("not_suspended", "The subscription is not suspended. GET /v1/subscription shows its status."),
        (Status::Paused, _) => (
            "subscription_paused",
            "The subscription is paused. Resume it with DELETE /v1/subscription/pause, or cancel it with \"effective\": \"now\".",
        ),
        (Status::Suspended, _) => ("subscription_suspended", "The subscription is suspended. Ask the vendor to end the suspension first."),
        (Status::Trialing, _) => {
            ("subscription_on_trial", "The subscription is on trial. Change it or cancel it, or wait for its first paid period.")
        }
        (Status::PastDue, Trigger::Pause) => ("payment_past_due", "An invoice is overdue. Pay it first, then pause."),
        (Status::Active | Status::PastDue, _) => {
            ("not_possible_now", "The subscription is running, and this is not possible in its status. GET /v1/subscription shows it.")
        }
    };
    Problem::conflict(code, detail)
}

/// The status of a subscription.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = SubscriptionStatus)]
pub enum Status {
    /// On trial: usage is free.
    Trialing,
    /// Charged and in use.
    Active,
    /// In use, with an overdue invoice.
    PastDue,
    /// Paused by the organization: no charges, no usage.
    Paused,
    /// Suspended by the vendor: charges, but no usage.
    Suspended,
    /// Ended by a cancellation.
    Cancelled,
    /// Ended without renewal.
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

//! The statuses of an invoice and their transitions: one table.

use crate::kernel::problem::Problem;
use serde::{Deserialize, Serialize};

/// A transition of an invoice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trigger {
    /// The invoice gets its number.
    Finalize,
    /// Nothing is outstanding.
    PayInFull,
    /// The due date has passed.
    PassDueDate,
    /// The invoice was a mistake.
    Void,
    /// The invoice will not be paid.
    WriteOff,
}

impl Trigger {
    pub const ALL: &'static [Self] = &[Self::Finalize, Self::PayInFull, Self::PassDueDate, Self::Void, Self::WriteOff];
}

/// The status after the transition, or a refusal.
pub fn step(status: Status, trigger: Trigger) -> Result<Status, Problem> {
    match (status, trigger) {
        (Status::Draft, Trigger::Finalize) => Ok(Status::Due),
        (Status::Due, Trigger::PassDueDate) => Ok(Status::Overdue),
        (Status::Due | Status::Overdue | Status::Uncollectible, Trigger::PayInFull) => Ok(Status::Paid),
        (Status::Due | Status::Overdue, Trigger::Void) => Ok(Status::Void),
        (Status::Due | Status::Overdue, Trigger::WriteOff) => Ok(Status::Uncollectible),
        (Status::Draft, Trigger::PayInFull | Trigger::PassDueDate | Trigger::Void | Trigger::WriteOff)
        | (Status::Due | Status::Overdue, Trigger::Finalize)
        | (Status::Overdue, Trigger::PassDueDate)
        | (Status::Uncollectible, Trigger::Finalize | Trigger::PassDueDate | Trigger::Void | Trigger::WriteOff)
        | (Status::Paid | Status::Void, _) => Err(refusal(status)),
    }
}

/// The refusal of a transition from this status.
pub fn refusal(status: Status) -> Problem {
    match status {
        Status::Draft => Problem::conflict("invoice_draft", "This invoice is still a draft. Retry in a second."),
        Status::Due => Problem::conflict("invoice_due", "This invoice is already due."),
        Status::Overdue => Problem::conflict("invoice_overdue", "This invoice is already overdue."),
        Status::Paid => {
            Problem::conflict("invoice_paid", "This invoice is paid. To return money, create a credit note with POST /v1/credit-notes.")
        }
        Status::Void => Problem::conflict("invoice_void", "This invoice was voided. It can be neither paid nor credited."),
        Status::Uncollectible => {
            Problem::conflict("invoice_uncollectible", "This invoice was written off. It can only be paid: POST /v1/invoices/{id}/payment.")
        }
    }
}

/// The status of an invoice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = InvoiceStatus)]
pub enum Status {
    /// It has no number yet.
    Draft,
    /// It has its number and is not paid in full.
    Due,
    /// Nothing is outstanding.
    Paid,
    /// The due date has passed, and it is not paid in full.
    Overdue,
    /// It was a mistake and is not to be paid.
    Void,
    /// It was written off.
    Uncollectible,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_status_meets_every_trigger() {
        use Status::{Draft, Due, Overdue, Paid, Uncollectible, Void};
        const NO: Option<Status> = None;
        // Finalize, PayInFull, PassDueDate, Void, WriteOff.
        let table: [(Status, [Option<Status>; 5]); 6] = [
            (Draft, [Some(Due), NO, NO, NO, NO]),
            (Due, [NO, Some(Paid), Some(Overdue), Some(Void), Some(Uncollectible)]),
            (Overdue, [NO, Some(Paid), NO, Some(Void), Some(Uncollectible)]),
            (Paid, [NO; 5]),
            (Void, [NO; 5]),
            (Uncollectible, [NO, Some(Paid), NO, NO, NO]),
        ];
        for (status, row) in table {
            for (trigger, expected) in Trigger::ALL.iter().zip(row) {
                assert_eq!(step(status, *trigger).ok(), expected, "{status:?} {trigger:?}");
            }
            let code = crate::kernel::sql::word(&status);
            assert_eq!(refusal(status).code, format!("invoice_{code}"));
        }
    }
}

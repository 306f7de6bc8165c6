//! The actions that a step can return. The list is closed: a process can do nothing else.

use crate::events::{Event, ItemKey};
use crate::kernel::decision::Mail;
use crate::kernel::ids::{CreditId, CreditNoteId, InvitationId, InvoiceId, KeyId, MoveId, PersonId, SubscriptionId};
use crate::kernel::ports::Work;
use crate::kernel::time::Timestamp;

#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    SendMail(Mail),
    CreateChecklist,
    CompleteItem(ItemKey),
    CompleteOnboarding,
    StartTrial {
        plan: String,
    },
    /// Raises a fact at a later time.
    ScheduleEvent {
        at: Timestamp,
        event: Event,
    },
    /// Sends the company's entitlements to its Meter.
    UpdateMeterEntitlements,
    /// Sends an API key, or its revocation, to the Meter.
    UpdateMeterKey(KeyId),
    /// Revokes the API keys and OAuth clients of a former member, also in the Meter.
    RevokeCredentials(PersonId),
    /// Sends the company's current limits and grants to its Meter.
    UpdateMeterLimits,
    /// Sends the current number of members and held seats to the Meter.
    UpdateMeterSeats,
    ExpireInvitation(InvitationId),
    /// Makes the directory's entry agree with the person's membership.
    SyncDirectoryMembership(PersonId),
    FinalizeInvoice(InvoiceId),
    /// Ends a pause at its scheduled end.
    EndPause {
        subscription: SubscriptionId,
        resumes_at: Timestamp,
    },
    /// Bills the late usage of an ended subscription.
    BillLateUsage(SubscriptionId),
    /// Marks the subscription past due.
    MarkPastDue,
    /// Marks the subscription current, if no invoice is overdue.
    MarkCurrent,
    /// Marks an invoice overdue, if it is still due.
    MarkOverdue(InvoiceId),
    /// Recognizes the revenue that an invoice deferred until the end of a period.
    RecognizeRevenue {
        invoice: InvoiceId,
        ends_at: Timestamp,
    },
    NumberCreditNote(CreditNoteId),
    /// Expires the rest of a credit, if its time has come.
    ExpireCredit(CreditId),
    /// Sends to the Meter whether the company may record usage.
    UpdateMeterStatus,
    /// Requests the erasure of the company, unless it was reactivated.
    BeginErasure,
    /// Records the start of the company's move to another database.
    BeginMove {
        id: MoveId,
        shard: usize,
    },
    /// Queues the company's export, erasure or move to continue in the background.
    ContinueWork(Work),
    /// Sends a mail to each of the people who are members.
    SendMailToMembers {
        people: Vec<PersonId>,
        mail: Mail,
    },
}

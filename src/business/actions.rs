//! What a step can ask for. Closed: a process can do these things and no others.

use crate::events::{Event, ItemKey};
use crate::kernel::decision::Mail;
use crate::kernel::ids::{CreditId, CreditNoteId, InvitationId, InvoiceId, KeyId, MoveId, PersonId, SubscriptionId};
use crate::kernel::ports::Work;
use crate::kernel::time::Timestamp;

#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    Send(Mail),
    CreateChecklist,
    CompleteItem(ItemKey),
    CompleteOnboarding,
    StartTrial {
        plan: String,
    },
    /// Lets a fact become true later.
    Later {
        at: Timestamp,
        event: Event,
    },
    /// Makes the Meter know what the company is entitled to.
    TellMeterEntitlements,
    /// Makes the Meter know a key, or its revocation.
    TellMeterKey(KeyId),
    /// Ends every key and client in the hands of a person who is no longer a member, also at the Meter.
    EndCredentialsOf(PersonId),
    /// Makes the Meter know the company's own limits and grants, as they stand now.
    TellMeterLimits,
    /// Makes the Meter know how many members there are and which seats are held, as it stands now.
    TellMeterSeats,
    ExpireInvitation(InvitationId),
    /// Makes the directory say whether this person is a member.
    KeepDirectoryTrue(PersonId),
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
    /// Makes the Meter know whether the company may write.
    TellMeterStatus,
    /// Records that the company is to be erased, if it still is.
    BeginErasure,
    /// Records that the company is to be moved to another database.
    BeginMove {
        id: MoveId,
        shard: usize,
    },
    /// Has work of the company go on in the background.
    GoOn(Work),
    /// Writes to the people named, if they are members.
    SendToMembers {
        people: Vec<PersonId>,
        mail: Mail,
    },
}

//! Every fact of the business, one a line, with its wire name and version. Closed: what is not here does not happen.
//!
//! A fact is committed with what caused it (`kernel/decision.rs`), and `business/` says what follows from it. A field may be added to a
//! version; changing or removing one is a new version. Imports no slice: words that only facts and slices share stand at the end.

use rating::Quantity;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::kernel::ids::{
    CreditId, CreditNoteId, ExportId, InvitationId, InvoiceId, KeyId, MoveId, PaymentId, PersonId, RefundId, RoleId, SessionId,
    SubscriptionId, TeamId,
};
use crate::kernel::time::Timestamp;

macro_rules! events {
    ($($(#[$doc:meta])* $name:ident = $wire:literal v $version:literal { $($field:ident: $type:ty),* $(,)? })*) => {
        $(
            $(#[$doc])*
            #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
            #[serde(rename_all = "camelCase")]
            pub struct $name { $(pub $field: $type),* }

            impl From<$name> for Event {
                fn from(fact: $name) -> Self {
                    Self::$name(fact)
                }
            }
        )*

        /// One fact.
        #[derive(Clone, Debug, PartialEq)]
        pub enum Event { $($name($name)),* }

        /// Which fact, without its data.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum EventKind { $($name),* }

        impl EventKind {
            pub const ALL: &'static [EventKind] = &[$(EventKind::$name),*];

            /// The name outside: `Resource.verbed`.
            pub fn wire_name(self) -> &'static str {
                match self { $(Self::$name => $wire),* }
            }
        }

        impl Event {
            pub fn kind(&self) -> EventKind {
                match self { $(Self::$name(_) => EventKind::$name),* }
            }

            /// Version of the data's shape.
            pub fn version(&self) -> u32 {
                match self { $(Self::$name(_) => $version),* }
            }

            /// The data as JSON.
            pub fn data(&self) -> serde_json::Value {
                match self { $(Self::$name(fact) => serde_json::to_value(fact).unwrap_or_default()),* }
            }

            /// The fact that was recorded as `wire_name`, `version` and `data`; None when no such fact is known.
            pub fn read(wire_name: &str, version: u32, data: &str) -> Option<Self> {
                match (wire_name, version) {
                    $(($wire, $version) => serde_json::from_str(data).ok().map(Self::$name),)*
                    _ => None,
                }
            }
        }
    };
}

impl Event {
    pub fn wire_name(&self) -> &'static str {
        self.kind().wire_name()
    }
}

events! {
    /// A company signed up.
    OrganizationCreated = "Organization.created" v 1 { name: String, email: String }
    /// Its details or settings were changed; `fields` names what.
    OrganizationUpdated = "Organization.updated" v 1 { fields: Vec<String> }
    /// All of its onboarding checklist is done.
    OrganizationOnboarded = "Organization.onboarded" v 1 {}
    /// The vendor stopped it: its credentials can read and not write.
    OrganizationSuspended = "Organization.suspended" v 1 { reason: String }
    /// The vendor let it go on.
    OrganizationResumed = "Organization.resumed" v 1 {}
    /// It leaves, and is erased at `erases_at`.
    OrganizationCancelled = "Organization.cancelled" v 1 { erases_at: Timestamp }
    /// It stays after all.
    CancellationWithdrawn = "Organization.cancellationWithdrawn" v 1 {}
    /// The grace period of a cancellation is over.
    ErasureDue = "Organization.erasureDue" v 1 { cancelled_at: Timestamp }
    /// The operator wants it in another database.
    MoveRequested = "Organization.moveRequested" v 1 { id: MoveId, shard: usize }
    /// It has another owner.
    OwnershipTransferred = "Organization.ownershipTransferred" v 1 { from: PersonId, to: PersonId }
    /// Everything of it is to be written down.
    ExportRequested = "Export.requested" v 1 { export: ExportId }
    /// One item of the onboarding checklist is done.
    ChecklistItemCompleted = "Checklist.itemCompleted" v 1 { item: ItemKey }
    /// The day has come to ask a new customer how it goes.
    CheckInDue = "Onboarding.checkInDue" v 1 { day: u32 }

    /// A subscription began.
    SubscriptionCreated = "Subscription.created" v 1 { subscription: SubscriptionId, plan: String, is_trial: bool }
    /// A trial has three days left.
    TrialEnding = "Subscription.trialEnding" v 1 { subscription: SubscriptionId, trial_ends_at: Timestamp }
    /// A trial became a paying subscription.
    TrialConverted = "Subscription.trialConverted" v 1 { subscription: SubscriptionId }
    /// It was cancelled, and is over.
    SubscriptionCancelled = "Subscription.cancelled" v 1 { subscription: SubscriptionId, reason: Option<String> }
    /// Nobody renewed it, or its trial ended unpaid: it is over.
    SubscriptionExpired = "Subscription.expired" v 1 { subscription: SubscriptionId }
    /// Something else is subscribed to, of a higher base price.
    SubscriptionUpgraded = "Subscription.upgraded" v 1 { subscription: SubscriptionId, from_plan: String, to_plan: String }
    /// Something else is subscribed to, of a lower base price.
    SubscriptionDowngraded = "Subscription.downgraded" v 1 { subscription: SubscriptionId, from_plan: String, to_plan: String }
    /// Something else is subscribed to, of the same base price: add-ons, an interval, a version.
    SubscriptionChanged = "Subscription.changed" v 1 { subscription: SubscriptionId, from_plan: String, to_plan: String }
    /// It rests: nothing is admitted and nothing falls due.
    SubscriptionPaused = "Subscription.paused" v 1 { subscription: SubscriptionId, resumes_at: Option<Timestamp> }
    /// The time has come at which a pause ends by itself, unless it ended before.
    ResumptionDue = "Subscription.resumptionDue" v 1 { subscription: SubscriptionId, resumes_at: Timestamp }
    /// It goes on after a pause.
    SubscriptionResumed = "Subscription.resumed" v 1 { subscription: SubscriptionId }
    /// The vendor stopped it: nothing is admitted.
    SubscriptionSuspended = "Subscription.suspended" v 1 { subscription: SubscriptionId }
    /// The vendor let it go on.
    SubscriptionUnsuspended = "Subscription.unsuspended" v 1 { subscription: SubscriptionId }
    /// A year has 30 days left.
    SubscriptionExpiring = "Subscription.expiring" v 1 { subscription: SubscriptionId, ends_at: Timestamp }
    /// No more usage can come for a subscription that is over: what came after its last invoice is billed.
    LateUsageDue = "Subscription.lateUsageDue" v 1 { subscription: SubscriptionId }
    /// A new usage period began.
    SubscriptionRenewed = "Subscription.renewed" v 1 { subscription: SubscriptionId, period_starts_at: Timestamp }

    /// A metric was used for the first time.
    UsageStarted = "Usage.started" v 1 { metric: String }
    /// 80 % of a limit is used.
    UsageApproaching = "Usage.approaching" v 1 { metric: String, current: Quantity, limit: Quantity, period_starts_at: Timestamp }
    /// 90 % of a limit is used.
    UsageWarning = "Usage.warning" v 1 { metric: String, current: Quantity, limit: Quantity, period_starts_at: Timestamp }
    /// 100 % of a limit is used.
    UsageExceeded = "Usage.exceeded" v 1 { metric: String, current: Quantity, limit: Quantity, period_starts_at: Timestamp }

    /// A draft invoice was made for a billing period.
    InvoiceCreated = "Invoice.created" v 1 { invoice: InvoiceId }
    /// An invoice got its number and is due.
    InvoiceFinalized = "Invoice.finalized" v 1 {
        invoice: InvoiceId, identifier: String, total: String, currency: String, due_at: Timestamp,
    }

    /// The day has come on which an invoice is due at the latest.
    InvoiceDueDatePassed = "Invoice.dueDatePassed" v 1 { invoice: InvoiceId }
    /// A period is over for which an invoice charged in advance.
    InvoicePeriodEnded = "Invoice.periodEnded" v 1 { invoice: InvoiceId, ends_at: Timestamp }
    /// An invoice was due, and is not paid.
    InvoiceOverdue = "Invoice.overdue" v 1 { invoice: InvoiceId, identifier: String, remaining: String, currency: String }
    /// Nothing is left to pay of an invoice.
    InvoicePaid = "Invoice.paid" v 1 { invoice: InvoiceId }
    /// An invoice was a mistake.
    InvoiceVoided = "Invoice.voided" v 1 { invoice: InvoiceId, reason: Option<String> }
    /// An invoice will never be paid.
    InvoiceUncollectible = "Invoice.uncollectible" v 1 { invoice: InvoiceId }
    /// Money came in for an invoice.
    PaymentRecorded = "Payment.recorded" v 1 { payment: PaymentId, invoice: InvoiceId }
    /// A part of an invoice is taken back.
    CreditNoteCreated = "CreditNote.created" v 1 { credit_note: CreditNoteId, invoice: InvoiceId }
    /// A credit note got its number.
    CreditNoteIssued = "CreditNote.issued" v 1 { credit_note: CreditNoteId, invoice: InvoiceId, identifier: String }
    /// Money went back to the customer.
    RefundPaid = "Refund.paid" v 1 { refund: RefundId }
    /// The customer has more credit.
    CreditGranted = "Credit.granted" v 1 { credit: CreditId, amount: String, currency: String }
    /// The time has come at which a credit expires.
    CreditExpiryDue = "Credit.expiryDue" v 1 { credit: CreditId }
    /// What was left of a credit expired.
    CreditExpired = "Credit.expired" v 1 { credit: CreditId, amount: String }
    /// What was left of a credit was taken back.
    CreditVoided = "Credit.voided" v 1 { credit: CreditId, amount: String }

    /// Somebody is asked to join, until `expires_at`.
    InvitationCreated = "Invitation.created" v 1 { invitation: InvitationId, email: String, expires_at: Timestamp }
    /// The invitation is mailed again, with a new link; the one before opens nothing any more.
    InvitationRenewed = "Invitation.renewed" v 1 { invitation: InvitationId, email: String, generation: u32, expires_at: Timestamp }
    /// An invitation was taken back.
    InvitationRevoked = "Invitation.revoked" v 1 { invitation: InvitationId }
    /// The time has come at which an invitation expires, unless it was renewed.
    InvitationExpiryDue = "Invitation.expiryDue" v 1 { invitation: InvitationId }
    /// Nobody took an invitation up in time.
    InvitationExpired = "Invitation.expired" v 1 { invitation: InvitationId }
    /// Whoever was invited came.
    InvitationAccepted = "Invitation.accepted" v 1 { invitation: InvitationId, person: PersonId }
    /// Somebody is a member from now on.
    MemberJoined = "Member.joined" v 1 { person: PersonId }
    /// A member's profile or role was changed; `fields` names what.
    MemberUpdated = "Member.updated" v 1 { person: PersonId, fields: Vec<String> }
    /// Somebody is no member any more.
    MemberRemoved = "Member.removed" v 1 { person: PersonId }

    /// The vendor changed what it agreed with the organization beside its plan.
    LimitsChanged = "Limits.changed" v 1 { version: i64 }

    /// An API key may be used from now on.
    ApiKeyCreated = "ApiKey.created" v 1 { key: KeyId }
    /// An API key was replaced by another one, and ends soon.
    ApiKeyRotated = "ApiKey.rotated" v 1 { key: KeyId, replaced_by: KeyId }
    /// An API key may no longer be used.
    ApiKeyRevoked = "ApiKey.revoked" v 1 { key: KeyId }

    /// The organization defined a role.
    RoleCreated = "Role.created" v 1 { role: RoleId, key: String }
    /// A role means something else now for everybody who holds it, or is called differently.
    RoleUpdated = "Role.updated" v 1 { role: RoleId, key: String }
    /// A role that nobody held is gone.
    RoleDeleted = "Role.deleted" v 1 { role: RoleId, key: String }

    /// There is a new team.
    TeamCreated = "Team.created" v 1 { team: TeamId, parent_team: Option<TeamId> }
    /// A team was renamed, moved or set differently; `fields` names what.
    TeamUpdated = "Team.updated" v 1 { team: TeamId, fields: Vec<String> }
    /// A team is gone; what it had is in `reassigned_to`.
    TeamDeleted = "Team.deleted" v 1 { team: TeamId, reassigned_to: Option<TeamId> }
    /// A member is on a team.
    TeamMemberAdded = "Team.memberAdded" v 1 { team: TeamId, person: PersonId, role: String }
    /// A member has another role on a team.
    TeamMemberUpdated = "Team.memberUpdated" v 1 { team: TeamId, person: PersonId, role: String }
    /// A member is no longer on a team.
    TeamMemberRemoved = "Team.memberRemoved" v 1 { team: TeamId, person: PersonId }

    /// A person logged in, and so proved that the email is theirs.
    SessionCreated = "Session.created" v 1 { session: SessionId, person: PersonId, email: String }
    /// A session ended before its time.
    SessionEnded = "Session.ended" v 1 { session: SessionId, person: PersonId, because: SessionEndReason }
}

/// Why a session ended before its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SessionEndReason {
    /// By its own person.
    LoggedOut,
    /// By an administrator.
    Revoked,
    /// Somebody used a refresh token that was used before: it was copied.
    TokenReused,
    MembershipEnded,
}

/// What a new company does first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum ItemKey {
    VerifyEmail,
    AddTeamMembers,
    ConfigureSettings,
    CreateFirstProject,
    SetUpBilling,
}

impl ItemKey {
    pub const ALL: [ItemKey; 5] =
        [Self::VerifyEmail, Self::AddTeamMembers, Self::ConfigureSettings, Self::CreateFirstProject, Self::SetUpBilling];

    pub fn name(self) -> &'static str {
        match self {
            Self::VerifyEmail => "Verify email",
            Self::AddTeamMembers => "Add team members",
            Self::ConfigureSettings => "Configure settings",
            Self::CreateFirstProject => "Create first project",
            Self::SetUpBilling => "Set up billing",
        }
    }

    /// The name in paths, rows and answers.
    pub fn wire_name(self) -> &'static str {
        match self {
            Self::VerifyEmail => "verifyEmail",
            Self::AddTeamMembers => "addTeamMembers",
            Self::ConfigureSettings => "configureSettings",
            Self::CreateFirstProject => "createFirstProject",
            Self::SetUpBilling => "setUpBilling",
        }
    }

    pub fn read(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|key| key.wire_name() == text)
    }
}

//! Every fact of the business, one per line, with its wire name and version. The list is closed.
//!
//! A fact is committed with its cause (`kernel/decision.rs`), and `business/` lists the steps that follow from it. A field may be added to
//! a version; changing or removing one is a new version. Imports no slice: types that facts and slices share are at the end.

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

        /// A fact.
        #[derive(Clone, Debug, PartialEq)]
        pub enum Event { $($name($name)),* }

        /// The kind of a fact.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum EventKind { $($name),* }

        impl EventKind {
            pub const ALL: &'static [EventKind] = &[$(EventKind::$name),*];

            /// The wire name: `Resource.verbed`.
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
    /// An organization was created.
    OrganizationCreated = "Organization.created" v 1 { name: String, email: String }
    /// The details or settings of the organization changed; `fields` names the changed ones.
    OrganizationUpdated = "Organization.updated" v 1 { fields: Vec<String> }
    /// The onboarding checklist is complete.
    OrganizationOnboarded = "Organization.onboarded" v 1 {}
    /// The vendor suspended the organization: its credentials can only read.
    OrganizationSuspended = "Organization.suspended" v 1 { reason: String }
    /// The suspension of the organization ended.
    OrganizationResumed = "Organization.resumed" v 1 {}
    /// The organization was cancelled, and is erased at `erases_at`.
    OrganizationCancelled = "Organization.cancelled" v 1 { erases_at: Timestamp }
    /// The cancellation was withdrawn.
    CancellationWithdrawn = "Organization.cancellationWithdrawn" v 1 {}
    /// The grace period of a cancellation is over.
    ErasureDue = "Organization.erasureDue" v 1 { cancelled_at: Timestamp }
    /// The operator requested the move to another database.
    MoveRequested = "Organization.moveRequested" v 1 { id: MoveId, shard: usize }
    /// The ownership was transferred.
    OwnershipTransferred = "Organization.ownershipTransferred" v 1 { from: PersonId, to: PersonId }
    /// An export of all data was requested.
    ExportRequested = "Export.requested" v 1 { export: ExportId }
    /// One item of the onboarding checklist is complete.
    ChecklistItemCompleted = "Checklist.itemCompleted" v 1 { item: ItemKey }
    /// The day of a check-in with a new customer has come.
    CheckInDue = "Onboarding.checkInDue" v 1 { day: u32 }

    /// A subscription began.
    SubscriptionCreated = "Subscription.created" v 1 { subscription: SubscriptionId, plan: String, is_trial: bool }
    /// A trial has three days left.
    TrialEnding = "Subscription.trialEnding" v 1 { subscription: SubscriptionId, trial_ends_at: Timestamp }
    /// A trial became a paying subscription.
    TrialConverted = "Subscription.trialConverted" v 1 { subscription: SubscriptionId }
    /// The subscription was cancelled and has ended.
    SubscriptionCancelled = "Subscription.cancelled" v 1 { subscription: SubscriptionId, reason: Option<String> }
    /// The subscription was not renewed, or its trial ended unpaid: it has ended.
    SubscriptionExpired = "Subscription.expired" v 1 { subscription: SubscriptionId }
    /// The subscription changed to a higher base price.
    SubscriptionUpgraded = "Subscription.upgraded" v 1 { subscription: SubscriptionId, from_plan: String, to_plan: String }
    /// The subscription changed to a lower base price.
    SubscriptionDowngraded = "Subscription.downgraded" v 1 { subscription: SubscriptionId, from_plan: String, to_plan: String }
    /// The subscription changed at the same base price: add-ons, the interval or the plan's version.
    SubscriptionChanged = "Subscription.changed" v 1 { subscription: SubscriptionId, from_plan: String, to_plan: String }
    /// The subscription was paused: usage is refused and no billing is due.
    SubscriptionPaused = "Subscription.paused" v 1 { subscription: SubscriptionId, resumes_at: Option<Timestamp> }
    /// The scheduled end of a pause has come, unless the pause ended before.
    ResumptionDue = "Subscription.resumptionDue" v 1 { subscription: SubscriptionId, resumes_at: Timestamp }
    /// The subscription continues after a pause.
    SubscriptionResumed = "Subscription.resumed" v 1 { subscription: SubscriptionId }
    /// The vendor suspended the subscription: usage is refused.
    SubscriptionSuspended = "Subscription.suspended" v 1 { subscription: SubscriptionId }
    /// The suspension of the subscription ended.
    SubscriptionUnsuspended = "Subscription.unsuspended" v 1 { subscription: SubscriptionId }
    /// A yearly subscription has 30 days left.
    SubscriptionExpiring = "Subscription.expiring" v 1 { subscription: SubscriptionId, ends_at: Timestamp }
    /// No more late usage is accepted for an ended subscription: usage after its last invoice is billed.
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
    UsageExceeded = "Usage.exceeded" v 1 {
        metric: String, current: Quantity, limit: Quantity, period_starts_at: Timestamp, is_hard: bool,
    }

    /// A draft invoice was created for a billing period.
    InvoiceCreated = "Invoice.created" v 1 { invoice: InvoiceId }
    /// An invoice got its number and is due.
    InvoiceFinalized = "Invoice.finalized" v 1 {
        invoice: InvoiceId, identifier: String, total: String, currency: String, due_at: Timestamp,
    }

    /// The due date of an invoice has passed.
    InvoiceDueDatePassed = "Invoice.dueDatePassed" v 1 { invoice: InvoiceId }
    /// A period that an invoice charged in advance has ended.
    InvoicePeriodEnded = "Invoice.periodEnded" v 1 { invoice: InvoiceId, ends_at: Timestamp }
    /// An invoice is overdue.
    InvoiceOverdue = "Invoice.overdue" v 1 { invoice: InvoiceId, identifier: String, remaining: String, currency: String }
    /// An invoice is fully paid.
    InvoicePaid = "Invoice.paid" v 1 { invoice: InvoiceId }
    /// An invoice was voided.
    InvoiceVoided = "Invoice.voided" v 1 { invoice: InvoiceId, reason: Option<String> }
    /// An invoice was written off as uncollectible.
    InvoiceUncollectible = "Invoice.uncollectible" v 1 { invoice: InvoiceId }
    /// A payment of an invoice was recorded.
    PaymentRecorded = "Payment.recorded" v 1 { payment: PaymentId, invoice: InvoiceId }
    /// A credit note for an invoice was created.
    CreditNoteCreated = "CreditNote.created" v 1 { credit_note: CreditNoteId, invoice: InvoiceId }
    /// A credit note got its number.
    CreditNoteIssued = "CreditNote.issued" v 1 { credit_note: CreditNoteId, invoice: InvoiceId, identifier: String }
    /// A refund was paid to the customer.
    RefundPaid = "Refund.paid" v 1 { refund: RefundId }
    /// The customer was granted credit.
    CreditGranted = "Credit.granted" v 1 { credit: CreditId, amount: String, currency: String }
    /// The expiry of a credit has come.
    CreditExpiryDue = "Credit.expiryDue" v 1 { credit: CreditId }
    /// The rest of a credit expired.
    CreditExpired = "Credit.expired" v 1 { credit: CreditId, amount: String }
    /// The rest of a credit was voided.
    CreditVoided = "Credit.voided" v 1 { credit: CreditId, amount: String }

    /// A person was invited; the invitation expires at `expires_at`.
    InvitationCreated = "Invitation.created" v 1 { invitation: InvitationId, email: String, expires_at: Timestamp }
    /// The invitation is mailed again, with a new link; the earlier link is invalid.
    InvitationRenewed = "Invitation.renewed" v 1 { invitation: InvitationId, email: String, generation: u32, expires_at: Timestamp }
    /// An invitation was revoked.
    InvitationRevoked = "Invitation.revoked" v 1 { invitation: InvitationId }
    /// The expiry of an invitation has come, unless it was renewed.
    InvitationExpiryDue = "Invitation.expiryDue" v 1 { invitation: InvitationId }
    /// An invitation expired.
    InvitationExpired = "Invitation.expired" v 1 { invitation: InvitationId }
    /// An invitation was accepted.
    InvitationAccepted = "Invitation.accepted" v 1 { invitation: InvitationId, person: PersonId }
    /// A person became a member.
    MemberJoined = "Member.joined" v 1 { person: PersonId }
    /// A member's profile or role changed; `fields` names the changed ones.
    MemberUpdated = "Member.updated" v 1 { person: PersonId, fields: Vec<String> }
    /// A person is no longer a member.
    MemberRemoved = "Member.removed" v 1 { person: PersonId }

    /// The vendor changed a limit or a grant of the organization.
    LimitsChanged = "Limits.changed" v 1 { version: i64 }

    /// An API key was created.
    ApiKeyCreated = "ApiKey.created" v 1 { key: KeyId }
    /// An API key was replaced by another one and expires soon.
    ApiKeyRotated = "ApiKey.rotated" v 1 { key: KeyId, replaced_by: KeyId }
    /// An API key was revoked.
    ApiKeyRevoked = "ApiKey.revoked" v 1 { key: KeyId }

    /// A role was created.
    RoleCreated = "Role.created" v 1 { role: RoleId, key: String }
    /// The permissions or the name of a role changed.
    RoleUpdated = "Role.updated" v 1 { role: RoleId, key: String }
    /// An unassigned role was deleted.
    RoleDeleted = "Role.deleted" v 1 { role: RoleId, key: String }

    /// A team was created.
    TeamCreated = "Team.created" v 1 { team: TeamId, parent_team: Option<TeamId> }
    /// A team was renamed, moved or its settings changed; `fields` names the changed ones.
    TeamUpdated = "Team.updated" v 1 { team: TeamId, fields: Vec<String> }
    /// A team was deleted; `reassigned_to` took over its children, members and invitations.
    TeamDeleted = "Team.deleted" v 1 { team: TeamId, reassigned_to: Option<TeamId> }
    /// A member was added to a team.
    TeamMemberAdded = "Team.memberAdded" v 1 { team: TeamId, person: PersonId, role: String }
    /// A member's role on a team changed.
    TeamMemberUpdated = "Team.memberUpdated" v 1 { team: TeamId, person: PersonId, role: String }
    /// A member was removed from a team.
    TeamMemberRemoved = "Team.memberRemoved" v 1 { team: TeamId, person: PersonId }

    /// A person logged in, and so proved that the email address is theirs.
    SessionCreated = "Session.created" v 1 { session: SessionId, person: PersonId, email: String }
    /// A session ended before its expiry.
    SessionEnded = "Session.ended" v 1 { session: SessionId, person: PersonId, because: SessionEndReason }
}

/// The reason of a session's early end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SessionEndReason {
    /// The person logged out.
    LoggedOut,
    /// An administrator revoked the session.
    Revoked,
    /// A used refresh token was used again, so it was copied.
    TokenReused,
    MembershipEnded,
}

/// An item of the onboarding checklist.
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

    /// The name in paths, rows and responses.
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

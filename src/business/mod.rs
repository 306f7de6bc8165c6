//! The business as code: what happens when, readable by someone who does not program.
//!
//! Each file is one process. `when Fact => [steps]` says what follows from a fact; a step is a pure function that answers with actions.
//! Owns: every consequence. Does not own: how an action is done (the slices), how steps are claimed and retried (`runner.rs`).
//! Invariants: each step of each fact takes effect once; a step that fails is tried again alone, and parked when it keeps failing;
//! every fact is handled here or listed as silent. `docs/BUSINESS.md` is generated from these tables.

pub mod access;
pub mod actions;
pub mod billing;
pub mod company;
pub mod follow_up;
pub mod lifecycle;
pub mod limits;
pub mod onboarding;
pub mod people;
pub mod perform;
pub mod quotas;
pub mod renewals;
pub mod runner;
pub mod trials;
pub mod workflow;

use crate::events::EventKind;
use workflow::{Step, Workflow};

/// All processes.
pub const WORKFLOWS: &[Workflow] = &[
    onboarding::WORKFLOW,
    people::WORKFLOW,
    trials::WORKFLOW,
    renewals::WORKFLOW,
    quotas::WORKFLOW,
    limits::WORKFLOW,
    billing::WORKFLOW,
    access::WORKFLOW,
    lifecycle::WORKFLOW,
];

/// Facts that nothing follows from, on purpose; each with its reason.
pub const SILENT: &[(EventKind, &str)] = &[
    (EventKind::UsageApproaching, "shown in the portal; a mail at 80 % would be noise"),
    (EventKind::UsageWarning, "shown in the portal; the mail comes at 100 %"),
    (EventKind::InvoiceUncollectible, "recorded for reports; whether the customer may go on is the vendor's decision"),
    (EventKind::PaymentRecorded, "what it does to the invoice is in the same commit"),
    (EventKind::CreditNoteIssued, "shown on the invoice; what it gives back was given with it"),
    (EventKind::RefundPaid, "recorded for reports; the money has left already"),
    (EventKind::CreditGranted, "shown in the portal; the next bill draws on it"),
    (EventKind::CreditExpired, "shown in the portal"),
    (EventKind::CreditVoided, "shown in the portal; the vendor who took it back says why"),
    (EventKind::SessionEnded, "each request reads the session's row, so nobody has to be told"),
    (EventKind::InvitationAccepted, "recorded for reports; what follows belongs to the member who joined"),
    (EventKind::MemberUpdated, "recorded for reports; roles are read when they are asked for"),
    (EventKind::OrganizationOnboarded, "recorded for reports; the congratulation belongs to the last checklist item"),
    (EventKind::RoleCreated, "roles are read where they count; nothing is kept of them elsewhere"),
    (EventKind::RoleUpdated, "roles are read where they count; nothing is kept of them elsewhere"),
    (EventKind::RoleDeleted, "only a role that nobody holds is deleted"),
    (EventKind::TeamCreated, "recorded for those who follow the organization"),
    (EventKind::TeamUpdated, "recorded for those who follow the organization"),
    (EventKind::TeamDeleted, "what the team had went with it, in the same commit"),
    (EventKind::TeamMemberAdded, "shown in the portal; the mail is the invitation's"),
    (EventKind::TeamMemberUpdated, "holds from the next request on"),
    (EventKind::TeamMemberRemoved, "holds from the next request on"),
];

/// The steps for one kind of fact, with the process each belongs to.
pub fn steps_for(kind: EventKind) -> impl Iterator<Item = (&'static Workflow, &'static Step)> {
    WORKFLOWS.iter().flat_map(move |workflow| {
        let rules = workflow.rules.iter().filter(move |rule| rule.when == kind);
        rules.flat_map(move |rule| rule.steps.iter().map(move |step| (workflow, step)))
    })
}

//! The business as code: which steps follow from which facts, readable without programming.
//!
//! Each file is one process. `when Fact => [steps]` lists the steps that follow from a fact; a step is a pure function that returns
//! actions.
//! Owns: every consequence of a fact. Does not own: how an action is performed (the slices), how steps are claimed and retried
//! (`runner.rs`).
//! Invariants: each step of each fact takes effect once; a failed step is retried alone and becomes a dead letter after its last attempt;
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

/// Facts without steps, each with the reason.
pub const SILENT: &[(EventKind, &str)] = &[
    (EventKind::UsageApproaching, "shown in the portal; a mail at 80 % would be noise"),
    (EventKind::UsageWarning, "shown in the portal; the mail comes at 100 %"),
    (EventKind::PaymentRecorded, "the invoice is updated in the same commit"),
    (EventKind::CreditNoteIssued, "shown on the invoice; the credit or refund is in the same commit"),
    (EventKind::RefundPaid, "recorded for reports; the money was already sent"),
    (EventKind::CreditGranted, "shown in the portal; the next invoice uses it"),
    (EventKind::CreditExpired, "shown in the portal"),
    (EventKind::CreditVoided, "shown in the portal; the vendor gave the reason"),
    (EventKind::SessionEnded, "each request reads the session's row, so the end takes effect at once"),
    (EventKind::InvitationAccepted, "recorded for reports; the steps follow from `Member.joined`"),
    (EventKind::MemberUpdated, "recorded for reports; each request reads the member's roles"),
    (EventKind::OrganizationOnboarded, "recorded for reports; the congratulation mail follows from the last checklist item"),
    (EventKind::RoleCreated, "each request reads the roles; no copy exists elsewhere"),
    (EventKind::RoleUpdated, "each request reads the roles; no copy exists elsewhere"),
    (EventKind::RoleDeleted, "only unassigned roles can be deleted"),
    (EventKind::TeamCreated, "recorded for integrations"),
    (EventKind::TeamUpdated, "recorded for integrations"),
    (EventKind::TeamDeleted, "the team's members and roles are deleted in the same commit"),
    (EventKind::TeamMemberAdded, "shown in the portal; the invitation already sent a mail"),
    (EventKind::TeamMemberUpdated, "takes effect with the next request"),
    (EventKind::TeamMemberRemoved, "takes effect with the next request"),
];

/// The steps for one kind of fact, each with its process.
pub fn steps_for(kind: EventKind) -> impl Iterator<Item = (&'static Workflow, &'static Step)> {
    WORKFLOWS.iter().flat_map(move |workflow| {
        let rules = workflow.rules.iter().filter(move |rule| rule.when == kind);
        rules.flat_map(move |rule| rule.steps.iter().map(move |step| (workflow, step)))
    })
}

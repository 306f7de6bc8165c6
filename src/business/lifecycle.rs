//! Suspension, cancellation, erasure, moves and exports of an organization.

use serde_json::json;

use super::actions::Action;
use super::company::Company;
use crate::events::{
    CancellationWithdrawn, ErasureDue, ExportRequested, MoveRequested, OrganizationCancelled, OrganizationResumed, OrganizationSuspended,
    OwnershipTransferred,
};
use crate::kernel::ports::Work;
use crate::workflow;

workflow! { "lifecycle", "Suspended and cancelled companies are read-only; a cancelled company is erased after its grace period.";
    when OrganizationSuspended => [stop_usage_while_suspended, send_suspension_mail];
    when OrganizationResumed => [admit_usage_after_suspension, send_reactivation_mail];
    when OrganizationCancelled => [stop_usage_after_cancellation, send_cancellation_mail];
    when CancellationWithdrawn => [admit_usage_after_withdrawal, send_withdrawal_mail];
    when ErasureDue => [begin_erasure, continue_erasure];
    when MoveRequested => [begin_move, continue_move];
    when OwnershipTransferred => [notify_both_owners];
    when ExportRequested => [continue_export];
}

fn stop_usage_while_suspended(_: &OrganizationSuspended, _: &Company) -> Vec<Action> {
    vec![Action::UpdateMeterStatus]
}

fn send_suspension_mail(suspension: &OrganizationSuspended, company: &Company) -> Vec<Action> {
    company.mail_administrators(
        "organization-suspended",
        &format!("suspended:{}", company.organization.version),
        &json!({"reason": suspension.reason}),
    )
}

fn admit_usage_after_suspension(_: &OrganizationResumed, _: &Company) -> Vec<Action> {
    vec![Action::UpdateMeterStatus]
}

fn send_reactivation_mail(_: &OrganizationResumed, company: &Company) -> Vec<Action> {
    company.mail_administrators("organization-resumed", &format!("resumed:{}", company.organization.version), &json!({}))
}

fn stop_usage_after_cancellation(_: &OrganizationCancelled, _: &Company) -> Vec<Action> {
    vec![Action::UpdateMeterStatus]
}

fn send_cancellation_mail(cancellation: &OrganizationCancelled, company: &Company) -> Vec<Action> {
    let data = json!({"erasesAt": cancellation.erases_at, "erasureDate": company.date(cancellation.erases_at)});
    company.mail_administrators("organization-cancelled", &format!("cancelled:{}", cancellation.erases_at), &data)
}

fn admit_usage_after_withdrawal(_: &CancellationWithdrawn, _: &Company) -> Vec<Action> {
    vec![Action::UpdateMeterStatus]
}

fn send_withdrawal_mail(_: &CancellationWithdrawn, company: &Company) -> Vec<Action> {
    company.mail_administrators("organization-cancellation-withdrawn", &format!("stays:{}", company.organization.version), &json!({}))
}

/// Nothing where the cancellation was withdrawn; a later cancellation has a due date of its own.
fn begin_erasure(_: &ErasureDue, company: &Company) -> Vec<Action> {
    if company.has_left() { vec![Action::BeginErasure] } else { Vec::new() }
}

/// A step of its own: the erasure deletes the company and with it the record of this step.
fn continue_erasure(_: &ErasureDue, company: &Company) -> Vec<Action> {
    if company.has_left() { vec![Action::ContinueWork(Work::Erasure)] } else { Vec::new() }
}

fn begin_move(wanted: &MoveRequested, _: &Company) -> Vec<Action> {
    vec![Action::BeginMove { id: wanted.id, shard: wanted.shard }]
}

fn continue_move(_: &MoveRequested, _: &Company) -> Vec<Action> {
    vec![Action::ContinueWork(Work::Move)]
}

fn notify_both_owners(transfer: &OwnershipTransferred, company: &Company) -> Vec<Action> {
    let mail = company.mail("ownership-transferred", format!("owner:{}:{}", transfer.to, company.organization.version), json!({}));
    match mail {
        Action::SendMail(mail) => vec![Action::SendMailToMembers { people: vec![transfer.from, transfer.to], mail }],
        _ => Vec::new(),
    }
}

fn continue_export(_: &ExportRequested, _: &Company) -> Vec<Action> {
    vec![Action::ContinueWork(Work::Export)]
}

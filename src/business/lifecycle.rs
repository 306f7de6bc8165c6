//! The end of an organization, or what looked like one.

use serde_json::json;

use super::actions::Action;
use super::company::Company;
use crate::events::{
    CancellationWithdrawn, ErasureDue, ExportRequested, MoveRequested, OrganizationCancelled, OrganizationResumed, OrganizationSuspended,
    OwnershipTransferred,
};
use crate::kernel::ports::Work;
use crate::workflow;

workflow! { "lifecycle", "A company that is suspended or leaves can be read and not written; one that left is erased after its grace period.";
    when OrganizationSuspended => [stop_usage_after_cancellation, tell_of_the_suspension];
    when OrganizationResumed => [open_the_meter_again, tell_of_the_resumption];
    when OrganizationCancelled => [close_the_leavers_meter, confirm_the_cancellation];
    when CancellationWithdrawn => [open_the_stayers_meter, confirm_the_withdrawal];
    when ErasureDue => [have_it_erased, go_on_with_the_erasure];
    when MoveRequested => [begin_the_move, go_on_with_the_move];
    when OwnershipTransferred => [tell_both_owners];
    when ExportRequested => [go_on_with_the_export];
}

fn stop_usage_after_cancellation(_: &OrganizationSuspended, _: &Company) -> Vec<Action> {
    vec![Action::TellMeterStatus]
}

fn tell_of_the_suspension(suspension: &OrganizationSuspended, company: &Company) -> Vec<Action> {
    company.mail_administrators(
        "organization-suspended",
        &format!("suspended:{}", company.organization.version),
        &json!({"reason": suspension.reason}),
    )
}

fn open_the_meter_again(_: &OrganizationResumed, _: &Company) -> Vec<Action> {
    vec![Action::TellMeterStatus]
}

fn tell_of_the_resumption(_: &OrganizationResumed, company: &Company) -> Vec<Action> {
    company.mail_administrators("organization-resumed", &format!("resumed:{}", company.organization.version), &json!({}))
}

fn close_the_leavers_meter(_: &OrganizationCancelled, _: &Company) -> Vec<Action> {
    vec![Action::TellMeterStatus]
}

fn confirm_the_cancellation(cancellation: &OrganizationCancelled, company: &Company) -> Vec<Action> {
    let data = json!({"erasesAt": cancellation.erases_at, "erasureDate": cancellation.erases_at.date()});
    company.mail_administrators("organization-cancelled", &format!("cancelled:{}", cancellation.erases_at), &data)
}

fn open_the_stayers_meter(_: &CancellationWithdrawn, _: &Company) -> Vec<Action> {
    vec![Action::TellMeterStatus]
}

fn confirm_the_withdrawal(_: &CancellationWithdrawn, company: &Company) -> Vec<Action> {
    company.mail_administrators("organization-cancellation-withdrawn", &format!("stays:{}", company.organization.version), &json!({}))
}

/// Not when it stays after all, or left again later: then another day is due.
fn have_it_erased(_: &ErasureDue, company: &Company) -> Vec<Action> {
    if company.has_left() { vec![Action::BeginErasure] } else { Vec::new() }
}

/// A step of its own: what it does takes away the company, and with it this step's record.
fn go_on_with_the_erasure(_: &ErasureDue, company: &Company) -> Vec<Action> {
    if company.has_left() { vec![Action::GoOn(Work::Erasure)] } else { Vec::new() }
}

fn begin_the_move(wanted: &MoveRequested, _: &Company) -> Vec<Action> {
    vec![Action::BeginMove { id: wanted.id, shard: wanted.shard }]
}

fn go_on_with_the_move(_: &MoveRequested, _: &Company) -> Vec<Action> {
    vec![Action::GoOn(Work::Move)]
}

fn tell_both_owners(transfer: &OwnershipTransferred, company: &Company) -> Vec<Action> {
    let mail = company.mail("ownership-transferred", format!("owner:{}:{}", transfer.to, company.organization.version), json!({}));
    match mail {
        Action::Send(mail) => vec![Action::SendToMembers { people: vec![transfer.from, transfer.to], mail }],
        _ => Vec::new(),
    }
}

fn go_on_with_the_export(_: &ExportRequested, _: &Company) -> Vec<Action> {
    vec![Action::GoOn(Work::Export)]
}

//! People: who comes and goes, and what that takes along.

use serde_json::{Value, json};

use super::actions::Action;
use super::company::Company;
use crate::events::{
    InvitationCreated, InvitationExpired, InvitationExpiryDue, InvitationRenewed, InvitationRevoked, ItemKey, MemberJoined, MemberRemoved,
};
use crate::kernel::ids::InvitationId;
use crate::kernel::time::Timestamp;
use crate::workflow;

workflow! { "people", "Whoever is invited hears of it; who joins takes a seat, and who goes leaves it free and takes nothing along.";
    when InvitationCreated => [confirm_its_seat, mail_it];
    when InvitationRenewed => [mail_it_again];
    when InvitationRevoked => [free_its_seat];
    when InvitationExpiryDue => [expire_it];
    when InvitationExpired => [free_the_seat_that_waited];
    when MemberJoined => [count_the_seat, enter_the_directory, tick_off_team];
    when MemberRemoved => [free_the_seat, leave_the_directory, end_their_access];
}

fn confirm_its_seat(_: &InvitationCreated, _: &Company) -> Vec<Action> {
    vec![Action::TellMeterSeats]
}

fn mail_it(created: &InvitationCreated, company: &Company) -> Vec<Action> {
    vec![mail(company, &created.email, created.invitation, 1, created.expires_at)]
}

fn mail_it_again(renewed: &InvitationRenewed, company: &Company) -> Vec<Action> {
    vec![mail(company, &renewed.email, renewed.invitation, renewed.generation, renewed.expires_at)]
}

fn free_its_seat(_: &InvitationRevoked, _: &Company) -> Vec<Action> {
    vec![Action::TellMeterSeats]
}

fn expire_it(due: &InvitationExpiryDue, _: &Company) -> Vec<Action> {
    vec![Action::ExpireInvitation(due.invitation)]
}

fn free_the_seat_that_waited(_: &InvitationExpired, _: &Company) -> Vec<Action> {
    vec![Action::TellMeterSeats]
}

fn count_the_seat(_: &MemberJoined, _: &Company) -> Vec<Action> {
    vec![Action::TellMeterSeats]
}

fn enter_the_directory(joined: &MemberJoined, _: &Company) -> Vec<Action> {
    vec![Action::KeepDirectoryTrue(joined.person)]
}

/// One is no team yet.
fn tick_off_team(_: &MemberJoined, company: &Company) -> Vec<Action> {
    if company.members > 1 { vec![Action::CompleteItem(ItemKey::AddTeamMembers)] } else { Vec::new() }
}

fn free_the_seat(_: &MemberRemoved, _: &Company) -> Vec<Action> {
    vec![Action::TellMeterSeats]
}

fn leave_the_directory(removed: &MemberRemoved, _: &Company) -> Vec<Action> {
    vec![Action::KeepDirectoryTrue(removed.person)]
}

fn end_their_access(removed: &MemberRemoved, _: &Company) -> Vec<Action> {
    vec![Action::EndCredentialsOf(removed.person)]
}

/// The token is not in here: it is made from these when the mail is sent.
fn mail(company: &Company, to: &str, invitation: InvitationId, generation: u32, expires_at: Timestamp) -> Action {
    let data: Value =
        json!({"invitation": {"$id": invitation, "generation": generation}, "expiresAt": expires_at, "expiryDate": expires_at.date()});
    company.mail_to(to, "team-invitation", format!("invitation:{invitation}:{generation}"), data)
}

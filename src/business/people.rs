//! People: what follows when members are invited, join and leave.

use serde_json::json;

use super::actions::Action;
use super::company::Company;
use crate::events::{
    InvitationCreated, InvitationExpired, InvitationExpiryDue, InvitationRenewed, InvitationRevoked, ItemKey, MemberJoined, MemberRemoved,
};
use crate::kernel::ids::InvitationId;
use crate::kernel::time::Timestamp;
use crate::workflow;

workflow! { "people", "Inviting emails the invitee; joining takes a seat; leaving frees it and revokes access.";
    when InvitationCreated => [hold_seat, email_invitee];
    when InvitationRenewed => [email_invitee_again];
    when InvitationRevoked => [free_seat_of_revoked_invitation];
    when InvitationExpiryDue => [expire_invitation];
    when InvitationExpired => [free_seat_of_expired_invitation];
    when MemberJoined => [take_seat, enter_directory, complete_team_item];
    when MemberRemoved => [free_seat, leave_directory, revoke_credentials];
}

fn hold_seat(_: &InvitationCreated, _: &Company) -> Vec<Action> {
    vec![Action::UpdateMeterSeats]
}

fn email_invitee(created: &InvitationCreated, company: &Company) -> Vec<Action> {
    vec![mail(company, &created.email, created.invitation, 1, created.expires_at)]
}

fn email_invitee_again(renewed: &InvitationRenewed, company: &Company) -> Vec<Action> {
    vec![mail(company, &renewed.email, renewed.invitation, renewed.generation, renewed.expires_at)]
}

fn free_seat_of_revoked_invitation(_: &InvitationRevoked, _: &Company) -> Vec<Action> {
    vec![Action::UpdateMeterSeats]
}

fn expire_invitation(due: &InvitationExpiryDue, _: &Company) -> Vec<Action> {
    vec![Action::ExpireInvitation(due.invitation)]
}

fn free_seat_of_expired_invitation(_: &InvitationExpired, _: &Company) -> Vec<Action> {
    vec![Action::UpdateMeterSeats]
}

fn take_seat(_: &MemberJoined, _: &Company) -> Vec<Action> {
    vec![Action::UpdateMeterSeats]
}

fn enter_directory(joined: &MemberJoined, _: &Company) -> Vec<Action> {
    vec![Action::SyncDirectoryMembership(joined.person)]
}

/// The first member alone is no team.
fn complete_team_item(_: &MemberJoined, company: &Company) -> Vec<Action> {
    if company.members > 1 { vec![Action::CompleteItem(ItemKey::AddTeamMembers)] } else { Vec::new() }
}

fn free_seat(_: &MemberRemoved, _: &Company) -> Vec<Action> {
    vec![Action::UpdateMeterSeats]
}

fn leave_directory(removed: &MemberRemoved, _: &Company) -> Vec<Action> {
    vec![Action::SyncDirectoryMembership(removed.person)]
}

fn revoke_credentials(removed: &MemberRemoved, _: &Company) -> Vec<Action> {
    vec![Action::RevokeCredentials(removed.person)]
}

/// The token is not in here: it is derived from these when the email is sent.
fn mail(company: &Company, to: &str, invitation: InvitationId, generation: u32, expires_at: Timestamp) -> Action {
    let data = json!({
        "invitation": {"$id": invitation, "generation": generation},
        "expiresAt": expires_at,
        "expiryDate": company.date(expires_at),
    });
    company.mail_to(to, "team-invitation", format!("invitation:{invitation}:{generation}"), data)
}

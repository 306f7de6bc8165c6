//! What an invitation is, and what may become of it.

use std::time::Duration;

use super::invitation::{Invitation, Known, Status, Wanted, roles_given};
use super::store;
use crate::events::{InvitationAccepted, InvitationCreated, InvitationExpired, InvitationExpiryDue, InvitationRenewed, InvitationRevoked};
use crate::identity::members::member::{Member, Profile, TeamRole};
use crate::identity::members::rules::{join, normalized};
use crate::identity::members::store::change_seats;
use crate::kernel::decision::Decision;
use crate::kernel::ids::{InvitationId, Moment, PersonId, ReservationId};
use crate::kernel::organization::is_email;
use crate::kernel::problem::Problem;
use crate::kernel::time::{Timestamp, days};

/// How long an invitation waits.
pub const OPEN_FOR: Duration = days(7);
/// Mails of one invitation: nobody is to be flooded by us.
pub const MAILS_MAX: u32 = 20;

/// The seat of an invitation that is made when the seats are at `version`: trying again takes the same one, inviting anew another one.
pub fn seat_of(email: &str, version: i64) -> ReservationId {
    ReservationId::derived(&["seat", &normalized(email), &version.to_string()])
}

/// Invites somebody. What their roles permit was checked against what the caller holds.
pub fn invite(id: InvitationId, wanted: &Wanted, known: &Known, by: &str, moment: Moment<'_>) -> Result<(Invitation, Decision), Problem> {
    let email = normalized(&wanted.email);
    if !is_email(&email) {
        return Err(Problem::invalid("/email", "invalid_value", "Send an email address such as ada@example.com."));
    }
    let given = roles_given(wanted, &known.teams)?;
    if let Some((pointer, _)) = given.iter().find(|(_, role)| !known.permissions.contains_key(role)) {
        return Err(Problem::refused(pointer, "unknown_role", "There is no such role. GET /v1/roles lists them by their keys."));
    }
    if known.is_member {
        let detail = "Somebody with this email is a member already. Change their role with PATCH /v1/members/{id}.";
        return Err(Problem::conflict("already_member", detail));
    }
    let waiting = known.pending.as_ref().filter(|pending| !pending.is_over(moment.now));
    if waiting.is_some() {
        let detail = "This email is invited already. Send the mail again with POST /v1/invitations/{id}/mails, or revoke it first.";
        return Err(Problem::conflict("already_invited", detail));
    }
    let role = wanted.role.clone().flatten();
    let team_roles = given.iter().skip(if role.is_some() { 1 } else { 0 }).map(|(_, role)| role.clone());
    let teams = wanted.teams.iter().zip(team_roles).map(|((team, _), role)| TeamRole { team: *team, role }).collect();
    let invitation = Invitation {
        id,
        seat: seat_of(&email, known.version),
        email,
        role,
        teams,
        status: Status::Pending,
        generation: 1,
        invited_by: by.to_owned(),
        created_at: moment.now,
        expires_at: moment.now.plus(OPEN_FOR),
        ended_at: None,
        version: 1,
    };
    // Its time is over, and only the word of it is on its way.
    let before = known.pending.as_ref().map_or_else(Decision::new, |pending| expire(pending, moment));
    let decision = before
        .guard(store::is_free(&invitation.email, known.pending.as_ref().map(|pending| pending.id)))
        .guard(crate::identity::roles::store::are_there(&given.iter().map(|(_, role)| role.as_str()).collect::<Vec<_>>()))
        .write(store::insert(&invitation))
        .write(change_seats(0))
        .later(invitation.expires_at, InvitationExpiryDue { invitation: id })
        .raise(InvitationCreated { invitation: id, email: invitation.email.clone(), expires_at: invitation.expires_at })
        .audit("invitation.created", id.to_string(), None, Some(invitation.facts()));
    Ok((invitation, decision))
}

/// Mails the invitation again: with a new token, and for another week.
pub fn renew(invitation: &Invitation, moment: Moment<'_>) -> Result<(Invitation, Decision), Problem> {
    require_pending(invitation, moment.now)?;
    if invitation.generation >= MAILS_MAX {
        let detail = format!("This invitation was mailed {MAILS_MAX} times. Revoke it and ask the person whether the mails arrive.");
        return Err(Problem::conflict("too_many_mails", detail));
    }
    let generation = invitation.generation.saturating_add(1);
    let next = Invitation { generation, expires_at: moment.now.plus(OPEN_FOR), ..invitation.clone() };
    let InvitationRenewed { invitation: id, .. } = next.renewed();
    let decision = Decision::new()
        .guard(store::unchanged(invitation))
        .write(store::update(&next))
        .later(next.expires_at, InvitationExpiryDue { invitation: id })
        .raise(next.renewed())
        .audit("invitation.renewed", id.to_string(), Some(invitation.facts()), Some(next.facts()));
    Ok((Invitation { version: next.version.saturating_add(1), ..next }, decision))
}

/// Takes an invitation back; nothing to do when it is over, unless it was accepted.
pub fn revoke(invitation: &Invitation, moment: Moment<'_>) -> Result<Decision, Problem> {
    match invitation.status {
        Status::Pending => {}
        Status::Revoked | Status::Expired => return Ok(Decision::new()),
        Status::Accepted => {
            let detail = "This invitation was accepted. Remove the member with DELETE /v1/members/{id}.";
            return Err(Problem::conflict("invitation_not_pending", detail));
        }
    }
    let decision = end(invitation, Status::Revoked, moment).write(change_seats(0)).raise(InvitationRevoked { invitation: invitation.id });
    Ok(decision.audit("invitation.revoked", invitation.id.to_string(), Some(invitation.facts()), None))
}

/// Ends an invitation whose time is over; nothing to do before, or when it has ended.
pub fn expire(invitation: &Invitation, moment: Moment<'_>) -> Decision {
    if !invitation.is_over(moment.now) || invitation.status != Status::Pending {
        return Decision::new();
    }
    let decision = end(invitation, Status::Expired, moment).write(change_seats(0)).raise(InvitationExpired { invitation: invitation.id });
    decision.audit("invitation.expired", invitation.id.to_string(), Some(invitation.facts()), None)
}

/// Whoever has the token comes in. Roles and teams that are gone by now are not given: `known` names those that are there.
pub fn accept(
    invitation: &Invitation,
    person: PersonId,
    profile: Profile,
    known: &Known,
    moment: Moment<'_>,
) -> Result<(Member, Decision), Problem> {
    let is_there = |role: &String| known.permissions.contains_key(role);
    let role = invitation.role.clone().filter(is_there);
    let is_open = |given: &&TeamRole| is_there(&given.role) && known.teams.iter().any(|team| team.id == given.team);
    let teams = invitation.teams.iter().filter(is_open).cloned().collect();
    let (member, joining) = join(person, &invitation.email, profile, (role, teams), Some(invitation.invited_by.clone()), moment)?;
    let decision = end(invitation, Status::Accepted, moment).raise(InvitationAccepted { invitation: invitation.id, person }).audit(
        "invitation.accepted",
        invitation.id.to_string(),
        Some(invitation.facts()),
        None,
    );
    Ok((member, decision.and(joining)))
}

fn end(invitation: &Invitation, status: Status, moment: Moment<'_>) -> Decision {
    let next = Invitation { status, ended_at: Some(moment.now), ..invitation.clone() };
    Decision::new().guard(store::unchanged(invitation)).write(store::update(&next))
}

fn require_pending(invitation: &Invitation, now: Timestamp) -> Result<(), Problem> {
    if invitation.status_at(now) == Status::Pending {
        return Ok(());
    }
    Err(Problem::conflict("invitation_not_pending", "This invitation is over. Invite the person anew with POST /v1/invitations."))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::invitations::invitation::Team;
    use crate::kernel::ids::Fixed;
    use crate::kernel::ids::TeamId;

    fn at(day: u64) -> Moment<'static> {
        Moment { now: Timestamp::from_millis(0).plus(days(day)), entropy: &Fixed }
    }

    fn team(number: u8) -> TeamId {
        TeamId::from_bytes([number; 16])
    }

    fn known() -> Known {
        let teams = vec![
            Team { id: team(1), allowed_roles: None, default_role: None },
            Team { id: team(2), allowed_roles: Some(vec!["viewer".into()]), default_role: Some("viewer".into()) },
        ];
        let permissions = ["admin", "viewer"].into_iter().map(|role| (role.to_owned(), Vec::new())).collect();
        Known { teams, permissions, ..Known::default() }
    }

    fn wanted(role: Option<&str>, teams: &[(u8, Option<&str>)]) -> Wanted {
        let teams = teams.iter().map(|(number, role)| (team(*number), role.map(str::to_owned))).collect();
        Wanted { email: "Ada@Acme.Example".into(), role: role.map(|role| Some(role.to_owned())), teams }
    }

    fn made(day: u64) -> Invitation {
        invite(InvitationId::from_bytes([9; 16]), &wanted(Some("admin"), &[]), &known(), "platform", at(day)).unwrap().0
    }

    #[test]
    fn an_invitation_gives_roles_that_there_are_where_they_are_allowed() {
        let check = |wanted: &Wanted, expected: &str| {
            let found = match invite(InvitationId::from_bytes([9; 16]), wanted, &known(), "platform", at(0)) {
                Ok((invitation, _)) => format!("{:?} {}", invitation.role, invitation.teams.len()),
                Err(problem) => format!("{} {}", problem.errors[0].pointer, problem.errors[0].code),
            };
            assert_eq!(found, expected);
        };
        check(&wanted(Some("admin"), &[]), "Some(\"admin\") 0");
        check(&wanted(Some("admin"), &[(1, Some("viewer")), (2, None)]), "Some(\"admin\") 2");
        check(&wanted(None, &[(2, None)]), "None 1");
        check(&wanted(None, &[]), "/role role_required");
        check(&Wanted { role: Some(None), ..wanted(None, &[]) }, "None 0");
        check(&wanted(Some("king"), &[]), "/role unknown_role");
        check(&wanted(None, &[(1, None)]), "/teams/0/role role_required");
        check(&wanted(None, &[(1, Some("king"))]), "/teams/0/role unknown_role");
        check(&wanted(None, &[(2, Some("admin"))]), "/teams/0/role role_not_allowed");
        check(&wanted(Some("admin"), &[(1, Some("viewer")), (7, None)]), "/teams/1/team unknown_team");
        check(&wanted(None, &[(2, None), (2, None)]), "/teams/1/team invalid_value");
        check(&Wanted { email: "nobody".into(), ..wanted(Some("admin"), &[]) }, "/email invalid_value");
    }

    #[test]
    fn an_address_is_invited_once_at_a_time() {
        let invite_with = |known: Known, day| {
            let made = invite(InvitationId::from_bytes([8; 16]), &wanted(Some("admin"), &[]), &known, "platform", at(day));
            made.map_err(|problem| problem.code).err()
        };
        assert_eq!(invite_with(Known { is_member: true, ..known() }, 0), Some("already_member"));
        assert_eq!(invite_with(Known { pending: Some(made(0)), ..known() }, 6), Some("already_invited"));
        assert_eq!(invite_with(Known { pending: Some(made(0)), ..known() }, 7), None, "its week is over, noticed or not");
    }

    #[test]
    fn a_mail_renews_the_week_and_ends_the_token_before() {
        let first = made(0);
        let (second, _) = renew(&first, at(6)).unwrap();
        assert!(second.opens_for(2, at(12).now) && !second.opens_for(1, at(6).now) && !second.opens_for(2, at(13).now));
        assert_eq!(renew(&first, at(7)).unwrap_err().code, "invitation_not_pending");
        let mailed = Invitation { generation: MAILS_MAX, ..first };
        assert_eq!(renew(&mailed, at(1)).unwrap_err().code, "too_many_mails");
    }

    #[test]
    fn what_is_over_ends_once() {
        let pending = made(0);
        assert_eq!(expire(&pending, at(6)), Decision::new(), "renewed in between, or asked too early");
        assert_ne!(expire(&pending, at(7)), Decision::new());
        for status in [Status::Revoked, Status::Expired] {
            let over = Invitation { status, ..pending.clone() };
            assert_eq!(revoke(&over, at(8)).unwrap(), Decision::new());
            assert_eq!(expire(&over, at(8)), Decision::new());
        }
        let accepted = Invitation { status: Status::Accepted, ..pending };
        assert_eq!(revoke(&accepted, at(1)).unwrap_err().code, "invitation_not_pending");
        assert!(!accepted.opens_for(1, at(1).now));
    }

    #[test]
    fn roles_and_teams_that_are_gone_are_not_given() {
        let wanted = wanted(Some("admin"), &[(1, Some("viewer")), (2, None)]);
        let (invitation, _) = invite(InvitationId::from_bytes([9; 16]), &wanted, &known(), "platform", at(0)).unwrap();
        let mut left = known();
        left.permissions.remove("admin");
        left.teams.pop();
        let (member, _) = accept(&invitation, PersonId::from_bytes([3; 16]), Profile::default(), &left, at(1)).unwrap();
        assert_eq!((member.role, member.teams), (None, vec![TeamRole { team: team(1), role: "viewer".into() }]));
    }
}

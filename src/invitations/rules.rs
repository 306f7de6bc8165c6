//! What an invitation is, and what may become of it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

use super::store;
use crate::events::{InvitationAccepted, InvitationCreated, InvitationExpired, InvitationExpiryDue, InvitationRenewed, InvitationRevoked};
use crate::kernel::decision::Decision;
use crate::kernel::ids::{InvitationId, Moment, PersonId, ReservationId, TeamId};
use crate::kernel::problem::Problem;
use crate::kernel::time::{Timestamp, days};
use crate::organizations::rules::is_email;
use crate::people::rules::{Member, Profile, TeamRole, join, normalized};
use crate::people::store::change_seats;

/// How long an invitation waits.
pub const OPEN_FOR: Duration = days(7);
/// Teams of one invitation.
pub const TEAMS_MAX: usize = 50;
/// Mails of one invitation: nobody is to be flooded by us.
pub const MAILS_MAX: u32 = 20;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = InvitationStatus)]
pub enum Status {
    Pending,
    Accepted,
    Revoked,
    Expired,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invitation {
    pub id: InvitationId,
    /// In lower case.
    pub email: String,
    pub role: Option<String>,
    pub teams: Vec<TeamRole>,
    pub status: Status,
    /// Only the token of the last mail opens it.
    pub generation: u32,
    pub invited_by: String,
    pub created_at: Timestamp,
    pub expires_at: Timestamp,
    pub ended_at: Option<Timestamp>,
    /// The seat that is held for it.
    pub seat: ReservationId,
    pub version: i64,
}

/// An invitation as clients write it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    pub email: String,
    /// None: not said, which is enough where teams are named; `Some(None)`: none, on purpose.
    pub role: Option<Option<String>>,
    /// Without a role: the team's default.
    pub teams: Vec<(TeamId, Option<String>)>,
}

/// A team as far as it matters who is invited to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Team {
    pub id: TeamId,
    /// None: any.
    pub allowed_roles: Option<Vec<String>>,
    pub default_role: Option<String>,
}

/// What an invitation is decided with.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Known {
    /// Of those that are named.
    pub teams: Vec<Team>,
    /// What the roles permit that are given.
    pub permissions: BTreeMap<String, Vec<String>>,
    pub is_member: bool,
    /// What waits for the same address.
    pub pending: Option<Invitation>,
    /// Of the seats.
    pub version: i64,
}

/// The seat of an invitation that is made when the seats are at `version`: trying again takes the same one, inviting anew another one.
pub fn seat_of(email: &str, version: i64) -> ReservationId {
    ReservationId::derived(&["seat", &normalized(email), &version.to_string()])
}

/// The roles that are given, each with the place where it is said: what does not exist or is not allowed is refused.
pub fn roles_given(wanted: &Wanted, teams: &[Team]) -> Result<Vec<(String, String)>, Problem> {
    if wanted.role.is_none() && wanted.teams.is_empty() {
        let detail = "Say what the new member will be: send a role, or teams with a role on each, or \"role\": null for nothing yet.";
        return Err(Problem::invalid("/role", "role_required", detail));
    }
    if wanted.teams.len() > TEAMS_MAX {
        return Err(Problem::invalid("/teams", "invalid_value", format!("Send at most {TEAMS_MAX} teams.")));
    }
    let mut given: Vec<(String, String)> = wanted.role.iter().flatten().map(|role| ("/role".to_owned(), role.clone())).collect();
    let mut seen = BTreeSet::new();
    for (index, (id, role)) in wanted.teams.iter().enumerate() {
        let pointer = |field: &str| format!("/teams/{index}/{field}");
        let team = teams.iter().find(|team| team.id == *id);
        let unknown = || Problem::refused(pointer("team"), "unknown_team", "There is no such team. GET /v1/teams lists them.");
        let team = team.ok_or_else(unknown)?;
        if !seen.insert(*id) {
            return Err(Problem::invalid(pointer("team"), "invalid_value", "Send each team once."));
        }
        let missing = || Problem::invalid(pointer("role"), "role_required", "This team has no default role. Send the key of a role.");
        let role = role.as_ref().or(team.default_role.as_ref()).ok_or_else(missing)?;
        if team.allowed_roles.as_ref().is_some_and(|allowed| !allowed.contains(role)) {
            let detail = "This team's settings.allowedRoles don't include this role. Send one of them.";
            return Err(Problem::refused(pointer("role"), "role_not_allowed", detail));
        }
        given.push((pointer("role"), role.clone()));
    }
    Ok(given)
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
        .guard(crate::roles::store::are_there(&given.iter().map(|(_, role)| role.as_str()).collect::<Vec<_>>()))
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

impl Invitation {
    /// Whether its time is over, whether or not anybody noticed.
    pub fn is_over(&self, now: Timestamp) -> bool {
        self.expires_at <= now
    }

    pub fn status_at(&self, now: Timestamp) -> Status {
        if self.status == Status::Pending && self.is_over(now) { Status::Expired } else { self.status }
    }

    /// Whether a token of `generation` opens it.
    pub fn opens_for(&self, generation: u32, now: Timestamp) -> bool {
        self.status_at(now) == Status::Pending && self.generation == generation
    }

    /// The keys of all roles that it gives.
    pub fn role_keys(&self) -> BTreeSet<&str> {
        self.role.as_deref().into_iter().chain(self.teams.iter().map(|team| team.role.as_str())).collect()
    }

    fn renewed(&self) -> InvitationRenewed {
        let Self { id, email, generation, expires_at, .. } = self;
        InvitationRenewed { invitation: *id, email: email.clone(), generation: *generation, expires_at: *expires_at }
    }

    /// For the audit log; no token is ever in here.
    fn facts(&self) -> Json {
        json!({"email": self.email, "role": self.role, "teams": self.teams, "generation": self.generation, "expiresAt": self.expires_at})
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::ids::Fixed;

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

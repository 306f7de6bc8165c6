//! Who is a member, and what may be changed about that.

use rating::Quantity;
use serde_json::json;

use super::member::{Member, Profile, TeamRole};
use super::store;
use crate::events::{MemberJoined, MemberRemoved, MemberUpdated};
use crate::identity::roles::built_in::OWNER;
use crate::kernel::decision::Decision;
use crate::kernel::ids::{Moment, PersonId};
use crate::kernel::problem::Problem;

const TEXT_LENGTH_MAX: usize = 200;
const TELEPHONE_LENGTH_MAX: usize = 50;

/// A field that is given replaces the old one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    pub given_name: Option<Option<String>>,
    pub family_name: Option<Option<String>>,
    pub job_title: Option<Option<String>>,
    pub telephone: Option<Option<String>>,
    pub role: Option<Option<String>>,
}

/// An email as it is kept: of the same address in any spelling of its case, there is one person.
pub fn normalized(email: &str) -> String {
    email.trim().to_lowercase()
}

/// The first owner of an organization that signs itself up, to be committed with it. `person` is the directory's. That the email is
/// theirs, their first login shows.
pub fn sign_up_owner(person: PersonId, email: &str, profile: Profile, moment: Moment<'_>) -> Result<(Member, Decision), Problem> {
    let member = newcomer(person, email, profile, (Some(OWNER.to_owned()), Vec::new()), None, moment)?;
    Ok(entering(Member { email_verified_at: None, ..member }))
}

/// A person becomes a member with these roles: organization-wide and on teams.
pub fn join(
    person: PersonId,
    email: &str,
    profile: Profile,
    (role, teams): (Option<String>, Vec<TeamRole>),
    invited_by: Option<String>,
    moment: Moment<'_>,
) -> Result<(Member, Decision), Problem> {
    newcomer(person, email, profile, (role, teams), invited_by, moment).map(entering)
}

fn newcomer(
    person: PersonId,
    email: &str,
    profile: Profile,
    (role, teams): (Option<String>, Vec<TeamRole>),
    invited_by: Option<String>,
    moment: Moment<'_>,
) -> Result<Member, Problem> {
    Ok(Member {
        id: person,
        email: normalized(email),
        profile: checked(profile)?,
        role,
        teams,
        invited_by,
        joined_at: moment.now,
        email_verified_at: Some(moment.now),
        last_login_at: None,
        version: 1,
    })
}

fn entering(member: Member) -> (Member, Decision) {
    let person = member.id;
    let mut decision = Decision::new().guard(store::not_a_member(&member)).write(store::insert(&member)).write(store::change_seats(1));
    for role in &member.teams {
        decision = decision.write(store::insert_team_role(&member, role));
    }
    let decision = decision.raise(MemberJoined { person }).audit("member.joined", person.to_string(), None, Some(member.facts()));
    (member, decision)
}

/// A member's profile or role changes; nothing to do when nothing does. `is_last_owner`: nobody else owns the organization.
pub fn update(member: &Member, changes: Changes, is_last_owner: bool) -> Result<(Member, Decision), Problem> {
    let mut next = member.clone();
    let mut fields = Vec::new();
    replace(&mut next.profile.given_name, changes.given_name, "givenName", &mut fields);
    replace(&mut next.profile.family_name, changes.family_name, "familyName", &mut fields);
    replace(&mut next.profile.job_title, changes.job_title, "jobTitle", &mut fields);
    replace(&mut next.profile.telephone, changes.telephone, "telephone", &mut fields);
    replace(&mut next.role, changes.role, "role", &mut fields);
    next.profile = checked(next.profile)?;
    if fields.is_empty() {
        return Ok((next, Decision::new()));
    }
    let mut decision = Decision::new().guard(store::unchanged(member)).write(store::update(&next));
    if let Some(role) = next.role.as_deref().filter(|_| next.role != member.role) {
        decision = decision.guard(crate::identity::roles::store::are_there(&[role]));
    }
    if member.is_owner() && !next.is_owner() {
        decision = keep_an_owner(decision, member, is_last_owner)?;
    }
    let decision = decision.raise(MemberUpdated { person: member.id, fields }).audit(
        "member.updated",
        member.id.to_string(),
        Some(member.facts()),
        Some(next.facts()),
    );
    next.version = next.version.saturating_add(1);
    Ok((next, decision))
}

/// A member goes, with their roles and their seat. `credentials` ends all that opens the organization in their hands, in the same commit.
pub fn remove(member: &Member, is_last_owner: bool, credentials: Decision) -> Result<Decision, Problem> {
    let mut decision = Decision::new().guard(store::unchanged(member));
    if member.is_owner() {
        decision = keep_an_owner(decision, member, is_last_owner)?;
    }
    decision = decision.and(credentials);
    for statement in store::delete(member.id) {
        decision = decision.write(statement);
    }
    let decision = decision.write(store::change_seats(-1)).raise(MemberRemoved { person: member.id });
    Ok(decision.audit("member.removed", member.id.to_string(), Some(member.facts()), None))
}

/// Of two owners who remove each other at once, one stays: the guard sees what the other commit left.
fn keep_an_owner(decision: Decision, member: &Member, is_last_owner: bool) -> Result<Decision, Problem> {
    if is_last_owner {
        let detail = "This is the last owner of the organization. Give the role owner to another member first.";
        return Err(Problem::conflict("last_owner", detail));
    }
    Ok(decision.guard(store::another_owner(member.id)))
}

fn replace<T: PartialEq>(old: &mut T, new: Option<T>, field: &str, fields: &mut Vec<String>) {
    if let Some(new) = new
        && *old != new
    {
        *old = new;
        fields.push(field.to_owned());
    }
}

/// The profile without blanks around its texts; refused where one is none.
pub fn checked(profile: Profile) -> Result<Profile, Problem> {
    let text = |text: Option<String>, pointer: &str, length_max: usize| match text.map(|text| text.trim().to_owned()) {
        Some(text) if text.is_empty() || text.chars().count() > length_max || text.chars().any(|letter| letter.is_control()) => {
            let detail = format!("Send a text of 1 to {length_max} characters, or null.");
            Err(Problem::invalid(pointer, "invalid_value", detail))
        }
        text => Ok(text),
    };
    Ok(Profile {
        given_name: text(profile.given_name, "/givenName", TEXT_LENGTH_MAX)?,
        family_name: text(profile.family_name, "/familyName", TEXT_LENGTH_MAX)?,
        job_title: text(profile.job_title, "/jobTitle", TEXT_LENGTH_MAX)?,
        telephone: text(profile.telephone, "/telephone", TELEPHONE_LENGTH_MAX)?,
    })
}

/// The plan's seats are used up. The same document as the Meter's for any other level.
pub fn no_seat(taken: Quantity, held: Quantity, limit: Quantity) -> Problem {
    let detail = format!(
        "users: {taken} of {limit} are used, {held} are held for invitations, 1 more would pass the limit. Remove a member, revoke an invitation, or change to a plan with a higher limit."
    );
    Problem::new(403, "quota_exceeded", "The quota is used up", detail)
        .with_member("metric", "users")
        .with_member("current", json!(taken))
        .with_member("reserved", json!(held))
        .with_member("limit", json!(limit))
        .with_member("required", 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::ids::Fixed;
    use crate::kernel::time::Timestamp;

    fn member(role: Option<&str>) -> Member {
        let moment = Moment { now: Timestamp::from_millis(1), entropy: &Fixed };
        let roles = (role.map(str::to_owned), Vec::new());
        join(PersonId::from_bytes([1; 16]), " Ada@Acme.Example ", Profile::default(), roles, None, moment).unwrap().0
    }

    #[test]
    fn an_email_is_one_whatever_its_case() {
        assert_eq!(member(None).email, "ada@acme.example");
    }

    #[test]
    fn the_last_owner_stays_an_owner() {
        let to = |role: Option<&str>| Changes { role: Some(role.map(str::to_owned)), ..Changes::default() };
        let check = |from, changes, is_last_owner, expected: Option<&str>| {
            let code = update(&member(from), changes, is_last_owner).map_err(|problem| problem.code).err();
            assert_eq!(code, expected, "{from:?}");
        };
        check(Some("owner"), to(Some("admin")), true, Some("last_owner"));
        check(Some("owner"), to(None), true, Some("last_owner"));
        check(Some("owner"), to(Some("owner")), true, None);
        check(Some("owner"), to(Some("admin")), false, None);
        check(Some("admin"), to(None), true, None);
        let code = |role, is_last_owner| remove(&member(role), is_last_owner, Decision::new()).map_err(|problem| problem.code).err();
        assert_eq!(code(Some("owner"), true), Some("last_owner"));
        assert_eq!((code(Some("owner"), false), code(None, true)), (None, None));
    }

    #[test]
    fn no_change_is_no_decision() {
        let given = Changes { given_name: Some(None), role: Some(Some("admin".into())), ..Changes::default() };
        let (_, decision) = update(&member(Some("admin")), given, false).unwrap();
        assert_eq!(decision, Decision::new());
    }

    #[test]
    fn a_profile_holds_texts_or_nothing() {
        let named = |name: &str| Changes { given_name: Some(Some(name.to_owned())), ..Changes::default() };
        let check = |name: &str, expected: Option<&str>| {
            let found = update(&member(None), named(name), false).map_err(|problem| problem.errors[0].pointer.clone()).err();
            assert_eq!(found.as_deref(), expected, "{name:?}");
        };
        check("Ada", None);
        check("  ", Some("/givenName"));
        check("A\nB", Some("/givenName"));
        check(&"x".repeat(201), Some("/givenName"));
    }
}

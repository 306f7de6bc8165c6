//! The algebra of roles: what somebody may do where, and which assignment says so.

use super::role::{ROLES_MAX, Role, Roles, Uses};
use super::store;
use crate::events::{RoleCreated, RoleDeleted, RoleUpdated};
use crate::identity::permissions::is_scope;
use crate::kernel::decision::Decision;
use crate::kernel::ids::{Moment, RoleId};
use crate::kernel::problem::Problem;

/// More than there are permissions and resources.
const PERMISSIONS_MAX: usize = 50;
const NAME_LENGTH_MAX: usize = 200;
const DESCRIPTION_LENGTH_MAX: usize = 2_000;
const KEY_LENGTH_MAX: usize = 64;

/// A role as clients write it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Definition {
    pub key: String,
    pub name: String,
    pub description: Option<String>,
    pub permissions: Vec<String>,
}

/// What is to be changed of a role; what is absent stays.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Redefinition {
    pub name: Option<String>,
    pub description: Option<Option<String>>,
    pub permissions: Option<Vec<String>>,
}

/// Defines a role. That the caller holds all of it is checked before.
pub fn define(wanted: &Definition, roles: &Roles, moment: Moment<'_>) -> Result<(Role, Decision), Problem> {
    if !is_key(&wanted.key) {
        let detail = format!("Send a key of 1 to {KEY_LENGTH_MAX} letters, digits, `_` and `-` that begins with a letter.");
        return Err(Problem::invalid("/key", "invalid_value", detail));
    }
    check_texts(Some(&wanted.name), wanted.description.as_deref())?;
    check_permissions(&wanted.permissions)?;
    if roles.find(&wanted.key).is_some() {
        return Err(Problem::conflict("role_exists", format!("There is a role {} already. Send another key.", wanted.key)));
    }
    if roles.own() >= ROLES_MAX {
        let detail = format!("An organization defines at most {ROLES_MAX} roles. Delete one that nobody holds.");
        return Err(Problem::conflict("too_many_roles", detail));
    }
    let role = Role {
        id: RoleId::new(moment),
        key: wanted.key.clone(),
        name: wanted.name.trim().to_owned(),
        description: wanted.description.clone(),
        permissions: wanted.permissions.clone(),
        created_at: Some(moment.now),
        version: 1,
    };
    let decision = Decision::new()
        .guard(store::is_free(&role.key))
        .write(store::insert(&role, moment.now))
        .raise(RoleCreated { role: role.id, key: role.key.clone() })
        .audit("role.created", role.id.to_string(), None, Some(role.facts()));
    Ok((role, decision))
}

/// Changes a role for everybody who holds it; nothing happens when it is as wanted already.
pub fn redefine(role: &Role, wanted: &Redefinition) -> Result<(Role, Decision), Problem> {
    role.check_is_own()?;
    check_texts(wanted.name.as_deref(), wanted.description.as_ref().and_then(Option::as_deref))?;
    wanted.permissions.as_deref().map_or(Ok(()), check_permissions)?;
    let next = Role {
        name: wanted.name.as_ref().map_or_else(|| role.name.clone(), |name| name.trim().to_owned()),
        description: wanted.description.clone().unwrap_or_else(|| role.description.clone()),
        permissions: wanted.permissions.clone().unwrap_or_else(|| role.permissions.clone()),
        ..role.clone()
    };
    if next == *role {
        return Ok((next, Decision::new()));
    }
    let next = Role { version: role.version.saturating_add(1), ..next };
    let decision = Decision::new()
        .guard(store::unchanged(role))
        .write(store::update(&next))
        .raise(RoleUpdated { role: role.id, key: role.key.clone() })
        .audit("role.updated", role.id.to_string(), Some(role.facts()), Some(next.facts()));
    Ok((next, decision))
}

/// Deletes a role that is used nowhere.
pub fn delete(role: &Role, uses: Uses) -> Result<Decision, Problem> {
    role.check_is_own()?;
    let places = [
        (uses.by_members, "members hold it"),
        (uses.on_teams, "people hold it on teams"),
        (uses.in_invitations, "pending invitations name it"),
        (uses.in_settings, "settings of teams name it"),
    ];
    let used: Vec<&str> = places.into_iter().filter(|(is_used, _)| *is_used).map(|(_, place)| place).collect();
    if !used.is_empty() {
        let detail = format!("The role {} is in use: {}. Give them another role first.", role.key, used.join(", "));
        return Err(Problem::conflict("role_in_use", detail));
    }
    Ok(Decision::new()
        .guard(store::unchanged(role))
        .guard(store::is_unused(&role.key))
        .write(store::delete(role.id))
        .raise(RoleDeleted { role: role.id, key: role.key.clone() })
        .audit("role.deleted", role.id.to_string(), Some(role.facts()), None))
}

/// `^[a-zA-Z][a-zA-Z0-9_-]{0,63}$`
fn is_key(text: &str) -> bool {
    let is_inner = |byte: u8| byte.is_ascii_alphanumeric() || b"_-".contains(&byte);
    text.len() <= KEY_LENGTH_MAX && text.bytes().next().is_some_and(|first| first.is_ascii_alphabetic()) && text.bytes().all(is_inner)
}

/// The texts of a role or a team: what is absent is not checked.
pub fn check_texts(name: Option<&str>, description: Option<&str>) -> Result<(), Problem> {
    if name.is_some_and(|name| name.trim().is_empty() || name.chars().count() > NAME_LENGTH_MAX) {
        return Err(Problem::invalid("/name", "invalid_value", format!("Send a name of 1 to {NAME_LENGTH_MAX} characters.")));
    }
    if description.is_some_and(|text| text.chars().count() > DESCRIPTION_LENGTH_MAX) {
        let detail = format!("Send at most {DESCRIPTION_LENGTH_MAX} characters, or leave it out.");
        return Err(Problem::invalid("/description", "invalid_value", detail));
    }
    Ok(())
}

fn check_permissions(permissions: &[String]) -> Result<(), Problem> {
    if permissions.is_empty() || permissions.len() > PERMISSIONS_MAX {
        let detail = format!("Send 1 to {PERMISSIONS_MAX} permissions; GET /v1/permissions lists them.");
        return Err(Problem::invalid("/permissions", "invalid_value", detail));
    }
    let unknown = permissions.iter().position(|scope| !is_scope(scope));
    unknown.map_or(Ok(()), |index| {
        let detail = "GET /v1/permissions lists the permissions; `resource.*` and `*` may be sent, too.";
        Err(Problem::invalid(format!("/permissions/{index}"), "unknown_permission", detail))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::roles::built_in::{BUILT_IN, OWNER};
    use crate::kernel::time::Timestamp;

    fn role(permissions: &[&str]) -> Role {
        let permissions = permissions.iter().map(|scope| (*scope).to_owned()).collect();
        Role { permissions, created_at: Some(Timestamp::from_millis(1)), version: 1, ..BUILT_IN[0].role() }
    }

    #[test]
    fn what_is_added_to_a_role_is_what_it_did_not_reach() {
        let check = |had: &[&str], wanted: &[&str], added: &[&str]| {
            let wanted: Vec<String> = wanted.iter().map(|scope| (*scope).to_owned()).collect();
            assert_eq!(role(had).added(&wanted), added, "{had:?} → {wanted:?}");
        };
        check(&["usage.*"], &["usage.read", "usage.write"], &[]);
        check(&["usage.read"], &["usage.*"], &["usage.*"]);
        check(&["usage.read", "teams.*"], &["teams.read", "roles.read"], &["roles.read"]);
        check(&["*"], &["organization.own", "usage.*"], &[]);
        check(&["teams.*"], &["*"], &["*"]);
    }

    #[test]
    fn each_use_keeps_a_role() {
        let uses = [
            Uses { by_members: true, ..Uses::default() },
            Uses { on_teams: true, ..Uses::default() },
            Uses { in_invitations: true, ..Uses::default() },
            Uses { in_settings: true, ..Uses::default() },
        ];
        for used in uses {
            assert_eq!(delete(&role(&["*"]), used).unwrap_err().code, "role_in_use", "{used:?}");
        }
        assert!(delete(&role(&["*"]), Uses::default()).is_ok());
        assert_eq!(delete(&BUILT_IN[0].role(), Uses::default()).unwrap_err().code, "built_in_role");
    }

    #[test]
    fn an_organization_defines_so_many_roles_and_no_more() {
        let moment = Moment { now: Timestamp::from_millis(1), entropy: &Fixed };
        let wanted =
            Definition { key: "one-more".into(), name: "One more".into(), description: None, permissions: vec!["usage.read".into()] };
        let roles = |own: usize| Roles::new(vec![role(&["usage.read"]); own]);
        assert!(define(&wanted, &roles(ROLES_MAX - 1), moment).is_ok());
        assert_eq!(define(&wanted, &roles(ROLES_MAX), moment).unwrap_err().code, "too_many_roles");
        assert_eq!(define(&Definition { key: OWNER.into(), ..wanted }, &roles(0), moment).unwrap_err().code, "role_exists");
    }

    struct Fixed;
    impl crate::kernel::ids::Entropy for Fixed {
        fn bytes(&self) -> [u8; 16] {
            [7; 16]
        }
    }
}

//! Where a member holds what: the paths of teams, assignments of roles, and a standing.

use super::permission::{Permission, permits};
use crate::kernel::ids::{PersonId, TeamId};

/// Where a team is: the ids from the topmost team down to it, each followed by a slash.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct TeamPath(pub String);

impl TeamPath {
    /// The path of the team `id` below `parent` (None: topmost).
    pub fn of(id: TeamId, parent: Option<&TeamPath>) -> Self {
        Self(format!("{}{id}/", parent.map_or("", |parent| parent.0.as_str())))
    }

    /// Whether `other` is this team or below it.
    pub fn reaches(&self, other: &TeamPath) -> bool {
        other.0.starts_with(&self.0)
    }

    /// After the paths of this team and of all below it, and before any other path after it.
    pub fn end(&self) -> String {
        format!("{}0", self.0.trim_end_matches('/'))
    }

    /// The team above it; None: it is topmost.
    pub fn above(&self) -> Option<TeamPath> {
        let (above, _) = self.0.trim_end_matches('/').rsplit_once('/')?;
        Some(TeamPath(format!("{above}/")))
    }

    /// The teams that come above this one when it moves below `parent`: whoever has a role on one of them gets it here, too.
    pub fn comes_under(&self, parent: &TeamPath) -> Vec<TeamId> {
        let already = self.teams();
        parent.teams().into_iter().filter(|id| !already.contains(id)).collect()
    }

    /// The teams on the way, the topmost first, the team itself last.
    pub fn teams(&self) -> Vec<TeamId> {
        self.0.split('/').filter_map(|id| id.parse().ok()).collect()
    }
}

/// A role that somebody holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assignment {
    /// The role's key.
    pub role: String,
    pub permissions: Vec<String>,
    /// None: organization-wide.
    pub team: Option<(TeamId, TeamPath)>,
}

impl Assignment {
    /// Whether it says that its holder may do `permission` on the team at `on` (None: organization-wide).
    pub fn permits(&self, permission: Permission, on: Option<&TeamPath>) -> bool {
        self.is_held_on(on) && self.scope_for(permission).is_some()
    }

    /// Which of its permissions includes `permission`.
    pub fn scope_for(&self, permission: Permission) -> Option<&String> {
        self.permissions.iter().find(|scope| permits(scope, permission))
    }

    fn is_held_on(&self, on: Option<&TeamPath>) -> bool {
        match (&self.team, on) {
            (None, _) => true,
            (Some((_, held_on)), Some(on)) => held_on.reaches(on),
            (Some(_), None) => false,
        }
    }
}

/// All roles of one member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    pub person: PersonId,
    /// Organization-wide ones first.
    pub assignments: Vec<Assignment>,
}

impl Standing {
    /// The assignment because of which this person may do `permission` on the team at `on` (None: organization-wide); None when they may not.
    pub fn reason(&self, permission: Permission, on: Option<&TeamPath>) -> Option<&Assignment> {
        self.assignments.iter().find(|assignment| assignment.permits(permission, on))
    }

    /// Everything this person holds on the team at `on` (None: organization-wide), as scopes.
    pub fn scopes(&self, on: Option<&TeamPath>) -> Vec<String> {
        let held = self.assignments.iter().filter(|assignment| assignment.is_held_on(on));
        held.flat_map(|assignment| assignment.permissions.iter().cloned()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_ends_after_what_is_below_it() {
        let (one, other) = (TeamId::from_bytes([1; 16]), TeamId::from_bytes([2; 16]));
        let top = TeamPath::of(one, None);
        let below = TeamPath::of(other, Some(&top));
        assert!(top.0 <= below.0 && below.0 < top.end() && TeamPath::of(other, None).0 > top.end());
        assert_eq!(below.teams(), [one, other]);
        assert_eq!((below.above(), top.above()), (Some(top.clone()), None));
        assert_eq!((below.comes_under(&top), TeamPath::of(other, None).comes_under(&top)), (vec![], vec![one]));
        assert!(top.reaches(&below) && !below.reaches(&top) && !TeamPath::of(other, None).reaches(&below));
    }
}

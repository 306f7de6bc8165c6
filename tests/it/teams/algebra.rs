//! The algebra of permissions: monotone, downward only, and without a way to get more than those who give hold.

use proptest::prelude::*;
use tenantry::identity::permissions::standing::{Assignment, Standing, TeamPath};
use tenantry::identity::permissions::{Permission, lacking, permits};
use tenantry::identity::roles::built_in::BUILT_IN;
use tenantry::identity::roles::role::Role;
use tenantry::kernel::ids::{PersonId, TeamId};

const TEAMS: usize = 7;
const PEOPLE: usize = 4;

/// What roles may be made of.
const SCOPES: &[&str] = &[
    "*",
    "teams.*",
    "teams.read",
    "teams.write",
    "usage.*",
    "usage.read",
    "members.write",
    "roles.write",
    "organization.own",
    "invoices.read",
];

/// Roles by number, the tree, and who holds which role where (None: organization-wide).
#[derive(Clone, Debug)]
struct Organization {
    roles: Vec<Vec<String>>,
    parents: Vec<Option<usize>>,
    held: Vec<(usize, usize, Option<usize>)>,
}

/// What people try, one after the other; the first number is who does it.
#[derive(Clone, Debug)]
enum Attempt {
    Grant(usize, usize, usize, Option<usize>),
    Redefine(usize, usize, Vec<String>),
    Move(usize, usize, Option<usize>),
}

fn team(number: usize) -> TeamId {
    TeamId::derived(&["team", &number.to_string()])
}

impl Organization {
    fn path(&self, number: usize) -> TeamPath {
        TeamPath::of(team(number), self.parents[number].map(|parent| self.path(parent)).as_ref())
    }

    fn on(&self, team: Option<usize>) -> Option<TeamPath> {
        team.map(|team| self.path(team))
    }

    fn standing(&self, person: usize) -> Standing {
        let held = self.held.iter().filter(|(holder, ..)| *holder == person);
        let assignments = held.map(|(_, role, on)| Assignment {
            role: role.to_string(),
            permissions: self.roles[*role].clone(),
            team: on.map(|number| (team(number), self.path(number))),
        });
        Standing { person: PersonId::derived(&["person", &person.to_string()]), assignments: assignments.collect() }
    }

    /// Everything that somebody may do somewhere.
    fn powers(&self, person: usize) -> Vec<(Permission, Option<usize>)> {
        let standing = self.standing(person);
        let places = || (0..TEAMS).map(Some).chain([None]);
        let all = Permission::ALL.iter().flat_map(|permission| places().map(move |place| (*permission, place)));
        all.filter(|(permission, place)| standing.reason(*permission, self.on(*place).as_ref()).is_some()).collect()
    }

    /// What becomes of an attempt by the rules; None: refused.
    fn attempt(&self, attempt: &Attempt) -> Option<Self> {
        let mut next = self.clone();
        let holds = |person: usize, wanted: &[String], on: Option<&TeamPath>| lacking(&self.standing(person).scopes(on), wanted).is_none();
        let may_write =
            |person: usize, on: Option<usize>| self.standing(person).reason(Permission::TeamsWrite, self.on(on).as_ref()).is_some();
        match attempt {
            Attempt::Grant(who, to, role, on) => {
                holds(*who, &self.roles[*role], self.on(*on).as_ref()).then_some(())?;
                next.held.push((*to, *role, *on));
            }
            Attempt::Redefine(who, role, permissions) => {
                let role_now = Role { permissions: self.roles[*role].clone(), ..BUILT_IN[0].role() };
                holds(*who, &role_now.added(permissions), None).then_some(())?;
                next.roles[*role] = permissions.clone();
            }
            Attempt::Move(who, moved, to) => {
                let path = self.path(*moved);
                (may_write(*who, self.parents[*moved]) && may_write(*who, *to)).then_some(())?;
                let parent = self.on(*to);
                (!parent.as_ref().is_some_and(|parent| path.reaches(parent))).then_some(())?;
                let above = parent.map(|parent| path.new_ancestors_below(&parent)).unwrap_or_default();
                let gained = self.held.iter().filter(|(_, _, on)| on.is_some_and(|on| above.contains(&team(on))));
                gained.into_iter().all(|(_, role, _)| holds(*who, &self.roles[*role], Some(&path))).then_some(())?;
                next.parents[*moved] = *to;
            }
        }
        Some(next)
    }
}

fn scopes() -> impl Strategy<Value = Vec<String>> {
    prop::collection::vec(prop::sample::select(SCOPES).prop_map(str::to_owned), 1..4)
}

fn place() -> impl Strategy<Value = Option<usize>> {
    prop::option::weighted(0.8, 0..TEAMS)
}

fn organization() -> impl Strategy<Value = Organization> {
    let parents =
        (0..TEAMS).map(|number| if number == 0 { Just(None).boxed() } else { prop::option::of(0..number).boxed() }).collect::<Vec<_>>();
    let held = prop::collection::vec((0..PEOPLE, 0..4_usize, place()), 0..7);
    (prop::collection::vec(scopes(), 4), parents, held).prop_map(|(roles, parents, held)| Organization { roles, parents, held })
}

fn attempt() -> impl Strategy<Value = Attempt> {
    prop_oneof![
        (0..PEOPLE, 0..PEOPLE, 0..4_usize, place()).prop_map(|(who, to, role, on)| Attempt::Grant(who, to, role, on)),
        (0..PEOPLE, 0..4_usize, scopes()).prop_map(|(who, role, permissions)| Attempt::Redefine(who, role, permissions)),
        (0..PEOPLE, 0..TEAMS, place()).prop_map(|(who, moved, to)| Attempt::Move(who, moved, to)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn one_more_role_never_permits_less(organization in organization(), role in 0..4_usize, on in place()) {
        let before = organization.powers(0);
        let mut after = organization.clone();
        after.held.push((0, role, on));
        let after = after.powers(0);
        prop_assert!(before.iter().all(|power| after.contains(power)));
    }

    #[test]
    fn a_role_on_a_team_reaches_down_only(organization in organization(), role in 0..4_usize, on in 0..TEAMS) {
        let only = Organization { held: vec![(0, role, Some(on))], ..organization };
        for permission in Permission::ALL {
            let includes = only.roles[role].iter().any(|scope| permits(scope, *permission));
            for place in 0..TEAMS {
                // Up from there, as the parents say.
                let is_below = std::iter::successors(Some(place), |place| only.parents[*place]).any(|above| above == on);
                let may = only.standing(0).reason(*permission, Some(&only.path(place))).is_some();
                prop_assert_eq!(may, includes && is_below, "{:?} on {}", permission, place);
            }
            prop_assert!(only.standing(0).reason(*permission, None).is_none(), "not organization-wide");
        }
    }

    #[test]
    fn an_organization_wide_role_holds_everywhere(organization in organization(), role in 0..4_usize) {
        let only = Organization { held: vec![(0, role, None)], ..organization };
        let powers = only.powers(0);
        for (permission, _) in powers.iter().filter(|(_, place)| place.is_none()) {
            prop_assert!((0..TEAMS).all(|place| powers.contains(&(*permission, Some(place)))));
        }
    }

    #[test]
    fn nobody_obtains_what_who_gave_it_did_not_hold(organization in organization(), attempts in prop::collection::vec(attempt(), 1..12)) {
        let mut now = organization;
        for attempt in attempts {
            let Some(next) = now.attempt(&attempt) else { continue };
            let (Attempt::Grant(who, ..) | Attempt::Redefine(who, ..) | Attempt::Move(who, ..)) = &attempt;
            let held = now.powers(*who);
            for person in 0..PEOPLE {
                let before = now.powers(person);
                let gained = next.powers(person).into_iter().find(|power| !before.contains(power) && !held.contains(power));
                prop_assert!(gained.is_none(), "{:?} gave {} {:?}, and {} does not hold it", attempt, person, gained, who);
            }
            now = next;
        }
    }
}

//! Two at once: what was decided about a tree, a role or a member that has changed meanwhile is not committed.

use axum::body::Body;
use futures::executor::block_on;
use futures::future::join_all;
use http::Request;
use serde_json::{Value, json};
use tenantry::identity::roles::role::Roles;
use tenantry::identity::teams::rules;
use tenantry::identity::teams::rules::{Changes, Move, NewTeam};
use tenantry::identity::teams::store;
use tenantry::identity::teams::team::{Settings, Team, TeamMember};
use tenantry::identity::{invitations, members, roles};
use tenantry::kernel::decision::Decision;
use tenantry::kernel::error::Error;
use tenantry::kernel::ids::{InvitationId, TeamId};
use tenantry::kernel::tenant::{Actor, Tenant};

use crate::support::people::{join, person};
use crate::support::world::{Company, PLATFORM_KEY, World};

struct Story<'w> {
    company: Company<'w>,
    tenant: Tenant,
}

impl<'w> Story<'w> {
    fn new(world: &'w World) -> Self {
        let company = world.sign_up("Acme");
        let tenant = block_on(world.platform().tenant(company.id.parse().unwrap(), Actor::Platform, None)).unwrap().unwrap();
        Self { company, tenant }
    }

    fn create(&self, parent: Option<&Team>) -> Team {
        let made = self.send("POST", "/v1/teams", json!({"name": "team", "parentTeam": parent.map(|team| team.id)}), 201);
        self.read(made["$id"].as_str().unwrap().parse().unwrap())
    }

    fn read(&self, id: TeamId) -> Team {
        block_on(store::find(&self.tenant, id)).unwrap().unwrap()
    }

    fn roles(&self) -> Roles {
        block_on(roles::store::all(&self.tenant)).unwrap()
    }

    #[track_caller]
    fn send(&self, method: &str, path: &str, body: Value, status: u16) -> Value {
        self.company.world.write(&self.company.vendor(), method, path, &body).expect(status)
    }

    #[track_caller]
    fn move_below(&self, team: &Team, parent: &Team) {
        self.send("PATCH", &format!("/v1/teams/{}", team.id), json!({"parentTeam": parent.id}), 200);
    }

    /// The decision to move a team, as things are now.
    fn decide_to_move(&self, team: &Team, to: &Team) -> Decision {
        let deepest = block_on(store::contents(&self.tenant, team)).unwrap().deepest;
        rules::update(team, &Changes::default(), Some(&Move { to: Some(to), deepest }), &self.roles()).unwrap().1
    }

    #[track_caller]
    fn assert_stale(&self, decision: Decision) {
        assert_eq!(block_on(self.tenant.commit(decision, None)), Err(Error::Stale));
    }
}

#[test]
fn two_moves_make_no_cycle() {
    let world = World::new();
    let story = Story::new(&world);
    let (one, other) = (story.create(None), story.create(None));
    let decision = story.decide_to_move(&one, &other);
    story.move_below(&other, &one);
    story.assert_stale(decision);
    assert_eq!(story.read(other.id).parent, Some(one.id));
}

#[test]
fn of_moves_at_the_same_time_only_those_happen_that_leave_a_tree() {
    let world = World::new();
    let story = Story::new(&world);
    let teams: Vec<Team> = (0..4).map(|_| story.create(None)).collect();
    world.shards.iter().for_each(|shard| shard.interleave());
    // Each below the next one, the last below the first: any three of the four may be.
    let moves = (0..4).map(|index| {
        let body = json!({"parentTeam": teams[(index + 1) % 4].id}).to_string();
        let request = Request::builder().method("PATCH").uri(format!("/v1/teams/{}", teams[index].id));
        let request = request.header("authorization", format!("Bearer {PLATFORM_KEY}")).header("tenantry-organization", &story.company.id);
        let request = request.header("content-type", "application/json").body(Body::from(body)).unwrap();
        tenantry::api::handle(world.app.clone(), request)
    });
    let mut statuses: Vec<u16> = block_on(join_all(moves)).iter().map(|answer| answer.status().as_u16()).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 200, 200, 409]);
    let depths: Vec<u32> = teams.iter().map(|team| story.read(team.id).depth).collect();
    assert_eq!((depths.iter().sum::<u32>(), depths.iter().max()), (1 + 2 + 3 + 4, Some(&4)), "{depths:?}");
}

#[test]
fn two_moves_make_no_cycle_through_a_third_team() {
    let world = World::new();
    let story = Story::new(&world);
    let (one, other) = (story.create(None), story.create(None));
    let below = story.create(Some(&other));
    let decision = story.decide_to_move(&one, &below);
    story.move_below(&other, &one);
    story.assert_stale(decision);
}

#[test]
fn a_team_that_gets_deeper_is_not_moved_too_deep() {
    let world = World::new();
    let story = Story::new(&world);
    let mut deep = story.create(None);
    for _ in 1..7 {
        deep = story.create(Some(&deep));
    }
    let team = story.create(None);
    let decision = story.decide_to_move(&team, &deep);
    story.create(Some(&team));
    story.assert_stale(decision);
}

#[test]
fn a_team_is_made_below_where_its_parent_is() {
    let world = World::new();
    let story = Story::new(&world);
    let (parent, other) = (story.create(None), story.create(None));
    let wanted = NewTeam { name: "late".into(), description: None, settings: Settings::default() };
    let decide = || rules::create(&wanted, Some(&parent), 2, &story.roles(), story.tenant.moment()).unwrap().1;
    let moved = decide();
    story.move_below(&parent, &other);
    story.assert_stale(moved);
    story.send("DELETE", &format!("/v1/teams/{}", parent.id), Value::Null, 204);
    story.assert_stale(decide());
}

#[test]
fn a_team_that_somebody_joins_is_not_deleted() {
    let world = World::new();
    let story = Story::new(&world);
    let (team, heir) = (story.create(None), story.create(None));
    let contents = block_on(store::contents(&story.tenant, &team)).unwrap();
    let (delete, merge) = (rules::delete(&team, &contents, None).unwrap(), rules::delete(&team, &contents, Some(&heir)).unwrap());
    let anna = join(&world, &story.company.id, "anna", None);
    story.send("PUT", &format!("/v1/teams/{}/members/{anna}", team.id), json!({"role": "owner"}), 200);
    story.assert_stale(delete);
    // Nobody asked whether the owner's role may be given on the other team.
    story.assert_stale(merge);
}

#[test]
fn nobody_joins_a_team_that_is_gone_or_was_set_differently() {
    let world = World::new();
    let story = Story::new(&world);
    let team = story.create(None);
    join(&world, &story.company.id, "anna", None);
    let wanted = |team: &Team| TeamMember {
        team: team.id,
        person: person("anna"),
        role: "viewer".into(),
        assigned_by: "platform".into(),
        start_date: story.tenant.moment().now,
    };
    let decision = rules::put_member(None, &wanted(&team), &team).1;
    story.send("PATCH", &format!("/v1/teams/{}", team.id), json!({"settings": {"allowedRoles": ["admin"]}}), 200);
    story.assert_stale(decision);
    let team = story.read(team.id);
    let decision = rules::put_member(None, &wanted(&team), &team).1;
    story.send("DELETE", &format!("/v1/teams/{}", team.id), Value::Null, 204);
    story.assert_stale(decision);
}

#[test]
fn a_role_that_goes_is_given_to_nobody_and_one_that_is_given_stays() {
    let world = World::new();
    let story = Story::new(&world);
    let team = story.create(None);
    let anna = join(&world, &story.company.id, "anna", None);
    let keeper = json!({"key": "keeper", "name": "Keeper", "permissions": ["teams.write"]});
    let role = story.send("POST", "/v1/roles", keeper.clone(), 201);
    let path = format!("/v1/roles/{}", role["$id"].as_str().unwrap());

    let delete = roles::rules::delete(story.roles().find("keeper").unwrap(), roles::role::Uses::default()).unwrap();
    story.send("PUT", &format!("/v1/teams/{}/members/{anna}", team.id), json!({"role": "keeper"}), 200);
    story.assert_stale(delete.clone());
    story.send("DELETE", &format!("/v1/teams/{}/members/{anna}", team.id), Value::Null, 204);
    story.send("PATCH", &format!("/v1/teams/{}", team.id), json!({"settings": {"defaultRole": "keeper"}}), 200);
    story.assert_stale(delete);
    story.send("PATCH", &format!("/v1/teams/{}", team.id), json!({"settings": {"defaultRole": null}}), 200);

    let team = story.read(team.id);
    let wanted = TeamMember {
        team: team.id,
        person: person("anna"),
        role: "keeper".into(),
        assigned_by: "platform".into(),
        start_date: story.tenant.moment().now,
    };
    let put = rules::put_member(None, &wanted, &team).1;
    let set =
        rules::update(&team, &Changes { default_role: Some(Some("keeper".into())), ..Changes::default() }, None, &story.roles()).unwrap().1;
    story.send("DELETE", &path, Value::Null, 204);
    story.assert_stale(put);
    story.assert_stale(set);
}

#[test]
fn of_two_changes_of_a_role_the_second_sees_the_first() {
    let world = World::new();
    let story = Story::new(&world);
    let role = story.send("POST", "/v1/roles", json!({"key": "keeper", "name": "Keeper", "permissions": ["teams.write"]}), 201);
    let renamed = roles::rules::Redefinition { name: Some("Guard".into()), ..roles::rules::Redefinition::default() };
    let decision = roles::rules::redefine(story.roles().find("keeper").unwrap(), &renamed).unwrap().1;
    story.send("PATCH", &format!("/v1/roles/{}", role["$id"].as_str().unwrap()), json!({"permissions": ["*"]}), 200);
    story.assert_stale(decision);
}

#[test]
fn a_role_that_goes_is_held_by_no_member_and_promised_to_nobody() {
    let world = World::new();
    let story = Story::new(&world);
    join(&world, &story.company.id, "anna", None);
    let role = story.send("POST", "/v1/roles", json!({"key": "keeper", "name": "Keeper", "permissions": ["teams.write"]}), 201);
    let anna = block_on(members::store::member(&story.tenant, person("anna"))).unwrap().unwrap();
    let changes = members::rules::Changes { role: Some(Some("keeper".into())), ..members::rules::Changes::default() };
    let given = members::rules::update(&anna, changes, false).unwrap().1;
    let wanted =
        invitations::invitation::Wanted { email: "berta@acme.example".into(), role: Some(Some("keeper".into())), teams: Vec::new() };
    let known = block_on(invitations::store::known(&story.tenant, &wanted)).unwrap();
    let moment = story.tenant.moment();
    let promised = invitations::rules::invite(InvitationId::new(moment), &wanted, &known, "platform", moment).unwrap().1;
    story.send("DELETE", &format!("/v1/roles/{}", role["$id"].as_str().unwrap()), Value::Null, 204);
    story.assert_stale(given);
    story.assert_stale(promised);
}

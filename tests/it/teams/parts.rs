//! Who has a role on a part of the tree: they reach it and what is below it, nothing above and nothing beside.

use serde_json::{Value, json};

use crate::support::people::{join, log_in};
use crate::support::world::{Answer, Company, Credential, World};

/// Engineering with Backend below it and Storage below that; Sales beside. Anna keeps Backend: she may read and write teams there.
struct Story<'w> {
    company: Company<'w>,
    engineering: String,
    backend: String,
    storage: String,
    sales: String,
    anna: Credential,
}

impl<'w> Story<'w> {
    fn new(world: &'w World) -> Self {
        let company = world.sign_up("Acme");
        let team = |name: &str, parent: Option<&String>| {
            let made = world.post(&company.vendor(), "/v1/teams", &json!({"name": name, "parentTeam": parent})).expect(201);
            made["$id"].as_str().unwrap().to_owned()
        };
        let engineering = team("Engineering", None);
        let backend = team("Backend", Some(&engineering));
        let storage = team("Storage", Some(&backend));
        let sales = team("Sales", None);
        let keeper = json!({"key": "keeper", "name": "Keeper", "permissions": ["teams.*"]});
        world.post(&company.vendor(), "/v1/roles", &keeper).expect(201);
        let id = join(world, &company.id, "anna", None);
        world.write(&company.vendor(), "PUT", &format!("/v1/teams/{backend}/members/{id}"), &json!({"role": "keeper"})).expect(200);
        join(world, &company.id, "berta", None);
        let anna = log_in(world, &company.id, "anna");
        Self { company, engineering, backend, storage, sales, anna }
    }

    fn ask(&self, method: &str, path: &str, body: Value) -> Answer {
        self.company.world.write(&self.anna, method, path, &body)
    }

    #[track_caller]
    fn may(&self, method: &str, path: &str, body: Value) -> Value {
        let answer = self.ask(method, path, body);
        assert!(answer.status < 300, "{method} {path} → {}", answer.text);
        answer.body
    }

    #[track_caller]
    fn may_not(&self, method: &str, path: &str, body: Value, missing: &str) {
        let answer = self.ask(method, path, body);
        assert_eq!((answer.status, &answer.body["missingPermission"]), (403, &missing.into()), "{method} {path} → {}", answer.text);
    }

    fn team(&self, id: &str) -> String {
        format!("/v1/teams/{id}")
    }
}

#[test]
fn teams_are_read_and_written_there_and_below() {
    let world = World::new();
    let story = Story::new(&world);
    for id in [&story.backend, &story.storage] {
        story.may("GET", &story.team(id), Value::Null);
        story.may("PATCH", &story.team(id), json!({"description": "Anna's"}));
        let made = story.may("POST", "/v1/teams", json!({"name": "New", "parentTeam": id}));
        story.may("DELETE", &story.team(made["$id"].as_str().unwrap()), Value::Null);
    }
    for id in [&story.engineering, &story.sales] {
        story.may_not("GET", &story.team(id), Value::Null, "teams.read");
        story.may_not("PATCH", &story.team(id), json!({"name": "Anna's"}), "teams.write");
        story.may_not("POST", "/v1/teams", json!({"name": "New", "parentTeam": id}), "teams.write");
        story.may_not("DELETE", &story.team(id), Value::Null, "teams.write");
        story.may_not("GET", &format!("/v1/teams/{id}/members"), Value::Null, "teams.read");
    }
    story.may_not("POST", "/v1/teams", json!({"name": "New"}), "teams.write");
}

#[test]
fn a_list_shows_the_part_that_may_be_read() {
    let world = World::new();
    let story = Story::new(&world);
    let names = |path: &str| {
        let page = story.may("GET", path, Value::Null);
        let mut names: Vec<String> =
            page["data"].as_array().unwrap().iter().map(|team| team["name"].as_str().unwrap().to_owned()).collect();
        names.sort();
        names
    };
    assert_eq!(names("/v1/teams"), ["Backend", "Storage"]);
    assert_eq!(names("/v1/teams?q=s"), ["Storage"]);
    assert_eq!(names("/v1/teams?parentTeam=none"), [""; 0]);
    assert_eq!(names(&format!("/v1/teams?parentTeam={}", story.engineering)), ["Backend"]);
    let nobody = log_in(&world, &story.company.id, "berta");
    let answer = world.get(&nobody, "/v1/teams");
    assert_eq!((answer.status, &answer.body["missingPermission"]), (403, &"teams.read".into()));
}

#[test]
fn a_team_is_moved_within_a_part_and_neither_out_of_it_nor_into_it() {
    let world = World::new();
    let story = Story::new(&world);
    let data = story.may("POST", "/v1/teams", json!({"name": "Data", "parentTeam": story.backend}));
    let data = data["$id"].as_str().unwrap();
    story.may("PATCH", &story.team(data), json!({"parentTeam": story.storage}));
    story.may_not("PATCH", &story.team(data), json!({"parentTeam": story.sales}), "teams.write");
    story.may_not("PATCH", &story.team(data), json!({"parentTeam": null}), "teams.write");
    story.may_not("PATCH", &story.team(&story.backend), json!({"parentTeam": null}), "teams.write");
    story.may_not("PATCH", &story.team(&story.sales), json!({"parentTeam": story.backend}), "teams.write");
    story.may_not("DELETE", &format!("/v1/teams/{data}?reassignTo={}", story.sales), Value::Null, "teams.write");
}

#[test]
fn nobody_gives_more_on_a_team_than_they_hold_there() {
    let world = World::new();
    let story = Story::new(&world);
    let berta = crate::support::people::person("berta");
    let on = |team: &str| format!("/v1/teams/{team}/members/{berta}");
    story.may("PUT", &on(&story.storage), json!({"role": "keeper"}));
    story.may_not("PUT", &on(&story.storage), json!({"role": "viewer"}), "organization.read");
    story.may_not("PUT", &on(&story.storage), json!({"role": "owner"}), "*");
    story.may_not("PUT", &on(&story.sales), json!({"role": "keeper"}), "teams.write");
    story.may_not("DELETE", &on(&story.sales), Value::Null, "teams.write");
    story.may("DELETE", &on(&story.storage), Value::Null);
    story.may_not("POST", "/v1/roles", json!({"key": "k", "name": "K", "permissions": ["teams.*"]}), "roles.write");
}

#[test]
fn moving_and_merging_give_nobody_more_than_the_caller_holds() {
    let world = World::new();
    let story = Story::new(&world);
    let vendor = story.company.vendor();
    // Berta is a viewer of Storage; Anna, who keeps the teams, is none.
    let berta = crate::support::people::person("berta");
    world.write(&vendor, "PUT", &format!("/v1/teams/{}/members/{berta}", story.storage), &json!({"role": "viewer"})).expect(200);
    let data = story.may("POST", "/v1/teams", json!({"name": "Data", "parentTeam": story.backend}));
    let data = data["$id"].as_str().unwrap();
    story.may_not("PATCH", &story.team(data), json!({"parentTeam": story.storage}), "organization.read");
    // Berta would be a viewer of Data and of what is below it.
    story.may_not("DELETE", &format!("/v1/teams/{}?reassignTo={data}", story.storage), Value::Null, "organization.read");
    world.write(&vendor, "PATCH", &story.team(data), &json!({"parentTeam": story.storage})).expect(200);
}

#[test]
fn a_team_that_was_moved_away_is_out_of_reach() {
    let world = World::new();
    let story = Story::new(&world);
    let vendor = story.company.vendor();
    world.write(&vendor, "PATCH", &story.team(&story.storage), &json!({"parentTeam": story.sales})).expect(200);
    story.may_not("GET", &story.team(&story.storage), Value::Null, "teams.read");
    story.may_not("PATCH", &story.team(&story.storage), json!({"name": "Anna's"}), "teams.write");
    world.write(&vendor, "PATCH", &story.team(&story.backend), &json!({"parentTeam": story.sales})).expect(200);
    story.may("GET", &story.team(&story.backend), Value::Null);
}

#[test]
fn a_person_asks_about_themselves_and_about_others_where_they_may_see_them() {
    let world = World::new();
    let story = Story::new(&world);
    let check = |query: &str| format!("/v1/permissions/check?{query}");
    let own = story.may("GET", &check(&format!("permission=teams.write&team={}", story.storage)), Value::Null);
    let (anna, berta) = (crate::support::people::person("anna"), crate::support::people::person("berta"));
    let reason = json!({"role": "keeper", "scope": "teams.*", "assignedOn": story.backend, "inheritedFrom": story.backend});
    let wanted =
        json!({"allowed": true, "permission": "teams.write", "person": anna, "team": story.storage, "reason": reason, "missing": null});
    assert_eq!(own, wanted);
    let there = story.may("GET", &check(&format!("permission=teams.write&team={}&person={anna}", story.backend)), Value::Null);
    assert_eq!((&there["reason"]["assignedOn"], &there["reason"]["inheritedFrom"]), (&json!(story.backend), &Value::Null));
    let beside = story.may("GET", &check(&format!("permission=teams.write&team={}", story.sales)), Value::Null);
    assert_eq!(
        (&beside["allowed"], &beside["reason"], &beside["missing"]["heldOn"]),
        (&json!(false), &Value::Null, &json!([story.backend]))
    );
    story.may_not("GET", &check(&format!("permission=teams.read&person={berta}")), Value::Null, "members.read");
    let viewer = format!("/v1/teams/{}/members/{anna}", story.sales);
    world.write(&story.company.vendor(), "PUT", &viewer, &json!({"role": "viewer"})).expect(200);
    story.may("GET", &check(&format!("permission=teams.read&person={berta}&team={}", story.sales)), Value::Null);
    story.may_not("GET", &check(&format!("permission=teams.read&person={berta}&team={}", story.backend)), Value::Null, "members.read");
}

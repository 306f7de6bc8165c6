//! An organization with 10,000 members and 500 teams: what a request costs does not grow with it.
//!
//! Work is counted in steps of SQLite's machine, which are the same on every computer. That each statement has an index is tests/it/tidy/plans.rs's.

use serde_json::Value;

use crate::support::people::{log_in, person, run};
use crate::support::world::{Company, Credential, World};

const MEMBERS: i64 = 10_000;
const TEAMS: i64 = 500;

/// Puts many members and teams into an organization: chains of five teams, and each member on one team.
fn fill(company: &Company<'_>, members: i64, teams: i64) {
    let run = |text, params: Vec<tenantry::kernel::sql::Value>| run(company.world, &company.id, text, params);
    let id = || company.id.as_str().into();
    run(
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?2) INSERT INTO members (organization_id, id, email, role, joined_at) \
         SELECT ?1, printf('user_%026d', i), printf('member%d@many.example', i), CASE WHEN i % 100 = 0 THEN 'admin' END, i FROM n",
        vec![id(), members.into()],
    );
    run(
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?2) INSERT INTO teams (organization_id, id, name, search_name, parent_id, path, depth, settings, created_at) \
         SELECT ?1, printf('team_%026d', i), printf('Team %d', i), printf('team %d', i), CASE WHEN (i - 1) % 5 > 0 THEN printf('team_%026d', i - 1) END, \
         (WITH RECURSIVE up (k, p) AS (SELECT i - (i - 1) % 5, '' UNION ALL SELECT k + 1, p || printf('team_%026d/', k) FROM up WHERE k <= i) SELECT p FROM up WHERE k = i + 1), \
         (i - 1) % 5 + 1, '{\"allowedRoles\":null,\"defaultRole\":null}', i FROM n",
        vec![id(), teams.into()],
    );
    run(
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?2) INSERT INTO team_members (organization_id, team_id, person_id, role, assigned_by, start_date) \
         SELECT ?1, printf('team_%026d', i % ?3 + 1), printf('user_%026d', i), 'developer', 'platform', i FROM n",
        vec![id(), members.into(), teams.into()],
    );
}

/// The answer, and the steps that the tenants' databases took for it.
fn cost(company: &Company<'_>, who: &Credential, path: &str) -> (Value, i64) {
    company.world.shards.iter().for_each(|shard| _ = shard.work.take());
    let answer = company.world.get(who, path).expect(200);
    let work: Vec<(i64, i64)> = company.world.shards.iter().map(|shard| shard.work.take()).collect();
    let scanned: i64 = work.iter().map(|(_, scanned)| scanned).sum();
    // The lists of values that a statement is given have no index: a few of their rows are gone through.
    assert!(scanned <= 200, "{path}: {scanned} rows were found without an index");
    (answer, work.iter().map(|(steps, _)| steps).sum())
}

const ASKED: &[&str] = &[
    "/v1/teams?limit=20",
    "/v1/teams?limit=20&parentTeam=team_00000000000000000000000006",
    "/v1/teams?limit=20&cursor=team_00000000000000000000000010",
    "/v1/teams/team_00000000000000000000000010",
    "/v1/teams/team_00000000000000000000000010/members?limit=20",
    "/v1/members?limit=20",
    "/v1/members?limit=5&role=admin",
    "/v1/members?limit=20&team=team_00000000000000000000000010",
    "/v1/members?email=member9@many.example",
    "/v1/members/user_00000000000000000000000009",
    "/v1/roles",
    "/v1/permissions/check?permission=usage.write&person=user_00000000000000000000000009&team=team_00000000000000000000000010",
    "/v1/permissions/check?permission=teams.write&person=user_00000000000000000000000009",
    "/v1/permissions/check?permission=teams.write&person=user_00000000000000000000000009&team=team_00000000000000000000000001",
];

#[test]
fn what_a_request_costs_does_not_grow_with_the_organization() {
    let (small_world, large_world) = (World::new(), World::new());
    let (small, large) = (small_world.sign_up("Small"), large_world.sign_up("Large"));
    // The same number of people on each team.
    fill(&small, 500, 25);
    fill(&large, MEMBERS, TEAMS);
    for path in ASKED {
        let (_, few) = cost(&small, &small.vendor(), path);
        let (_, many) = cost(&large, &large.vendor(), path);
        assert!(many <= few * 2 + 200, "{path}: {few} steps in a small organization, {many} in a large one");
    }
}

#[test]
fn a_large_organization_is_listed_filtered_and_checked() {
    let world = World::new();
    let large = world.sign_up("Large");
    fill(&large, MEMBERS, TEAMS);
    let get = |path: &str| cost(&large, &large.vendor(), path).0;
    let names =
        |page: &Value| page["data"].as_array().unwrap().iter().map(|team| team["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>();

    assert_eq!(names(&get("/v1/teams?limit=2")), ["Team 500", "Team 499"]);
    assert_eq!(names(&get("/v1/teams?q=TEAM%2049&limit=3")), ["Team 499", "Team 498", "Team 497"]);
    assert_eq!(get("/v1/teams?q=team%2049&limit=100")["data"].as_array().unwrap().len(), 11);
    assert_eq!(names(&get("/v1/teams?parentTeam=team_00000000000000000000000006")), ["Team 7"]);
    assert_eq!(get("/v1/teams?parentTeam=none&limit=100")["data"].as_array().unwrap().len(), 100);

    assert_eq!(get("/v1/members?q=member999&limit=100")["data"].as_array().unwrap().len(), 11);
    assert_eq!(get("/v1/members?role=admin&limit=100")["data"].as_array().unwrap().len(), 100);

    let page = get("/v1/teams/team_00000000000000000000000010/members?limit=100");
    assert_eq!((page["data"].as_array().unwrap().len(), &page["hasMore"]), (20, &Value::Bool(false)));
    assert_eq!(page["data"][0]["member"], "user_00000000000000000000009509", "who came last first");

    let check = |query: &str| get(&format!("/v1/permissions/check?person=user_00000000000000000000000005&permission={query}"));
    // The fifth member is on the sixth team, and so on those below it.
    let inherited = check("usage.write&team=team_00000000000000000000000010");
    assert_eq!(
        (&inherited["allowed"], &inherited["reason"]["inheritedFrom"]),
        (&Value::Bool(true), &"team_00000000000000000000000006".into())
    );
    assert_eq!(check("usage.write&team=team_00000000000000000000000005")["allowed"], false);
    assert_eq!(check("usage.write")["allowed"], false);
}

#[test]
fn a_member_of_a_part_sees_it_at_the_cost_of_one_list() {
    let world = World::new();
    let large = world.sign_up("Large");
    fill(&large, MEMBERS, TEAMS);
    let text = "INSERT INTO members (organization_id, id, email, joined_at) VALUES (?1, ?2, 'anna@many.example', 0)";
    run(&world, &large.id, text, vec![large.id.as_str().into(), person("anna").into()]);
    let text = "INSERT INTO team_members (organization_id, team_id, person_id, role, assigned_by, start_date) VALUES (?1, 'team_00000000000000000000000006', ?2, 'viewer', 'platform', 0)";
    run(&world, &large.id, text, vec![large.id.as_str().into(), person("anna").into()]);
    let (page, steps) = cost(&large, &log_in(&world, &large.id, "anna"), "/v1/teams");
    let names: Vec<&str> = page["data"].as_array().unwrap().iter().map(|team| team["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["Team 10", "Team 9", "Team 8", "Team 7", "Team 6"]);
    // Every team is looked at once: there are never more than a thousand.
    assert!(steps < TEAMS * 40, "{steps} steps");
}

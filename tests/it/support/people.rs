//! Members and their logins, put straight into the databases: for tests that need many, or that are not about how they came.

use futures::executor::block_on;
use tenantry::identity::access_tokens::{Claims, Subject, mint};
use tenantry::identity::sessions::session::LIFETIME;
use tenantry::kernel::ids::{OrganizationId, PersonId, SessionId};
use tenantry::kernel::sql::{Sql, Statement, Value};

use super::world::{Credential, World};

/// The person of that name.
pub fn person(name: &str) -> PersonId {
    PersonId::derived(&["test", name])
}

/// Makes a person a member; nothing happens when they are one.
pub fn join(world: &World, organization: &str, name: &str, role: Option<&str>) -> String {
    let id = person(name).to_string();
    let text = "INSERT INTO members (organization_id, id, email, role, joined_at) VALUES (?1, ?2, ?3, ?4, 0) ON CONFLICT DO NOTHING";
    let role = role.map_or(Value::Null, Value::from);
    run(world, organization, text, vec![organization.into(), id.as_str().into(), format!("{name}@people.example").into(), role]);
    id
}

/// A login of a member.
pub fn log_in(world: &World, organization: &str, name: &str) -> Credential {
    log_in_as(world, organization, person(name))
}

/// A login of the member of that id.
pub fn log_in_as(world: &World, organization: &str, person: PersonId) -> Credential {
    let session = begin(world, organization, person);
    Credential::Bearer(token(world, organization, Subject::Person { person, session }))
}

/// The session of that member, which begins when it is first asked for.
pub fn begin(world: &World, organization: &str, person: PersonId) -> SessionId {
    let now = world.app.moment().now;
    let session = SessionId::derived(&["test", organization, &person.to_string()]);
    let text = "INSERT INTO sessions (organization_id, id, person_id, generation, created_at, last_used_at, expires_at) VALUES (?1, ?2, ?3, 1, ?4, ?4, ?5) ON CONFLICT DO NOTHING";
    let params = vec![organization.into(), session.into(), person.into(), now.into(), now.plus(LIFETIME).into()];
    run(world, organization, text, params);
    session
}

/// An access token, good from now on.
pub fn token(world: &World, organization: &str, subject: Subject) -> String {
    let organization: OrganizationId = organization.parse().unwrap();
    block_on(mint(&world.app, &Claims::new(organization, subject, world.app.moment()))).unwrap()
}

/// Runs a statement in an organization's database.
pub fn run(world: &World, organization: &str, text: &'static str, params: Vec<Value>) {
    let placement = block_on(world.platform().placement(organization.parse().unwrap())).unwrap().unwrap();
    block_on(world.shards[placement.shard].batch(vec![Statement { text, params }])).unwrap();
}

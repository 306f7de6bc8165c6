//! Ada, who signs Acme up, and what she and everybody else can do without a credential.

use axum::body::Body;
use futures::executor::block_on;
use http::Request;
use http_body_util::BodyExt;
use serde_json::{Value, json};
use tenantry::kernel::tenant::{Actor, Tenant};
use tenantry::tenant_sql;

use crate::api::check::{Ask, accept, ask};
use crate::support::world::{Answer, Company, Credential, World};

pub const ADA: &str = "ada@acme.example";
pub const BOB: &str = "bob@acme.example";
pub const NOBODY: &str = "nobody@elsewhere.example";

/// A request without a credential.
pub fn post(path: &str, body: &Value) -> Ask {
    ask(&Credential::Nobody, "POST", path).json(body.to_string())
}

/// Acme, signed up by Ada.
pub fn acme(world: &World) -> Company<'_> {
    signed_up(world, "Acme", ADA)
}

pub fn signed_up<'w>(world: &'w World, name: &str, email: &str) -> Company<'w> {
    let organization = accept(world, &post("/v1/signup", &json!({"name": name, "email": email, "givenName": "Ada"})), 201).body;
    let id = organization["$id"].as_str().unwrap().to_owned();
    Company { world, id, email: email.to_owned(), clock: None }
}

/// What the login mails to an address say, newest first.
pub fn mails(world: &World, email: &str) -> Vec<Value> {
    world.deliver();
    let mails = world.get(&Credential::Nobody, &format!("/dev/emails?to={email}")).expect(200);
    let logins = mails.as_array().unwrap().iter().filter(|mail| mail["template"] == "login-code");
    logins.map(|mail| mail["data"].clone()).collect()
}

/// The code of the newest mail.
pub fn code(world: &World, email: &str) -> String {
    mails(world, email)[0]["code"].as_str().unwrap().to_owned()
}

/// The token in the link of the newest mail.
pub fn link(world: &World, email: &str) -> String {
    mails(world, email)[0]["loginUrl"].as_str().unwrap().split_once("token=").unwrap().1.to_owned()
}

/// Asks for a mail and reads the code in it.
pub fn new_code(world: &World, email: &str) -> String {
    accept(world, &post("/v1/login", &json!({"email": email})), 202);
    code(world, email)
}

pub fn with_code(email: &str, code: &str) -> Ask {
    post("/v1/sessions", &json!({"email": email, "code": code}))
}

/// A whole login.
pub fn log_in(world: &World, email: &str) -> Value {
    let code = new_code(world, email);
    accept(world, &with_code(email, &code), 201).body
}

pub fn token(session: &Value) -> Credential {
    Credential::Bearer(session["accessToken"].as_str().unwrap().to_owned())
}

pub fn refresh(session: &Value) -> Ask {
    post("/v1/session-refreshments", &json!({"refreshToken": session["refreshToken"]}))
}

/// Sends the requests at the same time: they take turns, batch by batch.
pub fn at_once(world: &World, asks: &[Ask]) -> Vec<(u16, Value)> {
    world.directory.interleave();
    world.shards.iter().for_each(|shard| shard.interleave());
    let send = |ask: &Ask| {
        let mut request = Request::builder().method(ask.method.as_str()).uri(&ask.path);
        for (name, value) in &ask.headers {
            request = request.header(name, value);
        }
        let request = request.body(Body::from(ask.body.clone())).unwrap();
        async {
            let (parts, body) = tenantry::api::handle(world.app.clone(), request).await.into_parts();
            let bytes = body.collect().await.unwrap().to_bytes();
            (parts.status.as_u16(), serde_json::from_slice(&bytes).unwrap_or(Value::Null))
        }
    };
    block_on(futures::future::join_all(asks.iter().map(send)))
}

/// Whether the access token of a session is taken.
pub fn is_live(world: &World, session: &Value) -> bool {
    let answer: Answer = world.get(&token(session), "/v1/sessions?person=me");
    assert!([200, 401].contains(&answer.status), "{}", answer.text);
    answer.status == 200
}

/// Somebody is invited and comes; their id.
pub fn join(company: &Company<'_>, email: &str, role: &str) -> String {
    let world = company.world;
    world.post(&company.vendor(), "/v1/invitations", &json!({"email": email, "role": role})).expect(201);
    world.deliver();
    let mails = world.get(&Credential::Nobody, &format!("/dev/emails?to={email}")).expect(200);
    let invitation = mails.as_array().unwrap().iter().find(|mail| mail["template"] == "team-invitation").unwrap();
    let token = invitation["text"].as_str().unwrap().split_once("token=").unwrap().1.split_whitespace().next().unwrap();
    let member = accept(world, &post("/v1/invitation-acceptances", &json!({"token": token})), 201).body;
    member["$id"].as_str().unwrap().to_owned()
}

/// Somebody is no member any more, whatever the directory's index says.
pub fn leave(company: &Company<'_>, person: &str) {
    let gone = tenant_sql!("DELETE FROM members WHERE organization_id = ?1 AND id = ?2", person);
    block_on(tenant(company).run(vec![gone])).unwrap();
}

fn tenant(company: &Company<'_>) -> Tenant {
    block_on(company.world.platform().tenant(company.id.parse().unwrap(), Actor::System("the test"), None)).unwrap().unwrap()
}

//! People of the matrix, with access tokens: those whose roles say what they may, and those whose tokens open nothing.

use base64ct::{Base64UrlUnpadded, Encoding};
use ed25519_compact::{KeyPair, Seed};
use serde_json::{Value, json};
use tenantry::identity::access_tokens::{LIFETIME, Subject};
use tenantry::identity::invitations::token::InvitationToken;
use tenantry::identity::permissions::Permission;
use tenantry::kernel::ids::PersonId;

use crate::api::cast::{Cast, bearer, text};
use crate::support::people::{begin, join, log_in, log_in_as, token};
use crate::support::world::{Credential, SECRET};

/// A member of Acme who holds exactly this permission.
pub fn only(cast: &Cast, needed: &str) -> Credential {
    holding(cast, &format!("only-{}", needed.replace('.', "-")), &[needed])
}

/// A member of Acme who holds every permission but this one.
pub fn all_but(cast: &Cast, needed: &str) -> Credential {
    holding(cast, &format!("allBut-{}", needed.replace('.', "-")), &others(needed))
}

/// Every permission but this one.
pub fn others(needed: &str) -> Vec<&'static str> {
    let all = Permission::ALL.iter().map(|permission| permission.wire_name());
    all.filter(|permission| *permission != needed).collect()
}

/// A member of Acme who holds exactly this permission, and only on a team that no row names.
pub fn only_on_another_team(cast: &Cast, needed: &str) -> Credential {
    let (world, vendor) = (&cast.world, cast.acme().vendor());
    let role = defined(cast, &format!("only-{}", needed.replace('.', "-")), &[needed]);
    let team = text(&world.post_once(&vendor, "/v1/teams", "another team", &json!({"name": "Another"})).expect(201)["$id"]);
    let name = format!("{role}-there");
    let member = join(world, &cast.acme, &name, None);
    world.write(&vendor, "PUT", &format!("/v1/teams/{team}/members/{member}"), &json!({"role": role})).expect(200);
    log_in(world, &cast.acme, &name)
}

/// A member of Acme who holds nothing.
pub fn without_role(cast: &Cast) -> Credential {
    join(&cast.world, &cast.acme, "without", None);
    log_in(&cast.world, &cast.acme, "without")
}

/// An owner of an organization, who came by invitation.
pub fn owner(cast: &Cast, organization: &str) -> Credential {
    log_in_as(&cast.world, organization, invited(cast, organization, "olga", "owner"))
}

/// A custom role of Acme with these permissions, and a member who has it.
fn holding(cast: &Cast, role: &str, permissions: &[&str]) -> Credential {
    let role = defined(cast, role, permissions);
    join(&cast.world, &cast.acme, &role, Some(&role));
    log_in(&cast.world, &cast.acme, &role)
}

/// The key of a role of Acme with these permissions.
fn defined(cast: &Cast, role: &str, permissions: &[&str]) -> String {
    let body = json!({"key": role, "name": role, "permissions": permissions});
    let made = cast.world.post_once(&cast.acme().vendor(), "/v1/roles", &format!("the role {role}"), &body);
    text(&made.expect(201)["key"])
}

fn invited(cast: &Cast, organization: &str, name: &str, role: &str) -> PersonId {
    let (world, vendor) = (&cast.world, Credential::VendorFor(organization.to_owned()));
    let body = json!({"email": format!("{name}@{}.example", organization.replace('_', "-")), "role": role});
    let invitation = text(&world.post_once(&vendor, "/v1/invitations", &format!("{name} is invited"), &body).expect(201)["$id"]);
    let (organization, invitation) = (organization.parse().unwrap(), invitation.parse().unwrap());
    let body = json!({"token": InvitationToken { organization, invitation, generation: 1 }.mint(SECRET)});
    let came = world.post_once(&Credential::Nobody, "/v1/invitation-acceptances", &format!("{name} comes"), &body);
    text(&came.expect(201)["$id"]).parse().unwrap()
}

/// Whose tokens were good once, in Acme.
pub struct Former<'c> {
    cast: &'c Cast,
    owner: Subject,
    ended: Subject,
    removed: Subject,
    deleted: Subject,
    expired: String,
}

impl<'c> Former<'c> {
    /// Each token opens something until what ends it happens.
    pub fn new(cast: &'c Cast) -> Self {
        let (world, vendor) = (&cast.world, cast.acme().vendor());
        let member = |name: &str, role: &str| {
            let person = invited(cast, &cast.acme, name, role);
            Subject::Person { person, session: begin(world, &cast.acme, person) }
        };
        let (owner, ended, removed) = (member("olga", "owner"), member("otto", "owner"), member("rita", "admin"));
        let client = json!({"name": "deleted", "scopes": ["*"]});
        let client = text(&world.post(&vendor, "/v1/oauth-clients", &client).expect(201)["$id"]);
        let deleted = Subject::Client { client: client.parse().unwrap(), scopes: vec!["*".into()] };
        let expired = token(world, &cast.acme, owner.clone());
        let former = Self { cast, owner, ended, removed, deleted, expired };
        for subject in [&former.owner, &former.ended, &former.removed, &former.deleted] {
            world.get(&former.of(subject), "/v1/organization").expect(200);
        }
        world.get(&bearer(&former.expired), "/v1/organization").expect(200);
        for path in former.ends() {
            world.send(&vendor, "DELETE", &path, &[], "").expect(204);
        }
        world.pass(LIFETIME);
        former
    }

    /// What is deleted, so that the tokens of these are no good any more.
    fn ends(&self) -> Vec<String> {
        let path = |subject: &Subject| match subject {
            Subject::Person { session, .. } if *subject == self.ended => format!("/v1/sessions/{session}"),
            Subject::Person { person, .. } => format!("/v1/members/{person}"),
            Subject::Client { client, .. } => format!("/v1/oauth-clients/{client}"),
        };
        [&self.ended, &self.removed, &self.deleted].map(path).into()
    }

    fn of(&self, subject: &Subject) -> Credential {
        bearer(token(&self.cast.world, &self.cast.acme, subject.clone()))
    }

    /// Tokens that are no good, each with its name; what can be minted is minted now.
    pub fn tokens(&self) -> Vec<(&'static str, Credential)> {
        let (world, acme, globex) = (&self.cast.world, &self.cast.acme, &self.cast.globex);
        let good = token(world, acme, self.owner.clone());
        world.get(&bearer(&good), "/v1/organization").expect(200);
        let parts: Vec<&str> = good.split('.').collect();
        let none = encoded(&changed(parts[0], "alg", "none"));
        let moved = encoded(&changed(parts[1], "org", globex));
        let forgery = KeyPair::from_seed(Seed::new([9; 32])).sk.sign(format!("{}.{}", parts[0], parts[1]), None);
        vec![
            ("a garbage token", bearer("garbage.garbage.garbage")),
            ("a token without a signature, of the algorithm none", bearer(format!("{none}.{}.", parts[1]))),
            ("a token of the algorithm none with a good one's signature", bearer(format!("{none}.{}.{}", parts[1], parts[2]))),
            (
                "a token that a stranger signed",
                bearer(format!("{}.{}.{}", parts[0], parts[1], Base64UrlUnpadded::encode_string(&forgery[..]))),
            ),
            ("a token with other claims than were signed", bearer(format!("{}.{moved}.{}", parts[0], parts[2]))),
            ("a token for an organization whose member they aren't", bearer(token(world, globex, self.owner.clone()))),
            ("an expired token", bearer(&self.expired)),
            ("a token of an ended session", self.of(&self.ended)),
            ("a token of a removed member", self.of(&self.removed)),
            ("a token of a deleted client", self.of(&self.deleted)),
        ]
    }
}

/// A part of a token with one member changed.
fn changed(part: &str, member: &str, value: &str) -> Value {
    let mut content: Value = serde_json::from_slice(&Base64UrlUnpadded::decode_vec(part).unwrap()).unwrap();
    content[member] = json!(value);
    content
}

fn encoded(part: &Value) -> String {
    Base64UrlUnpadded::encode_string(part.to_string().as_bytes())
}

//! People: how they come in, what they are, how they go; and the seats they take.

mod invitations;
mod members;

use futures::executor::block_on;
use serde_json::{Value, json};

use crate::api::cast::{Cast, text};
use crate::api::check::{Ask, accept, ask};
use crate::support::world::{Credential, vendor};

impl Cast {
    /// By the vendor, in Acme.
    fn asked(&self, method: &str, path: &str) -> Ask {
        ask(&self.acme().vendor(), method, path)
    }

    fn invited(&self, body: &Value) -> Ask {
        self.asked("POST", "/v1/invitations").json(body.to_string())
    }

    fn accepted(&self, body: &Value) -> Ask {
        ask(&Credential::Nobody, "POST", "/v1/invitation-acceptances").json(body.to_string())
    }

    fn changed(&self, member: &str, body: &Value) -> Ask {
        self.asked("PATCH", &format!("/v1/members/{member}")).json(body.to_string())
    }

    fn removed(&self, member: &str) -> Ask {
        self.asked("DELETE", &format!("/v1/members/{member}"))
    }

    fn seats(&self) -> Value {
        accept(&self.world, &self.asked("GET", "/v1/seats"), 200).body
    }

    /// Members, pending invitations, and whether the Meter says the same.
    fn counted(&self) -> (i64, i64, bool) {
        let seats = self.seats();
        let number = |value: &Value| value.as_i64().unwrap();
        assert_eq!(seats["isConsistent"] == true, seats["meter"]["taken"] == seats["taken"] && seats["meter"]["held"] == seats["held"]);
        (number(&seats["taken"]), number(&seats["held"]), seats["isConsistent"] == true)
    }

    fn emails(&self, query: &str) -> Vec<String> {
        let page = accept(&self.world, &self.asked("GET", &format!("/v1/members{query}")), 200).body;
        page["data"].as_array().unwrap().iter().map(|member| text(&member["email"])).collect()
    }

    /// A team, as its own slice makes it.
    fn bare_team(&self, number: u8, settings: &Value) -> String {
        let id = format!("team_{number:026}");
        self.sql(&format!(
            "INSERT INTO teams (organization_id, id, name, path, depth, settings, created_at) VALUES ('{}', '{id}', 'T', '{id}/', 0, '{settings}', 0)",
            self.acme
        ));
        id
    }

    fn bare_role(&self, key: &str, permissions: &Value) {
        self.sql(&format!(
            "INSERT INTO roles (organization_id, id, key, name, permissions, created_at) VALUES ('{}', 'role_{key}', '{key}', 'R', '{permissions}', 0)",
            self.acme
        ));
    }

    fn sql(&self, text: &str) {
        use tenantry::kernel::sql::{Sql, Statement};
        let text: &'static str = text.to_owned().leak();
        let shard = block_on(self.world.platform().placement(self.acme.parse().unwrap())).unwrap().unwrap().shard;
        block_on(self.world.shards[shard].batch(vec![Statement { text, params: Vec::new() }])).unwrap();
    }

    /// Acme's clock goes on.
    fn advance(&self, now: &str) {
        self.world.write(&vendor(), "PUT", &format!("/v1/test-clocks/{}", self.clock), &json!({"now": now})).expect(200);
    }

    fn mails_to(&self, email: &str) -> Vec<Value> {
        self.world.deliver();
        let mails = self.world.get(&Credential::Nobody, &format!("/dev/emails?to={email}")).expect(200);
        mails.as_array().unwrap().iter().rev().cloned().collect()
    }
}

/// The token in a mail's link.
fn token_in(mail: &Value) -> String {
    let text = text(&mail["text"]);
    text.split("token=").nth(1).unwrap().split_whitespace().next().unwrap().to_owned()
}

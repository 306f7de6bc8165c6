//! The cast of the API's tests, made once a test.
#![allow(dead_code, reason = "each test file uses a part of the cast")]

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{LazyLock, Mutex};

use futures::executor::block_on;
use serde_json::{Value, json};
use tenantry::identity::api_keys::token::OrganizationToken;
use tenantry::identity::invitations::token::InvitationToken;
use tenantry::identity::second_factors::totp;
use tenantry::jobs::dead_letters::store;
use tenantry::kernel::time::hours;

use crate::support::world::{Company, Credential, World, vendor};

static FRESH: AtomicU32 = AtomicU32::new(0);

pub struct Cast {
    pub world: World,
    pub acme: String,
    pub globex: String,
    pub clock: String,
    pub invoice: String,
    /// The id of a key of Acme that may be revoked.
    pub spare_key: String,
    /// The id of a machine of Acme, of as little power, and its secret.
    pub client: String,
    pub client_secret: String,
    /// The id of a key of the vendor.
    pub platform_key: String,
    /// The id of a dead letter.
    pub dead_letter: String,
    /// The id of a grant of Acme; it has a limit of its own, too, both for `projects`.
    pub grant: String,
}

/// Made once a process, and copied for each test.
static FIRST: LazyLock<Mutex<Cast>> = LazyLock::new(|| Mutex::new(Cast::made()));

impl Cast {
    pub fn new() -> Self {
        let first = FIRST.lock().unwrap();
        Self {
            world: first.world.copy(),
            acme: first.acme.clone(),
            globex: first.globex.clone(),
            clock: first.clock.clone(),
            invoice: first.invoice.clone(),
            spare_key: first.spare_key.clone(),
            client: first.client.clone(),
            client_secret: first.client_secret.clone(),
            platform_key: first.platform_key.clone(),
            dead_letter: first.dead_letter.clone(),
            grant: first.grant.clone(),
        }
    }

    fn made() -> Self {
        let world = World::new();
        let acme = world.sign_up_at("Acme", "2026-01-01T00:00:00Z");
        acme.advance("2026-02-20T00:00:00Z");
        let invoice = text(&acme.invoices()[0]["$id"]);
        // In good standing: what is past due can't do everything.
        world.post(&acme.vendor(), &format!("/v1/invoices/{invoice}/payment"), &json!({})).expect(201);
        let spare_key = text(&make_key(&acme, &json!({"name": "spare", "scopes": ["apiKeys.write"]}))["$id"]);
        let machine = json!({"name": "machine", "scopes": ["oauthClients.write"]});
        let machine = world.post(&acme.vendor(), "/v1/oauth-clients", &machine).expect(201);
        let platform_key = text(&world.post(&vendor(), "/v1/platform-keys", &json!({"name": "second"})).expect(201)["$id"]);
        let (client, client_secret) = (text(&machine["$id"]), text(&machine["secret"]));
        let of_acme = |path: &str| format!("/v1/organizations/{}/{path}", acme.id);
        world.write(&vendor(), "PUT", &of_acme("limits/projects"), &json!({"limit": 60})).expect(200);
        let grant = text(&world.post(&vendor(), &of_acme("grants"), &json!({"metric": "projects", "amount": 5})).expect(201)["$id"]);
        let (id, clock) = (acme.id.clone(), acme.clock.clone().unwrap());
        let globex = neighbour(&world, &id);
        world.deliver();
        let message = json!({"message": "event.v1", "organization": id, "event": "evt_00000000000000000000000001"});
        block_on(store::record(&world.platform(), "tenantry-events", &message.to_string())).unwrap();
        let dead_letter = text(&world.get(&vendor(), "/v1/dead-letters").expect(200)["data"][0]["$id"]);
        Self { acme: id, globex, clock, invoice, spare_key, client, client_secret, platform_key, dead_letter, grant, world }
    }

    pub fn acme(&self) -> Company<'_> {
        company(&self.world, &self.acme)
    }

    pub fn globex(&self) -> Company<'_> {
        company(&self.world, &self.globex)
    }

    /// A key of Acme for everything.
    pub fn admin(&self) -> Credential {
        self.acme().key(&["*"])
    }

    /// `{acme}`, `{clock}` and so on in a path or a body become the ids. `{reservation}`, `{team}` and others are made when they are first
    /// asked for; a `{spare...}` is made again when it is gone; `{fresh}` is another number each time.
    pub fn fill(&self, text: &str) -> String {
        let made: [(&str, &dyn Fn() -> String); 22] = [
            ("{fresh}", &|| FRESH.fetch_add(1, Ordering::Relaxed).to_string()),
            ("{reservation}", &|| self.reservation()),
            ("{discount}", &|| self.discount()),
            ("{credit}", &|| self.credit()),
            ("{openInvoice}", &|| self.open_invoice()),
            ("{creditNote}", &|| self.credit_note()),
            ("{refund}", &|| self.refund()),
            ("{team}", &|| self.team()),
            ("{role}", &|| self.role()),
            ("{keeper}", &|| self.keeper()),
            ("{member}", &|| self.member()),
            ("{teamMember}", &|| self.team_member()),
            ("{invitation}", &|| self.invitation()),
            ("{export}", &|| self.export()),
            ("{elsewhere}", &|| self.elsewhere()),
            ("{token}", &|| self.token()),
            ("{spareTeam}", &|| self.spare("/v1/teams", |number| json!({"name": format!("Spare {number}")}))),
            ("{spareRole}", &|| {
                self.spare("/v1/roles", |number| json!({"key": format!("spare{number}"), "name": "Spare", "permissions": ["usage.read"]}))
            }),
            ("{code}", &|| self.login_code()),
            ("{session}", &|| self.session()),
            ("{refreshToken}", &|| json_text(&self.log_in(), "refreshToken")),
            ("{secondFactorCode}", &|| self.second_factor_code()),
        ];
        let fill = |text: String, (name, make): (&str, &dyn Fn() -> String)| {
            if text.contains(name) { text.replace(name, &make()) } else { text }
        };
        let text = &made.into_iter().fold(text.to_owned(), fill);
        let ids = [("{acme}", &self.acme), ("{globex}", &self.globex), ("{clock}", &self.clock), ("{invoice}", &self.invoice)];
        let more = [("{spareKey}", &self.spare_key), ("{deadLetter}", &self.dead_letter), ("{grant}", &self.grant)];
        let keys = [("{client}", &self.client), ("{clientSecret}", &self.client_secret)];
        let more = more.into_iter().chain(keys).chain([("{platformKey}", &self.platform_key)]);
        ids.into_iter().chain(more).fold(text.to_owned(), |text, (name, id)| text.replace(name, id))
    }

    fn reservation(&self) -> String {
        let made = self.world.post_once(
            &self.acme().vendor(),
            "/v1/reservations",
            "the cast's",
            &json!({"metric": "apiCalls", "ttlSeconds": 86_400}),
        );
        text(&made.expect(201)["$id"])
    }

    fn discount(&self) -> String {
        let (path, body) = (
            format!("/v1/organizations/{}/discounts", self.acme),
            json!({"name": "Old", "percentage": "1", "duration": "once", "validThrough": "2026-01-02T00:00:00Z"}),
        );
        text(&self.world.post_once(&vendor(), &path, "the cast's discount", &body).expect(201)["$id"])
    }

    fn credit(&self) -> String {
        let (path, body) =
            (format!("/v1/organizations/{}/credits", self.acme), json!({"amount": "5.00", "currency": "EUR", "source": "promotional"}));
        text(&self.world.post_once(&vendor(), &path, "the cast's credit", &body).expect(201)["$id"])
    }

    /// An invoice of Acme's of which nothing is paid or credited; a month goes by where there is none.
    pub fn open_invoice(&self) -> String {
        for _ in 0..2 {
            let invoices = self.acme().invoices();
            let is_open = |invoice: &&Value| {
                ["due", "overdue"].contains(&invoice["paymentStatus"].as_str().unwrap())
                    && invoice["creditNotes"] == json!([])
                    && invoice["amountRemaining"] == invoice["total"]
            };
            if let Some(open) = invoices.iter().rev().find(is_open) {
                return text(&open["$id"]);
            }
            let end = self.acme().get("/v1/subscription")["currentPeriod"]["end"].clone();
            self.world.write(&vendor(), "PUT", &format!("/v1/test-clocks/{}", self.clock), &json!({"now": end})).expect(200);
        }
        panic!("a month has an invoice")
    }

    fn credit_note(&self) -> String {
        let body = json!({"invoice": self.invoice, "reason": "the cast's", "amount": "1.00"});
        text(&self.world.post_once(&self.acme().vendor(), "/v1/credit-notes", "the cast's credit note", &body).expect(201)["$id"])
    }

    /// One that is to be paid out.
    fn refund(&self) -> String {
        let who = self.acme().vendor();
        let pending = || {
            let refunds = self.acme().get("/v1/refunds")["data"].clone();
            refunds.as_array().unwrap().iter().find(|refund| refund["status"] == "pending").map(|refund| text(&refund["$id"]))
        };
        pending().unwrap_or_else(|| {
            let invoice = self.open_invoice();
            self.world.post(&who, &format!("/v1/invoices/{invoice}/payment"), &json!({})).expect(201);
            let body = json!({"invoice": invoice, "reason": "the cast's", "amount": "1.00", "resolution": "refund"});
            self.world.post(&who, "/v1/credit-notes", &body).expect(201);
            pending().unwrap()
        })
    }

    /// The one that is made first of an organization, whoever asks for it: done, and ready to be downloaded.
    fn export(&self) -> String {
        let made = self.world.post_once(&self.acme().vendor(), "/v1/exports", "the cast's", &json!({})).expect(202);
        self.world.deliver();
        text(&made["$id"])
    }

    /// Brings an organization where an operation that changes its status, or its owner, can be asked for.
    pub fn prepare(&self, operation: &str, organization: &str) {
        let vendor_for = Credential::VendorFor(organization.to_owned());
        let cancellation = "/v1/organization/cancellation";
        match operation {
            "cancelOwnOrganization" => drop(self.world.send(&vendor_for, "DELETE", cancellation, &[], "")),
            "withdrawOwnCancellation" => drop(self.world.post(&vendor_for, cancellation, &json!({}))),
            "resumeOrganization" => {
                let path = format!("/v1/organizations/{organization}/suspension");
                self.world.write(&vendor(), "PUT", &path, &json!({"reason": "fraud"})).expect(200);
            }
            "createSubscription" => self.try_subscription(organization, "POST", "/cancellation", &json!({"effective": "now"})),
            "changeSubscription" | "previewSubscriptionChange" => self.back_to_professional(organization),
            "revokeScheduledChange" => {
                self.try_subscription(organization, "POST", "/changes", &json!({"plan": "starter", "effective": "period_end"}));
            }
            "cancelSubscription" => self.try_subscription(organization, "DELETE", "/cancellation", &json!({})),
            "withdrawSubscriptionCancellation" => {
                self.try_subscription(organization, "POST", "/cancellation", &json!({"effective": "period_end"}));
            }
            "pauseSubscription" => self.runs_and_is_paid(organization),
            "resumeSubscription" => {
                self.is_paid(organization);
                self.try_subscription(organization, "POST", "/pause", &json!({}));
            }
            "suspendSubscription" => self.runs_and_is_paid(organization),
            "unsuspendSubscription" => self.suspend(organization, "PUT"),
            "moveOrganization" => self.finish_moves(),
            "transferOwnership" => self.give_owner(organization),
            "previewMigration" | "migrateSubscribers" => self.give_second_version(),
            "deleteEntitlement" => {
                let path = format!("/v1/organizations/{organization}/entitlements/beta");
                self.world.write(&vendor(), "PUT", &path, &json!({"value": true})).expect(200);
            }
            _ => {}
        }
    }

    /// What is refused is refused: the subscription may be so already.
    fn try_subscription(&self, organization: &str, method: &str, path: &str, body: &Value) {
        let vendor_for = Credential::VendorFor(organization.to_owned());
        drop(self.world.write(&vendor_for, method, &format!("/v1/subscription{path}"), body));
    }

    fn suspend(&self, organization: &str, method: &str) {
        drop(self.world.send(&vendor(), method, &format!("/v1/organizations/{organization}/subscription/suspension"), &[], ""));
    }

    /// On the professional plan, and nothing waits.
    fn back_to_professional(&self, organization: &str) {
        self.runs_and_is_paid(organization);
        self.try_subscription(organization, "POST", "/changes", &json!({"plan": "professional", "effective": "now"}));
    }

    /// A subscription that is not on trial.
    fn is_paid(&self, organization: &str) {
        let found = self.world.get(&Credential::VendorFor(organization.to_owned()), "/v1/subscription");
        if found.body["status"] == "trialing" {
            self.try_subscription(organization, "POST", "/cancellation", &json!({"effective": "now"}));
            self.try_subscription(organization, "POST", "", &json!({"plan": "professional"}));
        }
    }

    fn pays_what_is_overdue(&self, organization: &str) {
        let who = Credential::VendorFor(organization.to_owned());
        let invoices = self.world.get(&who, "/v1/invoices?limit=100").body["data"].as_array().cloned().unwrap_or_default();
        for invoice in invoices.iter().filter(|invoice| invoice["paymentStatus"] == "overdue") {
            drop(self.world.post(&who, &format!("/v1/invoices/{}/payment", invoice["$id"].as_str().unwrap()), &json!({})));
        }
    }

    /// One that runs and waits for nothing, too.
    fn runs_and_is_paid(&self, organization: &str) {
        self.is_paid(organization);
        self.pays_what_is_overdue(organization);
        self.suspend(organization, "DELETE");
        for path in ["/pause", "/cancellation", "/scheduled-change"] {
            self.try_subscription(organization, "DELETE", path, &json!({}));
        }
    }

    /// Takes back what [`prepare`](Self::prepare) did to Acme's status, where the operation then was refused.
    pub fn settle(&self, operation: &str) {
        match operation {
            "createSubscription" => self.try_subscription(&self.acme, "POST", "", &json!({"plan": "professional"})),
            "revokeScheduledChange" | "withdrawSubscriptionCancellation" | "resumeSubscription" | "unsuspendSubscription" => {
                self.runs_and_is_paid(&self.acme);
            }
            "withdrawOwnCancellation" => drop(self.world.send(&self.acme().vendor(), "DELETE", "/v1/organization/cancellation", &[], "")),
            "resumeOrganization" => {
                let path = format!("/v1/organizations/{}/suspension", self.acme);
                self.world.send(&vendor(), "DELETE", &path, &[], "").expect(204);
            }
            _ => {}
        }
    }

    /// Version 2 of the plan that everybody has.
    fn give_second_version(&self) {
        if self.world.get(&vendor(), "/v1/plans/professional?version=2").status == 404 {
            let price = json!({"currency": "USD", "interval": "month", "price": {"model": "flat", "amount": "249"}});
            let body = json!({"name": "Professional", "prices": [price]});
            self.world.post(&vendor(), "/v1/plans/professional/versions", &body).expect(201);
        }
    }

    fn finish_moves(&self) {
        self.world.deliver();
        self.world.pass(tenantry::kernel::time::minutes(2));
        self.world.cron("* * * * *");
        self.world.deliver();
    }

    /// An owner, and a member who may become one.
    fn give_owner(&self, organization: &str) {
        let shard = self.world.shards[crate::support::rows::home(&self.world, organization)].as_ref();
        let run = |text: String| drop(crate::support::rows::read(shard, &text));
        for (number, role) in [(1, "owner"), (2, "admin")] {
            run(format!(
                "INSERT INTO members (organization_id, id, email, role, joined_at) VALUES ('{organization}', 'user_0000000000000000000000000{number}', 'member{number}@example.com', '{role}', 1) ON CONFLICT DO UPDATE SET role = excluded.role"
            ));
        }
    }

    /// The number of the tenants' database in which Acme does not live.
    fn elsewhere(&self) -> String {
        (1 - crate::support::rows::home(&self.world, &self.acme)).to_string()
    }

    /// Acme's team Engineering.
    pub fn team(&self) -> String {
        self.made_once("/v1/teams", &json!({"name": "Engineering"}))
    }

    /// A role that Acme defined.
    fn role(&self) -> String {
        self.made_once("/v1/roles", &json!({"key": "keeper", "name": "Keeper of teams", "permissions": ["teams.write"]}))
    }

    /// Its key.
    fn keeper(&self) -> String {
        self.role();
        "keeper".into()
    }

    /// A member of Acme who is on its team.
    fn team_member(&self) -> String {
        let member = self.join("berta", None);
        let path = format!("/v1/teams/{}/members/{member}", self.team());
        self.world.write(&self.acme().vendor(), "PUT", &path, &json!({"role": "viewer"})).expect(200);
        member
    }

    fn made_once(&self, path: &str, body: &Value) -> String {
        text(&self.world.post_once(&self.acme().vendor(), path, &format!("the cast's of {path}"), body).expect(201)["$id"])
    }

    /// One that may be deleted; another one when it was.
    fn spare(&self, path: &str, body: impl Fn(usize) -> Value) -> String {
        let who = self.acme().vendor();
        let key = |number: usize| format!("spare {number} of {path}");
        let made = (0..10).map(|number| text(&self.world.post_once(&who, path, &key(number), &body(number)).expect(201)["$id"]));
        made.into_iter().find(|id| self.world.get(&who, &format!("{path}/{id}")).status == 200).expect("one of ten is there")
    }

    /// Invites `name` to Acme, once.
    pub fn invite(&self, name: &str, role: Option<&str>) -> String {
        let body = json!({"email": format!("{name}@acme.example"), "role": role});
        let made = self.world.post_once(&self.acme().vendor(), "/v1/invitations", &format!("invites {name}"), &body);
        text(&made.expect(201)["$id"])
    }

    /// The token of an invitation's first mail.
    pub fn token_of(&self, invitation: &str) -> String {
        self.token_of_mail(invitation, 1)
    }

    pub fn token_of_mail(&self, invitation: &str, generation: u32) -> String {
        let (organization, invitation) = (self.acme.parse().unwrap(), invitation.parse().unwrap());
        InvitationToken { organization, invitation, generation }.mint(crate::support::world::SECRET)
    }

    /// Somebody of Acme's, who came by invitation.
    pub fn join(&self, name: &str, role: Option<&str>) -> String {
        let token = self.token_of(&self.invite(name, role));
        let came =
            self.world.post_once(&Credential::Nobody, "/v1/invitation-acceptances", &format!("{name} comes"), &json!({"token": token}));
        text(&came.expect(201)["$id"])
    }

    /// A member of Acme, without a role.
    pub fn member(&self) -> String {
        let is_there = |id: &String| self.world.get(&self.acme().vendor(), &format!("/v1/members/{id}")).status == 200;
        (0..9).map(|number| self.join(&format!("member{number}"), None)).find(is_there).expect("one of them stayed")
    }

    fn invitation(&self) -> String {
        let is_pending = |id: &String| self.acme().get(&format!("/v1/invitations/{id}"))["status"] == "pending";
        (0..9).map(|number| self.invite(&format!("guest{number}"), None)).find(is_pending).expect("one of them waits")
    }

    fn token(&self) -> String {
        self.token_of(&self.invitation())
    }

    /// Ada of Acme, on one of her two devices, with a second factor that waits for its confirmation.
    pub fn ada(&self) -> Credential {
        self.log_in();
        let ada = bearer(text(&self.log_in()["accessToken"]));
        if self.world.get(&ada, "/v1/second-factor").status == 404 {
            self.world.post(&ada, "/v1/second-factor", &json!({})).expect(201);
        }
        ada
    }

    /// A code that was mailed to Ada. It opens a session alone: a second factor that was confirmed is taken away.
    fn login_code(&self) -> String {
        self.join("ada", Some("admin"));
        self.world.directory.meddle("DELETE FROM second_factors WHERE confirmed_at IS NOT NULL").unwrap();
        self.world.post(&Credential::Nobody, "/v1/login", &json!({"email": "ada@acme.example"})).expect(202);
        self.world.deliver();
        let mails = self.world.get(&Credential::Nobody, "/dev/emails?to=ada@acme.example").expect(200);
        let login = mails.as_array().unwrap().iter().find(|mail| mail["template"] == "login-code").unwrap();
        text(&login["data"]["code"])
    }

    fn log_in(&self) -> Value {
        let body = json!({"email": "ada@acme.example", "code": self.login_code()});
        self.world.post(&Credential::Nobody, "/v1/sessions", &body).expect(201)
    }

    /// A session of Ada's that goes on; a new one when there is none.
    fn session(&self) -> String {
        let ada = self.join("ada", Some("admin"));
        let live = self.acme().get(&format!("/v1/sessions?person={ada}"))["data"][0]["$id"].clone();
        if live.is_null() { json_text(&self.log_in(), "$id") } else { text(&live) }
    }

    /// What Ada's authenticator app shows, after she enrolled it anew.
    fn second_factor_code(&self) -> String {
        let secret = text(&self.world.post(&self.ada(), "/v1/second-factor", &json!({})).expect(201)["secret"]);
        totp::code(&unbase32(&secret), totp::step(self.world.app.moment().now), 6)
    }

    /// Keys of Acme that are no good, each with its name.
    pub fn bad_credentials(&self) -> Vec<(&'static str, Credential)> {
        let acme = self.acme();
        let soon = self.world.app.moment().now.plus(hours(1));
        let expired = make_key(&acme, &json!({"name": "short", "scopes": ["*"], "expiresAt": soon}));
        self.world.pass(hours(2));
        let revoked = make_key(&acme, &json!({"name": "gone", "scopes": ["*"]}));
        let path = format!("/v1/api-keys/{}", text(&revoked["$id"]));
        self.world.send(&acme.vendor(), "DELETE", &path, &[], "").expect(204);
        let good = make_key(&acme, &json!({"name": "good", "scopes": ["*"]}));
        let token = OrganizationToken { organization: self.acme.parse().unwrap(), key: text(&good["$id"]).parse().unwrap() };
        let unknown = OrganizationToken { key: "key_00000000000000000000000001".parse().unwrap(), ..token };
        let world_secret = crate::support::world::SECRET;
        vec![
            ("nobody", Credential::Nobody),
            ("a garbage key", bearer("garbage")),
            ("a garbage organization key", bearer("tk_org_garbage")),
            ("a forged key: the right shape with a wrong MAC", bearer(token.mint(b"another secret"))),
            ("a cut key", bearer(&text(&good["secret"])[..80])),
            ("a key of Globex that says it is Acme's", bearer(transplanted(&text(&self.globex().key_text()), &text(&good["secret"])))),
            ("a key that was minted and never stored", bearer(unknown.mint(world_secret))),
            ("an expired key", bearer(text(&expired["secret"]))),
            ("a revoked key", bearer(text(&revoked["secret"]))),
            ("a forged platform key", bearer("tk_platform_of_somebody_else")),
        ]
    }
}

/// A company on the same database as `organization`: there, only the statements keep them apart.
fn neighbour(world: &World, organization: &str) -> String {
    let shard = |id: &str| block_on(world.platform().placement(id.parse().unwrap())).unwrap().unwrap().shard;
    let mut companies = (0..20).map(|_| world.sign_up("Globex").id);
    companies.find(|id| shard(id) == shard(organization)).expect("one of twenty lives there")
}

trait KeyText {
    fn key_text(&self) -> Value;
}

impl KeyText for Company<'_> {
    fn key_text(&self) -> Value {
        make_key(self, &json!({"name": "all", "scopes": ["*"]}))["secret"].clone()
    }
}

/// What an authenticator app reads.
fn unbase32(text: &str) -> Vec<u8> {
    let digits = text.bytes().map(|letter| u32::from(if letter.is_ascii_digit() { letter - b'2' + 26 } else { letter - b'A' }));
    let bits: Vec<u32> = digits.flat_map(|digit| (0..5).rev().map(move |bit| (digit >> bit) & 1)).collect();
    bits.chunks_exact(8).map(|bits| bits.iter().fold(0, |byte, bit| (byte << 1) | u8::try_from(*bit).unwrap())).collect()
}

/// One key's id and MAC with the other's organization.
fn transplanted(key: &str, organization: &str) -> String {
    format!("{}{}{}", &key[..33], &organization[33..59], &key[59..])
}

fn company<'w>(world: &'w World, id: &str) -> Company<'w> {
    Company { world, id: id.to_owned(), email: String::new(), clock: None }
}

fn make_key(company: &Company<'_>, body: &Value) -> Value {
    company.world.post(&company.vendor(), "/v1/api-keys", body).expect(201)
}

pub fn bearer(text: impl Into<String>) -> Credential {
    Credential::Bearer(text.into())
}

fn json_text(value: &Value, member: &str) -> String {
    text(&value[member])
}

pub fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("{value} is no text")).to_owned()
}

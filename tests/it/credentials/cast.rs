//! Members and their tokens, for the tests of credentials.

use futures::executor::block_on;
use tenantry::identity::access_tokens;
use tenantry::identity::access_tokens::{Claims, Subject};
use tenantry::identity::sessions::session;
use tenantry::identity::sessions::session::Session;
use tenantry::identity::sessions::store;
use tenantry::kernel::ids::{Moment, OrganizationId, PersonId, SessionId};
use tenantry::kernel::platform::Platform;
use tenantry::kernel::ports::App;
use tenantry::kernel::tenant::{Actor, Tenant, TenantStatement};
use tenantry::tenant_sql;

use crate::support::world::{Company, Credential, World};

/// A member who is logged in.
#[derive(Clone, Copy, Debug)]
pub struct Member {
    pub organization: OrganizationId,
    pub person: PersonId,
    pub session: SessionId,
}

pub fn tenant(company: &Company<'_>) -> Tenant {
    let platform: Platform = company.world.platform();
    block_on(platform.tenant(company.id.parse().unwrap(), Actor::System("the test"), None)).unwrap().unwrap()
}

pub fn run(company: &Company<'_>, statement: TenantStatement) {
    block_on(tenant(company).run(vec![statement])).unwrap();
}

/// Somebody with an organization-wide role, or with none.
pub fn member(company: &Company<'_>, role: Option<&str>) -> Member {
    let moment: Moment<'_> = company.world.app.moment();
    let member = Member { organization: company.id.parse().unwrap(), person: PersonId::new(moment), session: SessionId::new(moment) };
    let email = format!("{}@people.example", member.person);
    run(
        company,
        tenant_sql!(
            "INSERT INTO members (organization_id, id, email, role, joined_at) VALUES (?1, ?2, ?3, ?4, ?5)",
            member.person,
            email.as_str(),
            role,
            moment.now
        ),
    );
    let session = Session {
        id: member.session,
        person: member.person,
        generation: 1,
        created_at: moment.now,
        last_used_at: moment.now,
        expires_at: moment.now.plus(session::LIFETIME),
        ip: None,
        user_agent: None,
        ended: None,
    };
    run(company, store::insert(&session));
    member
}

pub fn claims(app: &App, member: Member) -> Claims {
    Claims::new(member.organization, Subject::Person { person: member.person, session: member.session }, app.moment())
}

pub fn token(world: &World, member: Member) -> String {
    block_on(access_tokens::mint(&world.app, &claims(&world.app, member))).unwrap()
}

pub fn with_token(world: &World, member: Member) -> Credential {
    Credential::Bearer(token(world, member))
}

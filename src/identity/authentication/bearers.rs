//! Whether whom a token names is still there: asked at each use, in the organization's own database.

use crate::identity::permissions::standing::Standing;
use crate::identity::roles::store::{select_standing, standing_from};
use crate::identity::sessions::session::Session;
use crate::identity::sessions::store as sessions;
use crate::identity::sessions::store::SessionRow;
use crate::kernel::error::Result;
use crate::kernel::ids::{PersonId, SessionId};
use crate::kernel::sql::decode;
use crate::kernel::tenant::Tenant;

/// What the member may do, if they still are one and their session goes on. One batch of reads.
pub async fn member_in_session(tenant: &Tenant, person: PersonId, session: SessionId) -> Result<Option<Standing>> {
    let now = tenant.app().moment().now;
    let [everywhere, on_teams] = select_standing(person);
    let mut read = tenant.run(vec![sessions::select(session), everywhere, on_teams]).await?.into_iter();
    let session = read.next().and_then(|rows| rows.into_iter().next()).map(decode::<SessionRow>).transpose()?.map(Session::from);
    match session {
        Some(session) if session.person == person && session.is_live(now) => standing_from(person, read),
        _ => Ok(None),
    }
}

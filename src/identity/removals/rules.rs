//! What ends with a membership.

use crate::events::SessionEndReason;
use crate::identity::members::member::Member;
use crate::identity::{api_keys, members, oauth, sessions};
use crate::kernel::decision::Decision;
use crate::kernel::ids::Moment;
use crate::kernel::problem::Problem;

/// Removes a member with their sessions, keys and clients, in one commit. `real` is the wall clock's moment: credentials protect real
/// systems, so no test clock counts.
pub fn remove(member: &Member, is_last_owner: bool, real: Moment<'_>) -> Result<Decision, Problem> {
    let credentials = Decision::new()
        .write(sessions::store::end_all_of(member.id, SessionEndReason::MembershipEnded, real.now))
        .write(api_keys::store::revoke_all_of(member.id, real.now))
        .write(oauth::store::revoke_all_of(member.id, real.now));
    members::rules::remove(member, is_last_owner, credentials)
}

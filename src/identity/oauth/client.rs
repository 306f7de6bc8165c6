//! An OAuth client.

use crate::identity::permissions::{is_scope, lacking};
use crate::kernel::ids::{ClientId, PersonId};
use crate::kernel::time::Timestamp;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OauthClient {
    pub id: ClientId,
    pub name: String,
    pub scopes: Vec<String>,
    pub generation: u32,
    pub previous_until: Option<Timestamp>,
    pub created_by: String,
    /// In whose hands it is: it ends with their membership.
    pub person: Option<PersonId>,
    pub created_at: Timestamp,
    pub revoked_at: Option<Timestamp>,
    pub last_used_at: Option<Timestamp>,
}

impl OauthClient {
    /// Whether the secret of that generation gets a token at `now` of the wall clock.
    pub fn accepts(&self, generation: u32, now: Timestamp) -> bool {
        let is_previous = generation.checked_add(1) == Some(self.generation) && self.previous_until.is_some_and(|until| now < until);
        self.revoked_at.is_none() && (generation == self.generation || is_previous)
    }

    /// The scopes of a token: those that are asked for, or all. None when the client lacks one of them, or there is no such.
    pub fn grant(&self, asked: &[String]) -> Option<Vec<String>> {
        if asked.is_empty() {
            return Some(self.scopes.clone());
        }
        let mut wanted = asked.to_vec();
        wanted.sort_unstable();
        wanted.dedup();
        (wanted.iter().all(|scope| is_scope(scope)) && lacking(&self.scopes, &wanted).is_none()).then_some(wanted)
    }
}

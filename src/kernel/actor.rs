//! Actors, as commits and the audit log name them.

use super::ids::{ClientId, KeyId, PersonId, PlatformKeyId, SessionId};

/// The actor of a request or a step; `audit.rs` names each in the audit log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Actor {
    /// The vendor, with the root platform key.
    Platform,
    /// The vendor, with a platform key that it created.
    PlatformKey(PlatformKeyId),
    /// The organization's backend, with one of its keys.
    ApiKey(KeyId),
    /// A member, with an access token of a session.
    Person(PersonId, SessionId),
    /// A machine, with an access token of its own.
    Client(ClientId),
    /// A workflow step or a scheduled run, by name.
    System(&'static str),
}

impl Actor {
    /// The name for a column that holds an author.
    pub fn name(&self) -> String {
        match self {
            Self::Platform => "platform".to_owned(),
            Self::PlatformKey(key) => key.to_string(),
            Self::ApiKey(key) => key.to_string(),
            Self::Person(person, _) => person.to_string(),
            Self::Client(client) => client.to_string(),
            Self::System(step) => (*step).to_owned(),
        }
    }

    /// Whether the actor is the vendor, which acts on behalf of its customers.
    pub fn is_vendor(&self) -> bool {
        match self {
            Self::Platform | Self::PlatformKey(_) => true,
            Self::ApiKey(_) | Self::Person(..) | Self::Client(_) | Self::System(_) => false,
        }
    }
}

//! Members as clients read and write them.

use serde::{Deserialize, Deserializer, Serialize};
use utoipa::ToSchema;

use rating::Quantity;

use super::member::{Member, TeamRole};
use super::rules::Changes;
use crate::http::quantity::QuantityDocument;
use crate::kernel::ids::PersonId;
use crate::kernel::time::Timestamp;

/// A member: a person (schema.org vocabulary) with their profile and roles in this organization.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Person)]
pub struct MemberView {
    /// The type of the resource: `Person`.
    #[serde(rename = "$type")]
    #[schema(example = "Person")]
    pub type_name: &'static str,
    /// The id of the person, the same in every organization they belong to.
    #[serde(rename = "$id")]
    pub id: PersonId,
    /// The given name.
    #[schema(example = "Ada")]
    pub given_name: Option<String>,
    /// The family name.
    #[schema(example = "Lovelace")]
    pub family_name: Option<String>,
    /// The email address, in lower case.
    #[schema(example = "ada@acme.example", format = Email)]
    pub email: String,
    /// The job title.
    #[schema(example = "Engineer")]
    pub job_title: Option<String>,
    /// The telephone number, in any notation.
    #[schema(example = "+1-555-0100")]
    pub telephone: Option<String>,
    /// The key of the organization-wide role; `null` if there are roles on teams only.
    #[schema(example = "admin")]
    pub role: Option<String>,
    /// The roles on teams. Each also applies to the teams below.
    pub teams: Vec<TeamRole>,
    /// How the person proves who they are: `email`.
    #[schema(example = "email")]
    pub auth_provider: &'static str,
    /// Whether the person has proved that the email address is theirs.
    #[schema(example = true)]
    pub email_verified: bool,
    /// The status of the membership: `active`.
    #[schema(example = "active")]
    pub status: &'static str,
    /// When the person became a member.
    pub joined_at: Timestamp,
    /// When the person last logged in to this organization; `null` if they never did.
    pub last_login_at: Option<Timestamp>,
}

impl From<Member> for MemberView {
    fn from(member: Member) -> Self {
        Self {
            type_name: "Person",
            id: member.id,
            given_name: member.profile.given_name,
            family_name: member.profile.family_name,
            email: member.email,
            job_title: member.profile.job_title,
            telephone: member.profile.telephone,
            role: member.role,
            teams: member.teams,
            auth_provider: "email",
            email_verified: member.email_verified_at.is_some(),
            status: "active",
            joined_at: member.joined_at,
            last_login_at: member.last_login_at,
        }
    }
}

/// Changes: what is absent stays, `null` clears (JSON merge patch, RFC 7396).
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct MemberChanges {
    /// The given name; `null` removes it.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>, example = "Ada", min_length = 1, max_length = 200)]
    pub given_name: Option<Option<String>>,
    /// The family name; `null` removes it.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>, example = "Lovelace", min_length = 1, max_length = 200)]
    pub family_name: Option<Option<String>>,
    /// The job title; `null` removes it.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>, example = "Engineer", min_length = 1, max_length = 200)]
    pub job_title: Option<Option<String>>,
    /// The telephone number, in any notation; `null` removes it.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>, example = "+1-555-0100", min_length = 1, max_length = 50)]
    pub telephone: Option<Option<String>>,
    /// The key of the organization-wide role; `null` for roles on teams only.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>, example = "admin")]
    pub role: Option<Option<String>>,
}

impl From<MemberChanges> for Changes {
    fn from(body: MemberChanges) -> Self {
        let MemberChanges { given_name, family_name, job_title, telephone, role } = body;
        Self { given_name, family_name, job_title, telephone, role }
    }
}

/// A field that was sent, also when it is null.
pub fn given<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

/// The seats of the plan (`users`).
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Seats)]
pub struct SeatsView {
    /// The type of the resource: `Seats`.
    #[serde(rename = "$type")]
    #[schema(example = "Seats")]
    pub type_name: &'static str,
    /// The number of seats taken by members.
    #[schema(example = 4)]
    pub taken: u32,
    /// The number of seats held for pending invitations.
    #[schema(example = 1)]
    pub held: usize,
    /// Seats of the plan; -1 for unlimited.
    #[schema(value_type = QuantityDocument)]
    pub limit: Quantity,
    /// The seats as the Meter counts them.
    pub meter: MeterSeats,
    /// Whether the Meter counts the same members and invitations. False only for the moment in which a change is being delivered to it.
    #[schema(example = true)]
    pub is_consistent: bool,
}

/// The seats as the Meter, which enforces the limit, counts them.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct MeterSeats {
    /// The number of seats taken by members.
    #[schema(value_type = QuantityDocument)]
    pub taken: Quantity,
    /// The number of seats held for pending invitations.
    #[schema(example = 1)]
    pub held: usize,
}

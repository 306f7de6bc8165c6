//! Members as clients read and write them.

use serde::{Deserialize, Deserializer, Serialize};
use utoipa::ToSchema;

use rating::Quantity;

use super::member::{Member, TeamRole};
use super::rules::Changes;
use crate::http::quantity::QuantityDocument;
use crate::kernel::ids::PersonId;
use crate::kernel::time::Timestamp;

/// A member: schema.org's Person, with what they are in this organization.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Person)]
pub struct MemberView {
    #[serde(rename = "$type")]
    pub type_name: &'static str,
    /// The same in every organization that the person belongs to.
    #[serde(rename = "$id")]
    pub id: PersonId,
    pub given_name: Option<String>,
    pub family_name: Option<String>,
    pub email: String,
    pub job_title: Option<String>,
    pub telephone: Option<String>,
    /// The key of the role that holds organization-wide; null: on teams only.
    pub role: Option<String>,
    /// The roles on teams; each reaches the teams below it, too.
    pub teams: Vec<TeamRole>,
    /// `email`.
    pub auth_provider: &'static str,
    pub email_verified: bool,
    /// `active`.
    pub status: &'static str,
    pub joined_at: Timestamp,
    /// The last login into this organization; null where there was none.
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
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 200)]
    pub given_name: Option<Option<String>>,
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 200)]
    pub family_name: Option<Option<String>>,
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 200)]
    pub job_title: Option<Option<String>>,
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 50)]
    pub telephone: Option<Option<String>>,
    /// The key of a role; null: on teams only.
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

/// A field that is there, also when it is null.
pub fn given<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

/// The seats of the plan: its `users`.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Seats)]
pub struct SeatsView {
    #[serde(rename = "$type")]
    pub type_name: &'static str,
    /// Members.
    pub taken: u32,
    /// Pending invitations.
    pub held: usize,
    /// -1 when unlimited.
    #[schema(value_type = QuantityDocument)]
    pub limit: Quantity,
    pub meter: MeterSeats,
    /// Whether the members, and the invitations that hold a seat, are what the Meter counts. False for a moment at most, while a change is
    /// on its way.
    pub is_consistent: bool,
}

/// The same as the Meter enforces it.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct MeterSeats {
    #[schema(value_type = QuantityDocument)]
    pub taken: Quantity,
    pub held: usize,
}

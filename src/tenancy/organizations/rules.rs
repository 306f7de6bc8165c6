//! How an organization is created and updated, and which details are valid.

use super::organization::{Details, Organization, PostalAddress, Settings};
use super::{lifecycle, store};
use crate::events::{OrganizationCreated, OrganizationOnboarded, OrganizationUpdated};
use crate::kernel::decision::Decision;
use crate::kernel::ids::Moment;
use crate::kernel::organization::{Status, is_email};
use crate::kernel::problem::Problem;

/// A field that is given replaces the old one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    pub name: Option<String>,
    pub email: Option<String>,
    pub details: Option<Details>,
    pub settings: Option<Settings>,
}

/// Creates the organization of a sign-up. Guarded: a placed sign-up is not placed again.
pub fn sign_up(organization: &Organization) -> Decision {
    Decision::new()
        .guard(store::not_placed_yet())
        .write(store::insert(organization))
        .raise(OrganizationCreated { name: organization.name.clone(), email: organization.email.clone() })
        .audit("organization.created", organization.id.to_string(), None, serde_json::to_value(organization).ok())
}

/// Updates details or settings; an empty decision without a change.
pub fn update(organization: &Organization, changes: Changes) -> Result<(Organization, Decision), Problem> {
    let mut next = organization.clone();
    let mut fields = Vec::new();
    replace(&mut next.name, changes.name, "name", &mut fields);
    replace(&mut next.email, changes.email, "email", &mut fields);
    replace(&mut next.details, changes.details, "details", &mut fields);
    replace(&mut next.settings, changes.settings, "settings", &mut fields);
    check(&next)?;
    if fields.is_empty() {
        return Ok((next, Decision::new()));
    }
    let decision = Decision::new()
        .guard(store::unchanged(organization))
        .write(store::update(&next))
        .raise(OrganizationUpdated { fields })
        .audit("organization.updated", next.id.to_string(), serde_json::to_value(organization).ok(), serde_json::to_value(&next).ok());
    next.version = next.version.saturating_add(1);
    Ok((next, decision))
}

fn replace<T: PartialEq>(old: &mut T, new: Option<T>, field: &str, fields: &mut Vec<String>) {
    if let Some(new) = new
        && *old != new
    {
        *old = new;
        fields.push(field.to_owned());
    }
}

/// Marks the organization onboarded, once, after its checklist is complete.
pub fn complete_onboarding(organization: &Organization, moment: Moment<'_>) -> Decision {
    if organization.onboarded_at.is_some() || organization.status == Status::Cancelled {
        return Decision::new();
    }
    let past = lifecycle::Past { is_onboarded: false, is_suspended: false };
    let status = lifecycle::next(organization.status, lifecycle::Trigger::Onboard, past).unwrap_or(organization.status);
    let next = Organization { onboarded_at: Some(moment.now), status, ..organization.clone() };
    Decision::new().guard(store::unchanged(organization)).write(store::update(&next)).raise(OrganizationOnboarded {}).audit(
        "organization.onboarded",
        next.id.to_string(),
        Some(serde_json::json!({"status": organization.status})),
        Some(serde_json::json!({"status": next.status})),
    )
}

/// Characters of a name, and of the other texts, at most.
const NAME_LENGTH_MAX: usize = 200;
const TEXT_LENGTH_MAX: usize = 2_000;

/// Refuses invalid details, naming the field.
pub fn check(organization: &Organization) -> Result<(), Problem> {
    let Organization { name, email, details, settings, .. } = organization;
    require(!name.trim().is_empty() && name.chars().count() <= NAME_LENGTH_MAX, "/name", "Send a name of 1 to 200 characters.")?;
    require(is_email(email), "/email", "Send an email address such as billing@example.com.")?;
    if let Some(url) = &details.url {
        require(url.starts_with("https://") || url.starts_with("http://"), "/url", "Send a URL that begins with https://.")?;
    }
    if let Some(date) = &details.founding_date {
        require(is_date(date), "/foundingDate", "Send a date as YYYY-MM-DD.")?;
    }
    for (text, pointer) in [
        (&details.telephone, "/telephone"),
        (&details.industry, "/industry"),
        (&details.description, "/description"),
        (&details.url, "/url"),
        (&details.tax_id, "/taxId"),
    ] {
        require(text.as_ref().is_none_or(|text| text.chars().count() <= TEXT_LENGTH_MAX), pointer, "Send at most 2,000 characters.")?;
    }
    if let Some(address) = &details.address {
        check_address(address)?;
    }
    // `sign_up.rs` checks that the plan exists.
    if let Some(plan) = &details.plan {
        require(!plan.is_empty() && plan.chars().count() <= NAME_LENGTH_MAX, "/plan", NO_SUCH_PLAN)?;
    }
    require(rating::parse_time_zone(&settings.timezone).is_ok(), "/settings/timezone", "Send an IANA time zone such as Europe/Berlin.")?;
    require(settings.currency.parse::<rating::Currency>().is_ok(), "/settings/currency", "Send an ISO 4217 currency such as USD.")?;
    require(is_language(&settings.language), "/settings/language", "Send a language tag such as en or pt-BR.")?;
    require((1..=40).contains(&settings.date_format.chars().count()), "/settings/dateFormat", "Send a date format such as YYYY-MM-DD.")
}

/// The remedy for an unknown plan.
pub const NO_SUCH_PLAN: &str = "Send the key of a plan; GET /v1/plans lists them.";

pub fn check_address(address: &PostalAddress) -> Result<(), Problem> {
    require(address.type_name == PostalAddress::type_name(), "/address/$type", "Leave $type out, or send PostalAddress.")?;
    let PostalAddress { street_address, address_locality, address_region, postal_code, address_country, .. } = address;
    for (text, pointer) in [
        (street_address, "/address/streetAddress"),
        (address_locality, "/address/addressLocality"),
        (address_region, "/address/addressRegion"),
        (postal_code, "/address/postalCode"),
        (address_country, "/address/addressCountry"),
    ] {
        require(text.as_ref().is_none_or(|text| text.chars().count() <= NAME_LENGTH_MAX), pointer, "Send at most 200 characters.")?;
    }
    Ok(())
}

fn require(holds: bool, pointer: &str, detail: &str) -> Result<(), Problem> {
    if holds { Ok(()) } else { Err(Problem::invalid(pointer, "invalid_value", detail)) }
}

fn is_date(text: &str) -> bool {
    text.len() == 10 && chrono::NaiveDate::parse_from_str(text, "%Y-%m-%d").is_ok()
}

fn is_language(text: &str) -> bool {
    (2..=35).contains(&text.len())
        && text.split('-').all(|part| (1..=8).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_alphanumeric()))
}

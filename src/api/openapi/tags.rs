//! The tags of the document, in the order in which a reader needs them. An operation gets the tag of its slice, so that no handler names
//! one.

use serde_json::{Value, json};

/// A tag and its description.
pub struct Tag {
    /// The slices whose operations have the tag, as the list of routes names them.
    pub slices: &'static [&'static str],
    pub name: &'static str,
    pub description: &'static str,
}

const fn tag(slices: &'static [&'static str], name: &'static str, description: &'static str) -> Tag {
    Tag { slices, name, description }
}

/// The groups in the order of a reader's needs: what a backend calls first comes first, what only the operator needs comes last.
pub const GROUPS: &[(&str, &[Tag])] = &[
    ("Metering", METERING),
    ("Organizations", ORGANIZATIONS),
    ("Machines", MACHINES),
    ("Subscriptions", SUBSCRIPTIONS),
    ("Invoices", INVOICES),
    ("People", PEOPLE),
    ("Records", RECORDS),
    ("Vendor", VENDOR),
];

const METERING: &[Tag] = &[
    tag(&["usage"], "Usage", "Record usage, check quotas, reserve capacity and read usage, all answered by the organization's meter."),
    tag(&["limits"], "Limits", "Limits of one organization that differ from its plan, and grants of extra allowance."),
    tag(&["metrics"], "Metrics", "What is metered, and how events are aggregated."),
];

const ORGANIZATIONS: &[Tag] = &[
    tag(
        &["organizations", "data_movement"],
        "Organizations",
        "An organization is a customer company. It is created, suspended, cancelled, moved and erased here.",
    ),
    tag(&["signup"], "Sign-up", "A person signs up a company without the vendor's help."),
    tag(&["onboarding"], "Onboarding", "The checklist that leads a new organization to its first success."),
];

const MACHINES: &[Tag] = &[
    tag(&["api_keys"], "API keys", "API keys of an organization, limited to their scopes."),
    tag(&["oauth"], "OAuth clients", "OAuth 2.0 client credentials: a machine exchanges its secret for short-lived access tokens."),
];

const SUBSCRIPTIONS: &[Tag] = &[
    tag(&["plans", "plan_migrations"], "Plans", "Plans with versions, prices, features and limits; published versions do not change."),
    tag(&["subscription_changes"], "Subscriptions", "The plan that an organization pays for, and its changes, pauses and cancellations."),
    tag(&["entitlements"], "Entitlements", "Which features an organization has, from its plan, its add-ons and overrides."),
    tag(&["estimates"], "Price estimates", "What a given quantity costs under a given price."),
    tag(&["simulations"], "Simulations", "What past usage would have cost on another plan."),
];

const INVOICES: &[Tag] = &[
    tag(&["invoices", "charging"], "Invoices", "Invoices with their lines, documents and proofs."),
    tag(&["payments"], "Payments", "Payments of invoices and refunds to customers."),
    tag(&["credit_notes"], "Credit notes", "Documents that reduce a finalized invoice."),
    tag(&["credits"], "Credits", "Prepaid or promotional money that is applied to invoices before payment is due."),
    tag(&["discounts"], "Discounts", "Reductions of an organization's invoices by a percentage or an amount."),
    tag(&["taxes"], "Taxes", "The tax rates that apply to an organization's invoices."),
    tag(&["ledger"], "Ledger", "Double-entry accounts of every organization. Entries are balanced and never change."),
];

const PEOPLE: &[Tag] = &[
    tag(&["logins"], "Logins", "A login starts with an email that contains a code and a link."),
    tag(&["sessions"], "Sessions", "A person is logged in to one organization per session. A session issues short-lived access tokens."),
    tag(&["second_factors"], "Second factors", "Time-based one-time passwords (TOTP) with recovery codes, managed by each person."),
    tag(&["members", "removals"], "Members", "The members of an organization, their roles and the seats they take."),
    tag(&["invitations"], "Invitations", "An invitation asks a person by email to join an organization."),
    tag(&["teams"], "Teams", "Teams form a tree. A role on a team also applies to the teams below it."),
    tag(
        &["roles", "permission_checks"],
        "Roles",
        "Roles bundle permissions. Each organization has the built-in roles and may define its own.",
    ),
];

const RECORDS: &[Tag] = &[
    tag(&["audit"], "Audit log", "Every administrative change, in a chain that reveals tampering."),
    tag(&["exports"], "Exports", "Archives of all data of an organization."),
];

const VENDOR: &[Tag] = &[
    tag(&["platform_keys"], "Platform keys", "API keys of the vendor."),
    tag(&["allowed_origins"], "Allowed origins", "The browser applications whose scripts may call the API with access tokens (CORS)."),
    tag(&["seller"], "Seller", "The vendor's own company as printed on invoices."),
    tag(&["test_clocks"], "Test clocks", "Simulated time for organizations in tests."),
    tag(&["billing_run"], "Billing runs", "The recurring run that bills every subscription whose period has ended."),
    tag(&["dead_letters"], "Dead letters", "Steps, mails, billing and queue messages that failed their last attempt, listed for replay."),
    tag(&["access_tokens"], "Signing keys", "The keys that sign access tokens, and the public key set that verifies them."),
    tag(&["sealing_keys"], "Sealing keys", "The keys that encrypt stored secrets."),
];

/// The tag of a slice; None is caught by the test of this file.
pub fn name_of(slice: &str) -> Option<&'static str> {
    all().find(|tag| tag.slices.contains(&slice)).map(|tag| tag.name)
}

pub fn all() -> impl Iterator<Item = &'static Tag> {
    GROUPS.iter().flat_map(|(_, tags)| tags.iter())
}

/// Adds the list and the groups to the document.
pub fn describe(document: &mut Value) {
    document["tags"] = all().map(|tag| json!({"name": tag.name, "description": tag.description})).collect();
    let names = |tags: &[Tag]| tags.iter().map(|tag| tag.name).collect::<Vec<_>>();
    document["x-tagGroups"] = GROUPS.iter().map(|(name, tags)| json!({"name": name, "tags": names(tags)})).collect();
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::api::router::operations;

    #[test]
    fn each_slice_with_routes_has_one_tag_and_each_tag_has_routes() {
        let routed: BTreeSet<&str> = operations().into_iter().map(|operation| operation.slice).collect();
        let slices = || all().flat_map(|tag| tag.slices.iter().copied());
        let tagged: BTreeSet<&str> = slices().collect();
        assert_eq!(routed, tagged);
        assert_eq!(tagged.len(), slices().count(), "a slice has two tags");
        let names: BTreeSet<&str> = all().map(|tag| tag.name).collect();
        assert_eq!(names.len(), all().count(), "two slices have the same tag");
    }

    #[test]
    fn tags_are_titled_and_described() {
        for tag in all() {
            assert!(tag.name.starts_with(char::is_uppercase) && tag.description.ends_with('.'), "{}", tag.name);
        }
    }
}

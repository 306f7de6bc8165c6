//! Members with a closed set of values, so that a generated client knows them. The sets of permissions and scopes are made from the code.

use serde_json::{Map, Value, json};

use crate::identity::permissions::Permission;

/// A member, or the items of a list: the schema that has it, its name, and the set.
type Member = (&'static str, &'static str, Set);

/// A set of values: a schema of its own where several members have it.
enum Set {
    Named(&'static str),
    Of(&'static [&'static str]),
}

use Set::{Named, Of};

const MEMBERS: &[Member] = &[
    ("ApiKey", "scopes", Named("Scope")),
    ("NewApiKey", "scopes", Named("Scope")),
    ("OAuthClient", "scopes", Named("Scope")),
    ("NewOAuthClient", "scopes", Named("Scope")),
    ("Role", "permissions", Named("Scope")),
    ("NewRole", "permissions", Named("Scope")),
    ("RoleChanges", "permissions", Named("Scope")),
    ("PermissionReason", "scope", Named("Scope")),
    ("PermissionCheck", "permission", Named("Permission")),
    ("MissingPermission", "permission", Named("Permission")),
    ("Plan", "prorationPolicy", Named("ProrationPolicy")),
    ("NewPlan", "prorationPolicy", Named("ProrationPolicy")),
    ("NewChange", "prorationPolicy", Named("ProrationPolicy")),
    ("NewSubscriptionCancellation", "prorationPolicy", Named("ProrationPolicy")),
    ("Plan", "billingPeriod", Named("BillingInterval")),
    ("PlanPrice", "interval", Named("BillingInterval")),
    ("NewChange", "billingPeriod", Named("BillingInterval")),
    ("NewSimulation", "billingPeriod", Named("BillingInterval")),
    ("NewSubscriptionBody", "billingPeriod", Named("BillingInterval")),
    ("Simulation", "billingPeriod", Named("BillingInterval")),
    ("Subscription", "billingPeriod", Named("BillingInterval")),
    ("SubscriptionPhase", "interval", Named("BillingInterval")),
    ("SubscriptionShape", "billingPeriod", Named("BillingInterval")),
    ("UsageHistory", "granularity", Named("Granularity")),
    ("PackagePrice", "rounding", Of(&["up", "down"])),
    ("AuditActor", "kind", Of(&["platform", "apiKey", "person", "client", "system"])),
    ("AuditBehalf", "kind", Of(&["organization", "event", "person"])),
    ("DeadLetter", "kind", Of(&["step", "mail", "billing", "message"])),
    ("Entitlement", "source", Of(&["plan", "addOn", "override"])),
    ("Erasure", "status", Of(&["running", "done"])),
    ("JsonWebKey", "alg", Of(&["EdDSA"])),
    ("JsonWebKey", "crv", Of(&["Ed25519"])),
    ("JsonWebKey", "kty", Of(&["OKP"])),
    ("JsonWebKey", "use", Of(&["sig"])),
    ("MigratedSubscription", "status", Of(&["moves", "scheduled", "skipped", "refused"])),
    ("MigratedSubscription", "reason", Of(&["change_scheduled", "ends", "paused", "not_sold", "add_on_gone"])),
    ("OAuthError", "error", Of(OAUTH_ERRORS)),
    ("Person", "status", Of(&["active"])),
    ("Reservation", "status", Of(&["active", "settled", "released", "expired"])),
    ("SessionWithTokens", "tokenType", Of(&["Bearer"])),
    ("SigningKey", "status", Of(&["waiting", "signing", "verifying"])),
    ("TokenRequest", "grant_type", Of(&["client_credentials"])),
    ("TokenResponse", "token_type", Of(&["Bearer"])),
];
const OAUTH_ERRORS: &[&str] =
    &["invalid_request", "invalid_client", "unsupported_grant_type", "invalid_scope", "temporarily_unavailable", "server_error"];

/// Query parameters with a closed set, by name.
const PARAMETERS: &[(&str, Set)] =
    &[("permission", Named("Permission")), ("granularity", Named("Granularity")), ("format", Of(&["ndjson", "csv"]))];

const PRORATION_POLICIES: &[&str] =
    &["second", "day", "day_fixed_30", "none", "lago", "killbill", "killbill_fixed30", "openmeter_seconds", "flexprice"];

/// Closes the sets of members and parameters.
pub fn close(document: &mut Value) {
    let schemas = &mut document["components"]["schemas"];
    name_sets(schemas);
    for (owner, name, set) in MEMBERS {
        if let Some(member) = schemas.get_mut(*owner).and_then(|schema| member_mut(schema, name)) {
            close_member(member, set);
        }
    }
    for (_, methods) in document["paths"].as_object_mut().into_iter().flatten() {
        for (_, operation) in methods.as_object_mut().into_iter().flatten() {
            close_parameters(operation);
        }
    }
}

fn name_sets(schemas: &mut Value) {
    let permissions: Vec<&str> = Permission::ALL.iter().map(|permission| permission.wire_name()).collect();
    let mut wildcards: Vec<String> =
        permissions.iter().filter_map(|name| name.split_once('.')).map(|(resource, _)| format!("{resource}.*")).collect();
    wildcards.sort();
    wildcards.dedup();
    let scopes: Vec<String> =
        permissions.iter().map(|name| (*name).to_owned()).chain(wildcards).chain(std::iter::once("*".to_owned())).collect();
    schemas["Permission"] = set("A permission: `resource.action`.", json!(permissions), "usage.read");
    schemas["Scope"] = set("A permission, all permissions of a resource (`usage.*`), or everything (`*`).", json!(scopes), "usage.read");
    let policies = "How a change within a billing period is prorated: our own policies, and those of other products.";
    schemas["ProrationPolicy"] = set(policies, json!(PRORATION_POLICIES), "second");
    schemas["Granularity"] = set("The length of each entry of a history.", json!(["hour", "day"]), "hour");
}

fn set(description: &str, values: Value, example: &str) -> Value {
    json!({"type": "string", "description": description, "enum": values, "examples": [example]})
}

/// A member of a schema, or of a part of it.
fn member_mut<'a>(schema: &'a mut Value, name: &str) -> Option<&'a mut Value> {
    if schema["properties"][name].is_object() {
        return schema["properties"].get_mut(name);
    }
    schema.get_mut("allOf")?.as_array_mut()?.iter_mut().find_map(|part| part.get_mut("properties")?.get_mut(name))
}

fn close_member(member: &mut Value, set: &Set) {
    let is_nullable = member["type"].as_array().is_some_and(|kinds| kinds.contains(&json!("null")));
    let is_list = member["items"].is_object();
    let Some(keywords) = member.as_object_mut() else { return };
    match set {
        Named(name) if is_list => drop(keywords.insert("items".to_owned(), reference(name))),
        Named(name) => {
            keywords.remove("type");
            let choice = reference(name);
            let own: Map<String, Value> = match is_nullable {
                true => Map::from_iter([("oneOf".to_owned(), json!([choice, {"type": "null"}]))]),
                false => choice.as_object().cloned().unwrap_or_default(),
            };
            keywords.extend(own);
        }
        Of(values) => {
            let values = values.iter().map(|value| json!(value));
            keywords.insert("enum".to_owned(), values.chain(is_nullable.then_some(Value::Null)).collect());
        }
    }
}

fn reference(name: &str) -> Value {
    json!({"$ref": format!("#/components/schemas/{name}")})
}

fn close_parameters(operation: &mut Value) {
    for parameter in operation.get_mut("parameters").and_then(Value::as_array_mut).into_iter().flatten() {
        let set = PARAMETERS.iter().find(|(name, _)| parameter["name"] == *name && parameter["in"] == "query");
        match set {
            Some((_, Named(name))) => parameter["schema"] = reference(name),
            Some((_, Of(values))) => parameter["schema"] = json!({"type": "string", "enum": values}),
            None => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rating::ProrationPolicy;

    #[test]
    fn each_member_is_there_and_closed() {
        let mut document = crate::api::openapi::document::generate();
        for (owner, name, _) in MEMBERS {
            let member = member_mut(&mut document["components"]["schemas"][owner], name);
            let member = member.unwrap_or_else(|| panic!("{owner}.{name} is no member"));
            let text = member.to_string();
            assert!(text.contains("$ref") || text.contains("enum"), "{owner}.{name}: {text}");
        }
    }

    #[test]
    fn each_policy_of_proration_is_read() {
        for name in PRORATION_POLICIES {
            assert!(serde_json::from_value::<ProrationPolicy>(json!(name)).is_ok(), "{name}");
        }
        let unknown = serde_json::from_value::<ProrationPolicy>(json!("unknown")).unwrap_err().to_string();
        assert_eq!(unknown.matches(", `").count(), PRORATION_POLICIES.len() - 1, "{unknown}");
    }
}

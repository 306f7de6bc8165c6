//! Permissions, the words of scopes: `resource.action`, `resource.*` or `*`.

macro_rules! permissions {
    ($($(#[$doc:meta])* $name:ident = $wire:literal;)*) => {
        /// One thing a credential may do.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Permission { $($(#[$doc])* $name),* }

        impl Permission {
            pub const ALL: &'static [Permission] = &[$(Permission::$name),*];

            pub fn wire_name(self) -> &'static str {
                match self { $(Self::$name => $wire),* }
            }
        }

        /// Types that stand for permissions, for the argument lists of handlers: `Authorized<needs::UsageWrite>`.
        pub mod needs {
            use crate::identity::permissions::permission::{Need, Permission};

            $(pub struct $name; impl Need for $name { const PERMISSION: Permission = Permission::$name; })*
        }
    };
}

/// A permission as a type.
pub trait Need: Send + Sync {
    const PERMISSION: Permission;
}

permissions! {
    OrganizationRead = "organization.read";
    OrganizationWrite = "organization.write";
    OnboardingRead = "onboarding.read";
    OnboardingWrite = "onboarding.write";
    UsageRead = "usage.read";
    UsageWrite = "usage.write";
    SubscriptionRead = "subscription.read";
    SubscriptionWrite = "subscription.write";
    InvoicesRead = "invoices.read";
    LedgerRead = "ledger.read";
    ApiKeysRead = "apiKeys.read";
    ApiKeysWrite = "apiKeys.write";
    MembersRead = "members.read";
    /// Invite, change and remove members.
    MembersWrite = "members.write";
    TeamsRead = "teams.read";
    TeamsWrite = "teams.write";
    RolesRead = "roles.read";
    RolesWrite = "roles.write";
    /// The sessions of all members; their own, people see and end without it.
    SessionsRead = "sessions.read";
    SessionsWrite = "sessions.write";
    OauthClientsRead = "oauthClients.read";
    OauthClientsWrite = "oauthClients.write";
    AuditLogRead = "auditLog.read";
    ExportsRead = "exports.read";
    ExportsWrite = "exports.write";
    /// Cancel the organization, or hand it to another owner.
    OrganizationOwn = "organization.own";
}

/// Whether `scope` is a permission, all of a resource (`usage.*`) or everything (`*`).
pub fn is_scope(scope: &str) -> bool {
    scope == "*" || Permission::ALL.iter().any(|permission| permits(scope, *permission))
}

/// Whether `scope` includes `permission`.
pub fn permits(scope: &str, permission: Permission) -> bool {
    let wanted = permission.wire_name();
    scope == "*" || scope == wanted || scope.strip_suffix(".*").is_some_and(|resource| wanted.split('.').next() == Some(resource))
}

/// The first of `wanted` that is more than `held`: nobody grants what they don't hold. `*` is more than every permission there is today.
pub fn lacking<'a>(held: &[String], wanted: &'a [String]) -> Option<&'a String> {
    let holds = |permission| held.iter().any(|scope| permits(scope, permission));
    let reaches = |scope: &str| Permission::ALL.iter().copied().filter(|permission| permits(scope, *permission)).all(holds);
    wanted.iter().find(|scope| !reaches(scope) || (*scope == "*" && !held.contains(*scope)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scope_reaches_its_resource_and_no_further() {
        let check = |scope, permission, expected| assert_eq!(permits(scope, permission), expected, "{scope}");
        check("*", Permission::UsageWrite, true);
        check("usage.*", Permission::UsageWrite, true);
        check("usage.read", Permission::UsageWrite, false);
        check("us.*", Permission::UsageWrite, false);
        check("usage", Permission::UsageWrite, false);
        assert!(is_scope("invoices.read") && is_scope("usage.*") && !is_scope("usage.fly") && !is_scope(""));
    }
}

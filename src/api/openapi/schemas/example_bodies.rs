//! The bodies of the examples. They name plans, metrics and roles that every installation has.

/// The id of an operation, the name and the summary of an example, and its body as JSON.
pub type Body = (&'static str, &'static str, &'static str, &'static str);

const KEY: &str = r#"{"name": "backend", "scopes": ["usage.read", "usage.write"]}"#;
const ROTATION: &str = r#"{"overlapSeconds": 3600}"#;
const EVENT: &str = r#"{"metric": "apiCalls", "amount": 1, "idempotencyKey": "req-8f1", "metadata": {"path": "/x"}}"#;
const TO_ENTERPRISE: &str = r#"{"plan": "enterprise", "effective": "now"}"#;
const MIGRATION: &str = r#"{"from": 1, "to": 2, "limit": 20}"#;
const DETAILS: &str = r#"{"telephone": "+43 1 234567", "numberOfEmployees": 120}"#;

pub const BODIES: &[Body] = &[
    ("createApiKey", "backend", "A key for a backend that records usage", KEY),
    ("rotateApiKey", "oneHour", "The old key stays valid for an hour", ROTATION),
    ("createAccessToken", "machine", "A token for a machine", CLIENT_CREDENTIALS),
    ("createCreditNote", "amount", "Credit a part of an invoice", CREDIT_NOTE),
    ("replayDeadLetter", "mail", "Send a mail again", r#"{"id": "mail:org_01h2xcejqtf2nbrexx3vqjhp41:mail_01h2xcejqtf2nbrexx3vqjhp41"}"#),
    ("recordEvents", "structured", "One event", CLOUD_EVENT),
    ("recordEvents", "batch", "Several events", CLOUD_EVENTS),
    ("createExport", "ndjson", "All data as lines of JSON", r#"{"format": "ndjson"}"#),
    ("acceptInvitation", "token", "The token of the mailed link", r#"{"token": "tk_invite_..."}"#),
    ("createInvitation", "developer", "Invite a developer", r#"{"email": "bob@acme.example", "role": "developer"}"#),
    ("createPayment", "transfer", "A bank transfer", r#"{"method": "bank_transfer", "reference": "TRX-20260131-17"}"#),
    ("voidInvoice", "mistake", "An invoice that was sent by mistake", r#"{"reason": "Billed twice by hand"}"#),
    ("createLogin", "email", "Mail a code and a link", r#"{"email": "ada@acme.example"}"#),
    ("updateMember", "jobTitle", "Change the profile", r#"{"jobTitle": "Engineer"}"#),
    ("createMetric", "tokens", "Tokens of a language model", METRIC),
    ("createOAuthClient", "job", "A client for a nightly job", r#"{"name": "nightly job", "scopes": ["usage.read"]}"#),
    ("rotateOAuthClient", "oneHour", "The old secret stays valid for an hour", ROTATION),
    ("completeOnboardingItem", "completed", "Complete the item", r#"{"status": "completed"}"#),
    ("updateOwnOrganization", "details", "Change details of the company", DETAILS),
    ("cancelOwnOrganization", "reason", "Cancel with a reason", r#"{"reason": "We stop the project"}"#),
    ("transferOwnership", "member", "Make a member the owner", r#"{"to": "user_01h2xcejqtf2nbrexx3vqjhp41"}"#),
    ("createOrganization", "trial", "An organization on trial", ORGANIZATION),
    ("updateOrganization", "details", "Change details of the company", DETAILS),
    ("createCredit", "promotional", "A credit for goodwill", CREDIT),
    ("createDiscount", "percentage", "10 % off the next bill", r#"{"name": "Launch offer", "percentage": "10", "duration": "once"}"#),
    ("putEntitlement", "promise", "Give a feature", r#"{"value": true, "reason": "Promised in the pilot"}"#),
    ("createGrant", "goodwill", "1,000 more calls", r#"{"metric": "apiCalls", "amount": 1000, "reason": "Goodwill after the outage"}"#),
    ("putLimit", "higher", "A higher limit", r#"{"limit": 500000, "reason": "Agreed until the new contract"}"#),
    ("moveOrganization", "shard", "Move to another database", r#"{"shard": 1}"#),
    ("suspendOrganization", "overdue", "Suspend with a reason", r#"{"reason": "Payment is overdue"}"#),
    ("putTaxes", "vat", "20 % VAT", r#"{"rates": [{"name": "VAT", "rate": "20"}]}"#),
    ("createPlan", "growth", "A plan with metered usage, an add-on and features", PLAN),
    ("createPlanVersion", "price", "A new base price", PLAN_VERSION),
    ("updatePlan", "archive", "No more subscriptions", r#"{"status": "archived"}"#),
    ("updatePlan", "hide", "Sold by the vendor only", r#"{"visibility": "hidden"}"#),
    ("previewMigration", "newVersion", "From version 1 to version 2", MIGRATION),
    ("migrateSubscribers", "newVersion", "From version 1 to version 2", r#"{"from": 1, "to": 2, "effective": "period_end"}"#),
    ("createPlatformKey", "deployment", "A second key of the vendor", r#"{"name": "deployment"}"#),
    ("rotatePlatformKey", "oneHour", "The old key stays valid for an hour", ROTATION),
    ("estimatePrice", "graduated", "A graduated price of a count", ESTIMATE),
    ("estimatePrice", "percentage", "A percentage of each event", ESTIMATE_OF_EVENTS),
    ("payRefund", "transfer", "A bank transfer", r#"{"method": "bank_transfer", "reference": "TRX-20260207-3"}"#),
    ("createReservation", "calls", "Hold 50 calls for ten minutes", r#"{"metric": "apiCalls", "amount": 50, "ttlSeconds": 600}"#),
    ("settleReservation", "used", "What was used of it", r#"{"amount": 1}"#),
    ("settleReservation", "overage", "More than was held", r#"{"amount": 3, "allowOverage": true}"#),
    ("createRole", "releaseManager", "A role of the organization", ROLE),
    ("updateRole", "permissions", "Other permissions", r#"{"permissions": ["teams.read"]}"#),
    ("enrolSecondFactor", "new", "A new secret for the authenticator app", "{}"),
    ("confirmSecondFactor", "code", "The code of the authenticator app", r#"{"code": "012345"}"#),
    ("putSeller", "company", "The sender of invoices", SELLER),
    ("refreshSession", "token", "The latest refresh token", r#"{"refreshToken": "tk_refresh_..."}"#),
    ("createSession", "code", "The mailed code", r#"{"email": "ada@acme.example", "code": "012345"}"#),
    ("signUp", "company", "A company signs up", r#"{"name": "Globex", "email": "ada@globex.example"}"#),
    ("simulate", "enterprise", "The same usage on another plan, two months ahead", SIMULATION),
    ("updateSubscription", "paymentMethod", "Set the payment method", r#"{"paymentMethod": "pm_1Nf2xT"}"#),
    ("createSubscription", "professional", "A subscription by the month", r#"{"plan": "professional", "billingPeriod": "month"}"#),
    ("cancelSubscription", "periodEnd", "Cancel at the end of the period", CANCELLATION),
    ("changeSubscription", "enterprise", "Another plan, now", TO_ENTERPRISE),
    ("previewSubscriptionChange", "enterprise", "Another plan, now", TO_ENTERPRISE),
    ("pauseSubscription", "open", "Until it is resumed", "{}"),
    ("createTeam", "platform", "A team", r#"{"name": "Platform", "description": "Builds the API"}"#),
    ("updateTeam", "description", "Change the description", r#"{"description": "Builds and runs the API"}"#),
    ("putTeamMember", "developer", "A developer of the team", r#"{"role": "developer"}"#),
    ("createTestClock", "january", "A clock that stands in January", r#"{"now": "2026-01-31T00:00:00Z"}"#),
    ("advanceTestClock", "march", "Advance to the end of March", r#"{"now": "2026-03-31T00:00:00Z"}"#),
    ("recordUsage", "call", "One call", EVENT),
    ("recordUsage", "fraction", "Half a gigabyte more", r#"{"metric": "storage", "amount": "0.5", "idempotencyKey": "file-17"}"#),
    ("consumeUsage", "call", "One call", EVENT),
    ("recordUsageBatch", "calls", "Two events", BATCH),
    ("putAllowedOrigins", "app", "The app of the company", r#"{"origins": ["https://app.example"]}"#),
];

const CLIENT_CREDENTIALS: &str =
    r#"{"grant_type": "client_credentials", "client_id": "client_01h2xcejqtf2nbrexx3vqjhp41", "client_secret": "tk_client_..."}"#;
const CREDIT_NOTE: &str = r#"{"invoice": "inv_01h2xcejqtf2nbrexx3vqjhp41", "reason": "Outage on January 3", "amount": "1.00"}"#;
const CLOUD_EVENT: &str =
    r#"{"specversion": "1.0", "id": "req-8f1", "source": "/gateway", "type": "apiCalls", "data": {"amount": 5, "userId": "u-1"}}"#;
const CLOUD_EVENTS: &str = r#"[{"specversion": "1.0", "id": "req-8f2", "source": "/gateway", "type": "apiCalls", "data": {"amount": 5}},
    {"specversion": "1.0", "id": "req-8f3", "source": "/gateway", "type": "storage", "data": {"amount": "0.5"}}]"#;
const METRIC: &str = r#"{"key": "tokens", "name": "Tokens", "aggregation": "sum", "kind": "consumable", "unit": "tokens"}"#;
const ORGANIZATION: &str =
    r#"{"name": "Acme", "email": "admin@acme.example", "numberOfEmployees": 120, "settings": {"timezone": "Europe/Vienna"}}"#;
const CREDIT: &str = r#"{"amount": "50.00", "currency": "USD", "source": "promotional", "reason": "Goodwill after the outage"}"#;
const PLAN: &str = r#"{
    "key": "growth", "name": "Growth",
    "prices": [{"currency": "USD", "interval": "month", "price": {"model": "flat", "amount": "99"}},
        {"currency": "USD", "interval": "year", "price": {"model": "flat", "amount": "990"}}],
    "metrics": [{"metric": "apiCalls", "limit": -1, "included": 50000,
        "prices": {"USD": {"model": "per_unit", "unitAmount": "0.002"}}},
        {"metric": "users", "limit": 10}],
    "addOns": [{"key": "extra-users", "name": "Five more users", "limits": {"users": 5},
        "prices": [{"currency": "USD", "interval": "month", "price": {"model": "per_unit", "unitAmount": "20"}}]}],
    "features": [{"key": "sso", "name": "Single sign-on", "type": "boolean"},
        {"key": "support", "name": "Support", "type": "static", "value": "next-day"}],
    "trial": {"days": 14}, "minimumCommitment": {"USD": "100.00"}}"#;
const PLAN_VERSION: &str = r#"{
    "name": "Professional",
    "prices": [{"currency": "USD", "interval": "month", "price": {"model": "flat", "amount": "249"}}],
    "metrics": [{"metric": "apiCalls", "limit": 100000, "enforcement": "soft",
        "prices": {"USD": {"model": "per_unit", "unitAmount": "0.002"}}},
        {"metric": "users", "limit": 25}],
    "trial": {"days": 14}}"#;
const ESTIMATE: &str = r#"{
    "price": {"model": "graduated", "tiers": [{"upTo": "1000", "unitAmount": "0.01"}, {"upTo": null, "unitAmount": "0.005"}]},
    "quantity": "15000", "currency": "USD"}"#;
const ESTIMATE_OF_EVENTS: &str =
    r#"{"price": {"model": "percentage", "rate": "1.5", "fixedAmount": "0.10"}, "events": ["10", "4.5"], "currency": "USD"}"#;
const ROLE: &str =
    r#"{"key": "release-manager", "name": "Release manager", "description": "Plans releases", "permissions": ["teams.read", "apiKeys.*"]}"#;
const SELLER: &str =
    r#"{"name": "Northwind", "legalName": "Northwind Software GmbH", "taxId": "DE811907980", "email": "billing@northwind.example"}"#;
const SIMULATION: &str = r#"{"plan": "enterprise", "usage": {"apiCalls": 250000}, "to": "2027-01-31T00:00:00Z"}"#;
const CANCELLATION: &str = r#"{"effective": "period_end", "reason": "We stop the project"}"#;
const BATCH: &str = r#"{"events": [{"metric": "apiCalls", "amount": 3, "idempotencyKey": "req-8f2"},
    {"metric": "storage", "amount": "0.5", "idempotencyKey": "req-8f3"}]}"#;

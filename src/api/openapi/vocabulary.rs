//! Members with the same meaning in every schema, described once. A slice's own description or example is kept.

use serde_json::{Value, json};

/// The name of a member, its description and an example.
type Word = (&'static str, &'static str, fn() -> Value);

const WORDS: &[Word] = &[
    ("hasMore", "Whether there is another page after this one.", || json!(true)),
    ("nextCursor", "Send it as `cursor` to get the next page; null on the last page.", || json!("cn_01h2xcejqtf2nbrexx3vqjhp41")),
    ("createdAt", "When it was created.", || json!("2026-11-22T10:00:00Z")),
    ("updatedAt", "When it was last changed.", || json!("2026-11-22T10:00:00Z")),
    ("startedAt", "When it started.", || json!("2026-11-22T10:00:00Z")),
    ("finishedAt", "When it finished; null until then.", || json!("2026-11-22T10:00:00Z")),
    ("requestedAt", "When it was requested.", || json!("2026-11-22T10:00:00Z")),
    ("revokedAt", "When it was revoked; null while it is valid.", || json!("2026-11-22T10:00:00Z")),
    ("lastUsedAt", "When it was last used, to a few minutes.", || json!("2026-11-22T10:00:00Z")),
    ("effectiveAt", "When it takes effect.", || json!("2026-12-01T00:00:00Z")),
    ("paidAt", "When it was paid.", || json!("2026-11-22T10:00:00Z")),
    ("currency", "The currency, an ISO 4217 code.", || json!("USD")),
    ("priceCurrency", "The currency, an ISO 4217 code.", || json!("USD")),
    ("metric", "The key of the metric.", || json!("apiCalls")),
    ("plan", "The key of the plan.", || json!("professional")),
    ("planVersion", "The version number of the plan.", || json!(1)),
    ("billingPeriod", "The billing period of the price.", || json!("month")),
    ("scopes", "The permissions it carries: `resource.action`, `resource.*` or `*`.", || json!(["usage.read", "usage.write"])),
    ("permissions", "The permissions it carries: `resource.action`, `resource.*` or `*`.", || json!(["usage.read", "usage.write"])),
    ("email", "The email address.", || json!("ada@acme.example")),
    ("telephone", "The telephone number.", || json!("+43 1 234567")),
    ("url", "The website.", || json!("https://acme.example")),
    ("taxId", "The tax number, such as a VAT number; printed on invoices.", || json!("ATU12345678")),
    ("industry", "The industry, in the company's own words.", || json!("Software")),
    ("numberOfEmployees", "The number of employees.", || json!(120)),
    ("foundingDate", "The date of the company's founding, `YYYY-MM-DD`.", || json!("2019-04-01")),
    ("givenName", "The given name.", || json!("Ada")),
    ("familyName", "The family name.", || json!("Lovelace")),
    ("jobTitle", "The job title.", || json!("Head of Platform")),
    ("timezone", "The time zone, an IANA name.", || json!("Europe/Vienna")),
    ("timeZone", "The time zone, an IANA name.", || json!("Europe/Vienna")),
    ("language", "The language, a BCP 47 tag.", || json!("en")),
    ("streetAddress", "The street and the number.", || json!("Ringstrasse 1")),
    ("postalCode", "The postal code.", || json!("1010")),
    ("addressLocality", "The city.", || json!("Vienna")),
    ("addressRegion", "The region or state.", || json!("Vienna")),
    ("addressCountry", "The country, an ISO 3166-1 code of two letters.", || json!("AT")),
    ("hash", "The SHA-256 hash, in hexadecimal.", || json!("9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08")),
    ("requestId", "The id of the request, as answered in the header `Request-Id`.", || json!("req_01h2xcejqtf2nbrexx3vqjhp41")),
    ("start", "The start of the period, inclusive.", || json!("2026-11-01T00:00:00Z")),
    ("end", "The end of the period, exclusive.", || json!("2026-12-01T00:00:00Z")),
    ("startsAt", "When it starts to count.", || json!("2026-11-22T10:00:00Z")),
    ("endsAt", "When it ends; null when it does not end.", || json!("2026-12-22T10:00:00Z")),
    ("expiresAt", "When it expires.", || json!("2026-12-22T10:00:00Z")),
    ("startDate", "When it starts, inclusive.", || json!("2026-11-01T00:00:00Z")),
    ("endDate", "When it ends, exclusive.", || json!("2026-12-01T00:00:00Z")),
    ("validFrom", "From when it applies, inclusive.", || json!("2026-11-01T00:00:00Z")),
    ("validThrough", "Until when it applies, exclusive.", || json!("2026-12-01T00:00:00Z")),
    ("dateIssued", "When it was issued.", || json!("2026-12-01T00:00:00Z")),
    ("cancelledAt", "When the cancellation was requested.", || json!("2026-11-22T10:00:00Z")),
    ("reason", "The reason, for people.", || json!("Agreed with the customer")),
    ("sequence", "The position in the sequence, starting at 1.", || json!(42)),
    ("quantity", "The number of units.", || json!(5)),
    ("prefix", "The first characters of the secret, to recognize it by.", || json!("tk_org_01h2x")),
    ("interval", "How often it is billed.", || json!("month")),
    ("perSecond", "The number of requests per second.", || json!(1000)),
    ("burst", "The number of requests that are accepted at once after a pause.", || json!(10000)),
    ("userAgent", "The `User-Agent` header of the request.", || json!("Mozilla/5.0")),
    ("dateFormat", "The date format of documents.", || json!("YYYY-MM-DD")),
    ("subtotal", "The sum before discounts and taxes.", || json!(null)),
    ("total", "The sum including taxes.", || json!(null)),
];

/// The description and the example of a member that means the same everywhere; the example is null where the type has its own.
pub fn lookup(name: &str) -> Option<(&'static str, Value)> {
    WORDS.iter().find(|(word, ..)| *word == name).map(|(_, description, example)| (*description, example()))
}

/// A schema, its member and the example of that member.
type FreeObject = (&'static str, &'static str, fn() -> Value);

/// The examples of free objects that may be null: utoipa would drop them in their slices.
const FREE_OBJECTS: &[FreeObject] = &[
    ("NewUsage", "metadata", || json!({"userId": "u-1"})),
    ("CloudEvent", "data", || json!({"amount": 5, "userId": "u-1"})),
    ("AuditEntry", "before", || json!({"name": "CI"})),
    ("AuditEntry", "after", || json!({"name": "Deployment"})),
    ("InvoiceProofLine", "shape", || json!({"plan": "professional", "planVersion": 1, "interval": "month", "quantity": 1, "addOns": {}})),
    ("InvoiceProofLine", "proration", || {
        json!({
            "policy": "day",
            "changedAt": "2026-01-16T00:00:00Z",
            "period": {"startsAt": "2026-01-01T00:00:00Z", "endsAt": "2026-02-01T00:00:00Z"},
            "wholeMinor": 19900,
        })
    }),
];

/// The example of a free object that may be null.
pub fn free_object(schema: &str, member: &str) -> Option<Value> {
    FREE_OBJECTS.iter().find(|(owner, name, _)| (*owner, *name) == (schema, member)).map(|(.., example)| example())
}

//! How each operation is called rightly: one row an operation, for the tests that go through all of them.

use crate::api::cast::Cast;
use crate::api::check::{Ask, ask};
use crate::api::document::{self, Operation};
use crate::support::world::Credential;

/// How to call one operation rightly: what stands for the parameter in its path, and the body.
pub struct Row {
    pub operation: &'static str,
    pub parameter: Parameter,
    pub body: &'static str,
}

pub enum Parameter {
    None,
    /// A name that means the same to everybody.
    Name(&'static str),
    /// What has to stand behind the path.
    Query(&'static str),
    /// An object of Acme, and an id of the same kind that nobody has; an object within another one is `outer/inner`.
    Object(&'static str, &'static str),
    /// The same for an object that is named behind the path: `name=`, and both.
    ObjectInQuery(&'static str, &'static str, &'static str),
    /// The same for an object that is named in the body, as `{object}`.
    ObjectInBody(&'static str, &'static str),
}

use Parameter::{Name, Object, ObjectInBody, ObjectInQuery};

const fn row(operation: &'static str, parameter: Parameter, body: &'static str) -> Row {
    Row { operation, parameter, body }
}

const NO_ORGANIZATION: &str = "org_00000000000000000000000001";
const NO_CLOCK: &str = "clock_00000000000000000000000001";
const NO_INVOICE: &str = "inv_00000000000000000000000001";
const NO_CREDIT_NOTE: &str = "cn_00000000000000000000000001";
const NO_REFUND: &str = "refund_00000000000000000000000001";
const NO_INVITATION: &str = "invitation_00000000000000000000000001";
const NO_PERSON: &str = "user_00000000000000000000000001";
const NO_KEY: &str = "key_00000000000000000000000001";
const NO_ROLE: &str = "role_00000000000000000000000001";
const NO_TEAM: &str = "team_00000000000000000000000001";
const NO_PLATFORM_KEY: &str = "platformkey_00000000000000000000000001";
const NO_CLIENT: &str = "client_00000000000000000000000001";
const NO_EXPORT: &str = "export_00000000000000000000000001";
const NO_SESSION: &str = "sess_00000000000000000000000001";
const NO_RESERVATION: &str = "res_00000000000000000000000001";

const LEAST_PLAN: &str =
    r#"{"key":"growth{fresh}","name":"Growth","prices":[{"currency":"USD","interval":"month","price":{"model":"flat","amount":"99"}}]}"#;
const LEAST_VERSION: &str =
    r#"{"name":"Professional","prices":[{"currency":"USD","interval":"month","price":{"model":"flat","amount":"249"}}]}"#;

pub const ROWS: &[Row] = &[
    row("createOrganization", Parameter::None, r#"{"name":"Initech","email":"admin@initech.example"}"#),
    row("listOrganizations", Parameter::None, ""),
    row("getOrganization", Object("{acme}", NO_ORGANIZATION), ""),
    row("updateOrganization", Object("{acme}", NO_ORGANIZATION), r#"{"name":"Mine"}"#),
    row("deleteOrganization", Object("{acme}", NO_ORGANIZATION), ""),
    row("suspendOrganization", Object("{acme}", NO_ORGANIZATION), r#"{"reason":"fraud"}"#),
    row("resumeOrganization", Object("{acme}", NO_ORGANIZATION), ""),
    row("moveOrganization", Object("{acme}", NO_ORGANIZATION), r#"{"shard":{elsewhere}}"#),
    row("listMoves", Object("{acme}", NO_ORGANIZATION), ""),
    row("listErasures", Parameter::None, ""),
    row("cancelOwnOrganization", Parameter::None, r#"{"reason":"we stop"}"#),
    row("withdrawOwnCancellation", Parameter::None, ""),
    row("transferOwnership", Parameter::None, r#"{"to":"user_00000000000000000000000002"}"#),
    row("createExport", Parameter::None, r#"{"format":"ndjson"}"#),
    row("listExports", Parameter::None, ""),
    row("getExport", Object("{export}", NO_EXPORT), ""),
    row("getExportContent", Object("{export}", NO_EXPORT), ""),
    row("getSeller", Parameter::None, ""),
    row("putSeller", Parameter::None, r#"{"name":"Northwind"}"#),
    row("getAllowedOrigins", Parameter::None, ""),
    row("putAllowedOrigins", Parameter::None, r#"{"origins":["https://app.example.com"]}"#),
    row("createMetric", Parameter::None, r#"{"key":"tokens","aggregation":"sum","kind":"consumable"}"#),
    row("listMetrics", Parameter::None, ""),
    row("getMetric", Name("apiCalls"), ""),
    row("createPlan", Parameter::None, LEAST_PLAN),
    row("createPlanVersion", Name("professional"), LEAST_VERSION),
    row("updatePlan", Name("professional"), r#"{"visibility":"hidden"}"#),
    row("previewMigration", Name("professional"), r#"{"from":1,"to":2}"#),
    row("migrateSubscribers", Name("professional"), r#"{"from":1,"to":2,"effective":"period_end"}"#),
    row("putEntitlement", Object("{acme}/sso", "org_00000000000000000000000001/sso"), r#"{"value":false}"#),
    row("deleteEntitlement", Object("{acme}/beta", "org_00000000000000000000000001/beta"), ""),
    row("putLimit", Object("{acme}/apiCalls", "org_00000000000000000000000001/apiCalls"), r#"{"limit":7}"#),
    row("deleteLimit", Object("{acme}/projects", "org_00000000000000000000000001/projects"), ""),
    row("listLimits", Object("{acme}", NO_ORGANIZATION), ""),
    row("createGrant", Object("{acme}", NO_ORGANIZATION), r#"{"metric":"apiCalls","amount":7}"#),
    row("listGrants", Object("{acme}", NO_ORGANIZATION), ""),
    row("deleteGrant", Object("{acme}/{grant}", "{acme}/grant_00000000000000000000000001"), ""),
    row("createDiscount", Object("{acme}", NO_ORGANIZATION), r#"{"name":"Launch","percentage":"10","duration":"once"}"#),
    row("listDiscounts", Object("{acme}", NO_ORGANIZATION), ""),
    row("deleteDiscount", Object("{acme}/{discount}", "{acme}/disc_00000000000000000000000001"), ""),
    row("putTaxes", Object("{acme}", NO_ORGANIZATION), r#"{"rates":[{"name":"VAT","rate":"20"}]}"#),
    row("getTaxes", Object("{acme}", NO_ORGANIZATION), ""),
    row("createCredit", Object("{acme}", NO_ORGANIZATION), r#"{"amount":"7.00","currency":"USD","source":"promotional"}"#),
    row("deleteCredit", Object("{acme}/{credit}", "{acme}/credit_00000000000000000000000001"), ""),
    row("createPayment", Object("{openInvoice}", NO_INVOICE), r#"{"method":"bank_transfer"}"#),
    row("payRefund", Object("{refund}", NO_REFUND), r#"{"method":"bank_transfer"}"#),
    row("voidInvoice", Object("{openInvoice}", NO_INVOICE), r#"{"reason":"by mistake"}"#),
    row("writeOffInvoice", Object("{openInvoice}", NO_INVOICE), ""),
    row("createCreditNote", ObjectInBody("{openInvoice}", NO_INVOICE), r#"{"invoice":"{object}","reason":"outage","amount":"1.00"}"#),
    row("createTestClock", Parameter::None, r#"{"now":"2026-01-31T00:00:00Z"}"#),
    row("getTestClock", Object("{clock}", NO_CLOCK), ""),
    row("advanceTestClock", Object("{clock}", NO_CLOCK), r#"{"now":"2026-02-21T00:00:00Z"}"#),
    row("listDeadLetters", Parameter::None, ""),
    row("replayDeadLetter", Parameter::None, r#"{"id":"{deadLetter}"}"#),
    row("auditBilling", Parameter::None, ""),
    row("recordUsage", Parameter::None, r#"{"metric":"apiCalls"}"#),
    row("consumeUsage", Parameter::None, r#"{"metric":"apiCalls"}"#),
    row("recordUsageBatch", Parameter::None, r#"{"events":[{"metric":"apiCalls"}]}"#),
    row("getUsage", Parameter::None, ""),
    row("getQuota", Name("apiCalls"), ""),
    row("recordEvents", Parameter::None, r#"{"specversion":"1.0","id":"e1","source":"/tests","type":"apiCalls"}"#),
    row("createReservation", Parameter::None, r#"{"metric":"apiCalls"}"#),
    row("getReservation", Object("{reservation}", NO_RESERVATION), ""),
    row("settleReservation", Object("{reservation}", NO_RESERVATION), r#"{"amount":1}"#),
    row("releaseReservation", Object("{reservation}", NO_RESERVATION), ""),
    row("getUsageHistory", Parameter::Query("metric=apiCalls"), ""),
    row("exportUsageEvents", Parameter::None, ""),
    row("exportUsageProof", Parameter::None, ""),
    row("followUsage", Parameter::None, ""),
    row("getOwnOrganization", Parameter::None, ""),
    row("updateOwnOrganization", Parameter::None, r#"{"name":"Mine"}"#),
    row("getOnboarding", Parameter::None, ""),
    row("completeOnboardingItem", Name("setUpBilling"), r#"{"status":"completed"}"#),
    row("getSubscription", Parameter::None, ""),
    row("simulate", Parameter::None, r#"{"plan":"starter","to":"2026-12-01T00:00:00Z"}"#),
    row("listEntitlements", Parameter::None, ""),
    row("getEntitlement", Name("sso"), ""),
    row("createSubscription", Parameter::None, r#"{"plan":"starter"}"#),
    row("updateSubscription", Parameter::None, r#"{"paymentMethod":"card {fresh}"}"#),
    row("changeSubscription", Parameter::None, r#"{"plan":"enterprise"}"#),
    row("previewSubscriptionChange", Parameter::None, r#"{"plan":"enterprise"}"#),
    row("revokeScheduledChange", Parameter::None, ""),
    row("cancelSubscription", Parameter::None, r#"{"effective":"period_end","reason":"we stop"}"#),
    row("withdrawSubscriptionCancellation", Parameter::None, ""),
    row("pauseSubscription", Parameter::None, "{}"),
    row("resumeSubscription", Parameter::None, ""),
    row("suspendSubscription", Object("{acme}", NO_ORGANIZATION), ""),
    row("unsuspendSubscription", Object("{acme}", NO_ORGANIZATION), ""),
    row("listInvoices", Parameter::None, ""),
    row("getUpcomingInvoice", Parameter::None, ""),
    row("listPayments", Parameter::None, ""),
    row("listRefunds", Parameter::None, ""),
    row("listCreditNotes", Parameter::None, ""),
    row("getCreditNote", Object("{creditNote}", NO_CREDIT_NOTE), ""),
    row("getCredits", Parameter::None, ""),
    row("getInvoice", Object("{invoice}", NO_INVOICE), ""),
    row("getLedger", Parameter::None, ""),
    row("listLedgerEntries", Parameter::None, ""),
    row("getLedgerAudit", Parameter::None, ""),
    row("getInvoiceProof", Object("{invoice}", NO_INVOICE), ""),
    row("listMembers", Parameter::None, ""),
    row("getMember", Object("{member}", NO_PERSON), ""),
    row("updateMember", Object("{member}", NO_PERSON), r#"{"jobTitle":"{fresh}"}"#),
    row("removeMember", Object("{member}", NO_PERSON), ""),
    row("getSeats", Parameter::None, ""),
    row("createInvitation", Parameter::None, r#"{"email":"{fresh}@acme.example","role":null}"#),
    row("listInvitations", Parameter::None, ""),
    row("getInvitation", Object("{invitation}", NO_INVITATION), ""),
    row("mailInvitation", Object("{invitation}", NO_INVITATION), ""),
    row("revokeInvitation", Object("{invitation}", NO_INVITATION), ""),
    row("acceptInvitation", Parameter::None, r#"{"token":"{token}"}"#),
    row("signUp", Parameter::None, r#"{"name":"Initech","email":"admin{fresh}@initech.example"}"#),
    row("createLogin", Parameter::None, r#"{"email":"ada@acme.example"}"#),
    row("createSession", Parameter::None, r#"{"email":"ada@acme.example","code":"{code}"}"#),
    row("refreshSession", Parameter::None, r#"{"refreshToken":"{refreshToken}"}"#),
    row("listSessions", Parameter::None, ""),
    row("endSession", Object("{session}", NO_SESSION), ""),
    row("endOtherSessions", Parameter::None, ""),
    row("getSecondFactor", Parameter::None, ""),
    row("enrolSecondFactor", Parameter::None, "{}"),
    row("confirmSecondFactor", Parameter::None, r#"{"code":"{secondFactorCode}"}"#),
    row("removeSecondFactor", Parameter::None, ""),
    row("createApiKey", Parameter::None, r#"{"name":"k","scopes":["apiKeys.write"]}"#),
    row("listApiKeys", Parameter::None, ""),
    row("getApiKey", Object("{spareKey}", NO_KEY), ""),
    row("rotateApiKey", Object("{spareKey}", NO_KEY), r#"{"overlapSeconds":60}"#),
    row("revokeApiKey", Object("{spareKey}", NO_KEY), ""),
    row("listRoles", Parameter::None, ""),
    row("createRole", Parameter::None, r#"{"key":"helper{fresh}","name":"Helper","permissions":["roles.write"]}"#),
    row("getRole", Object("{role}", NO_ROLE), ""),
    row("updateRole", Object("{role}", NO_ROLE), r#"{"name":"Mine"}"#),
    row("deleteRole", Object("{spareRole}", NO_ROLE), ""),
    row("listTeams", Parameter::None, ""),
    row("createTeam", Parameter::None, r#"{"name":"Sales"}"#),
    row("getTeam", Object("{team}", NO_TEAM), ""),
    row("updateTeam", Object("{team}", NO_TEAM), r#"{"name":"Mine"}"#),
    row("deleteTeam", Object("{spareTeam}", NO_TEAM), ""),
    row("listTeamMembers", Object("{team}", NO_TEAM), ""),
    row("putTeamMember", Object("{team}/{member}", "team_00000000000000000000000001/{member}"), r#"{"role":"{keeper}"}"#),
    row("removeTeamMember", Object("{team}/{teamMember}", "{team}/user_00000000000000000000000001"), ""),
    row("checkPermission", ObjectInQuery("permission=usage.read&person=", "{member}", NO_PERSON), ""),
    row("createOAuthClient", Parameter::None, r#"{"name":"c","scopes":["oauthClients.write"]}"#),
    row("listOAuthClients", Parameter::None, ""),
    row("getOAuthClient", Object("{client}", NO_CLIENT), ""),
    row("rotateOAuthClient", Object("{client}", NO_CLIENT), r#"{"overlapSeconds":60}"#),
    row("deleteOAuthClient", Object("{client}", NO_CLIENT), ""),
    row("createAccessToken", Parameter::None, "grant_type=client_credentials&client_id={client}&client_secret={clientSecret}"),
    row("getAuthorizationServer", Parameter::None, ""),
    row("getJsonWebKeySet", Parameter::None, ""),
    row("createPlatformKey", Parameter::None, r#"{"name":"k"}"#),
    row("listPlatformKeys", Parameter::None, ""),
    row("getPlatformKey", Object("{platformKey}", NO_PLATFORM_KEY), ""),
    row("rotatePlatformKey", Object("{platformKey}", NO_PLATFORM_KEY), r#"{"overlapSeconds":60}"#),
    row("revokePlatformKey", Object("{platformKey}", NO_PLATFORM_KEY), ""),
    row("listSigningKeys", Parameter::None, ""),
    row("createSigningKey", Parameter::None, ""),
    row("rotateSealingKeys", Parameter::None, ""),
    row("listAuditLog", Parameter::None, ""),
    row("exportAuditLog", Parameter::None, ""),
    row("getAuditLogHead", Parameter::None, ""),
    row("listPlatformAuditLog", Parameter::None, ""),
    row("exportPlatformAuditLog", Parameter::None, ""),
    row("getPlatformAuditLogHead", Parameter::None, ""),
    row("listPermissions", Parameter::None, ""),
    row("listPlans", Parameter::None, ""),
    row("getPlan", Name("professional"), ""),
    row("listPlanVersions", Name("professional"), ""),
    row("estimatePrice", Parameter::None, r#"{"price":{"model":"flat","amount":"1"},"quantity":1,"currency":"USD"}"#),
];

/// Each operation with its row.
pub fn each() -> impl Iterator<Item = (&'static Row, Operation)> {
    let find = |row: &Row| document::operations().into_iter().find(|operation| operation.id == row.operation);
    ROWS.iter().filter_map(move |row| Some((row, find(row)?)))
}

impl Row {
    /// An id that nobody has, of the kind of object that this is about.
    pub fn unknown(&self) -> Option<&'static str> {
        match self.parameter {
            Object(_, unknown) | ObjectInQuery(_, _, unknown) | ObjectInBody(_, unknown) => Some(unknown),
            _ => None,
        }
    }

    pub fn ask(&self, cast: &Cast, operation: &Operation, who: &Credential) -> Ask {
        let parameter = match self.parameter {
            Parameter::None | Parameter::Query(_) => "",
            Name(name) => name,
            Object(of_acme, _) | ObjectInQuery(_, of_acme, _) | ObjectInBody(of_acme, _) => of_acme,
        };
        cast.prepare(self.operation, &cast.acme);
        self.ask_for(cast, operation, who, parameter)
    }

    /// The same for another object.
    pub fn ask_for(&self, cast: &Cast, operation: &Operation, who: &Credential, parameter: &str) -> Ask {
        let mut parameters = parameter.split('/');
        let mut fill = |part: &'static str| if part.starts_with('{') { parameters.next().unwrap().to_owned() } else { part.to_owned() };
        let path: Vec<String> = operation.path.split('/').map(&mut fill).collect();
        let query = match self.parameter {
            Parameter::Query(query) => format!("?{query}"),
            ObjectInQuery(name, ..) => format!("?{name}{parameter}"),
            _ => String::new(),
        };
        let asked = ask(who, &operation.method, &cast.fill(&(path.join("/") + &query))).header("accept", &operation.answers_with());
        if self.body.is_empty() {
            asked
        } else {
            asked.header("content-type", &operation.reads()).body(cast.fill(&self.body.replace("{object}", parameter)))
        }
    }
}

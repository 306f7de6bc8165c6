//! Every route, one per line, grouped by caller. The OpenAPI document is made from the same list.

use std::sync::OnceLock;

use axum::Router;
use axum::routing::{MethodFilter, get, on, post};
#[cfg(not(target_arch = "wasm32"))]
use utoipa::OpenApi;
use utoipa::Path;
use utoipa::openapi::HttpMethod;

use super::{documentation, experiments, health, home};
use crate::accounting::{credits, ledger};
use crate::billing::{
    billing_run, charging, discounts, entitlements, estimates, invoices, plan_migrations, seller, simulations, subscription_changes, taxes,
};
use crate::catalog::{metrics, plans};
use crate::delivery::mails;
#[cfg(not(target_arch = "wasm32"))]
use crate::http::security;
use crate::identity::{
    access_tokens, allowed_origins, api_keys, invitations, logins, members, oauth, permission_checks, platform_keys, removals, roles,
    second_factors, sessions, teams,
};
use crate::jobs::dead_letters;
use crate::metering::{limits, usage};
use crate::operations::{audit, exports, sealing_keys, test_clocks};
use crate::receivables::{credit_notes, payments};
use crate::tenancy::{data_movement, onboarding, organizations, signup};

/// Makes the router and the document from one list of handlers that carry `#[utoipa::path]`.
macro_rules! routes {
    ($($slice:ident :: $handler:ident,)*) => {
        pastey::paste! {
            /// The documented routes.
            fn documented() -> Router {
                Router::new()$(.route(
                    &$slice::routes::[<__path_ $handler>]::path(),
                    on(filter(&$slice::routes::[<__path_ $handler>]::methods()), $slice::routes::$handler),
                ))*
            }
        }

        pastey::paste! {
            /// The slice, path and method of each.
            #[cfg(not(target_arch = "wasm32"))]
            pub fn operations() -> Vec<Operation> {
                vec![$(Operation {
                    slice: stringify!($slice),
                    path: $slice::routes::[<__path_ $handler>]::path(),
                    method: method_name(&$slice::routes::[<__path_ $handler>]::methods()),
                }),*]
            }
        }

        /// Their description. Not in the Worker, which serves the committed one.
        #[cfg(not(target_arch = "wasm32"))]
        #[derive(OpenApi)]
        #[openapi(paths($($slice::routes::$handler),*), modifiers(&Securities))]
        pub struct Document;

        /// Writes to each operation which credentials its handler accepts.
        #[cfg(not(target_arch = "wasm32"))]
        struct Securities;

        #[cfg(not(target_arch = "wasm32"))]
        impl utoipa::Modify for Securities {
            fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
                pastey::paste! {
                    $(secure::<$slice::routes::[<__path_ $handler>]>(document, security::Handler::accepts(&$slice::routes::$handler));)*
                }
            }
        }
    };
}

routes! {
    // The vendor
    signup::create_for_vendor,
    organizations::list,
    organizations::get,
    organizations::update,
    organizations::delete,
    organizations::suspend,
    organizations::resume,
    data_movement::move_to,
    data_movement::list_moves,
    data_movement::list_erasures,
    subscription_changes::suspend,
    subscription_changes::unsuspend,
    metrics::create,
    plans::create,
    plans::create_version,
    plans::update,
    plan_migrations::preview,
    plan_migrations::create,
    entitlements::put,
    entitlements::delete,
    limits::list,
    limits::put,
    limits::delete,
    limits::list_grants,
    limits::create_grant,
    limits::delete_grant,
    discounts::create,
    discounts::list,
    discounts::delete,
    taxes::put,
    taxes::get,
    credits::create,
    credits::delete,
    payments::create,
    payments::pay_refund,
    invoices::void,
    invoices::write_off,
    credit_notes::create,
    test_clocks::create,
    test_clocks::get,
    test_clocks::put,
    dead_letters::list,
    dead_letters::replay,
    billing_run::audit,
    platform_keys::create,
    platform_keys::list,
    platform_keys::get,
    platform_keys::rotate,
    platform_keys::revoke,
    access_tokens::list,
    access_tokens::create,
    allowed_origins::get,
    allowed_origins::put,
    sealing_keys::rotate,
    seller::get,
    seller::put,
    audit::list_platform,
    audit::export_platform,
    audit::head_platform,

    // The hot path: the organization's backend, on its own requests
    usage::record,
    usage::consume,
    usage::batch,
    usage::summary,
    usage::quota,
    usage::events,
    usage::reserve,
    usage::reservation,
    usage::settle,
    usage::release,
    usage::history,
    usage::export_events,
    usage::proof,
    usage::live,

    // The organization's administrators
    organizations::get_own,
    organizations::update_own,
    organizations::cancel,
    organizations::withdraw_cancellation,
    organizations::transfer_ownership,
    exports::create,
    exports::list,
    exports::get,
    exports::content,
    onboarding::get,
    onboarding::put_item,
    subscription_changes::get,
    simulations::create,
    entitlements::list,
    entitlements::get,
    subscription_changes::begin,
    subscription_changes::update,
    subscription_changes::change_now,
    subscription_changes::preview,
    subscription_changes::revoke_scheduled,
    subscription_changes::cancel,
    subscription_changes::withdraw_cancellation,
    subscription_changes::pause,
    subscription_changes::resume,
    invoices::list,
    charging::upcoming,
    invoices::get,
    payments::list,
    payments::list_refunds,
    credit_notes::list,
    credit_notes::get,
    credits::get,
    ledger::get,
    ledger::list_entries,
    ledger::audit,
    invoices::proof,
    members::list,
    members::get,
    members::update,
    removals::remove,
    members::seats,
    invitations::create,
    invitations::list,
    invitations::get,
    invitations::mail,
    invitations::revoke,
    api_keys::create,
    api_keys::list,
    api_keys::get,
    api_keys::rotate,
    api_keys::revoke,
    roles::list,
    roles::create,
    roles::get,
    roles::update,
    roles::delete,
    teams::list,
    teams::create,
    teams::get,
    teams::update,
    teams::delete,
    teams::list_members,
    teams::put_member,
    teams::remove_member,
    oauth::create,
    oauth::list,
    oauth::get,
    oauth::rotate,
    oauth::delete,
    audit::list,
    audit::export,
    audit::head,

    // People: login and their own resources
    signup::create,
    logins::create,
    sessions::create,
    sessions::refresh,
    sessions::list,
    sessions::end,
    sessions::end_others,
    second_factors::get,
    second_factors::enrol,
    second_factors::confirm,
    second_factors::remove,

    // Public
    access_tokens::jwks,
    invitations::accept,
    oauth::token,
    oauth::discover,
    permission_checks::permissions,
    permission_checks::check,
    plans::list,
    plans::get,
    plans::list_versions,
    estimates::create,
    metrics::list,
    metrics::get,
}

/// One documented route, as the document needs to find it.
#[cfg(not(target_arch = "wasm32"))]
pub struct Operation {
    pub slice: &'static str,
    pub path: String,
    pub method: &'static str,
}

#[cfg(not(target_arch = "wasm32"))]
fn method_name(methods: &[HttpMethod]) -> &'static str {
    match methods.first() {
        Some(HttpMethod::Post) => "post",
        Some(HttpMethod::Put) => "put",
        Some(HttpMethod::Patch) => "patch",
        Some(HttpMethod::Delete) => "delete",
        _ => "get",
    }
}

/// All routes, also those outside the contract. Created at the first request of an isolate, because the creation costs more than most
/// requests.
pub fn router() -> Router {
    static ROUTER: OnceLock<Router> = OnceLock::new();
    ROUTER.get_or_init(all).clone()
}

fn all() -> Router {
    documented()
        .route("/healthz", get(health::healthz))
        .route("/openapi.json", get(documentation::openapi_json))
        .route("/", get(home::home))
        .route("/docs", get(documentation::page))
        .route("/docs/reference.md", get(documentation::page))
        .route("/llms.txt", get(documentation::page))
        .route("/dev/emails", get(mails::routes::emails))
        .route("/dev/inbox", get(mails::routes::inbox))
        .route("/dev/experiments/sql", post(experiments::sql))
        .route("/dev/experiments/sealing", post(experiments::sealing))
        .route("/dev/experiments/panic", post(experiments::panic))
}

/// The credentials that the operation of one handler accepts.
#[cfg(not(target_arch = "wasm32"))]
fn secure<P: Path>(document: &mut utoipa::openapi::OpenApi, accepted: Vec<utoipa::openapi::SecurityRequirement>) {
    let Some(item) = document.paths.paths.get_mut(&P::path()) else { return };
    let operation = match P::methods().first() {
        Some(HttpMethod::Post) => &mut item.post,
        Some(HttpMethod::Put) => &mut item.put,
        Some(HttpMethod::Patch) => &mut item.patch,
        Some(HttpMethod::Delete) => &mut item.delete,
        _ => &mut item.get,
    };
    if let Some(operation) = operation {
        operation.security = Some(accepted);
    }
}

fn filter(methods: &[HttpMethod]) -> MethodFilter {
    match methods.first() {
        Some(HttpMethod::Post) => MethodFilter::POST,
        Some(HttpMethod::Put) => MethodFilter::PUT,
        Some(HttpMethod::Patch) => MethodFilter::PATCH,
        Some(HttpMethod::Delete) => MethodFilter::DELETE,
        _ => MethodFilter::GET,
    }
}

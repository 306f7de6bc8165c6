//! Every route, one a line, grouped by who uses it. The OpenAPI document is made from the same list.

use std::sync::OnceLock;

use axum::Router;
use axum::routing::{MethodFilter, get, on, post};
use utoipa::openapi::HttpMethod;
use utoipa::{OpenApi, Path};

use super::{experiments, health, openapi};
use crate::accounting::{credits, ledger};
use crate::billing::{billing_run, discounts, entitlements, estimates, invoices, seller, simulations, subscriptions, taxes};
use crate::catalog::{metrics, plans};
use crate::delivery::mails;
use crate::identity::{
    access_tokens, api_keys, invitations, logins, members, oauth, platform_keys, roles, second_factors, sessions, teams,
};
use crate::jobs::dead_letters;
use crate::metering::{limits, usage};
use crate::operations::{audit, exports, test_clocks};
use crate::receivables::{credit_notes, payments};
use crate::sealing;
use crate::tenancy::{onboarding, organizations, signup};

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
            /// Which slice each of them belongs to.
            #[cfg(not(target_arch = "wasm32"))]
            pub fn operations() -> Vec<Operation> {
                vec![$(Operation {
                    slice: stringify!($slice),
                    path: $slice::routes::[<__path_ $handler>]::path(),
                    method: method_name(&$slice::routes::[<__path_ $handler>]::methods()),
                }),*]
            }
        }

        /// Their description.
        #[derive(OpenApi)]
        #[openapi(paths($($slice::routes::$handler),*))]
        pub struct Document;
    };
}

routes! {
    // The vendor's
    organizations::create,
    organizations::list,
    organizations::get,
    organizations::update,
    organizations::delete,
    organizations::suspend,
    organizations::resume,
    organizations::move_to,
    organizations::list_moves,
    organizations::list_erasures,
    subscriptions::suspend,
    subscriptions::unsuspend,
    metrics::create,
    plans::create,
    plans::create_version,
    plans::preview_migration,
    plans::migrate,
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
    sealing::rotate,
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
    subscriptions::get,
    simulations::create,
    entitlements::list,
    entitlements::get,
    subscriptions::begin,
    subscriptions::update,
    subscriptions::change_now,
    subscriptions::preview,
    subscriptions::revoke_scheduled,
    subscriptions::cancel,
    subscriptions::withdraw_cancellation,
    subscriptions::pause,
    subscriptions::resume,
    invoices::list,
    invoices::upcoming,
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
    members::remove,
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

    // People: how they come in, and what is their own
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

    // Everybody's
    access_tokens::jwks,
    invitations::accept,
    oauth::token,
    oauth::discover,
    api_keys::permissions,
    roles::check,
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

/// All routes, also those outside the contract. Made at the first request of an isolate: making it costs more than most requests.
pub fn router() -> Router {
    static ROUTER: OnceLock<Router> = OnceLock::new();
    ROUTER.get_or_init(all).clone()
}

fn all() -> Router {
    documented()
        .route("/healthz", get(health::healthz))
        .route("/openapi.json", get(openapi::openapi_json))
        .route("/docs", get(openapi::docs))
        .route("/dev/emails", get(mails::routes::emails))
        .route("/dev/inbox", get(mails::routes::inbox))
        .route("/dev/experiments/sql", post(experiments::sql))
        .route("/dev/experiments/sealing", post(experiments::sealing))
        .route("/dev/experiments/panic", post(experiments::panic))
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

//! The ledger: what is posted balances, what is read was balanced, and what somebody changes by hand is found.

mod posting;
mod properties;
mod reading;
mod tampering;

use futures::executor::block_on;
use rating::{Currency, Money};
use serde_json::Value;
use tenantry::accounting::ledger::entry::Entry;
use tenantry::accounting::ledger::rules::{InvoiceParts, invoice_finalized, payment_received, revenue_recognized};
use tenantry::accounting::ledger::store;
use tenantry::kernel::decision::Decision;
use tenantry::kernel::error::Result;
use tenantry::kernel::ids::InvoiceId;
use tenantry::kernel::tenant::{Actor, Tenant};

use crate::support::rows;
use crate::support::world::{Company, World};

pub fn usd(minor: i64) -> Money {
    Money::new(minor, Currency::USD)
}

pub fn parts(due: i64, paid_by_credit: i64, credited: i64, revenue: i64, deferred: i64, tax: i64) -> InvoiceParts {
    InvoiceParts {
        due: usd(due),
        paid_by_credit: usd(paid_by_credit),
        credited: usd(credited),
        revenue: usd(revenue),
        deferred: usd(deferred),
        tax: usd(tax),
    }
}

/// An invoice of the story.
pub fn invoice(number: u32) -> InvoiceId {
    InvoiceId::derived(&["invoice of the ledger's tests", &number.to_string()])
}

pub fn tenant(company: &Company<'_>) -> Tenant {
    let id = company.id.parse().unwrap();
    block_on(company.world.platform().tenant(id, Actor::System("tests"), None)).unwrap().unwrap()
}

/// Commits entries as a slice does.
pub fn post(tenant: &Tenant, entries: &[Entry]) -> Result<()> {
    block_on(tenant.commit(Decision::new().write_all(store::post(entries)), None))
}

/// An invoice that is finalized, paid, and whose period ends: 199 dollars in advance, 25 for usage, 20 % tax.
pub fn whole_way(tenant: &Tenant, number: u32) -> [Entry; 3] {
    let (id, moment) = (invoice(number), tenant.moment());
    [
        invoice_finalized(id, &parts(26_880, 0, 0, 2_500, 19_900, 4_480), moment).unwrap(),
        payment_received(&format!("pay_{number}"), id, usd(26_880), moment).unwrap(),
        revenue_recognized(id, "2026-01", usd(19_900), moment).unwrap(),
    ]
}

/// Account and minor units of what `GET /v1/ledger` shows.
pub fn balances(company: &Company<'_>) -> Vec<(String, i64)> {
    let ledger = company.get("/v1/ledger");
    assert_eq!((&ledger["$type"], &ledger["isBalanced"]), (&"Ledger".into(), &true.into()));
    let shown = ledger["balances"].as_array().unwrap().iter();
    shown.map(|shown| (text(&shown["account"]), shown["balance"]["amountMinor"].as_i64().unwrap())).collect()
}

pub fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

/// Changes rows as somebody would who has the database in hand.
pub fn meddle(world: &World, company: &Company<'_>, statement: &str) {
    world.shards[rows::home(world, &company.id)].meddle(&statement.replace("{organization}", &company.id)).unwrap();
}

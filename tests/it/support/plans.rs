//! Plans of the vendor's, published.

use std::collections::BTreeMap;

use futures::executor::block_on;
use tenantry::catalog::plans::built_in::built_in;
use tenantry::catalog::plans::plan::{AddOn, Plan, PlanPrice};
use tenantry::kernel::sql::{Sql, Statement, Value};

use super::world::World;
use rating::{BillingInterval, Charge, Currency, Decimal, PriceModel, Quantity};

/// Publishes a version of a plan.
pub fn publish(world: &World, plan: &Plan) {
    let text = "INSERT INTO plan_versions (key, version, document, organization_id, published_at) VALUES (?1, ?2, ?3, ?4, 0)";
    let document = serde_json::to_string(plan).unwrap();
    let organization = plan.organization.map(|organization| organization.to_string());
    let params = vec![Value::from(plan.key.as_str()), Value::from(plan.version), Value::from(document), Value::from(organization)];
    block_on(world.directory.batch(vec![Statement { text, params }])).unwrap();
}

/// A price in dollars.
pub fn dollars(interval: BillingInterval, charge: Charge) -> PlanPrice {
    PlanPrice { currency: Currency::USD, interval, price: PriceModel::new(charge) }
}

pub fn flat(cents: u32) -> Charge {
    Charge::Flat { amount: Decimal::from_millionths(cents * 10_000) }
}

pub fn per_seat(cents: u32) -> Charge {
    Charge::PerUnit { unit_amount: Decimal::from_millionths(cents * 10_000), free_units: Quantity::ZERO }
}

/// `team`: 10 dollars a seat and month, 100 a year; `backup`, 5 dollars a month or 50 a year, brings 100 GB each. Limits and metered prices
/// are those of the professional plan.
pub fn team() -> Plan {
    let prices = |month, year| vec![dollars(BillingInterval::Month, month), dollars(BillingInterval::Year, year)];
    let backup = AddOn {
        key: "backup".into(),
        name: "Backup".into(),
        prices: prices(flat(500), flat(5_000)),
        limits: BTreeMap::from([("storage".to_owned(), Quantity::from(100))]),
        features: Vec::new(),
    };
    Plan {
        key: "team".into(),
        name: "Team".into(),
        prices: prices(per_seat(1_000), per_seat(10_000)),
        add_ons: vec![backup],
        ..built_in("professional").unwrap()
    }
}

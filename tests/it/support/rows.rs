//! What the databases hold, table by table, past the API: for tests that count what is left.

use std::collections::BTreeMap;

use futures::executor::block_on;
use serde_json::Value;
use tenantry::kernel::sql::{Sql, Statement};

use super::world::World;

/// The rows of one statement.
pub fn read(sql: &dyn Sql, text: &str) -> Vec<Value> {
    // The port takes constant texts only; a test may leak a few.
    let statement = Statement { text: text.to_owned().leak(), params: Vec::new() };
    let outcomes = block_on(sql.batch(vec![statement])).unwrap_or_else(|error| panic!("{text}: {error:?}"));
    outcomes.into_iter().flat_map(|outcome| outcome.rows).map(Value::Object).collect()
}

/// The names of all tables.
pub fn tables(sql: &dyn Sql) -> Vec<String> {
    let names = read(sql, "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name");
    names.iter().map(|row| row["name"].as_str().unwrap().to_owned()).collect()
}

/// The rows of an organization in one tenants' database, by table, each as text; tables without any are left out.
pub fn of(sql: &dyn Sql, organization: &str) -> BTreeMap<String, Vec<String>> {
    let rows = |table: &String| {
        let rows = read(sql, &format!("SELECT * FROM {table} WHERE organization_id = '{organization}'"));
        let mut rows: Vec<String> = rows.iter().map(Value::to_string).collect();
        rows.sort();
        rows
    };
    tables(sql).into_iter().map(|table| (table.clone(), rows(&table))).filter(|(_, rows)| !rows.is_empty()).collect()
}

/// The database in which the directory says an organization lives.
pub fn home(world: &World, organization: &str) -> usize {
    let rows = read(world.directory.as_ref(), &format!("SELECT shard FROM organizations WHERE id = '{organization}'"));
    usize::try_from(rows[0]["shard"].as_u64().unwrap()).unwrap()
}
